"""Leverage: how much an interaction's user and item weigh in the directions of largest variance (article 1 (c)).

With the singular value decomposition X = U S V' of the training matrix, cut at rank k, the score of (u, i) is

    |U_k[u]|^2 + |V_k[i]|^2,

the statistical leverages by which CUR decompositions choose rows and columns (Mahoney and Drineas, 2009).
Over all users, and over all items, the leverages add up to k. High leverage stays: who or what a rank-k
model could not describe by others.
"""

import numpy as np
from scipy.sparse import linalg

from recprune.interactions import Interactions
from recprune.pruning.criterion import Criterion, SampleScores

RANK = 32


def leverages(matrix, rank: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """(n_users,) and (n_items,) leverages of a sparse matrix; each adds up to `rank`, or to the rank of the matrix."""
    small = min(matrix.shape)
    if rank >= small // 2:  # the solver for a few vectors of many cannot find them all
        left, s, right = np.linalg.svd(matrix.toarray().astype(np.float64), full_matrices=False)
    else:
        start = np.random.default_rng(seed).standard_normal(small)
        left, s, right = linalg.svds(matrix.astype(np.float64), k=rank, v0=start)
    order = np.argsort(-s)[:rank]
    order = order[s[order] > s.max(initial=0) * 1e-10]
    return (left[:, order] ** 2).sum(axis=1), (right[order] ** 2).sum(axis=0)


def score(train: Interactions, seed: int) -> SampleScores:
    """(nnz,) leverages of user and item added up, no groups."""
    user, item = leverages(train.tocsr(), RANK, seed)
    return user[train.user] + item[train.item], None


CRITERION = Criterion(
    name="leverage",
    label="leverage",
    kind="modelled",
    summary="statistical leverage of user and item in the truncated SVD of the training matrix",
    source="Mahoney and Drineas 2009; article 1 (c)",
    samples=score,
)
