"""The support of a pruned model: which of its values are there, and which should be there after new interactions."""

from __future__ import annotations

import numpy as np
import torch

from recprune.interactions import Interactions
from recprune.models import build
from recprune.models.base import Recommender
from recprune.models.descent import GradientModel
from recprune.models.parts.lost_rows import KEPT
from recprune.pruning import units
from recprune.pruning.recovery import Masks

EXCHANGED = 0.3  # of the values of a tensor, when the support is chosen again: RigL's alpha


def support(model: Recommender) -> Masks:
    """Name of a prunable tensor -> where it may have values: everywhere in a dense model, else where it has some.

    A row of a table whose user or item has no interaction yet is free: nothing that a rule looked at was removed there.
    In an item-item matrix a new item has no list until the support is chosen again.
    """
    if not model.is_pruned:
        return {name: torch.ones_like(tensor, dtype=torch.bool) for name, tensor in model.prunable().items()}
    masks = {name: tensor != 0 for name, tensor in model.prunable().items()}
    if not model.lists():
        for unit in KEPT:
            new = torch.from_numpy(_new_rows(model, unit))
            for places in model.structure().get(unit, {}).values():
                for name, axis in places:
                    if name in masks and axis == 0:
                        masks[name][new] = True
    return masks


def _new_rows(model: Recommender, unit: str) -> np.ndarray:
    """(rows,) bool: the rows of tables whose user or item has no interaction; none that is gone."""
    history, axis = model._fitted, 0 if unit == "user-row" else 1
    none = np.bincount(history.tocoo().coords[axis], minlength=history.shape[axis]) == 0
    kept = model.arrays.get(KEPT[unit])
    if kept is None:
        return none
    code = kept.numpy() - 1
    return (code >= 0) & none[code]


def chosen_again(model: Recommender, train: Interactions, seed: int) -> Masks:
    """The support for the interactions of `train`, of as many values in each tensor as there are.

    The smallest EXCHANGED of the values go, and as many come where the loss of `train` has its largest gradients
    (Evci et al., 2020, "Rigging the Lottery", section 3). A model without gradients is made again, and its largest
    values are the support. The model itself is changed: what goes is zero, what is there again has the new values.
    """
    if not hasattr(model, "gradients") or "gradients" in model.lacks():
        return _largest_of(build(model.name, **model.hyperparameters()).fit(train, seed=seed), model)
    if isinstance(model, GradientModel):
        model.complete(seed)
    gradient = {name: torch.zeros_like(tensor) for name, tensor in model.prunable().items()}
    for found in model.gradients(train, seed):
        for name in gradient.keys() & found.keys():
            gradient[name] += found[name]
    if model.lists():
        for matrix in gradient.values():
            matrix.fill_diagonal_(0.0)
    masks = {name: _exchanged(tensor, gradient[name]) for name, tensor in model.prunable().items()}
    units.apply(model, masks)
    return masks


def _exchanged(values: torch.Tensor, gradient: torch.Tensor) -> torch.Tensor:
    """The mask of as many entries as `values` has, the smallest of these exchanged for those of large gradients."""
    n = int(torch.count_nonzero(values))
    coming = min(round(EXCHANGED * n), values.numel() - n)
    mask = _top(values.abs(), n - coming)
    return mask | _top(gradient.abs().masked_fill(mask, -1.0), coming)


def _top(scores: torch.Tensor, n: int) -> torch.Tensor:
    """The mask of the n largest scores."""
    mask = torch.zeros(scores.numel(), dtype=torch.bool)
    mask[torch.topk(scores.ravel(), n).indices] = True
    return mask.reshape(scores.shape)


def _largest_of(fresh: Recommender, model: Recommender) -> Masks:
    """`model` gets the largest values of `fresh`, as many as it has; returns their mask.

    Raises ValueError for a model that has lost rows, which the other has.
    """
    if gone := [name for name in KEPT.values() if name in model.arrays]:
        raise ValueError(
            f"{model.name}: without some rows ({gone[0]}) its lists are not chosen again; 'values' or 'anew'"
        )
    n = {name: int(torch.count_nonzero(tensor)) for name, tensor in model.prunable().items()}
    masks = {name: _top(tensor.abs(), min(n[name], tensor.numel())) for name, tensor in fresh.prunable().items()}
    units.apply(fresh, masks)
    model.arrays |= {name: fresh.arrays[name] for name in masks}
    return masks
