"""Magnitude (Han et al., 2015): |w| of a weight, the Euclidean norm of everything a larger unit consists of."""

from recprune.interactions import Interactions
from recprune.pruning import units
from recprune.pruning.criterion import Able, Criterion, Scores


def score(model: Able, unit: str, train: Interactions, seed: int) -> Scores:
    """Name -> (n_units,) norms."""
    return units.norms(model, unit)


CRITERIA = (
    Criterion(
        name="magnitude",
        label="magnitude",
        labels={"weight": "magnitude (global)", "neighbour": "neighbours per item"},
        kind="score",
        summary="absolute value, or norm of a larger unit; all tensors compete",
        source="Han 2015",
        units=("weight", "n-of-m", "neighbour", "factor", "neuron", "user-row", "item-row"),
        parameters=score,
    ),
    Criterion(
        name="magnitude-layer",
        label="magnitude (per layer)",
        kind="score",
        summary="absolute value, or norm of a larger unit; the same share of each tensor",
        source="Han 2015",
        units=("weight", "factor", "neuron"),
        parameters=score,
        scope="layer",
    ),
)
