"""Windows of a log, a model that is followed through them, and the slope of what pruning costs."""

import itertools
from dataclasses import replace

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

import recprune as rp
from recprune.growth import follow, follow_popular, slope, started
from recprune.growth.update import pruned_to
from recprune.interactions import DataError


@given(n=st.integers(1, 6), start=st.floats(0.2, 0.8), shuffled=st.booleans(), seed=st.integers(0, 3))
@settings(max_examples=10)
def test_windows_are_the_log_cut_in_time(log, n, start, shuffled, seed):
    growing = rp.windows(log, n=n, start=start, core=5, shuffled=shuffled, seed=seed)
    pieces = [growing.train, *growing.parts]
    assert len(growing.parts) == n
    assert sum(part.nnz for part in pieces) == growing.log.nnz
    for before, after in itertools.pairwise(pieces):
        assert before.timestamp.max() < after.timestamp.min()
    for w in range(n + 1):
        assert growing.before(w).nnz == sum(part.nnz for part in pieces[: w + 1])
    assert abs(growing.train.nnz / growing.log.nnz - start) < 0.05


def test_shuffled_times_are_the_same_times_of_other_interactions(log):
    one, other = (rp.windows(log, core=5, shuffled=shuffled) for shuffled in (False, True))
    np.testing.assert_array_equal(np.sort(one.log.timestamp), np.sort(other.log.timestamp))
    assert (one.log.timestamp != other.log.timestamp).mean() > 0.9
    np.testing.assert_array_equal(one.log.item, other.log.item)
    again = rp.windows(log, core=5, shuffled=True)
    np.testing.assert_array_equal(again.log.timestamp, other.log.timestamp)


def test_what_is_no_log_in_time_is_refused(log):
    with pytest.raises(DataError, match="protocol 'windows' needs a timestamp column"):
        rp.windows(replace(log, timestamp=None))
    with pytest.raises(ValueError, match="n is 0; a whole number of windows"):
        rp.windows(log, n=0)
    with pytest.raises(ValueError, match="start is 1.0; a share"):
        rp.windows(log, start=1.0)
    with pytest.raises(DataError, match="of one moment; fewer windows are needed"):
        rp.windows(replace(log, timestamp=(np.arange(log.nnz) % 2).astype(float)), n=5, core=5)
    with pytest.raises(TypeError, match="Interactions are needed"):
        rp.windows(log.tocsr())


def test_strangers_get_what_is_popular_from_every_model(log):
    growing = rp.windows(log, n=2, start=0.3, core=5)
    cold = log.n_users // 2
    growing = replace(growing, log=growing.log, train=growing.train.select(growing.train.user < cold))
    growing = replace(
        growing,
        log=growing.log.select((growing.log.user < cold) | (growing.log.timestamp >= growing.parts[0].timestamp.min())),
    )
    model = rp.models.EASE(l2=50.0).fit(growing.train)
    followed, popular = follow(model, growing), follow_popular(growing)
    new = ~followed.warm[:, 0] & ~np.isnan(followed.ndcg[:, 0])
    assert new.any() and followed.warm[:, 0].any()
    np.testing.assert_array_equal(followed.ndcg[new, 0], popular.ndcg[new, 0])
    np.testing.assert_array_equal(np.isnan(followed.of("cold")) | np.isnan(followed.of("warm")), True)
    assert np.isnan(followed.seconds[-1]) and followed.seconds[0] > 0
    with pytest.raises(ValueError, match="who is 'all'; known: warm, cold"):
        followed.of("all")


def test_a_model_that_takes_windows_in_ranks_better_for_the_same_users(log):
    growing = rp.windows(log, n=3, start=0.1, core=5)
    model = started(rp.models.EASE(l2=50.0), growing)
    frozen, updated = (follow(model, growing, how=how) for how in ("frozen", "values"))
    np.testing.assert_array_equal(np.isnan(frozen.ndcg), np.isnan(updated.ndcg))
    np.testing.assert_array_equal(frozen.ndcg[:, 0], updated.ndcg[:, 0])
    assert np.nanmean(updated.ndcg[:, -1]) > np.nanmean(frozen.ndcg[:, -1])
    sparse = follow(pruned_to(model, growing.train, 0.1), growing)
    assert (sparse.values == sparse.values[0]).all()


def test_the_number_of_epochs_is_chosen_before_the_windows(log):
    growing = rp.windows(log, core=5)
    model = started(rp.models.BPR(factors=4, epochs=4, batch_size=512), growing)
    assert 1 <= model.epochs <= 4
    assert model.epochs_trained == model.epochs
    assert model.history.nnz == growing.train.nnz


def made_up(rng, n_users, change, n_windows=6):
    """Qualities whose ratio changes by the factor exp(change) a window; users come in half of the windows."""
    dense = rng.uniform(0.1, 0.5, (n_users, n_windows))
    dense[rng.random(dense.shape) < 0.5] = np.nan
    pruned = dense * 0.9 * np.exp(change * np.arange(n_windows)) * rng.uniform(0.5, 1.5, dense.shape)
    return pruned, dense


def test_a_planted_slope_is_found():
    pruned, dense = made_up(np.random.default_rng(0), 20_000, -0.05)
    found = slope(pruned, dense, draws=200)
    assert abs(found.value + 0.05) < 4 * found.error < 0.01
    exact = slope(0.9 * dense * np.exp(-0.05 * np.arange(6)), dense, draws=50)
    assert exact.value == pytest.approx(-0.05) and exact.error == pytest.approx(0.0, abs=1e-12)
    assert slope(pruned, dense, draws=200).error == found.error


def test_intervals_of_slopes_cover_the_truth():
    rng = np.random.default_rng(1)
    found = [slope(*made_up(rng, 300, 0.02), draws=200) for _ in range(200)]
    covered = np.mean([abs(one.value - 0.02) < 1.96 * one.error for one in found])
    assert 0.90 <= covered <= 0.99


def test_windows_without_quality_do_not_count():
    dense = np.array([[0.5, 0.5, np.nan, 0.5]])
    assert slope(dense, dense).value == 0.0
    assert np.isnan(slope(0 * dense, dense).value)
    assert np.isnan(slope(dense[:, :1], dense[:, :1]).value)
    with pytest.raises(ValueError, match="shapes"):
        slope(dense, dense[:, :2])
    with pytest.raises(ValueError, match="comes in a window for one of the models"):
        slope(np.full((1, 4), 0.5), dense)
