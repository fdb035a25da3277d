"""Segments of training samples, weighed by the model itself (article 1: evaluate the samples segment by segment).

A segment is a tenth of the interactions by the activity of their users crossed with a tenth by the popularity of
their items. Its weight is the mean accuracy of the model on its samples: of (u, i), the share of the items unknown to
u that the model ranks below i, which any recommender has (AUC; Sachdeva et al., 2022, use its inverse).

Both ends are methods. `score`: segments of least weight lose their samples first, as noise that the model cannot
make sense of. `score_learnt`: those of most weight do, as repeated information that the model holds already.
"""

from __future__ import annotations

import numpy as np

from recprune.interactions import Interactions
from recprune.models.base import Recommender
from recprune.pruning.criterion import Criterion, SampleScores
from recprune.pruning.samples.stratified import parts
from recprune.splits import Split

PARTS = 10  # of the users and of the items
BLOCK = 1024  # users at a time


def score(model: Recommender, split: Split, seed: int) -> SampleScores:
    """(nnz,) weight of the segment that each training interaction is in, no groups."""
    segment = segments(split.train)
    size = np.bincount(segment, minlength=PARTS**2)
    weight = np.bincount(segment, accuracy(model, split), minlength=PARTS**2) / np.maximum(1, size)
    return weight[segment], None


def score_learnt(model: Recommender, split: Split, seed: int) -> SampleScores:
    """(nnz,) as `score`, the other way round."""
    return -score(model, split, seed)[0], None


def segments(train: Interactions) -> np.ndarray:
    """(nnz,) segment of each interaction, 0 to PARTS^2 - 1."""
    activity, popularity = parts(train.user, train.n_users, PARTS), parts(train.item, train.n_items, PARTS)
    return activity[train.user] * PARTS + popularity[train.item]


def accuracy(model: Recommender, split: Split) -> np.ndarray:
    """(nnz,) share of the items that the user never saw, pruned or not, that the model ranks below; ties count half."""
    train, seen = split.train.tocsr(), split.unpruned.tocsr()
    found = np.zeros(train.nnz)
    users = np.flatnonzero(np.diff(train.indptr))
    for start in range(0, len(users), BLOCK):
        block = users[start : start + BLOCK]
        for user, scores in zip(block, model.score(block), strict=True):
            rows = slice(train.indptr[user], train.indptr[user + 1])
            unseen = np.delete(scores, seen.indices[seen.indptr[user] : seen.indptr[user + 1]])
            unseen.sort()
            below = sum(np.searchsorted(unseen, scores[train.indices[rows]], side) for side in ("left", "right")) / 2
            found[rows] = below / max(1, len(unseen))
    return found


CRITERIA = (
    Criterion(
        name="segment",
        label="segment",
        kind="score",
        summary="segments of users' activity x items' popularity; those that the model predicts worst go first",
        source="article 1",
        by_model=score,
    ),
    Criterion(
        name="segment-learnt",
        label="segment, learnt first",
        kind="score",
        summary="the same segments; those that the model predicts best go first",
        source="article 1, repeated information",
        by_model=score_learnt,
    ),
)
