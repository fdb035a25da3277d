"""Training on under a penalty that makes units small or empty: what L1, the group lasso and L2 share.

A penalty acts after each step of Adam, by its proximal map: prox(w) = argmin_x |x - w|^2 / 2 + eta lambda P(x), with
eta the learning rate. One lambda holds for all coordinates: Adam's rescaling of the gradient is left out of the map, as
weight decay is left out of it in AdamW (Loshchilov and Hutter, 2019). With the rescaling in it (Yun, Lozano and Yang,
2021) the penalty would be strongest where gradients are rare, at embeddings of users and items with a short history.

A coordinate moves by eta at most in a steady step of Adam, so lambda lies between 0 and 1 whatever the model: at 1
nothing stays but what every batch pulls the same way. `Penalty` sets it as it goes, from how many units are empty.

There is no early stopping: validation nDCG@10 falls while units are emptied, and the best epoch would be the first one.
The last state is kept, after a fixed number of epochs that cost about what the dense training did.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import cast

import torch

from recprune.models.descent import GradientModel, Regulariser, steps_an_epoch
from recprune.pruning.criterion import Criterion
from recprune.splits import Split

EPOCHS = 30  # and no more than the model's own
EMPTY = 0.9  # share of the units that is wanted empty at the end
CLIP = 0.5  # of the mean norm of the gradients

Shrink = Callable[[dict[str, torch.Tensor], float], float]


class Penalty:
    """A regulariser whose strength follows its effect.

    shrink  (arrays, size) -> share of empty units: the proximal map of size * P, in place
    gain    lambda for a lack of all units
    steps   steps of the whole training

    The wanted share of empty units grows linearly to EMPTY, and lambda = gain (wanted - present share), within
    0 and 1. So no strength is tuned for each model; the share that is reached stays below the wanted one, the more so
    the more the loss holds against it.
    """

    def __init__(self, shrink: Shrink, gain: float, steps: int):
        self.shrink, self.gain, self.steps, self.taken = shrink, gain, steps, 0
        self.empty = self.strength = 0.0

    def __call__(self, arrays: dict[str, torch.Tensor], learning_rate: float) -> None:
        self.taken += 1
        self.strength = min(1.0, max(0.0, self.gain * (EMPTY * self.taken / self.steps - self.empty)))
        self.empty = self.shrink(arrays, learning_rate * self.strength)


def epochs_of(model: GradientModel) -> int:
    """The number of epochs of training on."""
    return min(EPOCHS, model.epochs)


def steps_of(model: GradientModel, split: Split) -> int:
    """The number of steps in all those epochs."""
    return epochs_of(model) * steps_an_epoch(model, split.train)


def train_on(
    model: GradientModel, split: Split, seed: int, regulariser: Regulariser | None, clip: bool = False
) -> None:
    """A trained model is trained on, in place. A weight at zero stays there: it is not one, or was removed before.

    clip  whether gradients are clipped, at half of their mean norm over an epoch: Pascanu et al. (2013, section 3.2)
          advise half of it to ten times of it, and at a fixed length nothing would happen in most models
    """
    there = {name: weight != 0 for name, weight in model.prunable().items()}
    model.descend(
        split.train,
        None,
        seed,
        epochs=epochs_of(model),
        first_epoch=model.epochs,
        masks={name: mask for name, mask in there.items() if not mask.all()},
        regulariser=regulariser,
        clip=CLIP * mean_norm(model, split, seed) if clip else None,
    )


def mean_norm(model: GradientModel, split: Split, seed: int) -> float:
    """Mean Euclidean norm of the gradients of an epoch, of a copy of the model that is trained on."""
    copy = model.clone()
    copy.descend(split.train, None, seed, epochs=1, first_epoch=model.epochs, clip=math.inf)
    return copy.train_log[0]["gradient_norm"]


def clipped(plain: Criterion, *, name: str, label: str) -> Criterion:
    """The criterion that trains on as another one does, with clipped gradients."""
    return replace(
        plain,
        name=name,
        label=label,
        summary="the same with clipped gradients",
        source="article 2; Pascanu 2013",
        prepare=partial(cast(Callable, plain.prepare), clip=True),
    )
