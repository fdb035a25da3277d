"""Users without a history: popular items for them, from any model, in `recommend`, evaluation and early stopping."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import sparse

import recprune as rp
from recprune.evaluation import evaluate
from recprune.models import REGISTRY, build
from recprune.models.descent import GradientModel, Target
from recprune.pruning import prune


@pytest.fixture(scope="module")
def temporal():
    """Some users come after the cut in time: all that is known of them is what they will do."""
    log = rp.load("synthetic:150x60x4000:seed=4", quiet=True)
    rng = np.random.default_rng(0)
    begins = np.where(rng.random(log.n_users) < 0.2, 1.2, 0.5 * rng.random(log.n_users))
    stays = rng.random(log.n_users) < 0.5  # the others come once
    when = begins[log.user] + np.where(stays[log.user], 1.0, 0.01) * rng.random(log.nnz)
    return rp.split(replace(log, timestamp=when), protocol="temporal", core=0)


def strangers(split):
    return np.flatnonzero(np.diff(split.train.tocsr().indptr) == 0)


def most_popular(split, seen, k):
    counts = np.asarray(split.train.tocsr().sum(axis=0)).ravel()
    return rp.topk.top_k(np.where(seen, -np.inf, counts)[None].astype(np.float32), k)[0]


@pytest.mark.parametrize("name", sorted(set(REGISTRY) - {"random"}))
def test_strangers_get_what_is_popular_and_others_what_the_model_says(name, temporal):
    model = build(name, **REGISTRY[name].tiny).fit(temporal.train, temporal.validation, seed=0)
    new = strangers(temporal)
    assert len(new) > 3
    nothing = np.zeros(temporal.n_items, bool)
    expected = np.tile(most_popular(temporal, nothing, 7), (len(new), 1))
    np.testing.assert_array_equal(model.recommend(new, 7), expected)
    np.testing.assert_array_equal(model.compact().recommend(new[:1], 7), expected[:1])
    seen = sparse.csr_array(np.eye(temporal.n_items, dtype=np.float32)[expected[0, :2]])  # one has seen the best of all
    lists = model.rank(new[:2], 7, seen)
    for row in (0, 1):
        np.testing.assert_array_equal(lists[row], most_popular(temporal, seen.toarray()[row] > 0, 7))
    known = np.flatnonzero(np.diff(temporal.train.tocsr().indptr))[:3]
    both = model.recommend(np.r_[new[:1], known], 7)
    np.testing.assert_array_equal(both[1:], model.recommend(known, 7))
    if model.folds_in:
        empty = sparse.csr_array((1, temporal.n_items), dtype=np.float32)
        np.testing.assert_array_equal(model.rank_histories(empty, 7, empty), expected[:1])


def test_an_item_that_is_gone_is_popular_no_more(temporal):
    model = rp.models.EASE(l2=10.0).fit(temporal.train)
    small = prune(model, temporal, unit="item-row", criterion="random", keep=0.5, recovery="none").compact()
    lists = small.recommend(strangers(temporal), 10)
    assert (lists >= 0).all()
    gone = np.flatnonzero(np.isneginf(small.score([0])[0]))
    assert len(gone) and not np.isin(lists, gone).any()


def test_warm_and_cold_are_told_apart_and_popularity_is_the_same_for_the_cold(temporal):
    reports = [
        evaluate(rp.models.build(name, **REGISTRY[name].tiny).fit(temporal.train, temporal.validation), temporal, k=10)
        for name in ("popularity", "ease", "bpr")
    ]
    new = strangers(temporal)
    for report in reports:
        values = report.per_user["ndcg@10"]
        cold = np.isin(np.arange(temporal.n_users), new)
        assert report.mean["ndcg@10_users_cold"] == pytest.approx(np.nanmean(values[cold]))
        assert report.mean["ndcg@10_users_warm"] == pytest.approx(np.nanmean(values[~cold]))
        assert report.mean["ndcg@10_users_cold"] == reports[0].mean["ndcg@10_users_cold"]
        assert "ndcg users cold" in str(report)
    assert len({report.mean["ndcg@10_users_warm"] for report in reports}) == 3


def test_where_everybody_has_a_history_there_are_no_cold_users(ratio):
    report = evaluate(rp.models.Popularity().fit(ratio.train), ratio, k=10)
    assert not [name for name in report.mean if "cold" in name or "warm" in name]


@pytest.mark.parametrize("name", ["mult-vae", "bpr"])
def test_early_stopping_serves_strangers_alike(name, temporal):
    model = build(name, **REGISTRY[name].tiny).fit(temporal.train, temporal.validation, seed=0)
    assert isinstance(model, GradientModel)
    judged = evaluate(model, temporal, on="validation", k=10).mean["ndcg@10"]
    found = Target(temporal.train.tocsr(), temporal.validation, None).ndcg(model)
    assert found == pytest.approx(judged, abs=1e-12)
