"""The k best items of each row of scores, in the one order that recommendation and evaluation share."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
import torch
from scipy import sparse

from recprune.mixing import splitmix64

BLOCK = 1 << 22  # scores held at once
PIECE = 1 << 20  # scores looked at together: what stays in the cache between the passes over them


class NotANumber(ValueError):
    """Scores that cannot be ranked: there is NaN in `row`."""

    def __init__(self, row: int):
        super().__init__(f"row {row} of the scores holds NaN")
        self.row = row


def rank_in_blocks(score: Callable[[slice], np.ndarray], k: int, seen: sparse.csr_array) -> np.ndarray:
    """`top_unseen` of m x n scores that are never held together, only about 16 MB of them.

    score  slice of the m rows -> (b x n) scores
    seen   (m x n)
    """
    m, n = seen.shape
    lists = np.empty((m, k), np.int32)
    step = max(1, BLOCK // max(1, n))
    for start in range(0, m, step):
        part = slice(start, min(start + step, m))
        try:
            lists[part] = top_unseen(score(part), k, seen if m <= step else seen[part])
        except NotANumber as nan:
            raise NotANumber(start + nan.row) from None
    return lists


def top_unseen(scores: np.ndarray, k: int, seen: sparse.csr_array) -> np.ndarray:
    """`top_k` of scores (B x n), without the items that are stored in `seen` (B x n).

    The scores are written to, where they can be, and are as they were in the end.
    """
    scores = np.require(scores, requirements=["C", "W"])
    n_rows, n = scores.shape
    left_out = np.repeat(np.arange(n_rows) * n, np.diff(seen.indptr)) + seen.indices  # places in the raveled scores
    flat = scores.ravel()
    lent = flat[left_out]
    unknown = np.isnan(lent)
    if unknown.any():
        raise NotANumber(int(left_out[unknown.argmax()] // n))
    flat[left_out] = -np.inf
    try:
        return top_k(scores, k)
    finally:
        flat[left_out] = lent


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
    step = max(1, PIECE // n)
    for start in range(0, n_rows, step):
        piece = scores[start : start + step]
        bad = _row_with_nan(piece)
        if bad is not None:
            raise NotANumber(start + bad)
        lists[start : start + step, : min(k, n)] = _lists(piece, min(k, n))
    return lists


def _lists(scores: np.ndarray, k: int) -> np.ndarray:
    """`top_k` for k <= n and rows without NaN."""
    values, codes = _highest(scores, min(k + 1, scores.shape[1]))
    tied = ((values[:, 1:] == values[:, :-1]) & (values[:, 1:] > -np.inf)).any(axis=1)
    if tied.any():
        codes[tied, :k] = _in_tie_order(scores[tied], values[tied], codes[tied, :k])
    return np.where(values > -np.inf, codes, -1)[:, :k]


def top_k_of_few(codes: np.ndarray, scores: np.ndarray, k: int, left_out: np.ndarray) -> np.ndarray:
    """`top_k` of one row of scores of which all are zero but a few; (k,) int32 or fewer, without -1 at the end.

    codes     (c,) distinct items, scores (c,) what they score; no NaN
    left_out  (n,) bool, True for items that must not be listed
    """
    scores = np.where(left_out[codes], -np.inf, scores)
    c = len(codes)
    floor = np.partition(scores, c - k)[c - k] if c > k else -np.inf
    if floor > 0:
        passed = np.flatnonzero(scores >= floor)
        return _sorted(codes[passed], scores[passed], len(left_out))[:k]
    above, below = scores > 0, (scores < 0) & (scores > -np.inf)
    best = _sorted(codes[above], scores[above], len(left_out))[:k]
    no_zero = left_out.copy()
    no_zero[codes[scores != 0]] = True
    best = np.append(best, _first_free(no_zero, k - len(best)))
    return best if len(best) == k else np.append(best, _sorted(codes[below], scores[below], len(left_out)))[:k]


def _sorted(codes: np.ndarray, scores: np.ndarray, n: int) -> np.ndarray:
    """The codes, best first, equal scores in tie order."""
    return codes[np.lexsort((tie_rank(n)[codes], -scores))]


def _first_free(taken: np.ndarray, k: int) -> np.ndarray:
    """The first k codes in tie order that are not taken, or fewer. The catalogue is walked in growing strides."""
    order = tie_order(len(taken))
    found, start, stride = np.empty(0, np.int32), 0, 256
    while len(found) < k and start < len(order):
        items = order[start : start + stride]
        found = np.append(found, items[~taken[items]])
        start, stride = start + stride, 2 * stride
    return found[:k]


def _row_with_nan(scores: np.ndarray) -> int | None:
    """The first row that holds NaN; without one, a single pass that allocates nothing."""
    if scores.size == 0 or not np.isnan(scores.min()):  # the minimum of numbers and NaN is NaN
        return None
    return int(np.isnan(scores).any(axis=1).argmax())


def _highest(scores: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The k highest values of each row, descending, and their codes; among equal values any.

    The maxima of disjoint groups of items are scores of the row, so the k-th highest of them is a floor
    below which none of the k best lies. Hardly more than k items pass it, and only they are sorted:
    for lists of 100, two to three times as fast as `torch.topk`, which is left with the rows where many
    items equal the floor.
    """
    n_rows, n = scores.shape
    size = min(n // (4 * k), 32)
    if size < 2:
        return _by_torch(scores, k)
    groups = n // size  # item i is in group i mod groups: neighbours are compared in one vector instruction
    maxima = torch.from_numpy(scores)[:, : size * groups].view(n_rows, size, groups).amax(1).numpy()
    floor = np.partition(maxima, groups - k, axis=1)[:, groups - k]
    at = np.flatnonzero(scores >= floor[:, None])
    count = np.diff(np.searchsorted(at, np.arange(n_rows + 1) * n))
    crowded = count > 4 * k
    if crowded.any():
        at, count = at[np.repeat(~crowded, count)], np.where(crowded, 0, count)
    width = max(k, count.max())
    before = np.arange(n_rows) * width - (np.cumsum(count) - count)
    place = np.arange(len(at)) + np.repeat(before, count)
    values = np.full((n_rows, width), -np.inf, scores.dtype)
    passed = np.zeros(values.shape, np.int64)  # places in the raveled scores
    values.ravel()[place], passed.ravel()[place] = scores.ravel()[at], at
    best = np.argsort(-values, axis=1)[:, :k] + np.arange(n_rows)[:, None] * width
    values, codes = values.ravel()[best], passed.ravel()[best] % n
    if crowded.any():
        values[crowded], codes[crowded] = _by_torch(scores[crowded], k)
    return values, codes


def _by_torch(scores: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    values, codes = torch.from_numpy(scores).topk(k, dim=1)
    return values.numpy(), codes.numpy()


def _in_tie_order(scores: np.ndarray, values: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """(R x k) codes with equal values in tie order; where the list ends between equal scores, the first of them.

    scores (R x n), and of each row the highest values, descending (R x k, or one more), with codes (R x k).
    """
    n, k = scores.shape[1], codes.shape[1]
    if values.shape[1] > k:
        last = values[:, k - 1]
        cut = (values[:, k] == last) & (last > -np.inf)
        wanted = np.where(cut, (values[:, :k] == last[:, None]).sum(axis=1), 0)
        codes[np.arange(k) >= (k - wanted)[:, None]] = _first_equal(scores, last, wanted)
    return np.take_along_axis(codes, np.lexsort((tie_rank(n)[codes], -values[:, :k])), axis=1)


def _first_equal(scores: np.ndarray, value: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """For each row, one after the other, the first `wanted` items of tie order that score `value`.

    The catalogue is walked in growing strides: where most items tie, as in a pruned model, the first is enough.
    """
    order = tie_order(scores.shape[1])
    found = np.empty(wanted.sum(), np.int32)
    free, missing = np.cumsum(wanted) - wanted, wanted.copy()
    start, stride = 0, 256
    while len(rows := np.flatnonzero(missing)):
        items = order[start : start + stride]
        row, at = (scores[np.ix_(rows, items)] == value[rows, None]).nonzero()
        nth = np.arange(len(row)) - np.searchsorted(row, row)
        kept = nth < missing[rows[row]]
        row = rows[row[kept]]
        found[free[row] + nth[kept]] = items[at[kept]]
        new = np.bincount(row, minlength=len(wanted))
        free, missing = free + new, missing - new
        start, stride = start + stride, 2 * stride
    return found


@lru_cache(maxsize=8)
def tie_order(n: int) -> np.ndarray:
    """The codes 0..n-1 in the order in which equal scores are listed; (n,) int32, read-only.

    Sorted by a hash of the code (`splitmix64`): a bijection, so no two codes collide, and two items keep their order
    in a catalogue of any size.
    """
    order = np.argsort(splitmix64(np.arange(n))).astype(np.int32)
    order.setflags(write=False)
    return order


@lru_cache(maxsize=8)
def tie_rank(n: int) -> np.ndarray:
    """(n,) int32, read-only: the place of each code in `tie_order`."""
    rank = np.empty(n, np.int32)
    rank[tie_order(n)] = np.arange(n)
    rank.setflags(write=False)
    return rank
