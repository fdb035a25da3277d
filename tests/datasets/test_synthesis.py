"""Facts about synthetic logs: sizes, seeds, and a structure that recommenders can find."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recprune.datasets import load, synthetic, write_official


@settings(max_examples=30)
@given(st.integers(1, 40), st.integers(1, 40), st.floats(0, 1), st.integers(0, 100))
def test_any_size_is_met_exactly_and_pairs_are_distinct(n_users, n_items, share, seed):
    n = max(1, int(share * n_users * n_items))
    log = synthetic(n_users, n_items, n, seed)
    assert log.nnz == n and log.n_users <= n_users and log.n_items <= n_items
    pairs = log.user.astype(np.int64) * log.n_items + log.item
    assert (np.diff(pairs) > 0).all()
    assert set(np.unique(log.rating)) <= {1, 2, 3, 4, 5}
    assert (np.bincount(log.user) > 0).all() and (np.bincount(log.item) > 0).all()


def test_same_seed_same_bytes():
    assert synthetic(seed=3).content_hash == synthetic(seed=3).content_hash
    assert synthetic(seed=3).content_hash != synthetic(seed=4).content_hash


def test_the_default_size_survives_the_filter():
    log = synthetic()
    assert (log.n_users, log.n_items, log.nnz) == (400, 300, 20_000)
    kept = log.select(log.rating >= 3)
    while True:
        users, items = np.bincount(kept.user, minlength=400), np.bincount(kept.item, minlength=300)
        core = (users[kept.user] >= 10) & (items[kept.item] >= 10)
        if core.all():
            break
        kept = kept.select(core)
    assert kept.nnz > 0.85 * log.nnz


def test_activity_and_popularity_have_long_tails():
    log = synthetic(2000, 1000, 100_000)
    for counts in (np.bincount(log.user), np.bincount(log.item)):
        top = np.sort(counts)[::-1]
        assert top[: len(top) // 10].sum() > 0.2 * log.nnz
        assert top[0] > 4 * np.median(top)


def test_taste_can_be_learned():
    """Leave a fifth out; the nearest item-item relation (a ridge regression) beats popularity by half in recall@10."""
    log = synthetic()
    held = np.random.default_rng(0).random(log.nnz) < 0.2
    train, test = log.select(~held).toarray(), log.select(held).toarray()
    inverse = np.linalg.inv(train.T @ train + 200 * np.eye(log.n_items))
    weights = -inverse / np.diag(inverse)
    np.fill_diagonal(weights, 0)

    def recall(scores):
        top = np.argsort(np.where(train > 0, -np.inf, scores), axis=1)[:, -10:]
        return np.take_along_axis(test, top, axis=1).sum() / test.sum()

    assert recall(train @ weights) > 1.5 * recall(np.tile(train.sum(axis=0), (log.n_users, 1)))


def test_popularity_drifts():
    log = synthetic(1000, 300, 60_000)
    early = log.timestamp < np.quantile(log.timestamp, 0.3)
    late = log.timestamp > np.quantile(log.timestamp, 0.7)
    halves = np.random.default_rng(0).random(log.nnz) < 0.3
    counts = [np.bincount(log.item[rows], minlength=300) for rows in (early, late, halves, ~halves)]
    over_time, by_chance = np.corrcoef(counts)[0, 1], np.corrcoef(counts)[2, 3]
    assert over_time < by_chance - 0.1


def test_genres_follow_the_taste():
    """Two ratings of one user agree in genre more often than two ratings of the log."""
    log = synthetic()
    genre = log.item_attributes["genres"].str.partition("|")[0].to_numpy()[log.item]
    shares = pd.crosstab(log.user, genre, normalize="index").to_numpy()
    within = (shares**2).sum(axis=1).mean()
    overall = (pd.Series(genre).value_counts(normalize=True) ** 2).sum()
    assert within > 1.5 * overall
    assert log.titles([16]) == ["Item 17"]


def test_names():
    assert load("synthetic").content_hash == synthetic().content_hash
    log = load("synthetic:50x40x600:seed=7")
    assert log.content_hash == synthetic(50, 40, 600, seed=7).content_hash
    assert log.name == "synthetic:50x40x600:seed=7"
    assert load("synthetic:seed=7").content_hash == synthetic(seed=7).content_hash


@pytest.mark.parametrize(
    "name", ["synthetic:", "synthetic:50x40", "synthetic:axbxc", "synthetic:5x5x10:seed=x", "synthetic:seed=-1"]
)
def test_names_that_are_none(name):
    with pytest.raises(ValueError, match="synthetic:USERSxITEMSxINTERACTIONS"):
        load(name)


@pytest.mark.parametrize("size", [(0, 5, 5), (5, 5, 0), (5, 5, 26)])
def test_sizes_that_are_none(size):
    with pytest.raises(ValueError, match="synthetic"):
        synthetic(*size)


def test_the_official_format_brings_everything_back(tmp_path):
    log = synthetic(60, 50, 900)
    back = load(write_official(log, tmp_path / "big"))
    assert back.content_hash == log.content_hash and back.name == "big"
    assert back.titles(range(back.n_items)) == log.titles(range(log.n_items))
    assert back.item_attributes["genres"].tolist() == log.item_attributes["genres"].tolist()
    bare = load(write_official(log.select(np.arange(log.nnz), rating=None, item_attributes=None), tmp_path / "bare"))
    assert bare.rating is None and bare.timestamp.tolist() == log.timestamp.tolist()
