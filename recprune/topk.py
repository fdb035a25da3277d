"""The k best items of each row of scores, in the one order that recommendation and evaluation share."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch


def top_k(scores: np.ndarray, k: int) -> np.ndarray:
    """Codes of the `k` highest scores of each row, best first.

    scores  (B x n) floats; -inf marks an item that must not be listed
    Returns (B x k) int32, -1 where a row has fewer than k items left (k may exceed n).

    Equal scores are ordered by `tie_order`: a fixed pseudo-random order of the catalogue, the same
    for every model, user and batch. Item codes would not do: ids often follow age or popularity
    (MovieLens), so a model that scores many items alike would profit from them.

    Raises ValueError for k < 1, scores that are no matrix of floats, or NaN.
    """
    if k < 1:
        raise ValueError(f"k is {k}; at least 1 is needed")
    scores = np.require(scores, requirements=["C", "W"])  # what torch can look at without a copy
    if scores.ndim != 2 or not np.issubdtype(scores.dtype, np.floating):
        raise ValueError(f"scores are {scores.dtype} {scores.shape}; a matrix (rows x items) of floats is needed")
    n_rows, n = scores.shape
    lists = np.full((n_rows, k), -1, np.int32)
    if n_rows == 0 or n == 0:
        return lists
    best, codes = (found.numpy() for found in torch.from_numpy(scores).topk(min(k + 1, n), dim=1))
    if np.isnan(best[:, 0]).any():  # torch sorts NaN before every number
        raise ValueError(f"row {int(np.isnan(best[:, 0]).argmax())} of the scores holds NaN")
    width = min(k, n)
    tied = ((best[:, 1:] == best[:, :-1]) & (best[:, 1:] > -np.inf)).any(axis=1)
    lists[:, :width] = np.where(best[:, :width] > -np.inf, codes[:, :width], -1)
    if tied.any():
        lists[tied, :width] = _resolve(scores[tied], best[tied, width - 1], width)
    return lists


def _resolve(scores: np.ndarray, last: np.ndarray, k: int) -> np.ndarray:
    """`top_k` of rows with equal scores; `last` is each row's k-th highest score.

    All items above `last` are taken, then those equal to it, first in tie order, until k are.
    """
    order = tie_order(scores.shape[1])
    scores = scores[:, order]
    above = scores > last[:, None]
    equal = scores == last[:, None]
    missing = k - above.sum(axis=1, keepdims=True)
    taken = above | (equal & (equal.cumsum(axis=1, dtype=np.int32) <= missing))
    place = taken.nonzero()[1].reshape(-1, k)
    values = np.take_along_axis(scores, place, axis=1)
    best_first = np.argsort(-values, axis=1, kind="stable")  # stable: equal scores stay in tie order
    place, values = (np.take_along_axis(a, best_first, axis=1) for a in (place, values))
    return np.where(values > -np.inf, order[place], -1)


@lru_cache(maxsize=8)
def tie_order(n: int) -> np.ndarray:
    """The codes 0..n-1 in the order in which equal scores are listed; (n,) int32, read-only.

    Sorted by a hash of the code (the finaliser of SplitMix64, Steele et al. 2014, OOPSLA): a
    bijection, so no two codes collide, and two items keep their order in a catalogue of any size.
    """
    with np.errstate(over="ignore"):
        h = np.arange(1, n + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        h = (h ^ (h >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        h = (h ^ (h >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        h ^= h >> np.uint64(31)
    order = np.argsort(h).astype(np.int32)
    order.setflags(write=False)
    return order
