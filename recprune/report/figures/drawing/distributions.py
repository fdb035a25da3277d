"""Distributions of a log that nobody has looked at yet: quick and readable whatever is in it."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

MOST_BARS = 40
NAMED = 6  # values that all have their number below the axis
LONG_TAIL = 50  # how many times its median the largest value is, where a linear axis would be one bar
RANKS = 600  # points of a curve over ranks: more than there are pixels


def histogram(ax: Axes, values: ArrayLike, name: str, counted: str) -> None:
    """How often values occur, in at most MOST_BARS bars: one for each value where they are few (such as stars), equal
    ranges of them otherwise; a long tail of positive ones on a logarithmic axis. `name` and `counted` name the axes."""
    values = np.asarray(values, dtype=np.float64).ravel()
    values = values[np.isfinite(values)]
    ax.set(xlabel=name, ylabel=counted)
    if not len(values):
        return
    known, counts = np.unique(values, return_counts=True)
    if is_long_tailed(values):
        ax.hist(values, bins=_log_edges(known).tolist(), lw=0)
        ax.set(xscale="log", yscale="log")
    elif len(known) <= MOST_BARS:
        ax.bar(known, counts, width=0.8 * np.diff(known).min(initial=1.0), lw=0)
        if len(known) <= NAMED:
            ax.set_xticks(known.tolist())
    else:
        ax.hist(values, bins=MOST_BARS, lw=0)


def is_long_tailed(values: np.ndarray) -> bool:
    """Whether all values are positive and the largest is many times the usual one: counts, not grades."""
    return bool(values.min() > 0 and values.max() > LONG_TAIL * np.median(values))


def _log_edges(known: np.ndarray) -> np.ndarray:
    """Edges at equal distances on a logarithmic axis around the sorted values; below ten, none between whole ones."""
    edges = np.geomspace(known[0], known[-1] * 1.001, MOST_BARS + 1)
    if (known != np.rint(known)).any():
        return edges
    return np.unique(np.ceil(edges - 0.5) - 0.5).clip(min=0.5)


def by_rank(ax: Axes, counts: ArrayLike, name: str, counted: str) -> None:
    """Counts from the largest to the smallest, on logarithmic axes, of as many ranks as can be told apart."""
    ordered = np.sort(np.asarray(counts))[::-1]
    ax.set(xscale="log", yscale="log", xlabel=name, ylabel=counted)
    if len(ordered):
        ranks = np.unique(np.geomspace(1, len(ordered), RANKS).round().astype(np.int64))
        ax.plot(ranks, ordered[ranks - 1], lw=2)
