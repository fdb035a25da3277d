"""First-order Taylor expansion (Molchanov et al., 2019; article 1's gradient decomposition).

Setting a weight to zero changes the loss by about -w dL/dw. The importance of a weight is that change squared,
averaged over the batches of one epoch, and its root here, so that it is in units of the loss. For a larger unit
the source has two: the changes of its entries are added up before they are squared (eq. 8, `score`), since they go
together; or after (eq. 9, `score_apart`), which does not see that they cancel at an optimum, to first order.

Where the loss has a closed form (iALS, EASE) its gradient comes in one piece. At the optimum of a ridge it is
-2 l2 w, so the order is that of magnitude.
"""

import copy

import torch

from recprune.interactions import Interactions
from recprune.pruning import units
from recprune.pruning.criterion import Able, Criterion, Scores


def score(model: Able, unit: str, train: Interactions, seed: int) -> Scores:
    """Name -> (n_units,) root mean square over batches of the change of the loss when the unit goes."""
    return _root_mean_square(model, unit, train, seed, lambda entries: entries.sum(1).square())


def score_apart(model: Able, unit: str, train: Interactions, seed: int) -> Scores:
    """Name -> (n_units,) likewise, each entry's change by itself."""
    return _root_mean_square(model, unit, train, seed, lambda entries: entries.square().sum(1))


def _root_mean_square(model, unit, train, seed, square):
    total: Scores = {}
    batches = 0
    for gradient in model.gradients(train, seed):
        for name, entries in products(model, unit, gradient).items():
            total[name] = total.get(name, 0) + square(entries)
        batches += 1
    return {name: (squares / batches).sqrt() for name, squares in total.items()}


def products(model, unit, gradient):
    """Name of a tensor or dimension -> (n_units x entries) w dL/dw; zero where there is no gradient."""
    shadow = copy.copy(model)
    shadow.arrays = {
        name: array * gradient[name] if name in gradient else torch.zeros(array.shape)
        for name, array in model.arrays.items()
    }
    return units.values(shadow, unit)


CRITERIA = (
    Criterion(
        name="taylor",
        label="Taylor",
        kind="score",
        summary="what the loss changes when the unit goes, to first order",
        source="Molchanov 2019; article 1, gradient decomposition",
        units=("weight", "n-of-m", "factor", "neuron", "user-row", "item-row"),
        parameters=score,
        needs=("gradients",),
    ),
    Criterion(
        name="taylor-apart",
        label="Taylor (apart)",
        kind="score",
        summary="the same for each entry of a larger unit by itself, added up: entries do not cancel",
        source="Molchanov 2019, eq. 9",
        units=("factor", "neuron"),
        parameters=score_apart,
        needs=("gradients",),
    ),
)
