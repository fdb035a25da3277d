"""Users and items that a model has lost the rows of, and how it scores without them.

A model whose tables have lost rows declares it in an array, `kept_users` or `kept_items` (int32). It has an entry for
each row of the tables: 1 + the code of the user or item whose row it is, 0 where the row is gone. A masked model has
rows of zeros there, a compact one has none. Without the array, row r is that of code r.

    an item without a row    is never recommended, its score is -inf, and histories are read as if it were not in them
    a user without a row     is folded in from the history, where the model does that; else is recommended the most
                             popular items, by the array `popularity` (int32, one entry a row of the item tables)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np
import torch
from scipy import sparse

from recprune.interactions import Interactions
from recprune.models.parts.ops import Array

KEPT = {"user-row": "kept_users", "item-row": "kept_items"}  # unit -> the array that declares which there are
POPULARITY = "popularity"
DECLARED = (*KEPT.values(), POPULARITY)  # neither trained nor pruned


class LostRows:
    """What every recommender does about rows that are gone."""

    if TYPE_CHECKING:  # what `recprune.models.base.Recommender` has
        arrays: dict[str, Array]
        folds_in: ClassVar[bool]

        @property
        def n_users(self) -> int: ...

        @property
        def n_items(self) -> int: ...

        @property
        def _fitted(self) -> sparse.csr_array: ...

        def score_histories(self, histories: sparse.csr_array) -> np.ndarray: ...

        def structure(self) -> dict[str, dict[str, list[tuple[str, int]]]]: ...

    def _n_rows(self, unit: str) -> int:
        """Users ("user-row") or items ("item-row") that the tables have a row for."""
        kept = self.arrays.get(KEPT[unit])
        return (self.n_users if unit == "user-row" else self.n_items) if kept is None else int((kept > 0).sum())

    def _of_rows(self, histories: sparse.csr_array) -> sparse.csr_array:
        """(m x n_items) -> (m x rows)."""
        kept = self.arrays.get("kept_items")
        return histories if kept is None else restricted(histories, kept)

    def _of_catalogue(self, scores: np.ndarray) -> np.ndarray:
        """(m x rows) -> (m x n_items)."""
        kept = self.arrays.get("kept_items")
        return scores if kept is None else spread(scores, kept, self.n_items)

    def _by_user(self, users: np.ndarray, score) -> np.ndarray:
        """(len(users) x n_items) scores: `score`(rows) of users that have a row, else as this module says."""
        if "kept_users" not in self.arrays:
            return self._of_catalogue(score(users))
        row = self._user_rows(users)
        scores = np.empty((len(users), self.n_items), np.float32)
        if (row >= 0).any():
            scores[row >= 0] = self._of_catalogue(score(row[row >= 0]))
        if (row < 0).any():
            scores[row < 0] = self._without_row(users[row < 0])
        return scores

    def _user_rows(self, users: np.ndarray) -> np.ndarray:
        """The row of each user, -1 where it has none."""
        kept = self.arrays.get("kept_users")
        return users if kept is None else rows_of(kept, self.n_users, users)

    def _without_row(self, users: np.ndarray) -> np.ndarray:
        if self.folds_in:
            return self.score_histories(self._fitted[users])
        popularity = self.arrays[POPULARITY].numpy().astype(np.float32)
        return self._of_catalogue(np.tile(popularity, (len(users), 1)))

    def declare_rows(self, unit: str) -> None:
        """The arrays that say which users or items have a row are there from now on; all of them have one at first."""
        name = KEPT[unit]
        if name not in self.arrays:
            self.arrays[name] = all_kept(self.n_users if unit == "user-row" else self.n_items)
        if unit == "user-row" and not self.folds_in and POPULARITY not in self.arrays:
            seen = self._of_rows(self._fitted)
            counts = np.bincount(seen.indices, minlength=seen.shape[1])
            self.arrays[POPULARITY] = torch.from_numpy(counts.astype(np.int32))

    def trainable(self, train: Interactions) -> Interactions:
        """The interactions that there is something to learn from.

        Those of items without a row are left out, and of users without one who cannot be folded in.
        """
        there = np.ones(train.nnz, bool)
        if "kept_items" in self.arrays:
            there &= of_codes(self.arrays["kept_items"], self.n_items)[train.item] >= 0
        if "kept_users" in self.arrays and not self.folds_in:
            there &= self._user_rows(train.user) >= 0
        return train if there.all() else train.select(there)

    def _cut_with(self, unit: str) -> list[tuple[str, int]]:
        """The (array, axis) pairs that lose the rows of users or items without one in the compact form."""
        places = [place for dimension in self.structure()[unit].values() for place in dimension]
        more = [POPULARITY] if unit == "item-row" and POPULARITY in self.arrays else []
        return [*places, *((name, 0) for name in (KEPT[unit], *more))]


def all_kept(n: int) -> torch.Tensor:
    """(n,) declaration that every row is there."""
    return torch.arange(1, n + 1, dtype=torch.int32)


def codes(kept: torch.Tensor) -> np.ndarray:
    """The codes that have a row, in the order of the rows."""
    return kept[kept > 0].numpy() - 1


def of_codes(kept: torch.Tensor, n: int) -> np.ndarray:
    """(n,) the row of each code, -1 where it has none."""
    row = np.full(n, -1, np.int32)
    row[codes(kept)] = np.flatnonzero(kept.numpy())
    return row


def rows_of(kept: torch.Tensor, n: int, wanted: np.ndarray) -> np.ndarray:
    """The row of each of the wanted of n codes, -1 where it has none; of a few without a table of all."""
    there = kept.numpy()
    if 16 * len(wanted) >= n or not len(there) or not there.all():
        return of_codes(kept, n)[wanted]
    place = np.minimum(np.searchsorted(there, wanted + 1), len(there) - 1)
    return np.where(there[place] == wanted + 1, place, -1)


def restricted(histories: sparse.csr_array, kept: torch.Tensor) -> sparse.csr_array:
    """(m x rows) histories from (m x n_items) ones: entries without a row are left out, the others keep their order."""
    row = rows_of(kept, histories.shape[1], histories.indices)
    there = row >= 0
    indptr = np.append(0, np.cumsum(there, dtype=np.int32))[histories.indptr].astype(np.int32)
    return sparse.csr_array((histories.data[there], row[there], indptr), shape=(histories.shape[0], len(kept)))


def spread(scores: np.ndarray, kept: torch.Tensor, n_items: int) -> np.ndarray:
    """(m x n_items) scores from (m x rows) ones, -inf for items without a row."""
    everywhere = np.full((len(scores), n_items), -np.inf, np.float32)
    everywhere[:, codes(kept)] = scores[:, kept.numpy() > 0]
    return everywhere
