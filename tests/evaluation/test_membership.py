"""The audit of membership, on planted truths: models that remember, and such as cannot."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import special
from sklearn.metrics import roc_auc_score

import recprune as rp
from recprune.evaluation.privacy import difference
from recprune.evaluation.privacy.likelihood import halves
from recprune.evaluation.privacy.queries import Queries, queries
from recprune.evaluation.privacy.signals import Signal, standardised
from recprune.evaluation.privacy.statistics import across_users, within_users
from recprune.interactions import DataError


class Remembers:
    """Scores of taste, the same for all who train, and a bonus for what was trained on."""

    def __init__(self, train, bonus):
        self.taste = np.random.default_rng(7).normal(size=train.shape)
        self.table = self.taste + bonus * train.toarray()

    def score(self, users):
        return self.table[users]


class Echo:
    """Scores that are the history, and nothing else."""

    def __init__(self, train):
        self.train = train.tocsr()

    def score(self, users):
        return self.score_histories(self.train[users])

    def score_histories(self, histories):
        return histories.toarray()


def test_what_remembers_is_told_and_what_cannot_is_not(ratio):
    known = rp.membership(Remembers(ratio.train, 100.0), ratio)
    assert known.auc.estimate == 1 and known.tpr_at_1_fpr.estimate == 1
    for blind in (Remembers(ratio.train, 0.0), rp.models.Popularity().fit(ratio.train)):
        audit = rp.membership(blind, ratio)
        assert audit.auc.lo < 0.5 < audit.auc.hi
        assert audit.tpr_at_1_fpr.lo < 0.01 < audit.tpr_at_1_fpr.hi or audit.tpr_at_1_fpr.estimate == 0


def test_auc_is_the_mean_of_users_own(ratio):
    model = Remembers(ratio.train, 1.0)
    audit = rp.membership(model, ratio, most=10**6)
    train, test = ratio.train.toarray() > 0, ratio.test.toarray() > 0
    for user in range(ratio.n_users):
        asked = train[user] | test[user]
        expected = roc_auc_score(train[user, asked], model.table[user, asked]) if test[user].any() else np.nan
        assert audit.per_user["auc"][user] == pytest.approx(expected, nan_ok=True)
    assert audit.auc.estimate == pytest.approx(np.nanmean(audit.per_user["auc"]))
    assert (audit.n_members, audit.n_non_members) == (ratio.train.nnz, ratio.test.nnz)


def test_hiding_takes_away_what_the_history_alone_tells(ratio):
    echo = Echo(ratio.train)
    hidden, served = rp.membership(echo, ratio), rp.membership(echo, ratio, hide=False)
    assert hidden.hidden and not served.hidden
    assert hidden.auc.estimate == 0.5 and served.auc.estimate == 1


def test_a_table_of_users_is_asked_as_it_is_and_folding_in_is_not(ratio):
    model = rp.models.IALS(factors=8, l2=1.0).fit(ratio.train, seed=0)
    folded, table = rp.membership(model, ratio), rp.membership(model, ratio, hide=False)
    assert folded.hidden and not table.hidden
    assert table.auc.lo > folded.auc.hi
    assert not rp.membership(rp.models.BPR(factors=4, epochs=1).fit(ratio.train, seed=0), ratio).hidden


def test_the_model_is_left_as_it_was(ratio):
    model = rp.models.IALS(factors=4, iterations=1).fit(ratio.train, seed=0)
    before = model.score(np.arange(ratio.n_users))
    rp.membership(model, ratio)
    assert (model.score(np.arange(ratio.n_users)) == before).all()


def test_same_seed_same_audit(ratio):
    model = rp.models.EASE(l2=5.0).fit(ratio.train)
    one, two, other = (rp.membership(model, ratio, seed=seed, most=3) for seed in (4, 4, 5))
    assert one.auc == two.auc and one.tpr_at_1_fpr == two.tpr_at_1_fpr
    assert other.auc != one.auc


def test_queries_are_of_the_right_parts(ratio):
    of = queries(ratio, most=3, seed=0)
    train, test = ratio.train.toarray(), ratio.test.toarray()
    assert (train[of.user, of.member] > 0).all() and (test[of.user[of.query], of.non_member] > 0).all()
    assert len({*zip(of.user, of.member, strict=True)}) == len(of.user)
    assert of.weight.sum() == pytest.approx(len(of.users)) == pytest.approx(of.weight_of_asked.sum())
    asked = np.bincount(of.user, minlength=ratio.n_users)
    has = np.bincount(ratio.train.user, minlength=ratio.n_users)
    assert (asked[of.users] == np.minimum(3, has)[of.users]).all()


def simulated(rng, n_users=150, members=6, others=8):
    """Members of user u are scored N(mu_u, 1), mu ~ N(1, 1/2); non-members N(0, 1)."""
    user = np.repeat(np.arange(n_users), members)
    query = np.repeat(np.arange(len(user)), others)
    zero = np.zeros(len(query), np.int64)
    of = Queries(user, np.zeros(len(user), np.int64), np.tile(np.arange(members), n_users), query, zero, n_users, 99)
    shift = rng.normal(1, 0.5, n_users)[user]
    beside = rng.normal(size=(n_users, others))[user].ravel()  # the same non-members beside each of a user's members
    return within_users(of, Signal(rng.normal(shift), beside), hidden=True)


def test_intervals_cover_the_truth():
    truth = special.ndtr(1 / np.sqrt(2.25)), special.ndtr((1 - special.ndtri(0.99)) / np.sqrt(1.25))
    rng, covered = np.random.default_rng(0), np.zeros(2)
    for _ in range(300):
        audit = simulated(rng)
        covered += [
            each.lo <= true <= each.hi for each, true in zip((audit.auc, audit.tpr_at_1_fpr), truth, strict=True)
        ]
    assert (covered / 300 > 0.90).all(), covered / 300
    assert (covered / 300 < 0.99).all(), covered / 300


def test_intervals_of_users_cover_the_truth():
    rng, covered = np.random.default_rng(0), 0
    truth = special.ndtr(1 / np.sqrt(2))
    for _ in range(300):
        member = np.arange(200) < 140
        audit = across_users(rng.normal(np.where(member, 1.0, 0.0)), member, hidden=True)
        covered += audit.auc.lo <= truth <= audit.auc.hi
    assert 0.90 < covered / 300 < 0.99


def test_likelihood_ratio_sees_through_taste(ratio):
    model = Remembers(ratio.train, 0.3)
    plain = rp.membership(model, ratio)
    trained = rp.membership(model, ratio, retrain=lambda log, seed: Remembers(log, 0.3), retrainings=8)
    assert plain.auc.hi < 0.65 < 0.95 < trained.auc.lo
    blind = rp.membership(model, ratio, retrain=lambda log, seed: Remembers(log, 0.0), retrainings=4)
    assert blind.auc.estimate == pytest.approx(0.5)  # who knows no difference learns none


def test_each_interaction_is_in_half_of_the_retrainings():
    inside = halves(1000, 9, seed=3)
    assert (inside.sum(axis=1) == 4).all()
    assert abs(inside.mean(axis=0) - 4 / 9).max() < 0.06


def test_two_versions_together_tell_what_neither_does(ratio):
    one, other = Remembers(ratio.train, 0.3), Remembers(ratio.train, 0.0)
    alone, both = rp.membership(one, ratio), rp.membership([one, other], ratio)
    assert both.auc.lo > 0.95 > alone.auc.hi
    assert rp.membership([other, other], ratio).auc.estimate == pytest.approx(0.5, abs=0.05)


def test_difference_is_paired(ratio):
    one, two = (rp.membership(Remembers(ratio.train, bonus), ratio) for bonus in (1.0, 0.9))
    gain = difference(one, two)
    assert gain.mean == pytest.approx(one.auc.estimate - two.auc.estimate)
    assert 0 < gain.error < one.errors["auc"]
    assert difference(one, one).mean == difference(one, one).error == 0
    with pytest.raises(ValueError, match="other users"):
        difference(one, replace(two, per_user={"auc": two.per_user["auc"][:-1]}))


class Recalls:
    """Of a history, the training user with most in common is found, and that user's items are scored high."""

    folds_in = True

    def __init__(self, train):
        self.train = train.toarray()

    def score(self, users):
        return self.train[users]

    def fold_in(self, histories):
        return self.train[(histories @ self.train.T).argmax(axis=1)]


def test_training_users_are_told_from_others_where_the_model_knows_them(strong):
    known = rp.membership(Recalls(strong.train), strong)
    assert known.what == "user" and known.auc.lo > 0.9
    popular = rp.membership(rp.models.Popularity().fit(strong.train), strong)
    assert popular.auc.lo < 0.5 < popular.auc.hi
    assert popular.n_non_members == len(np.unique(strong.test.user))
    assert popular.n_users == popular.n_members + popular.n_non_members


def test_standardised_rows():
    scores = standardised(np.array([[1.0, 2.0, -np.inf, 3.0], [4.0, 4.0, 4.0, 4.0]], np.float32), np.arange(2))
    assert scores[0, 2] == -np.inf and scores[0, [0, 1, 3]].mean() == pytest.approx(0)
    assert scores[0, [0, 1, 3]].std() == pytest.approx(1) and (scores[1] == 0).all()


class Narrow:
    def score(self, users):
        return np.zeros((len(users), 3))


class Broken:
    def score(self, users):
        return np.full((len(users), 80), np.nan)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"most": 0}, "most is 0; a whole number from 1"),
        ({"retrainings": 3}, "retrainings is 3; a whole number from 4"),
        ({"most": True}, "most is True"),
    ],
)
def test_bad_options_are_named(ratio, options, message):
    with pytest.raises(ValueError, match=message):
        rp.membership(Remembers(ratio.train, 0.0), ratio, **options)


def test_what_is_no_model_of_the_split_is_refused(ratio, strong, log):
    fine = Remembers(ratio.train, 0.0)
    with pytest.raises(ValueError, match="scores have shape"):
        rp.membership(Narrow(), ratio)
    with pytest.raises(ValueError, match="the scores of user 0 hold NaN"):
        rp.membership(Broken(), replace(ratio))
    with pytest.raises(TypeError, match="a trained model is needed"):
        rp.membership(ratio, ratio)
    with pytest.raises(TypeError, match="a trained model is needed"):
        rp.membership([], ratio)
    with pytest.raises(TypeError, match="a Split is needed"):
        rp.membership(fine, log)
    with pytest.raises(ValueError, match="not in the training part"):
        rp.membership(rp.models.EASE().fit(rp.split(log, seed=1, core=5).train), ratio)
    with pytest.raises(ValueError, match="retrain makes models like one"):
        rp.membership([fine, fine], ratio, retrain=lambda log, seed: fine)
    with pytest.raises(ValueError, match="give a single model"):
        rp.membership([Recalls(strong.train)] * 2, strong)
    with pytest.raises(ValueError, match="cannot fold in"):
        rp.membership(Remembers(strong.train, 0.0), strong)


def test_other_protocols_and_splits_without_test_are_refused(ratio, log):
    with pytest.raises(ValueError, match="'loo'.*audited are splits by ratio, strong"):
        rp.membership(Echo(ratio.train), rp.split(log, protocol="loo", core=5))
    nothing = replace(ratio, test=ratio.test.select(np.zeros(0, np.int64)))
    with pytest.raises(DataError, match="a split with a test part is needed"):
        rp.membership(Echo(ratio.train), nothing)
