"""Recency: the latest interactions stay (Beel and Brunel, 2019; systems whose catalogue and tastes move on)."""

import numpy as np

from recprune.interactions import Interactions
from recprune.pruning.criterion import Criterion, SampleScores


def score(train: Interactions, seed: int) -> SampleScores:
    """(nnz,) times in seconds, no groups. Raises ValueError where the log has no times, or all are equal."""
    if train.timestamp is None:
        raise ValueError(f"{train.name}: criterion 'recency' needs times; give a timestamp column")
    if train.nnz and (train.timestamp == train.timestamp[0]).all():
        raise ValueError(f"{train.name}: criterion 'recency' orders nothing: all times are {train.timestamp[0]:.15g}")
    return train.timestamp.astype(np.float64), None


CRITERION = Criterion(
    name="recency",
    label="recency",
    kind="score",
    summary="time: keep the latest",
    source="Beel and Brunel 2019",
    samples=score,
)
