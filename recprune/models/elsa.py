"""ELSA: a linear autoencoder of low rank, the dense rival of EASE at equal bytes (Vančura et al., RecSys 2022)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import torch
import torch.nn.functional as F

from recprune.interactions import Interactions
from recprune.models.base import Structure
from recprune.models.parts import ops
from recprune.models.parts.layers import normal
from recprune.models.parts.ranges import Count, NotNegative, Positive, Whole
from recprune.models.parts.training import GradientModel

TABLE = "item_embeddings"


@dataclass(eq=False, repr=False)
class ELSA(GradientModel):
    """scores = x (A A' - diag(A A')), A (n_items x factors) with rows of length 1: EASE's B as a product of low rank.

    factors    length d of an item's row of A
    nonzeros   entries of each row that are not zero, the largest; None: all are there
    decay      epochs in which the number of entries falls from `factors` to `nonzeros`, before the `epochs`

    With f(x) the scores, the loss is the mean over users of | x/|x| - f(x)/|f(x)| |^2 = 2 - 2 cos(x, f(x)).
    It needs no score of any item: with z = x A, x f(x)' = |z|^2 - |x|^2 and |f(x)|^2 = z A'A z' - 2 |z|^2 + |x|^2.
    So a step takes memory in proportion to the table, and time to the table times d, whatever the number of users.
    The loss does not see the length of rows; after each step they are scaled to 1. The optimizer is Adam, where the
    article has NAdam. A weight is the entry of x. Of a pruned row the length is what its entries make it.

    Sparse embeddings are those of "Efficient Learning of Sparse Representations from Interactions" (Vančura et al.,
    WWW 2026: Compressed ELSA) as its code trains them: after each epoch t of the decay the k_t largest entries of each
    row stay, and the weights start again, with the optimizer, from the initial values of those that stay. Theirs halves
    in a given number of epochs, and drops to `nonzeros` at the end; here k_t = d (nonzeros / d)^(t / decay).
    """

    factors: Count = 256
    nonzeros: Count | None = None
    decay: Count = 10
    learning_rate: Positive = 3e-3
    l2: NotNegative = 0.0
    batch_size: Count = 128
    epochs: Whole = 100
    patience: Count = 10

    name: ClassVar[str] = "elsa"
    label: ClassVar[str] = "ELSA"
    family: ClassVar[str] = "cf"
    folds_in: ClassVar[bool] = True
    seconds_a_fit: ClassVar[float] = 3.0
    tiny: ClassVar[dict[str, Any]] = {"factors": 4, "epochs": 1}
    search: ClassVar[dict[str, Any]] = {
        "factors": {"choices": [64, 128, 256, 512]},
        "learning_rate": {"low": 1e-4, "high": 3e-2, "log": True},
        "batch_size": {"choices": [32, 64, 128, 256, 512]},
    }

    def smaller(self, share: float) -> Self:
        """A model with `share` of the factors, or of the entries of each row where those are few."""
        if self.nonzeros is None:
            return self._resized(factors=share * self.factors)
        return self._resized(nonzeros=share * self.nonzeros)

    def _fit(self, train, validation, seed, fold_in):
        self.initialise(torch.Generator().manual_seed(seed))
        for k in self._numbers_of_entries():
            self.descend(train, None, seed, epochs=1)
            self.auxiliary["support"] = largest(self.arrays[TABLE], k)
            self.initialise(torch.Generator().manual_seed(seed))
        self.descend(train, validation, seed, epochs=self.epochs, fold_in=fold_in)

    def _numbers_of_entries(self) -> list[int]:
        """k_t after each epoch of the decay; empty where all entries stay."""
        if self.nonzeros is None or self.nonzeros >= self.factors:
            return []
        step = (self.nonzeros / self.factors) ** (1 / self.decay)
        return [max(self.nonzeros, round(self.factors * step**t)) for t in range(1, self.decay + 1)]

    def initialise(self, generator: torch.Generator) -> None:
        self.arrays = {TABLE: normal(generator, self.n_items, self.factors, scale=1.0)}
        self.auxiliary = {name: array for name, array in self.auxiliary.items() if name == "support"}
        self.project(self.arrays | self.auxiliary)

    @torch.no_grad()
    def project(self, arrays: dict[str, torch.Tensor]) -> None:
        """Rows get length 1, those of zeros apart, on the support where there is one."""
        table = arrays[TABLE]
        if "support" in arrays:
            table.mul_(arrays["support"])
        length = torch.linalg.vector_norm(table, dim=1, keepdim=True)
        if not torch.isfinite(length).all():
            table.fill_(torch.nan)  # a step too long for float32 leaves no direction: the loop says so
        table.div_(length.clamp_(min=1e-12))

    def batches(self, train: Interactions, rng: np.random.Generator, epoch: int) -> Iterator[tuple]:
        matrix = train.tocsr()
        order = rng.permutation(np.flatnonzero(np.diff(matrix.indptr)))
        for start in range(0, len(order), self.batch_size):
            yield (matrix[order[start : start + self.batch_size]],)

    def loss(self, arrays: dict[str, torch.Tensor], batch: tuple, generator: torch.Generator) -> torch.Tensor:
        (matrix,) = batch
        index, offsets = torch.from_numpy(matrix.indices), torch.from_numpy(matrix.indptr[:-1])
        table, x = F.normalize(arrays[TABLE]), torch.from_numpy(matrix.data)
        own = table.detach().square().sum(1, keepdim=True)  # 1, and 0 for rows of zeros, which have no diagonal
        bag = {"offsets": offsets, "mode": "sum"}
        z = F.embedding_bag(index, table, per_sample_weights=x, **bag)
        diagonal = F.embedding_bag(index, own, per_sample_weights=x.square(), **bag)[:, 0]
        length = torch.from_numpy(np.sqrt(matrix.multiply(matrix).sum(axis=1)).astype(np.float32))
        squares = z.square().sum(1)
        scores = ((z @ (table.T @ table)) * z).sum(1) - 2 * squares + diagonal
        cosine = (squares - diagonal) / (length * scores.clamp(min=1e-12).sqrt())
        return 2 - 2 * cosine.mean()

    @torch.no_grad()
    def _score_rows(self, histories):
        table = self.arrays[TABLE]
        z = torch.from_numpy(np.ascontiguousarray(ops.sparse_rows_times(histories, table), np.float32))
        scores = ops.linear(z, table).numpy()
        own = ops.squared_rows(table)
        row = np.repeat(np.arange(histories.shape[0]), np.diff(histories.indptr))
        scores[row, histories.indices] -= histories.data * own[histories.indices]
        return scores

    def macs(self) -> int:
        entries = ops.count_nonzero(self.arrays[TABLE])
        return int(self._mean_history() * entries / max(1, self.n_items) + entries)

    def prunable(self) -> dict[str, torch.Tensor]:
        return {TABLE: self.arrays[TABLE]}

    def structure(self) -> Structure:
        return {"factor": {"factors": [(TABLE, 1)]}, "item-row": {"items": [(TABLE, 0)]}}


def largest(table: torch.Tensor, k: int) -> torch.Tensor:
    """(n x d) bool, True at the k entries of each row that are largest by magnitude."""
    index = table.detach().abs().topk(k, dim=1).indices
    return torch.zeros(table.shape, dtype=torch.bool).scatter_(1, index, True)
