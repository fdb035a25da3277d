"""Stratified: uniform inside strata, so that what stays is representative (article 2).

A stratum is a user crossed with a third of the catalogue by popularity: every user keeps the same share
of the history, and of its popular, middling and rare items.
"""

import numpy as np


def popularity_third(train) -> np.ndarray:
    """(n_items,) 0 for the most popular items, 2 for the rarest; each third holds a third of the interactions."""
    count = np.bincount(train.item, minlength=train.n_items)
    order = np.argsort(-count, kind="stable")
    third = np.empty(train.n_items, np.int64)
    third[order] = np.minimum(2, 3 * (np.cumsum(count[order]) - count[order]) // max(1, train.nnz))
    return third


def score(train, seed):
    """(nnz,) uniform in [0, 1), and the stratum of each interaction."""
    strata = train.user.astype(np.int64) * 3 + popularity_third(train)[train.item]
    return np.random.default_rng(seed).random(train.nnz), strata
