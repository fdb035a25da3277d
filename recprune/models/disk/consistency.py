"""Whether the arrays of a model that was read from a disk belong together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from recprune.errors import ModelFileError, demand
from recprune.models.parts.lost_rows import KEPT

if TYPE_CHECKING:
    from recprune.models.base import Recommender

#: what scoring raises where arrays are missing, or their shapes do not fit each other
MISFITS = (ArithmeticError, AttributeError, IndexError, KeyError, RuntimeError, TypeError, ValueError)


def check_consistent(model: Recommender) -> None:
    """Raises ModelFileError unless rows, units and positions fit each other, and three users can be scored.

    The three are the first, the last, and the one of the longest history: together they reach as far as any.
    """
    try:
        _check_rows(model)
        _check_units(model)
        model.check_positions()
        users = sorted({0, model.n_users - 1, int(np.diff(model._fitted.indptr).argmax())})
        scores = model.score(users)
    except ModelFileError:
        raise
    except MISFITS as error:
        raise ModelFileError(f"the arrays are not those of a {model.name}: {type(error).__name__}: {error}") from None
    demand(scores.shape == (len(users), model.n_items), f"scores are of shape {scores.shape}")
    demand(not np.isnan(scores).any(), "scores are not finite")


def _check_rows(model: Recommender) -> None:
    """What `lost_rows` says of its declarations."""
    for unit, name in KEPT.items():
        if name in model.arrays:
            kept, n = model.arrays[name], model.n_users if unit == "user-row" else model.n_items
            demand(
                isinstance(kept, torch.Tensor) and kept.ndim == 1 and kept.dtype == torch.int32, f"{name} is no list"
            )
            there = kept[kept != 0]
            demand(bool((there > 0).all() and (there <= n).all()), f"{name} names a row beyond {n:,}")
            demand(bool((there.diff() > 0).all()), f"{name} is not in order")


def _check_units(model: Recommender) -> None:
    """A dimension is as long in every array that it runs through, and those of users and items as there are rows."""
    for unit, dimensions in model.structure().items():
        for dimension, places in dimensions.items():
            sizes = {name: model.arrays[name].shape[axis] for name, axis in places}
            demand(len(set(sizes.values())) <= 1, f"{unit}: {dimension} differ in number: {sizes}")
            if unit in KEPT:
                kept = model.arrays.get(KEPT[unit])
                rows = (model.n_users if unit == "user-row" else model.n_items) if kept is None else len(kept)
                demand(set(sizes.values()) <= {rows}, f"{unit}: {sizes}, and {rows:,} rows are declared")
