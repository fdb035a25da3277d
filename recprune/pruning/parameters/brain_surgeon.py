"""Optimal brain surgeon, layer by layer (Hassibi and Stork, 1993; Dong et al., 2017; Frantar and Alistarh, 2022).

To change a linear layer's outputs as little as possible is a quadratic problem with the Hessian H = X'X of its
inputs X. Removing the weight w_p costs w_p^2 / (2 [H^-1]_pp) if all other weights are corrected at best
(Hassibi and Stork, eq. 5). After the cut every output is corrected at once: its weights on the support S that
stays solve H_SS w_S = (H w_before)_S, the least squares fit of the output before.

In EASE the layer is the model and H = X'X + l2 I, so what stays is the ridge regression on its support: the
correction is the refit. Elsewhere H has 1 % of its mean diagonal added, as in Frantar and Alistarh.

An embedding table is a layer whose inputs are one-hot. A full ranking looks up every row equally often: H is a
multiple of I, the saliency is the magnitude, and there is nothing to correct. So tables are scored by magnitude,
and every tensor loses the same share: saliencies of different layers are errors of different outputs.
"""

import numpy as np
import torch

from recprune.interactions import Interactions
from recprune.models.parts.support import ridge_on_support
from recprune.pruning import units
from recprune.pruning.criterion import Able, Criterion, Masks, Scores
from recprune.pruning.parameters import magnitude
from recprune.splits import Split

DAMPING = 0.01  # of the mean diagonal of H


def score(model: Able, unit: str, train: Interactions, seed: int) -> Scores:
    """Name -> (n_units,) w^2 / (2 [H^-1]_pp); |w| in tensors that are no linear layer."""
    scores = magnitude.score(model, unit, train, seed)
    for name, layer in model.linear_layers(train, seed).items():
        weight = units.tensor(model, name).double()
        spread = torch.from_numpy(np.linalg.inv(_hessian(layer)).diagonal().copy())
        scores[name] = (weight.square() / (2 * (spread if layer.axis else spread[:, None]))).ravel()
    return scores


def adjust(model: Able, split: Split, unit: str, masks: Masks, seed: int, before: Able) -> None:
    """What stays is corrected, in place, so that each layer's outputs are next to those `before` the removal."""
    for name, layer in before.linear_layers(split.train, seed).items():
        if name not in masks:
            continue  # a matrix too narrow for blocks
        old, weight = (units.tensor(m, name) for m in (before, model))
        keep = masks[name] & (old != 0)  # what was zero before the pruning stays so
        if layer.axis:
            old, weight, keep = old.T, weight.T, keep.T
        hessian = _hessian(layer)
        weight.copy_(torch.from_numpy(ridge_on_support(hessian, hessian @ old.double().numpy(), keep.numpy())))


def _hessian(layer) -> np.ndarray:
    """(d_in x d_in) float64: X'X with a ridge on its diagonal."""
    x = layer.inputs
    gram = (x.T @ x).double().numpy() if isinstance(x, torch.Tensor) else (x.T @ x).toarray().astype(np.float64)
    gram[np.diag_indices_from(gram)] += layer.ridge or max(DAMPING * gram.diagonal().mean(), 1e-12)
    return gram


CRITERION = Criterion(
    name="brain-surgeon",
    label="brain surgeon",
    kind="score",
    summary="layer by layer, what the inverse Hessian says is cheapest; what stays is corrected",
    source="Hassibi 1993; Frantar 2022",
    units=("weight", "n-of-m"),
    parameters=score,
    scope="layer",
    adjust=adjust,
    needs=("linear_layers",),
)
