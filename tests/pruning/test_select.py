"""Selection: exactly k, nested, independent of position, fair inside groups."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recprune.mixing import splitmix64
from recprune.pruning import select
from recprune.pruning.schedule import SCHEDULES
from recprune.pruning.select import Ranking, how_many

scores = st.lists(st.integers(-3, 3).map(float), min_size=1, max_size=60).map(np.array)


def by_sorting(values, seed, k, among=None):
    """The choice by the definition: sorted by score, then by the hash of the unit's number."""
    number = np.arange(len(values)) if among is None else np.flatnonzero(among)
    order = number[np.lexsort((splitmix64(number, seed), -values[number]))]
    keep = np.zeros(len(values), bool)
    keep[order[:k]] = True
    return keep


@given(scores, st.data(), st.integers(0, 5))
def test_the_first_k_are_those_of_a_sorted_list(values, data, seed):
    k = data.draw(st.integers(0, len(values)))
    among = np.array(data.draw(st.lists(st.booleans(), min_size=len(values), max_size=len(values))))
    assert (Ranking(values, seed).first(k) == by_sorting(values, seed, k)).all()
    ranking = Ranking(values, seed, among=among)
    assert (ranking.first(k) == by_sorting(values, seed, k, among)).all()
    assert len(ranking) == among.sum()


@pytest.mark.parametrize("kind", ["normal", "few values", "sorted", "infinite", "all alike"])
@pytest.mark.parametrize("some", [False, True])
def test_a_sample_says_only_where_to_look(kind, some, monkeypatch):
    monkeypatch.setattr(select, "SAMPLE", 64)
    rng = np.random.default_rng(1)
    values = rng.normal(size=5000).astype(np.float32)
    values = {
        "normal": values,
        "few values": np.round(values),
        "sorted": np.sort(values),
        "infinite": np.where(values > 0, np.inf, -np.inf).astype(np.float32),
        "all alike": np.zeros_like(values),
    }[kind]
    among = rng.random(5000) < 0.3 if some else None
    ranking = Ranking(values, 3, among=among)
    for k in (0, 1, 7, 400, 1200, len(ranking) - 1, len(ranking), 6000):
        assert (ranking.first(k) == by_sorting(values, 3, k, among)).all()


@given(scores, st.data(), st.integers(0, 5))
def test_exactly_k_stay_whatever_the_ties(values, data, seed):
    k = data.draw(st.integers(0, len(values)))
    keep = Ranking(values, seed).first(k)
    assert keep.sum() == k
    if 0 < k < len(values):
        assert values[keep].min() >= values[~keep].max()


@given(scores, st.integers(0, 5), st.booleans(), st.data())
def test_choices_are_nested(values, seed, grouped, data):
    groups = np.array(data.draw(st.lists(st.integers(0, 3), min_size=len(values), max_size=len(values))))
    ranking = Ranking(values, seed, groups if grouped else None)
    masks = [ranking.first(k) for k in range(len(values) + 1)]
    assert all((small <= large).all() for small, large in pairwise(masks))


@given(scores, st.integers(1, 5), st.integers(0, 5), st.data())
@settings(max_examples=60)
def test_every_prefix_takes_its_share_of_each_group(values, n_groups, seed, data):
    groups = np.array(data.draw(st.lists(st.integers(0, n_groups), min_size=len(values), max_size=len(values))))
    among = np.array(data.draw(st.lists(st.booleans(), min_size=len(values), max_size=len(values))))
    ranking = Ranking(values, seed, groups, among)
    k = data.draw(st.integers(0, len(ranking)))
    keep = ranking.first(k)
    assert keep.sum() == k
    assert not (keep & ~among).any()
    for g in np.unique(groups[among]):
        inside = (groups == g) & among
        assert abs(keep[inside].sum() - k / len(ranking) * inside.sum()) <= len(np.unique(groups)) / 2 + 1
        if 0 < keep[inside].sum() < inside.sum():
            assert values[inside & keep].min() >= values[inside & ~keep].max()


@given(st.integers(1, 9), st.integers(1, 9), st.integers(0, 4), st.integers(1, 40), st.data())
@settings(max_examples=25)
def test_groups_are_chosen_from_apart_however_many_are_looked_at_together(rows, columns, seed, block, data):
    """Of each the best, by score and then by the hash of the number; a group for each column is said once."""
    values = np.array(data.draw(st.lists(st.integers(-2, 2), min_size=rows * columns, max_size=rows * columns)), float)
    among = np.array(data.draw(st.lists(st.booleans(), min_size=len(values), max_size=len(values))))
    row = np.array(data.draw(st.lists(st.integers(0, 3), min_size=columns, max_size=columns)))
    groups = np.tile(row, rows)
    whole = Ranking(values, seed, groups, among)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(select, "BLOCK", block)
        for k in range(len(whole) + 1):
            keep = whole.first(k)
            for given_groups in (groups, row):
                assert (Ranking(values, seed, given_groups, among).first(k) == keep).all()
            for g in np.unique(row):
                inside = (groups == g) & among
                assert (keep[inside] == by_sorting(values, seed, keep[inside].sum(), inside)[inside]).all()


@given(scores, st.integers(0, 5), st.data())
def test_a_single_group_is_none(values, seed, data):
    k = data.draw(st.integers(0, len(values)))
    assert (Ranking(values, seed, np.zeros(1, int)).first(k) == Ranking(values, seed).first(k)).all()


def test_ties_are_broken_at_random_not_by_position():
    for groups in (None, np.arange(100) % 2):
        kept = sum(Ranking(np.zeros(100), seed, groups).first(50).astype(int) for seed in range(200))
        assert kept.min() > 60
        assert kept.max() < 140


def test_a_choice_is_the_same_in_any_precision_that_holds_the_scores():
    values = np.random.default_rng(0).integers(0, 50, 1000)
    masks = [Ranking(values.astype(kind), 0).first(333) for kind in (np.int64, np.float32, np.float64)]
    assert (masks[0] == masks[1]).all()
    assert (masks[0] == masks[2]).all()


def test_a_score_that_is_nan_is_refused():
    with pytest.raises(ValueError, match="score of unit 1 is NaN"):
        Ranking(np.array([1.0, np.nan]), 0)


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
