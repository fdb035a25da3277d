"""Uniform scores: every interaction is as likely to stay as any other."""

import numpy as np

from recprune.interactions import Interactions
from recprune.pruning.criterion import SampleScores


def score(train: Interactions, seed: int) -> SampleScores:
    """(nnz,) uniform in [0, 1), and no groups."""
    return np.random.default_rng(seed).random(train.nnz), None
