"""Histograms and rank curves of any log: few bars, nothing lost, logarithmic where the tail is long."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure

from recprune.report.figures.drawing.distributions import MOST_BARS, RANKS, by_rank, histogram


def drawn(values):
    ax = Figure().subplots()
    histogram(ax, values, "rating", "interactions")
    return ax, [bar.get_height() for bar in ax.patches]


def test_stars_have_a_bar_each():
    ax, heights = drawn([1, 5, 5, 3, 5, 4.5])
    assert heights == [1, 1, 1, 3]
    assert list(ax.get_xticks()) == [1, 3, 4.5, 5]
    assert ax.get_xscale() == "linear"


def test_play_counts_are_drawn_on_logarithmic_axes():
    plays = np.append(np.ones(900), np.arange(1, 30_001))
    ax, heights = drawn(np.append(plays, [1] * 40_000))
    assert ax.get_xscale() == ax.get_yscale() == "log"
    assert len(heights) <= MOST_BARS
    assert sum(heights) == len(plays) + 40_000
    assert heights[0] == 40_901  # the ones alone: no other whole number is in their bar


@settings(max_examples=60)
@given(st.lists(st.floats(-(2.0**100), 2.0**100, width=32), max_size=80), st.integers(1, 50))
def test_the_bars_are_few_and_hold_everything(values, times):
    _, heights = drawn(np.repeat(np.float32(values), times))
    assert len(heights) <= MOST_BARS
    assert sum(heights) == len(values) * times


@settings(max_examples=60)
@given(st.lists(st.integers(1, 1 << 40), min_size=1, max_size=80))
def test_so_it_is_with_counts(values):
    _, heights = drawn(values)
    assert len(heights) <= MOST_BARS and sum(heights) == len(values)


def test_what_is_no_number_is_left_out():
    assert drawn([np.nan, np.inf, 2.0])[1] == [1]
    assert drawn([])[1] == []


@pytest.mark.parametrize("n", [1, 7, 100_000])
def test_a_rank_curve_begins_at_the_most_and_ends_at_the_least(n):
    counts, ax = np.random.default_rng(0).zipf(2, n), Figure().subplots()
    by_rank(ax, counts, "users", "interactions")
    (line,) = ax.lines
    ranks, values = line.get_data()
    assert (ranks[0], ranks[-1]) == (1, n)
    assert (values[0], values[-1]) == (counts.max(), counts.min())
    assert (np.diff(values) <= 0).all()
    assert len(ranks) <= RANKS
