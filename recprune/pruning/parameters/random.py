"""Uniform scores: the control that every criterion must beat."""

import torch

from recprune.pruning import units


def score(model, unit, train, seed):
    """Name -> (n_units,) uniform in [0, 1)."""
    generator = torch.Generator().manual_seed(seed)
    return {name: torch.rand(len(value), generator=generator) for name, value in units.values(model, unit).items()}
