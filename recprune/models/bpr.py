"""Bayesian personalised ranking of a factor model (Rendle et al., 2009)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import torch
import torch.nn.functional as F

from recprune.interactions import Interactions
from recprune.models.descent import GradientModel
from recprune.models.factors import FactorModel
from recprune.models.parts import sample_weights
from recprune.models.parts.layers import lookup, normal
from recprune.models.parts.negatives import Positives
from recprune.models.parts.ranges import Count, NotNegative, Positive, Whole


@dataclass(eq=False, repr=False)
class BPR(FactorModel, GradientModel):
    """max sum over (u, i, j) of log sigmoid(U_u . V_i - U_u . V_j), j uniform over what u has not seen.

    factors   dimension d

    Negatives drawn in proportion to popularity, as implicit's BPR has them, cost a quarter of the
    ranking quality on MovieLens. The weight of (u, i) multiplies its term.
    """

    factors: Count = 64
    learning_rate: Positive = 5e-3
    l2: NotNegative = 1e-5
    batch_size: Count = 2048
    epochs: Whole = 150
    patience: Count = 8

    name: ClassVar[str] = "bpr"
    label: ClassVar[str] = "BPR"
    family: ClassVar[str] = "cf"
    recoveries: ClassVar[tuple[str, ...]] = GradientModel.recoveries
    seconds_a_fit: ClassVar[float] = 8.0
    tiny: ClassVar[dict[str, Any]] = {"factors": 4, "epochs": 1}
    search: ClassVar[dict[str, Any]] = {
        "factors": {"choices": [64, 128]},
        "learning_rate": {"low": 1e-3, "high": 1e-2, "log": True},
        "l2": {"low": 1e-7, "high": 1e-4, "log": True},
        "batch_size": {"choices": [2048, 4096, 8192]},
    }

    def smaller(self, share: float) -> Self:
        """A model with `share` of the factors."""
        return self._resized(factors=share * self.factors)

    def initialise(self, generator: torch.Generator) -> None:
        self.arrays = {
            "user_factors": normal(generator, self.n_users, self.factors, scale=0.1),
            "item_factors": normal(generator, self.n_items, self.factors, scale=0.1),
        }

    def batches(self, train: Interactions, rng: np.random.Generator, epoch: int) -> Iterator[tuple]:
        order = rng.permutation(train.nnz)
        users, items = train.user[order], train.item[order]
        pairs = np.stack([items, Positives(train).uniform_negatives(users, rng)], axis=1)
        columns = (torch.from_numpy(users), torch.from_numpy(pairs), *sample_weights.in_order(train, order))
        yield from zip(*(column.split(self.batch_size) for column in columns), strict=True)

    def weight(self, batch: tuple) -> float:
        users, _, *weight = batch
        return sample_weights.total(len(users), *weight)

    def loss(self, arrays: dict[str, torch.Tensor], batch: tuple, generator: torch.Generator | None) -> torch.Tensor:
        users, pairs, *weight = batch  # (b,), (b x 2): the item and the negative; (b,) where there are weights
        user = lookup(arrays["user_factors"], users)
        item, negative = (lookup(arrays["item_factors"], codes) for codes in pairs.unbind(1))
        margin = (user * (negative - item)).sum(1)
        if "item_bias" in arrays:
            margin = margin + arrays["item_bias"][pairs].diff(dim=1)[:, 0]
        return sample_weights.mean(F.softplus(margin), *weight)
