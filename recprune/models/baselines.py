"""Popularity and random: what a ranking is worth without taste. They check the evaluator on every data set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from scipy import sparse

from recprune.models.base import Recommender


@dataclass(eq=False, repr=False)
class Popularity(Recommender):
    """Score of an item = its number of training interactions (weights added up), the same for every user."""

    name: ClassVar[str] = "popularity"
    label: ClassVar[str] = "popularity"
    family: ClassVar[str] = "other"
    folds_in: ClassVar[bool] = True

    def _fit(self, train, validation, seed, fold_in):
        counts = np.asarray(train.tocsr().sum(axis=0), dtype=np.float32).ravel()
        self.arrays = {"popularity": torch.from_numpy(counts)}

    def renew(self, train, masks, seed, epochs):
        self._fit(train, None, seed, None)

    def score_histories(self, histories: sparse.csr_array) -> np.ndarray:
        return np.repeat(self.arrays["popularity"].numpy()[None], histories.shape[0], axis=0)

    def plain(self):
        return {"user_factors": torch.ones(self.n_users, 1), "item_factors": self.arrays["popularity"][:, None]}

    def macs(self) -> int:
        return 0


@dataclass(eq=False, repr=False)
class Random(Recommender):
    """Uniform scores, drawn anew for each user from (seed, user): the floor of every metric."""

    name: ClassVar[str] = "random"
    label: ClassVar[str] = "random"
    family: ClassVar[str] = "other"

    def _fit(self, train, validation, seed, fold_in):
        self.arrays = {"seed": torch.tensor([seed])}

    def renew(self, train, masks, seed, epochs):
        """Nothing was learned."""

    def _score(self, users):
        seed = int(self.arrays["seed"][0])
        return np.stack([np.random.default_rng([seed, u]).random(self.n_items, np.float32) for u in users.tolist()])
