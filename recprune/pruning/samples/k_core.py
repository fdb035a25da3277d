"""k-core: interactions between active users and popular items stay (Beel and Brunel, 2019).

An interaction's core number is the largest k for which it lies in the k-core: the largest part of the log
in which every user and every item has at least k interactions (Seidman, 1983). Cutting at a score is
the k-core filter that most published data sets went through.
"""

import numpy as np

from recprune.interactions import Interactions
from recprune.pruning.criterion import Criterion, SampleScores


def core_numbers(user: np.ndarray, item: np.ndarray, n_users: int, n_items: int) -> np.ndarray:
    """(nnz,) int64 core number of each interaction (u, i), by peeling (Batagelj and Zaversnik, 2003)."""
    core = np.zeros(len(user), np.int64)
    left = np.arange(len(user))
    k = 0
    while len(left):
        users, items = user[left], item[left]
        degree = np.minimum(np.bincount(users, minlength=n_users)[users], np.bincount(items, minlength=n_items)[items])
        k = max(k, int(degree.min()))
        core[left] = k  # it is in the k-core unless it goes below
        left = left[degree > k]
    return core


def score(train: Interactions, seed: int) -> SampleScores:
    """(nnz,) core numbers, no groups."""
    return core_numbers(train.user, train.item, *train.shape).astype(np.float64), None


CRITERION = Criterion(
    name="k-core",
    label="k-core",
    kind="score",
    summary="the largest k whose k-core the pair is in: activity of user and item",
    source="Seidman 1983; Beel and Brunel 2019",
    samples=score,
)
