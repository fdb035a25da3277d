"""Mutual information: what an item says about the rest of the user's history (article 1 (d)).

The score of (u, i) is the mean over the other items j of u's history of the pointwise mutual information

    log [(n_ij + 1) / (n_i n_j / n + 1)],

with n_ij, n_i, n_j, n the numbers of *other* users who have both, i, j, anything. The ones shrink to zero what
rests on few users: left as it is, the information of two rare items is as large as it is uncertain (Church
and Hanks, 1990).

Both ends are methods: `score` keeps the informative, which go with the rest of the history (and so drops what
nothing explains); `score_redundant` keeps the non-redundant, which the rest does not tell already.
"""

import numpy as np

from recprune.interactions import Interactions
from recprune.pruning.criterion import Criterion, SampleScores

BLOCK = 1024  # users at a time


def pointwise(matrix) -> np.ndarray:
    """(n_items x n_items) float32 information of all pairs of items that some user has both of; 0 on the diagonal.

    matrix  (n_users x n_items) of ones. A quadratic matrix in memory, as EASE's
    """
    both = (matrix.T @ matrix).toarray()
    others = np.maximum(both.diagonal() - 1, 0)
    n = max(1, matrix.shape[0] - 1)
    information = np.log(np.maximum(both, 1)) - np.log1p(np.outer(others, others) / n)
    np.fill_diagonal(information, 0.0)
    return information.astype(np.float32)


def score(train: Interactions, seed: int) -> SampleScores:
    """(nnz,) mean information between the item and the rest of the history, 0 without a rest; no groups."""
    matrix = train.tocsr().copy()
    matrix.data = np.ones_like(matrix.data)
    information = pointwise(matrix)
    scores = np.empty(train.nnz)
    for first in range(0, train.n_users, BLOCK):
        block = matrix[first : first + BLOCK]
        rows = slice(matrix.indptr[first], matrix.indptr[min(first + BLOCK, train.n_users)])
        scores[rows] = (block @ information)[train.user[rows] - first, train.item[rows]]
    return scores / np.maximum(1, np.diff(matrix.indptr) - 1)[train.user], None


def score_redundant(train: Interactions, seed: int) -> SampleScores:
    """(nnz,) as `score`, the other way round: what the rest of the history says already goes first."""
    return -score(train, seed)[0], None


#: keeping the informative is the samples' side of `recprune.pruning.parameters.mutual_information`
CRITERION = Criterion(
    name="mutual-information-redundant",
    label="mutual information, low first",
    kind="modelled",
    summary="pointwise mutual information of the item and the rest of the history: keep what is not redundant",
    source="article 1 (d)",
    samples=score_redundant,
)
