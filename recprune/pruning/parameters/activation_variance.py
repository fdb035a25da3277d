"""Activation variance (article 1's ordering by variance): a unit that does the same for everybody is a constant.

The importance of a neuron is the variance of its activation, over pairs drawn uniformly: the pairs that a full
ranking scores. What goes is replaced by its mean, folded into the bias that it is added to: the bias of the next
layer, or one of the items. So the mean input of the next layer stays; that of layers above, which are not linear
in it, about.

The importance of a factor is the variance of what it adds to the score. In a factor model that is u_f v_f, whose
mean over users is a bias of the item; what is left is var(u_f) mean(v_f^2), the squared error of the scores after
folding. As any score of single factors it depends on the basis.
"""

import torch

from recprune.interactions import Interactions
from recprune.models.parts.negatives import any_pairs
from recprune.pruning import units
from recprune.pruning.criterion import Able, Criterion, Masks, Scores
from recprune.pruning.parameters import principal_axes
from recprune.pruning.parameters.activations import activations, contributions
from recprune.splits import Split

PAIRS = 5000


def score(model: Able, unit: str, train: Interactions, seed: int) -> Scores:
    """Dimension -> (n_units,) variances."""
    if "user_factors" in model.arrays:
        user, item = model.arrays["user_factors"], model.arrays["item_factors"]
        return {"factors": user.var(0) * item.square().mean(0)}
    seen = (contributions if unit == "factor" else activations)(model, unit, *any_pairs(train, seed, PAIRS))
    return {name: x.var(dim=0) for name, x in seen.items()}


def adjust(model: Able, split: Split, unit: str, masks: Masks, seed: int, before: Able) -> None:
    """The means of what was removed are folded into biases, in place; `before` is the model before the removal."""
    means = _means(before, unit, split.train, seed)
    for dimension, (weight, bias) in before.readers().items():
        if dimension not in means:
            continue
        gone = ~masks[weight].any(0)
        shift = before.arrays[weight][:, gone] @ means[dimension][gone]
        arrays = model.auxiliary if bias in model.auxiliary else model.arrays
        arrays[bias] = arrays.get(bias, torch.zeros(len(shift))) + shift
    units.apply(model, masks)  # a removed neuron of the next layer keeps no bias


def _means(model, unit, train, seed):
    """Dimension -> (n_units,) means of what its reader multiplies; a factor model's reads the users' factors."""
    if "user_factors" in model.arrays:
        return {"factors": model.arrays["user_factors"].mean(0)}
    seen = activations(model, unit, *any_pairs(train, seed, PAIRS))
    return {name: x.mean(0) for name, x in seen.items()}


CRITERIA = (
    Criterion(
        name="activation-variance",
        label="activation variance",
        kind="score",
        summary="variance of the unit's activation; its mean is folded into the next bias",
        source="article 1 (c)",
        units=("factor", "neuron"),
        parameters=score,
        scope="layer",
        adjust=adjust,
        needs=("trace",),
    ),
    Criterion(
        name="activation-variance-axes",
        label="activation variance (axes)",
        kind="score",
        summary="the same, after turning to principal axes",
        source="article 1 (c)",
        units=("factor",),
        parameters=score,
        prepare=principal_axes.prepare,
        adjust=adjust,
        needs=("canonicalise", "trace"),
    ),
)
