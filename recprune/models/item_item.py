"""Item-item models: scores are the user's history times a matrix, X B.

Column j of B is the neighbour list of item j: what each item of a history says about j.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from scipy import sparse

from recprune.models.base import Recommender, Structure
from recprune.models.parts import candidates, ops


@dataclass(eq=False, repr=False)
class ItemItem(Recommender):
    """What item-kNN and EASE share: `arrays["item_item"]` is B (n_items x n_items), dense or CSR.

    An item's row and its column of B are one unit, "item-row". With a CSR matrix lists are made of candidates alone,
    where that is faster; a subclass that scores otherwise than by X B ranks otherwise, too: by its `_rank_histories`.
    """

    folds_in: ClassVar[bool] = True

    def _score_rows(self, histories):
        return np.ascontiguousarray(ops.sparse_rows_times(histories, self.arrays["item_item"]), np.float32)

    def _rank(self, users, k, seen):
        histories = self._history_of(users)
        return self._rank_histories(histories, k, histories if seen is None else seen)

    def _rank_histories(self, histories, k, seen):
        matrix, rows = self.arrays["item_item"], self._of_rows(histories)
        if isinstance(matrix, sparse.csr_array) and candidates.few(rows, matrix):
            return candidates.rank(rows, matrix, k, seen, self.arrays.get("kept_items"))
        return super()._rank_histories(histories, k, seen)

    def macs(self) -> int:
        return int(self._mean_history() * ops.count_nonzero(self.arrays["item_item"]) / max(1, self.n_items))

    def prunable(self) -> dict[str, torch.Tensor]:
        matrix = self.arrays["item_item"]
        return {"item_item": matrix if isinstance(matrix, torch.Tensor) else torch.from_numpy(matrix.data)}

    def structure(self) -> Structure:
        return {"item-row": {"items": [("item_item", 0), ("item_item", 1)]}}

    def plain(self) -> dict[str, ops.Array]:
        return {"item_item": self.arrays["item_item"]}

    def lists(self) -> dict[str, np.ndarray]:
        matrix = self.arrays["item_item"]
        if isinstance(matrix, sparse.csr_array):
            return {"item_item": matrix.indices}
        return {"item_item": np.arange(matrix.shape[1])}
