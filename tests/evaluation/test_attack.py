"""Fake profiles: what is in them, that real users keep their codes, and whom they reach."""

from dataclasses import replace

import numpy as np
import pytest

import recprune as rp
from recprune.evaluation.attack import PROFILES, hit_rate, poisoned, removed, standing, targets


@pytest.mark.parametrize("profiles", PROFILES)
def test_profiles_are_added_and_nothing_else_changes(ratio, profiles):
    target = int(targets(ratio, 1)[0])
    attack = poisoned(ratio, target, profiles, share=0.05, seed=3)
    train, n = attack.split.train, len(attack.fakes)
    assert n == round(0.05 * len(np.unique(ratio.train.user)))
    real = train.select(train.user < ratio.n_users)
    for name in ("user", "item", "rating", "timestamp"):
        assert (getattr(real, name) == getattr(ratio.train, name)).all()
    assert (train.users[: ratio.n_users] == ratio.users).all() and (np.diff(train.users) > 0).all()
    fake = train.toarray()[attack.fakes]
    assert (fake[:, target] == 1).all() and set(np.unique(fake)) == {0, 1}
    size = ratio.train.nnz / len(np.unique(ratio.train.user))
    assert (abs(fake.sum(axis=1) - size) <= 1).all()
    assert (np.diff(train.user.astype(np.int64) * train.n_items + train.item) > 0).all()
    assert (train.rating[(train.user >= ratio.n_users) & (train.item == target)] == ratio.train.rating.max()).all()
    assert attack.split.test.nnz == ratio.test.nnz and attack.split.test.shape == train.shape
    again = poisoned(ratio, target, profiles, share=0.05, seed=3)
    assert again.split.train.content_hash == train.content_hash


def test_fillers_are_what_the_kind_says(ratio):
    target = int(targets(ratio, 1)[0])
    popularity = np.bincount(ratio.train.item, minlength=ratio.n_items)
    mean = {}
    for profiles in PROFILES:
        attack = poisoned(ratio, target, profiles, share=1.0)
        fake = attack.split.train.toarray()[attack.fakes]
        fake[:, target] = 0
        mean[profiles] = (fake @ popularity).sum() / fake.sum()
        if profiles == "bandwagon":
            assert (fake.sum(axis=0) == len(fake)).sum() == 10
    assert mean["random"] < mean["average"] and mean["random"] < mean["bandwagon"]
    assert abs(mean["random"] - popularity[popularity > 0].mean()) < 0.05 * popularity.mean()


def test_ids_of_words_stay_sorted(log):
    named = replace(log, users=np.sort(np.char.add("reader-", log.users.astype(str))))
    split = rp.split(named, core=5)
    attack = poisoned(split, int(targets(split, 1)[0]), share=0.1)
    assert list(attack.split.users) == sorted(set(attack.split.users.tolist()))
    model = rp.models.EASE(l2=5.0).fit(attack.split.train, validation=attack.split.validation)
    pruned = rp.prune(model, attack.split, keep=0.5)
    assert rp.evaluate(pruned, attack.split).n_users == rp.evaluate(model, attack.split).n_users


def test_an_attack_lifts_its_target_and_taking_the_fakes_away_undoes_it(ratio):
    target = int(targets(ratio, 1, seed=1)[0])
    attack = poisoned(ratio, target, "average", share=0.5)
    rates = []
    for split in (ratio, attack.split):
        model = rp.models.EASE(l2=5.0).fit(split.train)
        rates.append(np.nanmean(hit_rate(model, split, target, real=ratio.n_users)))
    assert rates[1] > rates[0] + 0.2
    real = attack.split.train.select(attack.split.train.user < ratio.n_users)
    assert removed(attack, real) == 1 and removed(attack, attack.split.train) == 0


def test_hit_rate_is_of_those_who_could_be_reached(ratio):
    class Only:
        def score(self, users):
            return np.eye(ratio.n_items)[np.full(len(users), 5)]

    hits = hit_rate(Only(), ratio, 5, k=1)
    has = ratio.train.toarray()[:, 5] > 0
    assert np.isnan(hits[has]).all() and (hits[~has] == 1).all()
    assert (hit_rate(Only(), ratio, 6, k=1)[ratio.train.toarray()[:, 6] == 0] == 0).all()
    assert np.isnan(hit_rate(Only(), ratio, 5, real=7)[7:]).all()
    assert (standing(Only(), ratio, 5)[~has] == 1).all() and np.isnan(standing(Only(), ratio, 5)[has]).all()
    others = standing(Only(), ratio, 6)
    assert others[~np.isnan(others)] == pytest.approx(39 / 79)  # alike with 78 others, below one


def test_random_pruning_removes_fakes_in_proportion(ratio):
    attack = poisoned(ratio, 3, share=1.0)
    less = rp.prune_samples(attack.split, "random", keep=0.3)
    assert abs(removed(attack, less.train) - 0.7) < 0.05


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"target": 80}, "target is 80; the code of an item, 0 to 79"),
        ({"target": True}, "target is True"),
        ({"target": 1, "profiles": "band"}, "profiles is 'band'; known: random, average, bandwagon"),
        ({"target": 1, "share": 0}, "share is 0; a number greater than 0"),
    ],
)
def test_bad_arguments_are_named(ratio, options, message):
    with pytest.raises(ValueError, match=message):
        poisoned(ratio, **options)


def test_what_cannot_be_attacked_is_refused(ratio, log):
    with pytest.raises(TypeError, match="a Split is needed"):
        poisoned(log, 1)
    with pytest.raises(ValueError, match="were pruned"):
        poisoned(rp.prune_samples(ratio, keep=0.5), 1)
    with pytest.raises(ValueError, match="n is 100; 1 to 26 items"):
        targets(ratio, 100)
