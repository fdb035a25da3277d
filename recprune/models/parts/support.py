"""Least squares restricted to a support of its own for every column, and the inverse that needs no support.

Column x with support S is zero outside of S and solves (G x)_S = r_S. Where G = X'X + l2 I and R = X'Y that is
the ridge regression of y on the features S alone (Steck, 2019, "Markov Random Fields", eq. 10).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from scipy import sparse
from scipy.linalg import lapack

from recprune.models.parts.gram import PAIRS, Gram
from recprune.models.parts.parallel import on_all_threads

LEAF = 512  # rows of a matrix that is inverted by its Cholesky factor
LINE = 16  # float32 numbers of a line of the cache
ROWS = 256  # that are mirrored at a time
ENTRIES = 1 << 22  # interactions that the products of one block are counted from

NOT_DEFINITE = "the Gram matrix is not positive definite; a larger l2 is needed"


def ridge_on_support(gram: np.ndarray, right: np.ndarray, keep: np.ndarray) -> np.ndarray:
    """(n x c) float64: X that is 0 where `keep` is False, with G X = R where it is True.

    gram   G (n x n), symmetric and positive definite: the ridge is on its diagonal
    right  R (n x c)
    keep   (n x c) bool: the support of each column

    A column with a large support is solved by what is outside of it, F: with P = G^-1 it is
    P r - P_:F (P_FF)^-1 (P r)_F. So no system has more than n / 2 rows.

    Raises ValueError where G is not positive definite.
    """
    gram, right = np.ascontiguousarray(gram, np.float64), np.asarray(right, np.float64)
    columns = np.ascontiguousarray(keep.T, bool)
    large = columns.sum(axis=1) * 2 > len(gram)
    solved = np.zeros(right.shape[::-1])
    for j in np.flatnonzero(~large & columns.any(axis=1)):
        support = np.flatnonzero(columns[j])
        solved[j, support] = _solve(gram[support], support, right[support, j])
    if large.any():
        inverse = inverse_of(gram)
        whole = right[:, large].T @ inverse
        for j, x in zip(np.flatnonzero(large), whole, strict=True):
            out = np.flatnonzero(~columns[j])
            rows = inverse[out]
            solved[j] = x - _solve(rows, out, x[out]) @ rows
        solved *= columns
    return solved.T


def _solve(rows: np.ndarray, index: np.ndarray, right: np.ndarray) -> np.ndarray:
    """(k,) solution of the k rows (k x n) of a symmetric positive definite matrix, at the columns `index`."""
    if not len(index):
        return np.zeros(0)
    system = np.take(rows, index, axis=1)
    _, x, failed = lapack.dposv(system.T, right, lower=1, overwrite_a=1)
    if failed:
        raise ValueError(NOT_DEFINITE)
    return x


def ridge_on_lists(gram: Gram, lists: sparse.csc_array, l2: float | np.ndarray) -> np.ndarray:
    """(nnz,) float32: the ridge regression of every item on the items in its list, in the order of `lists`' entries.

    gram   of the n items, without the ridge
    lists  (n x n): column j stores the support of item j, never j itself; the values do not matter
    l2     the ridge, one for all items or (n,) for each

    Columns are solved in blocks of about equal length, on as many threads as torch has, in float32: as many systems at
    once as there are products to be held. Memory is in proportion to the entries, whatever n is.

    Raises ValueError where a system is not positive definite.
    """
    values = np.zeros(len(lists.indices), np.float32)
    ridge = np.broadcast_to(np.asarray(l2, np.float32), lists.shape[:1])

    def solve(columns: np.ndarray) -> None:
        start, size = lists.indptr[columns], np.diff(lists.indptr)[columns]
        there = np.arange(size.max()) < size[:, None]
        entry = (start[:, None] + np.arange(size.max()))[there]
        index = np.zeros(there.shape, np.int64)
        index[there] = lists.indices[entry]
        products = gram.among(np.column_stack([index, columns]), np.column_stack([there, np.ones(len(columns), bool)]))
        system = torch.from_numpy(products[:, :-1, :-1])
        system.diagonal(dim1=1, dim2=2).add_(torch.from_numpy(np.where(there, ridge[index], np.float32(1))))
        factor, failed = torch.linalg.cholesky_ex(system)
        if failed.any():
            raise ValueError(NOT_DEFINITE)
        right = torch.from_numpy(np.ascontiguousarray(products[:, :-1, -1:]))
        values[entry] = torch.cholesky_solve(right, factor)[:, :, 0].numpy()[there]

    on_all_threads(solve, _blocks(gram, lists))
    return values


def _blocks(gram: Gram, lists: sparse.csc_array) -> Iterator[np.ndarray]:
    """The columns that have a list, the shortest first, in blocks whose products and interactions can be held."""
    size = np.diff(lists.indptr)
    order = np.argsort(size, kind="stable")
    order = order[np.searchsorted(size[order], 1) :]
    total = np.append(0, np.cumsum(gram.cost()[lists.indices]))
    cost = np.diff(total[lists.indptr]) + gram.cost()
    first = 0
    while first < len(order):
        fitting = min(gram.most_lists(), len(order) - first)
        columns = order[first : first + fitting]
        n = np.arange(1, len(columns) + 1)
        fits = (n * (size[columns] + 1) ** 2 <= PAIRS) & (np.cumsum(cost[columns]) <= ENTRIES)
        last = first + max(1, int(fits.argmin()) if not fits.all() else fitting)
        yield order[first:last]
        first = last


def inverse_of(gram: np.ndarray, overwrite: bool = False) -> np.ndarray:
    """(n x n) inverse of a symmetric positive definite matrix, from its Cholesky factor: half the time of inv().

    Raises ValueError where it is not positive definite.
    """
    factor, failed = lapack.dpotrf(gram.T, lower=1, overwrite_a=overwrite)
    if failed:
        raise ValueError(NOT_DEFINITE)
    half = np.tril(lapack.dpotri(factor, lower=1, overwrite_c=1)[0])
    return np.ascontiguousarray(half + np.tril(half, -1).T)


def invert(gram: torch.Tensor) -> None:
    """A symmetric positive definite matrix becomes its inverse, in place, beside a third of its memory.

    By halves, from the inverse P of the first and that of the Schur complement of the second, Q:

        [A B'; B C]^-1 = [P + T'QT  -(QT)'; -QT  Q], T = B P, Q = (C - T B')^-1

    As many multiply-adds as by a Cholesky factor, nearly all of them in products of matrices: LAPACK takes 3 times as
    long for the same, and OpenBLAS's has crashed at 26,744 rows.

    Raises ValueError where it is not positive definite.
    """
    if len(gram) <= LEAF:
        factor, failed = torch.linalg.cholesky_ex(gram)
        if failed:
            raise ValueError(NOT_DEFINITE)
        gram.copy_(torch.cholesky_inverse(factor))
        return
    half = _half(gram)
    first, second, below = gram[:half, :half], gram[half:, half:], gram[half:, :half]
    invert(first)
    product = below @ first
    _less(second, product, below.mT)
    invert(second)
    torch.mm(second, product, out=below).neg_()
    _less(first, product.mT, below)
    _mirror(below, gram[:half, half:])


def _half(square: torch.Tensor) -> int:
    """Half of the rows, so many that every row of the products of halves begins on a line of the cache: these are
    multiplied in 0.7 of the time of others.
    """
    half = len(square) // 2
    return half - half % LINE or half


def _less(square: torch.Tensor, left: torch.Tensor, right: torch.Tensor) -> None:
    """The product of two matrices is taken from a square one, in place, where what is left is symmetric.

    Half of it is computed, the other half is mirrored.
    """
    if len(square) <= LEAF:
        square.addmm_(left, right, alpha=-1)
        return
    half = _half(square)
    _less(square[:half, :half], left[:half], right[:, :half])
    _less(square[half:, half:], left[half:], right[:, half:])
    square[half:, :half].addmm_(left[half:], right[:, :half], alpha=-1)
    _mirror(square[half:, :half], square[:half, half:])


def _mirror(below: torch.Tensor, above: torch.Tensor) -> None:
    """The block above the diagonal becomes that below it, transposed: some rows at a time, which stay in the cache."""
    for first in range(0, len(below), ROWS):
        above[:, first : first + ROWS] = below[first : first + ROWS].mT
