"""Weight: the rating, or in a log without ratings the weight of the events (article 1 (b), order by weight)."""

import numpy as np

from recprune.interactions import Interactions
from recprune.pruning.criterion import Criterion, SampleScores


def score(train: Interactions, seed: int) -> SampleScores:
    """(nnz,) ratings or weights, no groups. Raises ValueError where the log has neither, or all are equal."""
    values = train.weight if train.rating is None else train.rating
    if values is None:
        raise ValueError(f"{train.name}: criterion 'weight' needs ratings or event weights; the log has neither")
    if len(values) and (values == values[0]).all():
        what = "weights" if train.rating is None else "ratings"
        raise ValueError(f"{train.name}: criterion 'weight' orders nothing: all {what} are {values[0]:g}")
    return values.astype(np.float64), None


CRITERION = Criterion(
    name="weight",
    label="rating",
    kind="score",
    summary="rating or event weight",
    source="article 1 (b)",
    samples=score,
)
