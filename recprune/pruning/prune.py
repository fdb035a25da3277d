"""Pruning a trained model once, by one method: unit x criterion x schedule x recovery x budget."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch

from recprune.models.base import Recommender
from recprune.models.descent import GradientModel
from recprune.pruning import units
from recprune.pruning.budget import Budget
from recprune.pruning.criteria import check, check_trained, find
from recprune.pruning.criterion import Criterion
from recprune.pruning.parameter_path import ParameterPath
from recprune.pruning.parameters import zero_reset
from recprune.pruning.pruned import AS_TRAINED, Pruned
from recprune.pruning.recovery import RECOVERIES, Masks, Recovery
from recprune.splits import Split


def prune(
    model: Recommender,
    split: Split,
    criterion: str | Criterion = "magnitude",
    unit: str = "weight",
    keep: float | None = None,
    schedule: str = "one-shot",
    recovery: str = "none",
    seed: int = 0,
    *,
    rounds: int = 5,
    nonzeros: int | None = None,
    bytes: int | None = None,
    max_loss: float | None = None,
    values: str | Sequence[str] = AS_TRAINED,
) -> Pruned:
    """A pruned version of a trained model; the model given is left as it is.

    criterion  a name of `CRITERIA`, or a Criterion of the user's own; unit: a name of `UNITS`
    keep       share of the units that stays; or one of the other budgets (see `Budget`), or bytes and max_loss
    values     the format in which what stays is stored: float32, float16, int8 or int4; or several, or "auto" for all,
               of which bytes and max_loss choose
    schedule   one-shot, linear, cubic (in `rounds` rounds), geometric (a fifth of what is left per round)
    recovery   none, refit, fine-tune, rewind or retrain, after every round

    With a budget other than a share the shares 0.8, 0.8^2, ... are searched: by bisection under the
    schedule `one-shot`, whose cuts are nested; one after another under the others.
    Exactly round(keep * n) of the n units that are there stay. Only training and validation data are looked at.

    Raises ValueError for unknown names, a share outside (0, 1], a combination that the model's mathematics rules
    out (the message lists what is possible), a model that was not trained on this split, or a budget that no model
    on the path meets; TypeError for what is no model or no split.
    """
    rule = find(criterion, "parameters")
    if rule is zero_reset.CRITERION:
        check(model, rule, unit, schedule, recovery)
        check_trained(model, split, seed, rounds)
        if any(limit is not None for limit in (keep, nonzeros, bytes, max_loss)) or values != AS_TRAINED:
            raise ValueError("zero-reset removes everything: it takes no keep or other budget, and no values")
        return _zero_reset(model, split, recovery, seed)
    path = ParameterPath(model, split, rule, unit, schedule, recovery, seed, rounds=rounds)
    return path.within(Budget(keep, nonzeros, bytes, max_loss, values))


def importance(
    model: Recommender, split: Split, criterion: str | Criterion = "magnitude", unit: str = "weight", seed: int = 0
) -> dict[str, np.ndarray]:
    """Name of a tensor or dimension -> (n_units,) scores that a criterion gives to the units of a model, high = keep.

    Raises ValueError as `prune` does.
    """
    path = ParameterPath(model, split, criterion, unit, seed=seed)
    return {name: score.detach().numpy() for name, score in path.scores.items()}


def _zero_reset(model: Recommender, split: Split, recovery: str, seed: int) -> Pruned:
    """The model with every prunable parameter at zero; with a recovery then trained on, nothing held at zero."""
    started = time.perf_counter()
    state = model.clone()
    pool = units.Pool.of(state, "weight")
    nothing = pool.masks(state, np.zeros(len(pool.present), bool))
    units.apply(state, nothing)
    scored = time.perf_counter()
    free = {name: torch.ones_like(mask) for name, mask in nothing.items()}
    recover: Recovery = _from_zeros if recovery == "retrain" else RECOVERIES[recovery]
    recover(state, split, free, seed)
    epochs = state.epochs_trained - model.epochs_trained
    seconds = {"score_s": scored - started, "recovery_s": time.perf_counter() - scored}
    rounds = [{"kept": 0.0, **seconds, "epochs": epochs}]
    pruned = Pruned(state, nothing if recovery == "none" else free, 0.0, pool.n, pd.DataFrame(rounds))
    names = {"criterion": zero_reset.CRITERION.name, "unit": "weight", "schedule": "one-shot", "recovery": recovery}
    return pruned.described(**names, budget={}, seed=int(seed))


def _from_zeros(model: GradientModel, split: Split, masks: Masks, seed: int) -> None:
    """The model is trained from the zeros, not from new random values: that would be training, not resetting."""
    model.descend(
        split.train, split.validation, seed, epochs=model.epochs, masks=masks, fold_in=split.fold_in("validation")
    )
