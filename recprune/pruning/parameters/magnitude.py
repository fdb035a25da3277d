"""Magnitude (Han et al., 2015): |w| of a weight, the Euclidean norm of everything a larger unit consists of."""

from recprune.pruning import units


def score(model, unit, train, seed):
    """Name -> (n_units,) norms."""
    return {name: value.norm(dim=1) for name, value in units.values(model, unit).items()}
