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
from torch.optim.adam import adam

from recprune.evaluation.belonging import pattern
from recprune.evaluation.metrics import list_metrics
from recprune.evaluation.ranking import at_most
from recprune.interactions import Interactions
from recprune.models.base import Recommender
from recprune.models.parts.ranges import Count, NotNegative, Positive, Whole

# (arrays, learning rate) -> None: changes arrays in place, by name, after a step
Regulariser = Callable[[dict[str, torch.Tensor], float], None]

MOST_USERS = 10_000  # that early stopping ranks for after an epoch; of more, these by chance, the same ones each time


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

        masked_from   the masks hold from this epoch on; epochs before it cannot be the best one
        regulariser   changes the arrays after each step, before the masks (a proximal map)
        clip          largest Euclidean norm of all gradients together; longer ones are scaled down to it
        """
        self.train_log: list[dict] = []
        arrays = {**self.arrays, **self.auxiliary}
        trained = [a.requires_grad_() for a in arrays.values() if a.is_floating_point()]
        held = [(arrays[name], mask) for name, mask in (masks or {}).items()]
        optimizer = Adam(trained, learning_rate or self.learning_rate, self.l2)
        step = Step(self.loss, arrays, optimizer, torch.Generator().manual_seed(seed), regulariser, clip, self.project)
        rng, learned_from = np.random.default_rng(seed), self.trainable(train)
        target = None if validation is None else Target(self._fitted, validation, fold_in)
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
                row["val_ndcg@10"] = now = target.ndcg(self)
                if masked:
                    best.look(now)
                if best.waited >= (patience or self.patience) or (self.watch and self.watch(epoch + 1, best.value)):
                    break
        for array in trained:
            array.requires_grad_(False)
            array.grad = None
        if target:
            best.restore()

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


class Step:
    """One step of training: gradients -> clipping -> Adam -> regulariser -> masks -> the model's own constraint."""

    def __init__(
        self,
        loss: Callable[[dict, tuple, torch.Generator], torch.Tensor],
        arrays: dict[str, torch.Tensor],
        optimizer: Adam,
        generator: torch.Generator,
        regulariser: Regulariser | None = None,
        clip: float | None = None,
        project: Callable[[dict[str, torch.Tensor]], None] | None = None,
    ):
        self.loss, self.arrays, self.optimizer, self.generator = loss, arrays, optimizer, generator
        self.regulariser, self.clip, self.project = regulariser, clip, project
        self.held: list[tuple[torch.Tensor, torch.Tensor]] = []
        self.lengths: list[float] = []  # of the gradient before clipping, since `norms` was last asked

    def __call__(self, batch: tuple) -> float:
        """Take the step; returns the loss before it."""
        self.optimizer.zero_gradients()
        loss = self.loss(self.arrays, batch, self.generator)
        loss.backward()
        if self.clip is not None:
            self.lengths.append(self.optimizer.clip(self.clip))
        self.optimizer.step()
        with torch.no_grad():
            if self.regulariser is not None:
                self.regulariser(self.arrays, self.optimizer.learning_rate)
        self.hold(self.held)
        if self.project is not None:
            self.project(self.arrays)
        return float(loss.detach())

    @torch.no_grad()
    def hold(self, held: list[tuple[torch.Tensor, torch.Tensor]]) -> None:
        """From now on these arrays are zero where their masks, bool tensors of the same shape, are False."""
        self.held = held
        for array, mask in held:
            array.mul_(mask)

    def norms(self) -> dict[str, float]:
        """What an epoch with clipping has to log: the gradients' mean norm, and the share of them that was clipped."""
        lengths, self.lengths = np.array(self.lengths), []
        if not len(lengths):
            return {}
        return {"gradient_norm": float(lengths.mean()), "clipped": float((lengths > self.clip).mean())}


class Best:
    """The arrays of the best epoch, and how many epochs have passed since. `value` is what there was to beat."""

    def __init__(self, arrays: list[torch.Tensor], value: float):
        self.arrays, self.value, self.waited = arrays, value, 0
        self.kept = [array.detach().clone() for array in arrays]

    @torch.no_grad()
    def look(self, value: float) -> None:
        """Remember the present arrays if they are better than all before."""
        if not value > self.value:
            self.waited += 1
            return
        self.value, self.waited = value, 0
        for saved, array in zip(self.kept, self.arrays, strict=True):
            saved.copy_(array)

    @torch.no_grad()
    def restore(self) -> None:
        for saved, array in zip(self.kept, self.arrays, strict=True):
            array.copy_(saved)


class Adam:
    """Adam (Kingma and Ba, 2015) with weight decay added to the gradient: torch's fused kernel.

    Called in its functional form, since torch.optim's class imports torch's compiler at the first step
    (more than a second in every process). Gradients keep their memory from step to step.
    """

    def __init__(self, arrays: list[torch.Tensor], learning_rate: float, l2: float):
        self.arrays, self.learning_rate, self.l2 = arrays, learning_rate, l2
        for array in arrays:
            array.grad = torch.zeros_like(array)
        self.first, self.second = ([torch.zeros_like(array) for array in arrays] for _ in range(2))
        self.steps = [torch.zeros(()) for _ in arrays]

    def zero_gradients(self) -> None:
        for gradient in self.gradients:
            gradient.zero_()

    @property
    def gradients(self) -> list[torch.Tensor]:
        """The gradient of each array."""
        return [array.grad for array in self.arrays if array.grad is not None]

    def clip(self, limit: float) -> float:
        """Scale the gradients so that their norm, taken together, is at most `limit` (Pascanu et al., 2013).

        Returns the norm before.
        """
        return float(torch.nn.utils.clip_grad_norm_(self.arrays, limit))

    @torch.no_grad()
    def step(self) -> None:
        adam(
            self.arrays,
            self.gradients,
            self.first,
            self.second,
            [],
            self.steps,
            fused=True,
            amsgrad=False,
            beta1=0.9,
            beta2=0.999,
            eps=1e-8,
            maximize=False,
            lr=self.learning_rate,
            weight_decay=self.l2,
        )


class Target:
    """Validation nDCG@10 of a model in training: full ranking, for MOST_USERS at most.

    As the evaluator and `recommend` do, it leaves out the items of the histories that users are known by.
    """

    def __init__(self, served: sparse.csr_array, validation: Interactions, fold_in: sparse.csr_array | None):
        self.relevant = validation.tocsr()
        self.known = fold_in
        self.seen = pattern(served if fold_in is None else fold_in)  # an interaction of weight zero was one
        self.n_relevant = np.diff(self.relevant.indptr)
        self.users = at_most(np.flatnonzero(self.n_relevant), MOST_USERS)

    @torch.no_grad()
    def ndcg(self, model: Recommender, block: int = 2048) -> float:
        gains = []
        for start in range(0, len(self.users), block):
            users = self.users[start : start + block]
            if self.known is None:
                best = model.rank(users, 10, self.seen[users])
            else:
                best = model.rank_histories(self.known[users], 10, self.seen[users])
            hits = np.take_along_axis(self.relevant[users].toarray() > 0, np.maximum(best, 0), axis=1) & (best >= 0)
            gains.append(list_metrics(hits, self.n_relevant[users], (10,))["ndcg@10"])
        return float(np.concatenate(gains).mean())


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
