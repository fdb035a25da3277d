"""Lists by X B with a sparse B: only the candidates of a user are looked at.

A candidate is an item that the row of B of an item in the history points to. All others score zero, without
having been scored: they come after the candidates above zero, in tie order, and before those below.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from scipy import sparse

from recprune.models.parts import ops
from recprune.models.parts.lost_rows import codes
from recprune.topk import NotANumber, top_k_of_few

PRODUCTS = 1 << 22  # multiply-adds of users who are scored together: their candidates take 32 MB at most
# What each takes beside the products themselves, in scores of a dense row that are looked through; as measured.
PRODUCT, USER, CALL = 2, 1 << 12, 1 << 15


def few(histories: sparse.csr_array, matrix: sparse.csr_array) -> bool:
    """Whether to look at the candidates of these users takes less time than to look at all items."""
    n_users, n_items = histories.shape
    return PRODUCT * int(_products(histories, matrix).sum()) + USER * n_users < n_users * n_items + CALL


def rank(
    histories: sparse.csr_array, matrix: sparse.csr_array, k: int, seen: sparse.csr_array, kept: torch.Tensor | None
) -> np.ndarray:
    """(m x k) int32: the lists that `top_unseen` makes of the scores `histories @ matrix`, to the last bit.

    histories  (m x rows);  matrix  (rows x rows)
    seen       (m x n_items), stored where an item is left out
    kept       which item each row is, if not all are there (see `lost_rows`); an item without a row is never listed
    """
    n_items = seen.shape[1]
    lists = np.full((histories.shape[0], k), -1, np.int32)
    left_out = np.zeros(n_items, bool)
    if kept is not None:
        left_out[:] = True
        left_out[codes(kept)] = False
    for row, items, scores in _scored(histories, matrix):
        if kept is not None:
            items = kept.numpy()[items] - 1
            items, scores = items[items >= 0], scores[items >= 0]
        known = seen.indices[seen.indptr[row] : seen.indptr[row + 1]]
        before = left_out[known]
        left_out[known] = True
        best = top_k_of_few(items, scores, k, left_out)
        left_out[known] = before
        lists[row, : len(best)] = best
    return lists


def _scored(histories: sparse.csr_array, matrix: sparse.csr_array) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """Each user's number, candidates and their scores."""
    m = histories.shape[0]
    if m == 1:
        items, scores = _of_one(histories, matrix)
        if len(scores) and np.isnan(scores.min()):
            raise NotANumber(0)
        yield 0, items, scores
        return
    done = np.append(0, np.cumsum(_products(histories, matrix)))[histories.indptr]
    start = 0
    while start < m:
        stop = max(start + 1, int(np.searchsorted(done, done[start] + PRODUCTS, "right")) - 1)
        part = histories[start:stop] @ matrix
        if part.nnz and np.isnan(part.data.min()):
            bad = int(np.isnan(part.data).argmax())
            raise NotANumber(start + int(np.searchsorted(part.indptr, bad, "right")) - 1)
        for row in range(stop - start):
            mine = slice(part.indptr[row], part.indptr[row + 1])
            yield start + row, part.indices[mine], part.data[mine]
        start = stop


def _products(histories: sparse.csr_array, matrix: sparse.csr_array) -> np.ndarray:
    """(nnz,) multiply-adds that each item of a history takes."""
    return matrix.indptr[histories.indices + 1] - matrix.indptr[histories.indices]


def _of_one(history: sparse.csr_array, matrix: sparse.csr_array) -> tuple[np.ndarray, np.ndarray]:
    """The candidates of one user and their scores, added up in the order of SciPy's product.

    The product itself walks the whole catalogue twice, which takes longer than all else for a single user.
    """
    length = _products(history, matrix)
    entry = ops.spans(matrix.indptr[history.indices], length)
    if not len(entry):
        return np.empty(0, np.int32), np.empty(0, np.float32)
    item, product = matrix.indices[entry], matrix.data[entry]
    product *= np.repeat(history.data, length)
    scores = np.zeros(matrix.shape[1], np.float32)
    with np.errstate(over="ignore", invalid="ignore"):  # what is no number is told apart later
        np.add.at(scores, item, product)
    last, number = np.empty(len(scores), np.int32), np.arange(len(item), dtype=np.int32)
    last[item] = number
    items = item[np.flatnonzero(last[item] == number)]  # each once
    return items, scores[items]
