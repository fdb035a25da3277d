"""The one training loop of every model that learns by gradient descent.

A model gives its initial arrays, batches of training examples and a loss; the loop gives Adam, masks,
early stopping on validation nDCG@10 with the best epoch restored, and a record of every epoch.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
import torch
from scipy import sparse

from recprune.device import chosen
from recprune.interactions import Interactions
from recprune.models.base import Recommender
from recprune.models.descent.step import Adam, Regulariser, Step
from recprune.models.descent.stopping import Best, Target
from recprune.models.parts.ranges import Count, NotNegative, Positive, Whole
from recprune.together import Group, group


@dataclass(eq=False, repr=False)
class GradientModel(Recommender):
    """Base of the models trained by gradient descent.

    learning_rate   of Adam
    l2              weight decay (added to the gradient of every array)
    batch_size      examples, or users, a step
    epochs          at most this many passes over the training data
    patience        stop after so many epochs without a better validation nDCG@10
    """

    learning_rate: Positive = 1e-3
    l2: NotNegative = 0.0
    batch_size: Count = 1024
    epochs: Whole = 100
    patience: Count = 10

    recoveries: ClassVar[tuple[str, ...]] = ("none", "fine-tune", "rewind", "retrain")
    main_size: ClassVar[str] = ""  # the hyper-parameter that the number of parameters is all but proportional to
    other_sizes: ClassVar[tuple[str, ...]] = ()  # those that hardly matter to it, and may matter to quality
    #: places in a batch of what its samples have in common; what is at the others has a row for each sample
    in_common: ClassVar[tuple[int, ...]] = ()
    #: asked after each epoch with its number and the best validation nDCG@10 so far; True ends the training
    watch: ClassVar[Callable[..., bool] | None] = None

    def initialise(self, generator: torch.Generator) -> None:
        """Fill `arrays` and `auxiliary` with initial values."""
        raise TypeError(f"{type(self).__name__} has no initial values")

    def batches(self, train: Interactions, rng: np.random.Generator, epoch: int) -> Iterator[tuple]:
        """The training batches of one epoch; `epoch` counts from 0."""
        raise TypeError(f"{type(self).__name__} has no batches")

    def loss(self, arrays: dict[str, torch.Tensor], batch: tuple, generator: torch.Generator) -> torch.Tensor:
        """The mean loss of a batch, a scalar; `arrays` holds the model's arrays and its auxiliary ones."""
        raise TypeError(f"{type(self).__name__} has no loss")

    def weight(self, batch: tuple) -> float:
        """What the loss of a batch is a mean over: its samples, or what they weigh."""
        return batch[0].shape[0]

    def project(self, arrays: dict[str, torch.Tensor]) -> None:
        """Bring the arrays back to what they are held to after each step, in place; nothing, in most models."""

    def shapes(self, share: float) -> list[Self]:
        """Beside `smaller(share)`, whose sizes all shrink alike, models that keep more of `other_sizes`, the square
        root of `share` or all, and are so much smaller in `main_size` that the number of parameters is the same."""
        small = self.smaller(share)
        if not self.other_sizes:
            return [small]
        found, most = [small], self._number_of_parameters(small)
        for kept in (share**0.5, 1.0):
            others: dict[str, Any] = {name: _times(getattr(self, name), kept) for name in self.other_sizes}
            one = self._as_large_as(most, replace(small, **others))
            if one is not None and one.hyperparameters() not in [other.hyperparameters() for other in found]:
                found.append(one)
        return found

    def _as_large_as(self, most: int, model: Self) -> Self | None:
        """The model in the largest `main_size` with at most so many parameters; None where none has."""
        grain = self._grain()
        low, high = 0, getattr(self, self.main_size) // grain
        while low < high:
            middle = (low + high + 1) // 2
            if self._number_of_parameters(replace(model, **{self.main_size: middle * grain})) <= most:
                low = middle
            else:
                high = middle - 1
        return replace(model, **{self.main_size: low * grain}) if low else None

    def _grain(self) -> int:
        """What `main_size` is a multiple of."""
        return 1

    def _number_of_parameters(self, model: Self) -> int:
        """Parameters that an untrained model would have on the data of this one."""
        model = replace(model)
        for name in ("history", "users", "items"):
            setattr(model, name, getattr(self, name))
        model.arrays = {name: array for name, array in self.arrays.items() if not array.is_floating_point()}
        model.initialise(torch.Generator().manual_seed(0))
        return sum(array.numel() for array in model.arrays.values() if array.is_floating_point())

    def _fit(self, train, validation, seed, fold_in):
        self.initialise(torch.Generator().manual_seed(seed))
        self.descend(train, validation, seed, epochs=self.epochs, fold_in=fold_in)

    def descend(
        self,
        train: Interactions,
        validation: Interactions | None,
        seed: int,
        *,
        epochs: int,
        first_epoch: int = 0,
        learning_rate: float | None = None,
        patience: int | None = None,
        masks: dict[str, torch.Tensor] | None = None,
        masked_from: int = 0,
        fold_in: sparse.csr_array | None = None,
        regulariser: Regulariser | None = None,
        clip: float | None = None,
    ) -> None:
        """Train the present arrays, in place, for at most `epochs` epochs; `train_log` has a row for each.

        Where a mask is False a weight is zero after every step. With validation data the best epoch's
        arrays are restored. With `first_epoch` > 0 a trained model is trained on: schedules inside the
        model go on from there, and the state at the start counts as an epoch, so that training on never
        loses validation quality.

        The arrays are on the CPU before and after; meanwhile on the device of `recprune.device`. In a group of
        processes all of them train this model together (see `recprune.together`).

        masked_from   the masks hold from this epoch on; epochs before it cannot be the best one
        regulariser   changes the arrays after each step, before the masks (a proximal map)
        clip          largest Euclidean norm of all gradients together; longer ones are scaled down to it
        """
        self.train_log: list[dict] = []
        device = chosen()
        members = self._group(device, train, seed)
        arrays = {name: array.to(device) for name, array in {**self.arrays, **self.auxiliary}.items()}
        trained = [a.requires_grad_() for a in arrays.values() if a.is_floating_point()]
        members.take_from_first([array.detach() for array in trained])
        self._take_back(arrays)
        held = [(arrays[name], mask.to(device)) for name, mask in (masks or {}).items()]
        optimizer = Adam(trained, learning_rate or self.learning_rate, self.l2)
        generator = torch.Generator().manual_seed(members.seed(seed))
        step = Step(self, arrays, optimizer, generator, members, device, regulariser, clip)
        rng, learned_from = np.random.default_rng(seed), self.trainable(train)
        target = None if validation is None else Target(self._fitted, validation, fold_in, members)
        best = Best(trained, target.ndcg(self) if target and first_epoch else -math.inf)
        for epoch in range(first_epoch, first_epoch + epochs):
            masked = epoch >= masked_from
            step.hold(held if masked else [])
            losses = [step(batch) for batch in self.batches(learned_from, rng, epoch)]
            total = sum(losses)
            if not math.isfinite(total):
                raise ValueError(
                    f"{self.name}: the loss is {total} in epoch {epoch + 1}; a lower learning_rate is needed"
                )
            row = {"epoch": epoch + 1, "loss": total / max(1, len(losses)), **step.norms()}
            self.train_log.append(row)
            self.epochs_trained += 1
            if target:
                self._take_back(arrays)
                row["val_ndcg@10"] = now = target.ndcg(self)
                if masked:
                    best.look(now)
                late = best.waited >= (patience or self.patience)
                if members.first_says(late or bool(self.watch and self.watch(epoch + 1, best.value))):
                    break
        for array in trained:
            array.requires_grad_(False)
            array.grad = None
        if target:
            best.restore()
        self._take_back(arrays)

    def _group(self, device: torch.device, train: Interactions, seed: int) -> Group:
        """The processes that train with this one. Raises ValueError where they train anything else."""
        found = group(device)
        if found.size > 1:
            about = {"hyperparameters": self.hyperparameters(), "seed": seed, "data": train.content_hash[:12]}
            found.agree({"model": self.name, **about})
        return found

    def _take_back(self, arrays: dict[str, torch.Tensor]) -> None:
        """The values that arrays have on the device, for the model's own on the CPU; there they are the same."""
        for name, own in (self.arrays | self.auxiliary).items():
            if arrays[name] is not own:
                own.copy_(arrays[name].detach())

    def renew(self, train: Interactions, masks: dict[str, torch.Tensor], seed: int, epochs: int) -> None:
        """`epochs` epochs of training on everything, the history too, so that nothing is forgotten.

        Adam starts anew. There is no validation, which the newest interactions would have to be kept back for.
        """
        self.complete(seed)
        self.descend(train, None, seed, epochs=epochs, first_epoch=self.epochs, masks=masks)

    def complete(self, seed: int) -> None:
        """What only training needs, and a compact model lacks, is drawn again; nothing, in most models."""

    def gradients(self, train: Interactions, seed: int) -> Iterator[dict[str, torch.Tensor]]:
        """Name of an array -> gradient of the loss, batch by batch, over one epoch of training's own batches.

        The loss is the one that training ended with: dropout is on, since what it hides is what some models have
        to find; a penalty inside the loss counts in full; weight decay, which Adam adds, does not. The arrays
        stay as they are.
        """
        arrays = {name: array.detach() for name, array in (self.arrays | self.auxiliary).items()}
        for array in arrays.values():
            array.requires_grad_(array.is_floating_point())
        rng, generator = np.random.default_rng(seed), torch.Generator().manual_seed(seed)
        for batch in self.batches(train, rng, self.epochs):
            self.loss(arrays, batch, generator).backward()
            found = {name: arrays[name].grad for name in self.arrays}
            yield {name: gradient for name, gradient in found.items() if gradient is not None}
            for array in arrays.values():
                array.grad = None


def _times(size: int | tuple[int, ...], share: float) -> int | tuple[int, ...]:
    """`share` of a size, or of each of several, one at least."""
    return tuple(max(1, round(share * one)) for one in size) if isinstance(size, tuple) else max(1, round(share * size))


def steps_an_epoch(model: GradientModel, train: Interactions) -> int:
    """The number of batches in an epoch; it costs as much as making them."""
    return sum(1 for _ in model.batches(train, np.random.default_rng(0), 0))


def with_equal_updates(model: GradientModel, full: Interactions, less: Interactions) -> GradientModel:
    """An untrained model that takes as many steps on `less` data as `model` may take on the `full` data.

    Less data is less training where batches count interactions (BPR, NeuMF): epochs have fewer steps. There
    `epochs` and `patience` grow by the ratio of the steps, rounded up. Where batches count users (Mult-VAE, DLRM) or
    sequences (SASRec), next to nothing changes as long as the users stay.
    """
    steps = []
    for train in (full, less):
        reader = copy.copy(model)  # what reads the log is not the model that is given back
        reader._know(train)
        steps.append(steps_an_epoch(reader, train))
    longer = steps[0] / max(1, steps[1])
    return replace(model, epochs=math.ceil(longer * model.epochs), patience=math.ceil(longer * model.patience))
