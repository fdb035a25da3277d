"""Recovery: what happens to the parameters that stay."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from recprune.models.base import Recommender
from recprune.models.descent import GradientModel
from recprune.pruning import units
from recprune.splits import Split

ROUND_EPOCHS = 5  # of fine-tuning in a round that others follow
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
    """The parameters that stay are trained on, the removed ones at zero; never worse on validation.

    As long as a dense model may be trained, and with its patience: a shorter budget would be told for what the cut
    lost.
    """
    _train_on(model, split, masks, seed, model.epochs)


def fine_tune_a_little(model: GradientModel, split: Split, masks: Masks, seed: int) -> None:
    """`fine_tune` between rounds: ROUND_EPOCHS epochs at most, since the last round trains to the end."""
    _train_on(model, split, masks, seed, min(ROUND_EPOCHS, model.epochs))


def _train_on(model: GradientModel, split: Split, masks: Masks, seed: int, epochs: int) -> None:
    model.descend(
        split.train,
        split.validation,
        seed,
        epochs=epochs,
        first_epoch=model.epochs,
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
#: what takes a recovery's place in a round that others follow
BETWEEN_ROUNDS: dict[str, Recovery] = {"fine-tune": fine_tune_a_little}
