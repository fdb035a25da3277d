"""Stratified: uniform inside strata, so that what stays is representative (article 2).

A stratum is a user crossed with a third of the catalogue by popularity: every user keeps the same share
of the history, and of its popular, middling and rare items.
"""

import numpy as np

from recprune.interactions import Interactions
from recprune.pruning.criterion import Criterion, SampleScores


def parts(codes: np.ndarray, n_codes: int, n_parts: int) -> np.ndarray:
    """(n_codes,) part of each code, 0 for the most frequent; each part holds about 1 / n_parts of the interactions.

    codes   (nnz,) of users or of items
    """
    count = np.bincount(codes, minlength=n_codes)
    order = np.argsort(-count, kind="stable")
    part = np.empty(n_codes, np.int64)
    before = np.cumsum(count[order]) - count[order]
    part[order] = np.minimum(n_parts - 1, n_parts * before // max(1, len(codes)))
    return part


def strata(train: Interactions) -> np.ndarray:
    """(nnz,) user x popularity third of each interaction."""
    return train.user.astype(np.int64) * 3 + parts(train.item, train.n_items, 3)[train.item]


def score(train: Interactions, seed: int) -> SampleScores:
    """(nnz,) uniform in [0, 1), and the stratum of each interaction."""
    return np.random.default_rng(seed).random(train.nnz), strata(train)


CRITERION = Criterion(
    name="stratified",
    label="stratified",
    kind="score",
    summary="uniform inside user x item-popularity strata",
    source="article 2, representative removal",
    samples=score,
)
