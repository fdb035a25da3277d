"""Ways of taking a window of new interactions in, for a dense, a pruned, a saved model."""

from __future__ import annotations

import numpy as np
import torch

from recprune.errors import kind_of
from recprune.growth.support import chosen_again, support
from recprune.growth.union import taken_in
from recprune.growth.windows import as_split
from recprune.interactions import Interactions
from recprune.models import build, quantize
from recprune.models.base import Recommender
from recprune.models.descent import GradientModel
from recprune.models.disk.provenance import without_metrics
from recprune.models.parts import ops
from recprune.pruning import units
from recprune.pruning.prune import prune
from recprune.pruning.pruned import Pruned
from recprune.splits import Split
from recprune.typed import near

WAYS = ("frozen", "values", "support", "anew")
EPOCHS = 5  # of the models that learn by gradient descent, to take a window in
EACH_ITS_OWN = "user-row"  # the unit of models that have a row of values for each user


def update(
    model: Recommender | Pruned,
    window: Interactions | Split,
    how: str = "values",
    seed: int = 0,
    *,
    epochs: int = EPOCHS,
    criterion: str = "magnitude",
) -> Recommender:
    """A model that has taken new interactions in; the one given is left as it is.

    window     interactions over the model's own users and items, or a split whose training part they are; pairs that
               the model knows are no news, and without any news nothing changes
    how        frozen    its values stay; the histories that it is served from grow
               values    the values are fitted to everything, on the support that there is: EASE by the products of its
                         items, to which those of the window are added; item-kNN by its similarities; iALS by folding in
                         who and what is new; the others by `epochs` epochs of training, what was pruned at zero
               support   the support is chosen again (see `recprune.growth.support.chosen_again`), then as `values`
               anew      trained from scratch, as long as its hyper-parameters say, and pruned to as many values by
                         `criterion` (unit weight), with a refit or as long a training of what stays
    epochs     of `values` and `support`

    What a compact or loaded model lacks for training is drawn again; a full-sized one (`pruned.model`) has it. Of a
    compact or quantized model the result is compact, and of the same format.

    Raises ValueError for an unknown way, a model that cannot be updated so, or a window of other users or items;
    TypeError for what is no model or no window.
    """
    model, values = (model.model, model.values) if isinstance(model, Pruned) else (model, None)
    if not isinstance(model, Recommender):
        raise TypeError(f"update: a trained recommender is needed, not {kind_of(model)}")
    _check(how, seed, epochs)
    train = taken_in(model, window)
    values = values or model.values
    if train.nnz == model._fitted.nnz:
        return _as_it_was(model.clone(), model, values)
    state = _in_full(model)
    if how == "frozen":
        state.history = _served(state, train)
        return _as_it_was(state, model, values)
    if how == "anew":
        state = _anew(state, train, seed, criterion)
    else:
        masks = chosen_again(state, train, seed) if how == "support" and state.is_pruned else support(state)
        state.renew(train, masks, seed, epochs)
        state.history = state._histories_of(train)
    state._check_finite()
    state.trained_on = {"content": train.content_hash, "seed": int(seed)}
    return _as_it_was(state, model, values)


def _check(how: str, seed: int, epochs: int) -> None:
    if how not in WAYS:
        raise ValueError(f"how is {how!r}; known: {', '.join(WAYS)}{near(how, WAYS)}")
    for what, value, least in (("seed", seed, 0), ("epochs", epochs, 1)):
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
            raise ValueError(f"{what} is {value!r}; a whole number from {least} on is needed")


def _in_full(model: Recommender) -> Recommender:
    """A copy with dense arrays of its own; lists of neighbours, which have no other form, stay lists."""
    state = model.clone()
    listed = getattr(model, "neighbours", None) is not None
    for name, array in state.arrays.items():
        if not listed:
            state.arrays[name] = ops.dense(array)
        elif isinstance(array, torch.Tensor) and array.ndim == 2:
            state.arrays[name] = ops.to_csr(array)
    state.values = "float32"
    state.provenance = without_metrics(state.provenance)
    return state


def _as_it_was(state: Recommender, model: Recommender, values: str) -> Recommender:
    """The updated model in the form, compact or not, and the value format of the one that was given."""
    if values != "float32":
        return quantize(state, values)
    if not model.is_compact:
        return state
    return state.compact()


def _served(model: Recommender, train: Interactions):
    """The histories that a frozen model is served from: all; but who has no row of values stays a stranger to it."""
    if EACH_ITS_OWN in model.structure():
        known = np.diff(model._fitted.indptr) > 0
        train = train.select(known[train.user])
    return model._histories_of(train)


def _anew(model: Recommender, train: Interactions, seed: int, criterion: str) -> Recommender:
    """A model of the same kind, trained on everything, of as many values."""
    fresh = build(model.name, **model.hyperparameters()).fit(train, seed=seed)
    if not model.is_pruned:
        return fresh
    left = sum(int(torch.count_nonzero(tensor)) for tensor in model.prunable().values())
    there = units.Pool.of(fresh, "weight").n
    return pruned_to(fresh, train, min(1.0, left / there), seed, criterion)


def pruned_to(
    model: Recommender, train: Interactions, keep: float, seed: int = 0, criterion: str = "magnitude"
) -> Recommender:
    """The model cut to a share of its weights, which are then refitted or trained as long as the dense ones were.

    No interaction is kept back for validation. Raises what `prune` raises.
    """
    recovery = "refit" if "refit" in model.recoveries else "none"
    split = as_split(train, seed, {})
    pruned = prune(model, split, criterion=criterion, unit="weight", keep=keep, recovery=recovery, seed=seed)
    if isinstance(model, GradientModel) and isinstance(pruned.model, GradientModel):
        pruned.model.descend(train, None, seed, epochs=model.epochs, first_epoch=model.epochs, masks=pruned.masks)
    return pruned.model
