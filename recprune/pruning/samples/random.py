"""Uniform scores: every interaction is as likely to stay as any other."""

import numpy as np


def score(train, seed):
    """(nnz,) uniform in [0, 1), and no groups."""
    return np.random.default_rng(seed).random(train.nnz), None
