"""The one training loop of every model that learns by gradient descent.

A model gives its initial arrays, batches of training examples and a loss; the loop gives Adam, masks,
early stopping on validation nDCG@10 with the best epoch restored, and a record of every epoch.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from scipy import sparse
from torch.optim.adam import adam

from recprune.evaluation.metrics import list_metrics
from recprune.interactions import Interactions
from recprune.models.base import Recommender
from recprune.topk import top_k


@dataclass(eq=False, repr=False)
class GradientModel(Recommender):
    """Base of the models trained by gradient descent.

    learning_rate   of Adam
    l2              weight decay (added to the gradient of every array)
    batch_size      examples, or users, a step
    epochs          at most this many passes over the training data
    patience        stop after so many epochs without a better validation nDCG@10
    """

    learning_rate: float = 1e-3
    l2: float = 0.0
    batch_size: int = 1024
    epochs: int = 100
    patience: int = 10

    recoveries = ("none", "fine-tune", "retrain")
    #: asked after each epoch with its number and the best validation nDCG@10 so far; True ends the training
    watch: ClassVar[Callable[[int, float], bool] | None] = None

    def initialise(self, generator: torch.Generator) -> None:
        """Fill `arrays` and `auxiliary` with initial values."""
        raise TypeError(f"{type(self).__name__} has no initial values")

    def batches(self, train: Interactions, rng: np.random.Generator, epoch: int) -> Iterator[tuple]:
        """The training batches of one epoch; `epoch` counts from 0."""
        raise TypeError(f"{type(self).__name__} has no batches")

    def loss(self, arrays: dict[str, torch.Tensor], batch: tuple, generator: torch.Generator) -> torch.Tensor:
        """The mean loss of a batch, a scalar; `arrays` holds the model's arrays and its auxiliary ones."""
        raise TypeError(f"{type(self).__name__} has no loss")

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
        fold_in: sparse.csr_array | None = None,
    ) -> None:
        """Train the present arrays, in place, for at most `epochs` epochs; `train_log` has a row for each.

        Where a mask is False a weight is zero after every step. With validation data the best epoch's
        arrays are restored. With `first_epoch` > 0 a trained model is trained on: schedules inside the
        model go on from there, and the state at the start counts as an epoch, so that training on never
        loses validation quality.
        """
        self.train_log: list[dict] = []
        arrays = {**self.arrays, **self.auxiliary}
        trained = [a.requires_grad_() for a in arrays.values() if a.is_floating_point()]
        held = [(arrays[name], mask) for name, mask in (masks or {}).items()]
        optimizer = Adam(trained, learning_rate or self.learning_rate, self.l2)
        rng, generator = np.random.default_rng(seed), torch.Generator().manual_seed(seed)
        target = None if validation is None else Target(train, validation, fold_in)
        best = target.ndcg(self) if target and first_epoch else -math.inf
        kept, waited = [a.detach().clone() for a in trained], 0
        for epoch in range(first_epoch, first_epoch + epochs):
            total, steps = 0.0, 0
            for batch in self.batches(train, rng, epoch):
                optimizer.zero_gradients()
                loss = self.loss(arrays, batch, generator)
                loss.backward()
                optimizer.step()
                with torch.no_grad():
                    for array, mask in held:
                        array.mul_(mask)
                total, steps = total + float(loss.detach()), steps + 1
            if not math.isfinite(total):
                raise ValueError(f"{self.name}: the loss is {total} in epoch {epoch + 1}; a lower learning_rate is needed")
            row = {"epoch": epoch + 1, "loss": total / max(1, steps)}
            if target:
                row["val_ndcg@10"] = now = target.ndcg(self)
                better = now > best
                if better:
                    best, waited = now, 0
                    for saved, array in zip(kept, trained, strict=True):
                        saved.copy_(array.detach())
                else:
                    waited += 1
            self.train_log.append(row)
            if target and waited >= (patience or self.patience):
                break
            if target and self.watch and self.watch(epoch + 1, best):
                break
        with torch.no_grad():
            for saved, array in zip(kept, trained, strict=True):
                array.requires_grad_(False)
                if target:
                    array.copy_(saved)
                array.grad = None


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
        for array in self.arrays:
            array.grad.zero_()

    @torch.no_grad()
    def step(self) -> None:
        adam(
            *(self.arrays, [array.grad for array in self.arrays], self.first, self.second, [], self.steps),
            **{"fused": True, "amsgrad": False, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "maximize": False},
            lr=self.learning_rate,
            weight_decay=self.l2,
        )


class Target:
    """Validation nDCG@10 of a model in training: full ranking, training items left out."""

    def __init__(self, train: Interactions, validation: Interactions, fold_in: sparse.csr_array | None):
        self.relevant = validation.tocsr()
        self.known = fold_in
        self.seen = train.tocsr() if fold_in is None else fold_in
        self.n_relevant = np.diff(self.relevant.indptr)
        self.users = np.flatnonzero(self.n_relevant)

    @torch.no_grad()
    def ndcg(self, model: Recommender, block: int = 2048) -> float:
        gains = []
        for start in range(0, len(self.users), block):
            users = self.users[start : start + block]
            scores = model._score(users) if self.known is None else model.score_histories(self.known[users])
            scores[self.seen[users].nonzero()] = -np.inf
            best = top_k(scores, 10)
            hits = np.take_along_axis(self.relevant[users].toarray() > 0, np.maximum(best, 0), axis=1) & (best >= 0)
            gains.append(list_metrics(hits, self.n_relevant[users], (10,))["ndcg@10"])
        return float(np.concatenate(gains).mean())
