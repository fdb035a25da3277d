"""Selection: exactly k, nested, independent of position, fair inside groups."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recprune.pruning.schedule import SCHEDULES
from recprune.pruning.select import best_first, first, how_many

scores = st.lists(st.integers(-3, 3).map(float), min_size=1, max_size=60).map(np.array)


@given(scores, st.data(), st.integers(0, 5))
def test_exactly_k_stay_whatever_the_ties(values, data, seed):
    k = data.draw(st.integers(0, len(values)))
    keep = first(best_first(values, seed), k)
    assert keep.sum() == k
    if 0 < k < len(values):
        assert values[keep].min() >= values[~keep].max()


@given(scores, st.integers(0, 5))
def test_choices_are_nested(values, seed):
    order = best_first(values, seed)
    masks = [first(order, k) for k in range(len(values) + 1)]
    assert all((small <= large).all() for small, large in pairwise(masks))


@given(scores, st.integers(1, 5), st.integers(0, 5), st.data())
@settings(max_examples=60)
def test_every_prefix_takes_its_share_of_each_group(values, n_groups, seed, data):
    groups = np.array(data.draw(st.lists(st.integers(0, n_groups), min_size=len(values), max_size=len(values))))
    order = best_first(values, seed, groups)
    k = data.draw(st.integers(0, len(values)))
    keep = first(order, k)
    assert keep.sum() == k
    for g in np.unique(groups):
        inside = groups == g
        assert abs(keep[inside].sum() - k / len(values) * inside.sum()) <= len(np.unique(groups)) + 1
        if 0 < keep[inside].sum() < inside.sum():
            assert values[inside & keep].min() >= values[inside & ~keep].max()


def test_ties_are_broken_at_random_not_by_position():
    kept = sum(first(best_first(np.zeros(100), seed), 50).astype(int) for seed in range(200))
    assert kept.min() > 60
    assert kept.max() < 140


def test_a_score_that_is_nan_is_refused():
    with pytest.raises(ValueError, match="score of unit 1 is NaN"):
        best_first(np.array([1.0, np.nan]), 0)


@pytest.mark.parametrize("keep", [0, -0.1, 1.01, float("nan"), "half", True, None])
def test_shares_outside_0_to_1_are_refused(keep):
    with pytest.raises(ValueError, match="greater than 0 and at most 1"):
        how_many(10, keep)


@given(st.floats(0.001, 1), st.integers(1, 12), st.sampled_from(sorted(SCHEDULES)))
def test_schedules_descend_to_the_share_and_end_there(keep, rounds, name):
    path = list(SCHEDULES[name](keep, rounds))
    assert path[-1] == keep
    assert all(a >= b for a, b in zip([1.0, *path], path, strict=False))


def test_schedules_follow_their_formulas():
    assert list(SCHEDULES["linear"](0.2, 4)) == pytest.approx([0.8, 0.6, 0.4, 0.2])
    assert list(SCHEDULES["cubic"](0.2, 4))[1] == pytest.approx(1 - 0.8 * (1 - 0.5**3))
    assert list(SCHEDULES["geometric"](0.5, 0)) == pytest.approx([0.8, 0.64, 0.512, 0.5])
    assert list(SCHEDULES["one-shot"](0.3, 9)) == [0.3]
