"""Uniform scores: the control that every criterion must beat."""

import torch

from recprune.interactions import Interactions
from recprune.pruning import units
from recprune.pruning.criterion import Able, Criterion, Scores
from recprune.pruning.samples import random as of_samples


def score(model: Able, unit: str, train: Interactions, seed: int) -> Scores:
    """Name -> (n_units,) uniform in [0, 1); of a tree's splits uniform among the orders that leave a tree."""
    generator = torch.Generator().manual_seed(seed)
    scores = {name: torch.rand(n, generator=generator) for name, n in units.sizes(model, unit).items()}
    if unit != "split":
        return scores
    return {name: torch.from_numpy(model.bottom_up(score.numpy())) for name, score in scores.items()}


CRITERION = Criterion(
    name="random",
    label="random",
    kind="control",
    summary="uniform: the control",
    source="Blalock 2020; article 2",
    units=units.UNITS,
    parameters=score,
    samples=of_samples.score,
)
