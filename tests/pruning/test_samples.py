"""What each criterion of training samples promises, and the loop that prunes them with the model in it."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from recprune.evaluation import evaluate
from recprune.interactions import Interactions
from recprune.models import BPR, DLRM, EASE, IALS, ItemKNN, MultVAE, NeuMF, SASRec
from recprune.models.parts import sample_weights
from recprune.pruning import CRITERIA, data_path, prune_data, prune_samples
from recprune.pruning.samples import inverse_propensity, k_core, leverage, mutual_information, representative, segment
from recprune.pruning.samples.inverse_propensity import inclusion
from recprune.pruning.samples.k_core import core_numbers
from recprune.pruning.samples.proxy import EPOCHS, _pairs, watch
from recprune.pruning.samples.stratified import parts, strata
from recprune.pruning.schedule import SCHEDULES
from recprune.pruning.select import Ranking

SCORES = {name: rule.samples for name, rule in CRITERIA.items() if rule.samples}
IN_ROUNDS = ("representative", "segment", "segment-learnt")  # made for the loop with the model in it
LOOKS = {
    "weight",
    "recency",
    "k-core",
    "leverage",
    "mutual-information",
    "mutual-information-redundant",
}  # draw nothing


@pytest.fixture(scope="module")
def train(ratio):
    return ratio.train


@pytest.fixture(scope="module")
def planted(train):
    """The training log with a tenth of random pairs among it, and which they are."""
    rng = np.random.default_rng(0)
    real = train.user.astype(np.int64) * train.n_items + train.item
    free = np.setdiff1d(np.arange(train.n_users * train.n_items), real)
    pairs = np.sort(np.append(real, rng.choice(free, train.nnz // 10, replace=False)))
    user, item = (codes.astype(np.int32) for codes in np.divmod(pairs, train.n_items))
    return replace(train, user=user, item=item, rating=None, timestamp=None), ~np.isin(pairs, real)


def auc(scores, positive) -> float:
    """The chance that a positive has the higher score."""
    above = np.subtract.outer(scores[positive], scores[~positive])
    return float((above > 0).mean() + 0.5 * (above == 0).mean())


def toy(user, item, n_users, n_items, **more) -> Interactions:
    codes = (np.asarray(user, np.int32), np.asarray(item, np.int32))
    return Interactions(*codes, users=np.arange(n_users), items=np.arange(n_items), name="toy", **more)


@pytest.fixture(scope="module")
def scored(train):
    """(scores, groups) of a criterion under seed 0, computed once."""
    return {name: score(train, 0) for name, score in SCORES.items()}


@pytest.mark.parametrize("name", SCORES)
class TestEveryCriterion:
    def test_the_same_seed_gives_the_same_bytes(self, name, train, scored):
        before = train.content_hash
        scores, _ = scored[name]
        assert SCORES[name](train, 0)[0].tobytes() == scores.tobytes()
        assert scores.shape == (train.nnz,)
        assert np.isfinite(scores).all()
        assert replace(train).content_hash == before

    def test_another_seed_matters_only_to_what_draws(self, name, train, scored):
        other = SCORES[name](train, 1)[0]
        if name in LOOKS:
            np.testing.assert_allclose(other, scored[name][0], atol=1e-9)
        else:
            assert not np.array_equal(other, scored[name][0])

    def test_exactly_k_stay_and_choices_are_nested(self, name, train, scored):
        scores, groups = scored[name]
        ranking = Ranking(scores, 0, groups)
        some, more = (ranking.first(k) for k in (train.nnz // 3, train.nnz // 2))
        assert (some.sum(), more.sum()) == (train.nnz // 3, train.nnz // 2)
        assert not (some & ~more).any()


class TestStrata:
    def test_every_stratum_keeps_its_share(self, train):
        groups = strata(train)
        kept = Ranking(*_with_seed(SCORES["stratified"](train, 0))).first(round(0.4 * train.nnz))
        size = np.bincount(groups)
        off = np.bincount(groups, kept) - 0.4 * size
        assert np.abs(off).max() <= 1

    @given(counts=st.lists(st.integers(0, 30), min_size=1, max_size=40), n=st.integers(1, 10))
    def test_parts_go_down_in_frequency_and_hold_about_the_same(self, counts, n):
        codes = np.repeat(np.arange(len(counts)), counts)
        part = parts(codes, len(counts), n)
        assert part.min() >= 0
        assert part.max() < n
        order = np.argsort(-np.array(counts), kind="stable")
        assert (np.diff(part[order]) >= 0).all()
        held = np.bincount(part[codes], minlength=n)
        assert (held <= len(codes) / n + max(counts)).all()


def _with_seed(scores_and_groups):
    scores, groups = scores_and_groups
    return scores, 0, groups


class TestWeightAndRecency:
    def test_ratings_then_event_weights(self, train):
        np.testing.assert_array_equal(SCORES["weight"](train, 0)[0], train.rating)
        weight = np.arange(train.nnz, dtype=np.float32)
        np.testing.assert_array_equal(SCORES["weight"](replace(train, rating=None, weight=weight), 0)[0], weight)

    def test_recency_keeps_the_latest(self, train):
        kept = Ranking(SCORES["recency"](train, 0)[0], 0).first(500)
        assert train.timestamp[kept].min() >= train.timestamp[~kept].max()

    def test_a_log_that_lacks_what_is_looked_at_is_named(self, train):
        bare = replace(train, rating=None, weight=None, timestamp=None)
        with pytest.raises(ValueError, match=f"{train.name}: criterion 'weight' needs ratings or event weights"):
            SCORES["weight"](bare, 0)
        with pytest.raises(ValueError, match="orders nothing: all ratings are 1"):
            SCORES["weight"](replace(train, rating=np.ones(train.nnz, np.float32)), 0)
        with pytest.raises(ValueError, match=f"{train.name}: criterion 'recency' needs times"):
            SCORES["recency"](bare, 0)
        with pytest.raises(ValueError, match="orders nothing: all times are 7"):
            SCORES["recency"](replace(train, timestamp=np.full(train.nnz, 7)), 0)


PAIRS = st.sets(st.tuples(st.integers(0, 7), st.integers(0, 7)), min_size=1, max_size=40)


class TestKCore:
    @given(pairs=PAIRS)
    def test_core_numbers_are_the_largest_core_that_holds_the_pair(self, pairs):
        user, item = np.array(sorted(pairs)).T
        expected = np.zeros(len(user), int)
        for k in range(1, 9):  # the k-core, by its definition: drop whoever has too few until nobody has
            alive = np.ones(len(user), bool)
            for _ in range(20):
                for codes in (user, item):
                    alive &= (np.bincount(codes[alive], minlength=8) >= k)[codes]
            expected[alive] = k
        np.testing.assert_array_equal(core_numbers(user, item, 8, 8), expected)

    def test_cutting_at_a_number_is_the_filter(self, train):
        numbers = k_core.score(train, 0)[0]
        for k in (int(np.median(numbers)), int(numbers.max())):
            left = train.select(numbers >= k)
            for codes in (left.user, left.item):
                assert np.bincount(codes)[np.unique(codes)].min() >= k


class TestLeverage:
    @pytest.mark.parametrize("rank", [1, 5, 20, 60])
    def test_users_and_items_add_up_to_the_rank(self, rank, train):
        user, item = leverage.leverages(train.tocsr(), rank)
        assert user.sum() == pytest.approx(rank, rel=1e-6)
        assert item.sum() == pytest.approx(rank, rel=1e-6)
        assert max(user.max(), item.max()) <= 1 + 1e-9

    def test_iterative_and_dense_solutions_agree(self, train):
        left, _, right = np.linalg.svd(train.toarray().astype(np.float64), full_matrices=False)
        user, item = leverage.leverages(train.tocsr(), 6)
        np.testing.assert_allclose(user, (left[:, :6] ** 2).sum(1), atol=1e-8)
        np.testing.assert_allclose(item, (right[:6] ** 2).sum(0), atol=1e-8)

    def test_a_rank_that_is_not_there_is_not_made_up(self):
        log = toy(np.repeat(np.arange(6), 4), np.tile(np.arange(4), 6), 6, 5)  # everybody the same: rank 1
        user, item = leverage.leverages(log.tocsr(), 3)
        np.testing.assert_allclose(user, 1 / 6)
        np.testing.assert_allclose(item, [1 / 4] * 4 + [0], atol=1e-12)


class TestMutualInformation:
    def test_formula_by_hand(self):
        """Users 0, 1, 2 have items 0 and 1, user 3 has 2 and 3: of the others, 2 have both 0 and 1, 2 each, of 3."""
        log = toy([0, 0, 1, 1, 2, 2, 3, 3], [0, 1, 0, 1, 0, 1, 2, 3], 4, 4)
        scores = mutual_information.score(log, 0)[0]
        np.testing.assert_allclose(scores[:6], np.log(3 / (2 * 2 / 3 + 1)), rtol=1e-6)
        np.testing.assert_allclose(scores[6:], 0.0, atol=1e-7)  # nobody else speaks for it

    def test_blocks_and_single_interactions(self, train, monkeypatch):
        whole = mutual_information.score(train, 0)[0]
        monkeypatch.setattr(mutual_information, "BLOCK", 7)
        np.testing.assert_allclose(mutual_information.score(train, 0)[0], whole, atol=1e-6)
        assert mutual_information.score(toy([0, 1], [0, 1], 2, 2), 0)[0].tolist() == [0, 0]

    def test_both_directions_are_each_others_reverse(self, train):
        informative, other = (f(train, 0)[0] for f in (mutual_information.score, mutual_information.score_redundant))
        np.testing.assert_array_equal(informative, -other)


class TestInversePropensity:
    def test_propensities_grow_with_popularity_within_bounds(self, train):
        p = inverse_propensity.propensities(train)
        count = np.bincount(train.item, minlength=train.n_items)
        assert ((p > 0) & (p <= 1)).all()
        assert (np.diff(p[np.argsort(count, kind="stable")]) >= 0).all()
        n, f = train.n_users, count[3]  # Jain et al. (2016), by hand
        assert p[3] == pytest.approx(1 / (1 + (np.log(n) - 1) * 2.5**0.55 * (f + 1.5) ** -0.55))

    @given(sizes=st.lists(st.floats(0.01, 100), min_size=1, max_size=30), share=st.floats(0, 1))
    def test_inclusion_probabilities_add_up_to_k_in_proportion(self, sizes, share):
        w, k = np.array(sizes), round(share * len(sizes))
        p = inclusion(w, k)
        assert p.sum() == pytest.approx(k, abs=1e-6)
        assert ((p >= 0) & (p <= 1)).all()
        inside = p < 1 - 1e-9
        if inside.any() and k:
            ratio = p[inside] / w[inside]
            np.testing.assert_allclose(ratio, ratio[0], rtol=1e-6)
            assert (w[~inside] >= w[inside].max() * (1 - 1e-9)).all()

    def test_a_weighted_sum_estimates_the_sum_over_the_whole_log(self, train):
        """Horvitz and Thompson: the mean over many draws is the full sum, within four standard errors; without
        weights it is not."""
        loss = 1.0 + np.bincount(train.item, minlength=train.n_items)[train.item] ** 0.5  # grows with popularity
        k, weighted, plain = train.nnz // 4, [], []
        for seed in range(300):
            kept = Ranking(inverse_propensity.score(train, seed)[0], seed).first(k)
            weighted.append(inverse_propensity.weights(train, kept, seed) @ loss[kept])
            plain.append(loss[kept].sum() * train.nnz / k)
        error = np.std(weighted) / len(weighted) ** 0.5
        assert abs(np.mean(weighted) - loss.sum()) < 4 * error
        assert np.mean(plain) < loss.sum() - 20 * np.std(plain) / len(plain) ** 0.5

    def test_off_the_diagonal_the_gram_matrix_of_ease_is_unbiased(self, train):
        full = (train.tocsr().T @ train.tocsr()).toarray()
        total = np.zeros_like(full, dtype=np.float64)
        for seed in range(200):
            kept = Ranking(inverse_propensity.score(train, seed)[0], seed).first(train.nnz // 2)
            less = train.select(kept, weight=inverse_propensity.weights(train, kept, seed)).tocsr()
            total += (less.T @ less).toarray() / 200
        off = ~np.eye(len(full), dtype=bool)
        assert total[off].sum() == pytest.approx(full[off].sum(), rel=0.01)
        assert np.trace(total) > 1.5 * np.trace(full)

    def test_the_logs_own_weights_are_kept(self, train):
        kept = np.arange(train.nnz) % 2 == 0
        own = np.linspace(1, 5, train.nnz).astype(np.float32)
        bare, weighted = (inverse_propensity.weights(log, kept, 0) for log in (train, replace(train, weight=own)))
        np.testing.assert_allclose(weighted, bare * own[kept], rtol=1e-6)


def test_representative_weights_bring_back_the_distribution_of_items(train):
    kept = Ranking(*_with_seed(representative.score(train, 0))).first(train.nnz // 3)
    left = np.bincount(train.item[kept], minlength=train.n_items)
    weighted = np.bincount(train.item[kept], representative.weights(train, kept, 0), minlength=train.n_items)
    full = np.bincount(train.item, minlength=train.n_items)
    np.testing.assert_allclose(weighted[left > 0], full[left > 0], rtol=1e-5)


@pytest.fixture(scope="module")
def seen(planted):
    return watch(planted[0], 0)


class TestProxy:
    def test_statistics_keep_their_ranges(self, seen):
        assert ((seen["error"] > 0) & (seen["error"] < 1)).all()
        assert (seen["gradient"] > 0).all()
        assert ((seen["variability"] >= 0) & (seen["variability"] <= 0.5)).all()
        assert ((seen["forgotten"] >= 0) & (seen["forgotten"] <= EPOCHS)).all()

    @pytest.mark.parametrize("statistic", ["error", "gradient", "forgotten"])
    def test_planted_noise_is_hard(self, statistic, seen, planted):
        """Random pairs come out on top, so that a criterion that keeps the hard keeps them: as its docstring says."""
        assert auc(seen[statistic], planted[1]) > 0.6

    def test_planted_noise_carries_no_information(self, planted):
        log, noise = planted
        assert auc(mutual_information.score(log, 0)[0], noise) < 0.35
        assert auc(mutual_information.score_redundant(log, 0)[0], noise) > 0.65

    def test_chance_does_not_find_it(self, planted):
        log, noise = planted
        assert 0.44 < auc(SCORES["random"](log, 0)[0], noise) < 0.56

    def test_gradients_are_those_of_the_loss(self, train):
        """The closed form of the gradient's norm against automatic differentiation, for one interaction and rival."""
        rng = torch.Generator().manual_seed(0)
        u, v = torch.randn(train.n_users, 4, generator=rng), torch.randn(train.n_items, 4, generator=rng)
        error, norm, score = _pairs(u, v, train, np.full((train.nnz, 1), 5))
        row = int(np.flatnonzero(train.item != 5)[17])
        parts_ = [t.clone().requires_grad_() for t in (u[train.user[row]], v[train.item[row]], v[5])]
        loss = torch.nn.functional.softplus(-(parts_[0] @ (parts_[1] - parts_[2])))
        gradient = torch.cat(torch.autograd.grad(loss, parts_))
        assert norm[row] == pytest.approx(float(gradient.norm()), rel=1e-5)
        assert error[row] == pytest.approx(1 - float(torch.exp(-loss.detach())), rel=1e-4)
        assert score[row] == pytest.approx(float(u[train.user[row]] @ v[train.item[row]]), rel=1e-4)


SMALL = {
    "bpr": BPR(factors=8, epochs=3, batch_size=256),
    "neumf": NeuMF(factors=8, hidden=(12, 6), epochs=2, batch_size=512),
    "sasrec": SASRec(factors=8, hidden=16, max_length=20, epochs=2, batch_size=32),
    "sasrec, sampled": SASRec(factors=8, hidden=16, max_length=20, epochs=2, batch_size=32, candidates=30),
    "mult-vae": MultVAE(hidden=24, latent=8, epochs=2, batch_size=32),
    "dlrm": DLRM(factors=8, hidden=(12, 6), epochs=2, batch_size=32),
    "ials": IALS(factors=8, l2=5.0, iterations=3),
    "ials, nu": IALS(factors=8, l2=0.01, iterations=3, nu=1.0),
    "ease": EASE(l2=50.0),
    "item-knn": ItemKNN(neighbours=20),
}


def trained(name, train, weight):
    return replace(SMALL[name]).fit(replace(train, weight=weight), seed=0)


@pytest.mark.parametrize("name", SMALL)
def test_weights_of_one_change_no_bit(name, train):
    bare, ones = (trained(name, train, weight) for weight in (None, np.ones(train.nnz, np.float32)))
    np.testing.assert_array_equal(ones.score([0, 1, 2]), bare.score([0, 1, 2]))


@pytest.mark.parametrize("name", sorted(set(SMALL) - {"item-knn"}))  # a cosine does not see the length of a column
def test_what_weighs_more_scores_higher(name, train):
    """The interactions of one item weigh a twentieth, then 20: its mean place rises."""
    item = int(np.bincount(train.item).argsort()[-10])
    places = []
    for factor in (0.05, 20.0):
        weight = np.where(train.item == item, factor, 1.0).astype(np.float32)
        scores = trained(name, train, weight).score(np.arange(train.n_users))
        places.append((scores < scores[:, [item]]).mean())
    assert places[1] > places[0]


def test_item_knn_takes_cosines_of_weighted_columns(train):
    weight = np.random.default_rng(0).uniform(0.5, 4, train.nnz).astype(np.float32)
    log = replace(train, weight=weight)
    model = ItemKNN(neighbours=train.n_items, similarity="cosine").fit(log)
    x = log.toarray().astype(np.float64)
    expected = (x.T @ x) / np.outer(np.linalg.norm(x, axis=0), np.linalg.norm(x, axis=0)) - np.eye(train.n_items)
    np.testing.assert_allclose(model.arrays["item_item"].toarray(), expected, atol=1e-5)


class TestWeightedMean:
    @given(st.lists(st.tuples(st.floats(-5, 5), st.integers(1, 5)), min_size=1, max_size=20))
    def test_a_whole_weight_counts_like_so_many_copies(self, rows):
        loss, weight = (torch.tensor(values, dtype=torch.float64) for values in zip(*rows, strict=True))
        copies = loss.repeat_interleave(weight.long())
        assert float(sample_weights.mean(loss, weight)) == pytest.approx(float(copies.mean()), abs=1e-9)

    def test_without_weights_other_than_one_batches_have_none(self, train):
        order = np.arange(train.nnz)
        assert sample_weights.in_order(train, order) == ()
        assert sample_weights.in_order(replace(train, weight=np.ones(train.nnz, np.float32)), order) == ()
        weight = np.arange(train.nnz, dtype=np.float32)
        (found,) = sample_weights.in_order(replace(train, weight=weight), order[::-1].copy())
        np.testing.assert_array_equal(found, weight[::-1])


@pytest.fixture(scope="module")
def ease(ratio):
    return EASE(l2=50.0).fit(ratio.train, seed=0)


@pytest.fixture(scope="module")
def bpr(ratio):
    return BPR(factors=8, epochs=6, batch_size=256).fit(ratio.train, ratio.validation, seed=0)


class TestLoop:
    @pytest.mark.parametrize("criterion", [*IN_ROUNDS, "random"])
    def test_exactly_k_stay_of_what_was_there_and_the_rest_is_untouched(self, criterion, ease, ratio):
        before = ease.score([0, 1])
        done = prune_data(ease, ratio, criterion, 0.37, seed=2)
        assert done.split.train.nnz == round(0.37 * ratio.train.nnz)
        assert done.kept == pytest.approx(0.37, abs=1e-3)
        assert ((ratio.train.tocsr() != 0).astype(int) - (done.split.train.tocsr() != 0).astype(int)).min() >= 0
        assert done.split.test is ratio.test
        assert (done.split.seen("test") != ratio.seen("test")).nnz == 0
        np.testing.assert_array_equal(ease.score([0, 1]), before)
        assert len(done.rounds) == 5
        assert (done.rounds[["score_s", "recovery_s"]] >= 0).all(axis=None)

    @pytest.mark.parametrize("schedule", SCHEDULES)
    def test_schedules_end_at_the_same_count(self, schedule, ease, ratio):
        done = prune_data(ease, ratio, "random", 0.5, schedule, rounds=3)
        assert done.split.train.nnz == round(0.5 * ratio.train.nnz)
        assert (np.diff(done.rounds["kept"]) < 0).all()

    def test_the_model_is_the_one_that_what_stays_gives(self, ease, ratio):
        done = prune_data(ease, ratio, "representative", 0.5, rounds=2)
        again = EASE(l2=50.0).fit(done.split.train, seed=0, served=ratio.train)
        np.testing.assert_array_equal(done.model.score([0, 1, 2]), again.score([0, 1, 2]))
        assert done.rounds["val_ndcg@10"].iloc[-1] == evaluate(again, ratio, on="validation").mean["ndcg@10"]

    def test_weights_keep_the_distribution_of_items_over_all_rounds(self, ease, ratio):
        left = prune_data(ease, ratio, "representative", 0.4).split.train
        full = np.bincount(ratio.train.item, minlength=ratio.n_items)
        total = np.bincount(left.item, left.weight, minlength=ratio.n_items)
        there = np.bincount(left.item, minlength=ratio.n_items) > 0
        np.testing.assert_allclose(total[there], full[there], rtol=1e-4)

    @pytest.mark.parametrize("criterion", IN_ROUNDS)
    @pytest.mark.parametrize("recovery", ["retrain", "fine-tune"])
    def test_what_goes_is_not_trained_on_and_still_served(self, criterion, recovery, bpr, ratio):
        done = prune_data(bpr, ratio, criterion, 0.5, recovery=recovery, rounds=2)
        assert done.split.train.nnz == round(0.5 * ratio.train.nnz)
        assert done.model.history.nnz == bpr.history.nnz == ratio.train.nnz

    def test_it_stops_before_too_much_is_lost(self, ease, ratio):
        start = evaluate(ease, ratio, on="validation").mean["ndcg@10"]
        done = prune_data(ease, ratio, "random", 0.05, rounds=10, max_loss=0.1)
        assert 0.05 < done.kept < 1
        assert evaluate(done.model, done.split, on="validation").mean["ndcg@10"] >= 0.9 * start
        assert (done.rounds["val_ndcg@10"] >= 0.9 * start).all()

    def test_segments_are_ordered_by_what_the_model_gets_right(self, ease, ratio):
        scores = segment.score(ease, ratio, 0)[0]
        where, right = segment.segments(ratio.train), segment.accuracy(ease, ratio)
        for one in np.unique(where)[:20]:
            np.testing.assert_allclose(scores[where == one], right[where == one].mean())
        np.testing.assert_array_equal(segment.score_learnt(ease, ratio, 0)[0], -scores)

    def test_accuracy_is_the_share_of_unseen_items_ranked_below(self, ease, ratio):
        right = segment.accuracy(ease, ratio)
        for row in (0, 100, ratio.train.nnz - 1):
            user, item = ratio.train.user[row], ratio.train.item[row]
            scores = ease.score([user])[0]
            unseen = np.setdiff1d(np.arange(ratio.n_items), ratio.train.item[ratio.train.user == user])
            assert right[row] == pytest.approx((scores[unseen] < scores[item]).mean())

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"criterion": "size"}, "unknown criterion 'size' for samples; known: random, .*representative"),
            ({"schedule": "weekly"}, "unknown schedule 'weekly'; known: one-shot"),
            ({"recovery": "refit"}, "unknown recovery 'refit'; known: retrain, fine-tune"),
            ({"recovery": "fine-tune"}, "recovery 'fine-tune' does not apply to ease"),
            ({"max_loss": 2.0}, "max_loss is 2.0"),
            ({"keep": 0.0}, "keep is 0.0"),
        ],
    )
    def test_what_is_unknown_or_impossible_is_refused(self, arguments, message, ease, ratio):
        with pytest.raises(ValueError, match=message):
            prune_data(ease, ratio, **arguments)


def test_a_criterion_that_asks_the_model_needs_one(ratio):
    with pytest.raises(
        ValueError, match=r"'segment' asks a model .* prune_data\(model, split, 'segment'\).*here: random"
    ):
        prune_samples(ratio, criterion="segment", keep=0.5)


def test_weighted_criteria_refuse_whole_users(ratio):
    with pytest.raises(ValueError, match="unit 'user' is not possible"):
        prune_samples(ratio, criterion="inverse-propensity-weighted", keep=0.5, unit="user")


def test_a_share_on_the_way_is_what_the_loop_ends_with_alone(ratio):
    model = EASE(l2=50.0).fit(ratio.train)
    on_the_way = {round(state.kept, 2): state for state in data_path(model, ratio, "representative", 0.4, rounds=6)}
    alone = prune_data(model, ratio, "representative", 0.7, rounds=3)
    np.testing.assert_array_equal(on_the_way[0.7].model.score([0, 1]), alone.model.score([0, 1]))
    assert on_the_way[0.7].split.train.nnz == alone.split.train.nnz
    assert len(on_the_way) == 6
