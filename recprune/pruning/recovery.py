"""Recovery: what happens to the parameters that stay."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from recprune.models.base import Recommender
from recprune.models.parts.training import GradientModel
from recprune.pruning import units
from recprune.splits import Split

FINE_TUNE_EPOCHS = 10  # at most, and no more than FINE_TUNE_PATIENCE of them without a better validation nDCG@10
FINE_TUNE_PATIENCE = 3
REWIND_EPOCHS = 2
Masks = dict[str, torch.Tensor]
# (model, split, masks, seed): changes the model in place; what it asks of a model, `Recommender.recoveries` says
Recovery = Callable[[Any, Split, Masks, int], None]


def none(model: Recommender, split: Split, masks: Masks, seed: int) -> None:
    """The parameters that stay keep their values."""


def refit(model: Recommender, split: Split, masks: Masks, seed: int) -> None:
    """The parameters that stay are solved for again, in closed form, on the surviving support."""
    model.refit(split.train, masks)


def fine_tune(model: GradientModel, split: Split, masks: Masks, seed: int) -> None:
    """The parameters that stay are trained on for a few epochs, the removed ones at zero; never worse on validation."""
    model.descend(
        split.train,
        split.validation,
        seed,
        epochs=min(FINE_TUNE_EPOCHS, model.epochs),
        first_epoch=model.epochs,
        patience=FINE_TUNE_PATIENCE,
        masks=masks,
        fold_in=split.fold_in("validation"),
    )


def rewind(model: GradientModel, split: Split, masks: Masks, seed: int) -> None:
    """The parameters that stay go back to what they were after REWIND_EPOCHS epochs, and are trained from there.

    (Frankle and Carbin, 2019; of an early epoch in place of the initial values: Frankle et al., 2020.) Training is
    the same for the same seed, so those epochs are trained again, and the masks hold from then on. Adam's moments
    go on, where the papers' optimizers start anew: nothing but the masks then tells a rewound training from the
    dense one.
    """
    model.initialise(torch.Generator().manual_seed(seed))
    units.declare(model, masks)
    model.descend(
        split.train,
        split.validation,
        seed,
        epochs=model.epochs,
        masks=masks,
        masked_from=min(REWIND_EPOCHS, model.epochs - 1),
        fold_in=split.fold_in("validation"),
    )


def retrain(model: GradientModel, split: Split, masks: Masks, seed: int) -> None:
    """The parameters that stay are drawn anew and trained from the beginning, the removed ones held at zero."""
    model.initialise(torch.Generator().manual_seed(seed))
    units.apply(model, masks)
    model.descend(
        split.train, split.validation, seed, epochs=model.epochs, masks=masks, fold_in=split.fold_in("validation")
    )


RECOVERIES: dict[str, Recovery] = {
    "none": none,
    "refit": refit,
    "fine-tune": fine_tune,
    "rewind": rewind,
    "retrain": retrain,
}
