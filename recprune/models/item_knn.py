"""Item-based k nearest neighbours (Sarwar et al., 2001; Deshpande and Karypis, 2004), by `implicit`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self

import torch

from recprune.interactions import Interactions
from recprune.models.item_item import ItemItem
from recprune.models.parts.neighbours import nearest, similar
from recprune.models.parts.ranges import Count


@dataclass(eq=False, repr=False)
class ItemKNN(ItemItem):
    """Score of item j = sum of s_ij over the items i of the history that are among j's `neighbours` nearest.

    neighbours   length of each item's list
    similarity   cosine, tfidf (cosine of TF-IDF weighted columns) or bm25; the columns have the weights as entries

    The lists are those of the *candidate* item; taken from the history's items instead (as implicit's own
    `recommend` does), quality is much lower.
    """

    neighbours: Count = 200
    similarity: Literal["cosine", "tfidf", "bm25"] = "tfidf"

    name: ClassVar[str] = "item-knn"
    label: ClassVar[str] = "item-kNN"
    family: ClassVar[str] = "cf"
    tiny: ClassVar[dict[str, Any]] = {"neighbours": 10}
    search: ClassVar[dict[str, Any]] = {
        "neighbours": {"low": 20, "high": 1000, "log": True},
        "similarity": {"choices": ["cosine", "tfidf", "bm25"]},
    }

    def smaller(self, share: float) -> Self:
        """A model with shorter lists: `share` of the neighbours."""
        return self._resized(neighbours=share * self.neighbours)

    def _fit(self, train, validation, seed, fold_in):
        self.arrays = {"item_item": nearest(train.tocsr(), self.neighbours, self.similarity)}

    def renew(self, train: Interactions, masks: dict[str, torch.Tensor], seed: int, epochs: int) -> None:
        """The similarities of the pairs that are in the lists are counted again; the lists stay."""
        lists = self.arrays["item_item"]
        found = similar(self._of_rows(train.tocsr()), lists, self.similarity)
        lists.data[:] = found * masks["item_item"].numpy()
