"""Mask shuffle (Frankle et al., 2021, section 5): the magnitude mask at random places of the same tensor.

Magnitudes are permuted among the units of a tensor or dimension, and of a neighbour list, so that each loses
exactly as many units as by magnitude. What is left of magnitude is how much each layer keeps, not which weights.
"""

import numpy as np
import torch

from recprune.interactions import Interactions
from recprune.pruning.criterion import Able, Criterion, Scores
from recprune.pruning.parameters import magnitude


def score(model: Able, unit: str, train: Interactions, seed: int) -> Scores:
    """Name -> (n_units,) norms, each at the place of another unit; a unit that is not there stays at 0."""
    rng, lists = np.random.default_rng(seed), model.lists() if unit == "neighbour" else {}
    return {
        name: torch.from_numpy(_permuted(norm.numpy(), lists.get(name), rng))
        for name, norm in magnitude.score(model, unit, train, seed).items()
    }


def _permuted(norm: np.ndarray, lists: np.ndarray | None, rng: np.random.Generator) -> np.ndarray:
    """The non-zero norms (n,) in random order, within each list where there are lists: (n,), or one for each column."""
    there, shuffled = np.flatnonzero(norm), norm.copy()
    group = np.zeros(len(there), int) if lists is None else lists[there % len(lists)]
    to, source = np.lexsort((rng.random(len(there)), group)), np.argsort(group, kind="stable")
    shuffled[there[to]] = norm[there[source]]
    return shuffled


CRITERION = Criterion(
    name="mask-shuffle",
    label="mask shuffle",
    kind="control",
    summary="the magnitude mask, shuffled inside each tensor: the control of which unit matters",
    source="Frankle 2021",
    units=("weight", "n-of-m", "neighbour", "factor", "neuron"),
    parameters=score,
)
