"""EASE: an item-item model in closed form (Steck, 2019, "Embarrassingly Shallow Autoencoders for Sparse Data")."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from scipy import linalg

from recprune.models.item_item import ItemItem


@dataclass(eq=False, repr=False)
class EASE(ItemItem):
    """min_B |X - XB|^2 + l2 |B|^2 with diag(B) = 0, solved by P = (X'X + l2 I)^-1, B_ij = -P_ij / P_jj (eq. 8).

    l2          ridge penalty, in interactions
    max_items   only the most popular items are modelled: the smaller dense model that pruning is held
                against. The other items cannot be recommended (score -inf). None models all
    """

    l2: float = 1000.0
    max_items: int | None = None

    name: ClassVar[str] = "ease"
    family: ClassVar[str] = "cf"
    recoveries: ClassVar[tuple[str, ...]] = ("none", "refit")

    def smaller(self, share):
        """Only the most popular items, sqrt(share) of the catalogue: the matrix is quadratic in them."""
        return self._resized(max_items=share**0.5 * self.n_items)

    def _fit(self, train, validation, seed, fold_in):
        matrix = train.tocsr()
        self.arrays = {}
        if self.max_items is not None and self.max_items < self.n_items:
            popular = np.argsort(-np.bincount(train.item, minlength=self.n_items), kind="stable")[: self.max_items]
            self.arrays["modelled"] = torch.from_numpy(np.sort(popular).astype(np.int32))
            matrix = matrix[:, self.arrays["modelled"].numpy()]
        gram = self._gram(matrix)
        # Cholesky in place, then the inverse from the factor: half the memory and time of inv()
        factor, _ = linalg.lapack.dpotrf(gram, lower=1, overwrite_a=1)
        inverse, info = linalg.lapack.dpotri(factor, lower=1, overwrite_c=1)
        if info != 0:
            raise ValueError(f"ease: l2={self.l2} leaves the Gram matrix singular; a larger l2 is needed")
        inverse = np.tril(inverse) + np.tril(inverse, -1).T
        weights = inverse / -np.diag(inverse)
        np.fill_diagonal(weights, 0.0)
        self.arrays["item_item"] = torch.from_numpy(weights.astype(np.float32))

    def _gram(self, matrix) -> np.ndarray:
        if not self.l2 > 0:
            raise ValueError(f"ease: l2 is {self.l2!r}; a positive number is needed")
        gram = np.asfortranarray((matrix.T @ matrix).toarray(), dtype=np.float64)
        gram[np.diag_indices_from(gram)] += self.l2
        return gram

    def score_histories(self, histories):
        if "modelled" not in self.arrays:
            return super().score_histories(histories)
        modelled = self.arrays["modelled"].numpy()
        scores = np.full(histories.shape, -np.inf, np.float32)
        scores[:, modelled] = super().score_histories(histories[:, modelled])
        return scores

    def refit(self, train, masks):
        """Ridge regression of each column on its surviving support (Steck, 2019, "Markov Random Fields", eq. 10).

        For column j with support S, which never holds j: b_S = (G_SS + l2 I)^-1 G_Sj, where G = X'X.
        With F everything outside S (j included) and P = (G + l2 I)^-1, the same column is
        b = e_j - P_:F (P_FF)^-1 e_j; whichever of the two systems is smaller is solved.
        """
        keep = masks["item_item"].numpy().copy()
        np.fill_diagonal(keep, False)
        gram = self._gram(train.tocsr())
        inverse = linalg.inv(gram) if keep.mean() > 0.5 else None
        weights = np.zeros(gram.shape, np.float32)
        for j in range(len(gram)):
            support = np.flatnonzero(keep[:, j])
            if inverse is not None and 2 * support.size > len(gram):
                out = np.flatnonzero(~keep[:, j])
                right = (out == j).astype(np.float64)
                column = -inverse[:, out] @ linalg.solve(inverse[np.ix_(out, out)], right, assume_a="pos")
                weights[support, j] = column[support]
            elif support.size:
                weights[support, j] = linalg.solve(gram[np.ix_(support, support)], gram[support, j], assume_a="pos")
        self.arrays["item_item"].copy_(torch.from_numpy(weights))
