"""EASE: an item-item model in closed form (Steck, 2019, "Embarrassingly Shallow Autoencoders for Sparse Data")."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import torch

from recprune.interactions import Interactions
from recprune.models.item_item import ItemItem
from recprune.models.parts.layers import Linear
from recprune.models.parts.ranges import Count, NotNegative
from recprune.models.parts.support import inverse_of, ridge_on_support


@dataclass(eq=False, repr=False)
class EASE(ItemItem):
    """min_B |X - XB|^2 + l2 |B|^2 with diag(B) = 0, solved by P = (X'X + l2 I)^-1, B_ij = -P_ij / P_jj (eq. 8).

    l2          ridge penalty, in interactions
    max_items   only the most popular items are modelled: the smaller dense model that pruning is held
                against. The other items cannot be recommended (score -inf). None models all

    A weight is the entry of X: off the diagonal X'X is the sum of the products of two weights, without bias if those
    are inverse probabilities. On it their squares add up: an item of few heavy interactions has a larger penalty.
    """

    l2: NotNegative = 1000.0
    max_items: Count | None = None

    name: ClassVar[str] = "ease"
    label: ClassVar[str] = "EASE"
    family: ClassVar[str] = "cf"
    recoveries: ClassVar[tuple[str, ...]] = ("none", "refit")
    search: ClassVar[dict[str, Any]] = {"l2": {"low": 30.0, "high": 5000.0, "log": True}}

    def smaller(self, share: float) -> Self:
        """A model of only the most popular items, sqrt(share) of the catalogue: the matrix is quadratic in them."""
        return self._resized(max_items=share**0.5 * self.n_items)

    def _fit(self, train, validation, seed, fold_in):
        self.arrays = {}
        if self.max_items is not None and self.max_items < self.n_items:
            popular = np.argsort(-np.bincount(train.item, minlength=self.n_items), kind="stable")[: self.max_items]
            self.arrays["kept_items"] = torch.from_numpy(np.sort(popular).astype(np.int32) + 1)
        weights = inverse_of(self._gram(self._modelled(train)), overwrite=True)
        weights /= -np.diag(weights)
        np.fill_diagonal(weights, 0.0)
        self.arrays["item_item"] = torch.from_numpy(weights.astype(np.float32))

    def _gram(self, matrix) -> np.ndarray:
        if not self.l2 > 0:
            raise ValueError(f"ease: l2 is {self.l2!r}; a positive number is needed")
        gram = (matrix.T @ matrix).toarray().astype(np.float64)
        gram[np.diag_indices_from(gram)] += self.l2
        return gram

    def gradients(self, train: Interactions, seed: int) -> Iterator[dict[str, torch.Tensor]]:
        """Name -> gradient of |X - XB|^2, in closed form and one piece: 2 (G B - G), G = X'X.

        Off the diagonal it is -2 l2 B at the optimum, where it balances the penalty's.
        """
        weights = self.arrays["item_item"].double().numpy()
        gram = self._gram(self._modelled(train))
        gram[np.diag_indices_from(gram)] -= self.l2
        yield {"item_item": torch.from_numpy(2 * (gram @ weights - gram)).float()}

    def linear_layers(self, train: Interactions, seed: int) -> dict[str, Linear]:
        """{"item_item": `Linear`}: B multiplies histories, and was fitted under a ridge."""
        return {"item_item": Linear(self._modelled(train), axis=0, ridge=self.l2)}

    def _modelled(self, train):
        """(n_users x rows): the training matrix without the items that the model leaves out."""
        return self._of_rows(train.tocsr())

    def refit(self, train: Interactions, masks: dict[str, torch.Tensor]) -> None:
        """Each column is solved for again, as a ridge regression on its surviving support.

        (Steck, 2019, "Markov Random Fields", eq. 10.)

        The support of column j never holds j.
        """
        keep = masks["item_item"].numpy().copy()
        np.fill_diagonal(keep, False)
        gram = self._gram(self._modelled(train))
        self.arrays["item_item"].copy_(torch.from_numpy(ridge_on_support(gram, gram, keep)))
