"""EASE: an item-item model in closed form (Steck, 2019, "Embarrassingly Shallow Autoencoders for Sparse Data").

Of a large catalogue it is solved on a support that is chosen first (`neighbours`), column by column: the sparse
approximation of Steck (2019, "Markov Random Fields for Collaborative Filtering"), in memory linear in the items.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal, Self

import numpy as np
import psutil
import torch
from scipy import sparse

from recprune.interactions import Interactions
from recprune.models.item_item import ItemItem
from recprune.models.parts.gram import dense_products, gram_of
from recprune.models.parts.layers import Linear
from recprune.models.parts.neighbours import nearest
from recprune.models.parts.ranges import Count, NotNegative, Share
from recprune.models.parts.support import inverse_of, invert, ridge_on_lists, ridge_on_support

EXACT = 8192  # items up to which all is solved in float64, which then costs seconds
SAID = 1 << 30  # bytes from which it is said beforehand what a model takes
OF_ALL = ("gradients", "linear_layers")  # what a model of few neighbours an item cannot give
SPARSE = "its matrix is sparse, of few neighbours an item: what needs the products of all items is not formed"


@dataclass(eq=False, repr=False)
class EASE(ItemItem):
    """min_B |X - XB|^2 + l2 |B|^2 with diag(B) = 0, solved by P = (X'X + l2 I)^-1, B_ij = -P_ij / P_jj (eq. 8).

    l2          ridge penalty, in interactions
    max_items   only the most popular items are modelled: the smaller dense model that pruning is held
                against. The other items cannot be recommended (score -inf). None models all
    neighbours  the support first: column j is zero but for the `neighbours` items most similar to j, on which it is the
                ridge regression; no matrix of items x items is formed. None: the dense model
    support     the similarity that chooses them: cosine, tfidf, bm25 (see `recprune.models.parts.neighbours`)

    l2_power    the ridge of item i is l2 * n_i^l2_power, with the sum n_i of its column of X (as that of iALS grows
                with the frequency: Rendle et al., 2021)
    user_power  the row of user u is divided by n_u^user_power, with the sum n_u of the row: who has taken everything
                says little about each of it

    A weight is the entry of X: off the diagonal X'X is the sum of the products of two weights, without bias if those
    are inverse probabilities. On it their squares add up: an item of few heavy interactions has a larger penalty.

    Up to EXACT items a dense model is solved in float64. Of more it is solved in float32, in place, if that leaves two
    digits (float32's spacing times the condition of X'X + l2 I below 1 %), else in float64 too. On a support of few
    items it is solved in float32: the scores of a test log differ by less than 1e-5.
    """

    l2: NotNegative = 1000.0
    max_items: Count | None = None
    neighbours: Count | None = None
    support: Literal["cosine", "tfidf", "bm25"] = "cosine"
    l2_power: Share = 0.0
    user_power: Share = 0.0

    name: ClassVar[str] = "ease"
    label: ClassVar[str] = "EASE"
    family: ClassVar[str] = "cf"
    recoveries: ClassVar[tuple[str, ...]] = ("none", "refit")
    cheap_to_tune: ClassVar[tuple[str, ...]] = ("l2",)
    search: ClassVar[dict[str, Any]] = {"l2": {"low": 30.0, "high": 5000.0, "log": True}}

    def smaller(self, share: float) -> Self:
        """A model of only the most popular items, sqrt(share) of the catalogue: the matrix is quadratic in them.

        Of one with `neighbours`, `share` of those.
        """
        if self.neighbours is not None:
            return self._resized(neighbours=share * self.neighbours)
        return self._resized(max_items=share**0.5 * self.n_items)

    def shapes(self, share: float) -> list[Self]:
        """Beside `smaller(share)` the model of all items, each solved on as many neighbours as that leaves it."""
        small = self.smaller(share)
        if self.neighbours is not None:
            return [small]
        return [small, replace(self, neighbours=max(1, round(share * self.n_items)))]

    def _fit(self, train, validation, seed, fold_in):
        if not self.l2 > 0:
            raise ValueError(f"ease: l2 is {self.l2!r}; a positive number is needed")
        self.arrays = {}
        if self.max_items is not None and self.max_items < self.n_items:
            popular = np.argsort(-np.bincount(train.item, minlength=self.n_items), kind="stable")[: self.max_items]
            self.arrays["kept_items"] = torch.from_numpy(np.sort(popular).astype(np.int32) + 1)
        matrix = self._modelled(train)
        self.arrays["item_item"] = (
            self._dense(matrix) if self.neighbours is None else self._sparse(matrix, self.neighbours)
        )

    # -- on a support

    def _sparse(self, matrix, neighbours: int) -> sparse.csr_array:
        """(rows x rows): every column solved for on its nearest neighbours."""
        lists = nearest(matrix, neighbours, self.support).tocsc()
        values = ridge_on_lists(gram_of(matrix), lists, self._ridge(matrix))
        return sparse.csc_array((values, lists.indices, lists.indptr), shape=lists.shape).tocsr()

    # -- of all items

    def _dense(self, matrix) -> torch.Tensor:
        """(rows x rows): the inverse, divided by its diagonal."""
        n = matrix.shape[1]
        kind = np.float64 if n <= EXACT or not self._float32_is_enough(matrix) else np.float32
        self._check_memory(n, np.dtype(kind).itemsize)
        gram = self._gram(matrix, kind)
        if n <= EXACT:
            return _divided(torch.from_numpy(inverse_of(gram, overwrite=True)))
        weights = torch.from_numpy(gram)
        invert(weights)
        return _divided(weights)

    def _float32_is_enough(self, matrix) -> bool:
        """Whether the errors of a solution in float32 stay below a hundredth.

        The largest eigenvalue of X'X is at most its largest sum of a row, (X'(X 1))_i.
        """
        weights = abs(matrix)
        largest = float((weights.T @ (weights @ np.ones(matrix.shape[1]))).max())
        ridge = self._ridge(matrix)
        return bool(np.finfo(np.float32).eps * (largest + ridge.max()) / ridge.min() < 0.01)

    def _check_memory(self, n: int, itemsize: int) -> None:
        """Raises ValueError where the matrix does not fit; says beforehand what a large one takes."""
        held = 4 + 4 / 3 if itemsize == 4 else 4 + itemsize  # a third to invert it beside; the solution is float32
        needed, free = int(held * n**2), psutil.virtual_memory().available
        if needed > free:
            raise ValueError(
                f"ease: the dense matrix of {n:,} items needs {needed / 1e9:,.1f} GB, and {free / 1e9:,.1f} GB are "
                f"free; EASE(neighbours=100) needs about {n * 100 * 8 / 1e9:,.1g}, or take fewer items (max_items)"
            )
        if needed > SAID:
            print(f"ease: the dense matrix of {n:,} items takes {needed / 1e9:,.1f} GB", file=sys.stderr, flush=True)

    def _gram(self, matrix, kind: type = np.float64) -> np.ndarray:
        """(rows x rows) X'X with the ridge on its diagonal."""
        return self._ridged(dense_products(matrix, kind), matrix)

    def _ridged(self, gram: np.ndarray, matrix) -> np.ndarray:
        """The products of the items with the ridge on their diagonal, in place."""
        gram[np.diag_indices_from(gram)] += self._ridge(matrix)
        return gram

    def _ridge(self, matrix) -> np.ndarray:
        """(rows,) the penalty of each item."""
        weight = np.asarray(abs(matrix).sum(axis=0), np.float64)
        return self.l2 * np.maximum(weight, 1) ** self.l2_power

    # -- what criteria ask

    def lacks(self) -> dict[str, str]:
        """What a sparse matrix cannot answer, without the products of all items; and a layer has one ridge for all."""
        found = self._no_products()
        if self.l2_power:
            found["linear_layers"] = f"its items have ridges of their own (l2_power = {self.l2_power:g})"
        return found

    def _no_products(self) -> dict[str, str]:
        return {} if isinstance(self.arrays.get("item_item"), torch.Tensor | None) else dict.fromkeys(OF_ALL, SPARSE)

    def gradients(self, train: Interactions, seed: int) -> Iterator[dict[str, torch.Tensor]]:
        """Name -> gradient of |X - XB|^2, in closed form and one piece: 2 (G B - G), G = X'X.

        Off the diagonal it is -2 l2 B at the optimum, where it balances the penalty's.
        """
        weights = self.arrays["item_item"].double().numpy()
        gram = dense_products(self._modelled(train), np.float64)
        yield {"item_item": torch.from_numpy(2 * (gram @ weights - gram)).float()}

    def linear_layers(self, train: Interactions, seed: int) -> dict[str, Linear]:
        """{"item_item": `Linear`}: B multiplies histories, and was fitted under a ridge."""
        return {"item_item": Linear(self._modelled(train), axis=0, ridge=self.l2)}

    def _modelled(self, train):
        """(n_users x rows): the training matrix as it is solved for, without the items that the model leaves out."""
        return self._weighed(train.tocsr())

    def _weighed(self, histories):
        """(m x rows): `_modelled` of histories (m x n_items)."""
        matrix = self._of_rows(histories)
        if not self.user_power:
            return matrix
        weight = np.maximum(np.asarray(abs(matrix).sum(axis=1)), 1) ** -self.user_power
        data = matrix.data * np.repeat(weight.astype(np.float32), np.diff(matrix.indptr))
        return sparse.csr_array((data, matrix.indices, matrix.indptr), shape=matrix.shape)

    # -- refit

    def refit(self, train: Interactions, masks: dict[str, torch.Tensor]) -> None:
        """Each column is solved for again, as a ridge regression on its surviving support.

        (Steck, 2019, "Markov Random Fields", eq. 10.)

        The support of column j never holds j.
        """
        weights, keep, matrix = self.arrays["item_item"], masks["item_item"], self._modelled(train)
        if not isinstance(weights, torch.Tensor):
            self._refit_stored(weights, keep.numpy(), matrix)
        elif len(weights) <= EXACT:
            self._refit_exact(weights, keep, self._gram(matrix))
        else:
            self._refit_large(weights, keep, matrix)

    def renew(self, train: Interactions, masks: dict[str, torch.Tensor], seed: int, epochs: int) -> None:
        """`refit`, up to EXACT items from products that are kept: G' = G + sum of x'x'^T - x x^T over changed rows.

        `statistics` holds them from the first update on. A log without weights has whole ones, and G' is exact.
        """
        weights = self.arrays["item_item"]
        if not isinstance(weights, torch.Tensor) or len(weights) > EXACT:
            self.refit(train, masks)
            return
        matrix = self._modelled(train)
        gram = self._products_since(train.tocsr(), matrix)
        self.statistics = {"gram": torch.from_numpy(gram)}
        ridged = self._ridged(gram.copy(), matrix)
        if masks["item_item"].all():
            weights.copy_(_divided(torch.from_numpy(inverse_of(ridged, overwrite=True))))
        else:
            self._refit_exact(weights, masks["item_item"], ridged)

    def _products_since(self, histories, matrix) -> np.ndarray:
        """(rows x rows) float64 X'X of histories that have grown, from those of the model's own where it has them."""
        kept = self.statistics.get("gram")
        if kept is None or kept.shape != (matrix.shape[1],) * 2:
            return dense_products(matrix, np.float64)
        users = np.flatnonzero(np.diff(histories.indptr) != np.diff(self._fitted.indptr))
        before = dense_products(self._weighed(self._fitted[users]), np.float64)
        return kept.double().numpy() - before + dense_products(matrix[users], np.float64)

    def counted(self) -> dict[str, torch.Tensor]:
        """{"gram": (rows x rows) the products of the items}: counted where no update has; none of a large catalogue."""
        if self.statistics or self._n_rows("item-row") > EXACT:
            return self.statistics
        return {"gram": torch.from_numpy(dense_products(self._weighed(self._fitted), np.float64))}

    def _refit_exact(self, weights: torch.Tensor, keep: torch.Tensor, gram: np.ndarray) -> None:
        """Of a dense matrix, in float64; gram: with the ridge."""
        support = keep.numpy().copy()
        np.fill_diagonal(support, False)
        weights.copy_(torch.from_numpy(ridge_on_support(gram, gram, support)))

    def _refit_stored(self, weights: sparse.csr_array, keep: np.ndarray, matrix) -> None:
        """Of a sparse matrix: the stored values that are kept, one bool each, are solved for."""
        there = np.repeat(np.arange(weights.shape[0]), np.diff(weights.indptr)) != weights.indices
        place = np.flatnonzero(keep & there) + 1  # the place of a value in the data; 0 would not be stored
        numbered = weights.copy()
        numbered.data = np.zeros(len(weights.data), np.int64)
        numbered.data[place - 1] = place
        numbered.eliminate_zeros()
        lists = numbered.tocsc()
        weights.data[:] = 0
        weights.data[lists.data - 1] = ridge_on_lists(gram_of(matrix), lists, self._ridge(matrix))

    def _refit_large(self, weights: torch.Tensor, keep: torch.Tensor, matrix) -> None:
        """Of a large dense matrix, whose support is small: solved column by column, in float32.

        Meanwhile its memory holds the products of the items.
        """
        column, row = torch.nonzero(keep.mT).unbind(1)  # column by column
        column, row = column[there := column != row], row[there]
        indptr = np.append(0, np.cumsum(np.bincount(column.numpy(), minlength=len(keep))))
        index = row.numpy().astype(np.int32)
        lists = sparse.csc_array((np.ones(len(index), bool), index, indptr), shape=tuple(weights.shape))
        solved = ridge_on_lists(gram_of(matrix, weights.numpy()), lists, self._ridge(matrix))
        weights.zero_()
        weights[row, column] = torch.from_numpy(solved)


def _divided(inverse: torch.Tensor) -> torch.Tensor:
    """B_ij = -P_ij / P_jj, zero on the diagonal (eq. 8), from P, which is written over; float32."""
    inverse /= -inverse.diagonal().clone()
    inverse.fill_diagonal_(0.0)
    return inverse.float()
