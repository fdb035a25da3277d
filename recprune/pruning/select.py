"""Exactly k units stay: the one place where scores become a choice.

    order = best_first(scores, seed)     every unit, most important first
    keep  = first(order, k)              a mask with exactly k True

Ties are broken by a seeded random order, never by position, and the choices for several k are nested.
"""

from __future__ import annotations

import numpy as np


def best_first(scores: np.ndarray, seed: int, groups: np.ndarray | None = None) -> np.ndarray:
    """Positions of the units, most important first; (n,) int64.

    scores  (n,) high = keep
    groups  (n,) group of each unit, or None. With groups the units are ordered by their rank quantile
            within the group, (rank + 1/2) / size, so that every prefix takes its share of each group

    Raises ValueError for a score that is NaN.
    """
    scores = np.asarray(scores, dtype=np.float64)
    if np.isnan(scores).any():
        raise ValueError(f"score of unit {int(np.isnan(scores).argmax())} is NaN")
    chance = np.random.default_rng(seed).permutation(len(scores))
    if groups is None:
        return np.lexsort((chance, -scores))
    order = np.lexsort((chance, -scores, groups))
    sorted_groups = np.asarray(groups)[order]
    first = np.flatnonzero(np.r_[True, sorted_groups[1:] != sorted_groups[:-1]]) if len(order) else np.empty(0, int)
    size = np.diff(np.r_[first, len(order)])
    quantile = np.empty(len(order))
    quantile[order] = (np.arange(len(order)) - np.repeat(first, size) + 0.5) / np.repeat(size, size)
    return np.lexsort((chance, quantile))


def first(order: np.ndarray, k: int) -> np.ndarray:
    """(n,) bool mask, True at the first k of the order."""
    mask = np.zeros(len(order), bool)
    mask[order[:k]] = True
    return mask


def how_many(n: int, keep: float) -> int:
    """Number of units that stay of n: the nearest whole number to keep * n, at least 1.

    Raises ValueError unless 0 < keep <= 1.
    """
    if isinstance(keep, bool) or not isinstance(keep, int | float | np.floating | np.integer) or not 0 < keep <= 1:
        raise ValueError(f"keep is {keep!r}; a share greater than 0 and at most 1 is needed")
    return max(1, round(keep * n))
