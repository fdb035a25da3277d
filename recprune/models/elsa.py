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
from recprune.models.descent import GradientModel
from recprune.models.parts import ops
from recprune.models.parts.layers import normal, sparse_times
from recprune.models.parts.ranges import Count, NotNegative, Positive, Whole

TABLE = "item_embeddings"


@dataclass(eq=False, repr=False)
class ELSA(GradientModel):
    """scores = x (A A' - diag(A A')), A (n_items x factors) with rows of length 1: EASE's B as a product of low rank.

    factors        length d of an item's row of A
    nonzeros       entries of each row that are not zero, the largest by magnitude; None: all are there
    rounds         in which the number of entries falls from `factors` to `nonzeros`, before the `epochs` of training
    round_epochs   epochs of training in each round

    With f(x) the scores, the loss is the mean over users of | x/|x| - f(x)/|f(x)| |^2 = 2 - 2 cos(x, f(x)). It needs
    no score of an item: with z = x A, x f(x)' = |z|^2 - |x|^2 and |f(x)|^2 = z A'A z' - 2 |z|^2 + |x|^2. So a step
    takes memory in proportion to the table, and time to the table times d, whatever the number of users in it.
    The length of a row has no part in the loss: after each step all are scaled to 1, so that by magnitude all items
    are alike. A pruned row is as long as what is left of it. The optimizer is Adam, where the article has NAdam. A
    weight is the entry of x.

    Sparse embeddings (Vančura et al., WWW 2026, "Efficient Learning of Sparse Representations from Interactions":
    Compressed ELSA) are trained as in the authors' code: after a round the largest entries of each row stay, the others
    are zero from then on, and training restarts at the initial values of those that stay, as for lottery tickets
    (Frankle and Carbin, 2019). Theirs halve every so many rounds, of one epoch each, and drop to `nonzeros` at the end;
    here round t of T leaves d (nonzeros / d)^(t/T), and may have several epochs: on a small log one has few steps. They
    take a larger learning rate than full ones: of .01 to .1, .03 was best for 16 entries on ml-100k's validation.
    """

    factors: Count = 128
    nonzeros: Count | None = None
    rounds: Count = 10
    round_epochs: Count = 5
    learning_rate: Positive = 6e-3
    l2: NotNegative = 0.0
    batch_size: Count = 128
    epochs: Whole = 100
    patience: Count = 10

    name: ClassVar[str] = "elsa"
    label: ClassVar[str] = "ELSA"
    family: ClassVar[str] = "cf"
    folds_in: ClassVar[bool] = True
    products: ClassVar[tuple[str, str] | None] = (TABLE, TABLE)
    seconds_a_fit: ClassVar[float] = 3.0
    tiny: ClassVar[dict[str, Any]] = {"factors": 4, "epochs": 1}
    search: ClassVar[dict[str, Any]] = {
        "factors": {"choices": [64, 128, 256, 512]},
        "learning_rate": {"low": 1e-3, "high": 1e-1, "log": True},
        "batch_size": {"choices": [32, 64, 128, 256, 512, 1024]},
    }

    def smaller(self, share: float) -> Self:
        """A model with `share` of the factors, or of the entries of each row where those are few."""
        if self.nonzeros is None:
            return self._resized(factors=share * self.factors)
        return self._resized(nonzeros=share * self.nonzeros)

    def _fit(self, train, validation, seed, fold_in):
        self.initialise(torch.Generator().manual_seed(seed))
        for k in self._numbers_of_entries():
            self.descend(train, None, seed, epochs=self.round_epochs)
            self.auxiliary["support"] = largest(self.arrays[TABLE], k)
            self.initialise(torch.Generator().manual_seed(seed))
        self.descend(train, validation, seed, epochs=self.epochs, fold_in=fold_in)

    def _numbers_of_entries(self) -> list[int]:
        """Entries of a row that stay after each round; empty where all do."""
        if self.nonzeros is None or self.nonzeros >= self.factors:
            return []
        step = (self.nonzeros / self.factors) ** (1 / self.rounds)
        return [round(self.factors * step**t) for t in range(1, self.rounds + 1)]

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
        table = _UnitRows.apply(arrays[TABLE])
        of_history = matrix.multiply(matrix).sum(axis=1).astype(np.float32)
        x, index, offsets, of_history = (
            torch.from_numpy(a).to(table.device) for a in (matrix.data, matrix.indices, matrix.indptr[:-1], of_history)
        )
        lengths = table.detach().square().sum(1, keepdim=True)  # 1, or 0: a row of zeros has no diagonal
        z = sparse_times(matrix, table)
        diagonal = F.embedding_bag(index, lengths, offsets, mode="sum", per_sample_weights=x.square())[:, 0]
        squares = z.square().sum(1)
        of_scores = ((z @ (table.T @ table)) * z).sum(1) - 2 * squares + diagonal
        cosine = (squares - diagonal) / (of_history * of_scores).clamp(min=1e-12).sqrt()
        return 2 - 2 * cosine.mean()

    @torch.no_grad()
    def _score_rows(self, histories):
        table = self.arrays[TABLE]
        z = torch.from_numpy(np.ascontiguousarray(ops.sparse_rows_times(histories, table), np.float32))
        scores = ops.linear(z, table).numpy()
        seen, which = np.unique(histories.indices, return_inverse=True)
        diagonal = ops.squared_rows(ops.take(table, torch.from_numpy(seen), axis=0))[which]
        user = np.repeat(np.arange(histories.shape[0]), np.diff(histories.indptr))
        scores[user, histories.indices] -= histories.data * diagonal
        return scores

    def macs(self) -> int:
        entries = ops.count_nonzero(self.arrays[TABLE])
        return int(self._mean_history() * entries / max(1, self.n_items) + entries)

    def prunable(self) -> dict[str, torch.Tensor]:
        return {TABLE: self.arrays[TABLE]}

    def plain(self) -> dict[str, ops.Array]:
        return {"item_embeddings": self.arrays[TABLE]}

    def structure(self) -> Structure:
        return {"factor": {"factors": [(TABLE, 1)]}, "item-row": {"items": [(TABLE, 0)]}}

    def canonicalise(self, train: Interactions) -> torch.Tensor:
        """The singular values s (d,) of the users' directions, largest first, to whose axes A is turned, in place.

        Of users with the histories X, C = X A with its rows scaled to length 1 is C = Q diag(s) Z'; A <- A Z. The
        product A A', and so every score, and the length of the rows of A stay; keeping the first r columns keeps most
        of the directions, every user counting alike, as in the loss. (The axes of A itself would be those of the
        items, every one counting alike: of the many that hardly any history holds.)
        Zeros do not stay: a sparse table is a full one afterwards.
        """
        codes = self._directions(train)
        s, axes = torch.linalg.eigh(codes.T @ codes)  # smallest first
        self.arrays[TABLE] = (self.arrays[TABLE].double() @ axes.flip(1)).float().contiguous()
        self.auxiliary.pop("support", None)
        return s.flip(0).clamp(min=0).sqrt().float()

    def singular_values(self, train: Interactions) -> torch.Tensor:
        """(d,) what each column carries of the users' directions: the singular values, if A is on their axes."""
        return self._directions(train).norm(dim=0).float()

    def _directions(self, train: Interactions) -> torch.Tensor:
        """(n_users x d) float64: X A, rows of length 1; zeros for users without a history."""
        codes = torch.from_numpy(train.tocsr() @ self.arrays[TABLE].double().numpy())
        return F.normalize(codes, dim=1)


class _UnitRows(torch.autograd.Function):
    """Rows scaled to length 1; those of zeros stay, with a finite gradient.

    With torch's own a step takes 1.45 times as long at 41,000 items and 256 factors: it reads the table more often.
    """

    @staticmethod
    def forward(ctx, table):
        length = torch.linalg.vector_norm(table, dim=1, keepdim=True)
        length = length.where(length > 0, 1.0)
        unit = table / length
        ctx.save_for_backward(unit, length)
        return unit

    @staticmethod
    def backward(ctx, gradient):
        unit, length = ctx.saved_tensors
        along = torch.linalg.vecdot(gradient, unit)[:, None]
        return torch.addcmul(gradient, unit, along, value=-1).div_(length)


def largest(table: torch.Tensor, k: int) -> torch.Tensor:
    """(n x d) bool, True at the k entries of each row that are largest by magnitude."""
    index = table.detach().abs().topk(k, dim=1).indices
    return torch.zeros(table.shape, dtype=torch.bool).scatter_(1, index, True)
