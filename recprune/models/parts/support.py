"""Least squares restricted to a support of its own for every column.

Column x with support S is zero outside of S and solves (G x)_S = r_S. Where G = X'X + l2 I and R = X'Y that is
the ridge regression of y on the features S alone (Steck, 2019, "Markov Random Fields", eq. 10).
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import lapack

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


def inverse_of(gram: np.ndarray, overwrite: bool = False) -> np.ndarray:
    """(n x n) inverse of a symmetric positive definite matrix, from its Cholesky factor: half the time of inv().

    Raises ValueError where it is not positive definite.
    """
    factor, failed = lapack.dpotrf(gram.T, lower=1, overwrite_a=overwrite)
    if failed:
        raise ValueError(NOT_DEFINITE)
    half = np.tril(lapack.dpotri(factor, lower=1, overwrite_c=1)[0])
    return np.ascontiguousarray(half + np.tril(half, -1).T)
