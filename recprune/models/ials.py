"""Implicit alternating least squares (Hu, Koren and Volinsky, 2008), trained by `implicit`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from scipy import sparse
from threadpoolctl import threadpool_limits

from recprune.models import ops
from recprune.models.factors import FactorModel, solve_rows


@dataclass(eq=False, repr=False)
class IALS(FactorModel):
    """min sum_ui c_ui (p_ui - U_u . V_i)^2 + l2 (|U|^2 + |V|^2), c = alpha * weight where p = 1, else 1 and p = 0.

    factors      dimension d
    l2           regularisation, not scaled by frequency
    alpha        confidence of an interaction
    iterations   sweeps over users and items
    """

    factors: int = 64
    l2: float = 40.0
    alpha: float = 3.0
    iterations: int = 16

    name: ClassVar[str] = "ials"
    family: ClassVar[str] = "cf"
    folds_in: ClassVar[bool] = True
    recoveries: ClassVar[tuple[str, ...]] = ("none", "refit")

    def smaller(self, share):
        """`share` of the factors."""
        return self._resized(factors=share * self.factors)

    def _fit(self, train, validation, seed, fold_in):
        from implicit.cpu.als import AlternatingLeastSquares

        with threadpool_limits(1, "blas"):  # BLAS threads inside implicit's own: much slower
            solver = AlternatingLeastSquares(
                factors=self.factors,
                regularization=self.l2,
                alpha=self.alpha,
                iterations=self.iterations,
                num_threads=torch.get_num_threads(),
                random_state=seed,
            )
            solver.fit(sparse.csr_matrix(train.tocsr()), show_progress=False)
        self.arrays = {
            "user_factors": torch.from_numpy(np.array(solver.user_factors)),
            "item_factors": torch.from_numpy(np.array(solver.item_factors)),
        }

    def score_histories(self, histories):
        items = ops.dense(self.arrays["item_factors"])
        return (solve_rows(items, histories, self.alpha, self.l2) @ items.T).numpy()

    def refit(self, train, masks):
        """One sweep of alternating least squares, warm from the pruned factors, on the surviving coordinates."""
        matrix, user, item = train.tocsr(), self.arrays["user_factors"], self.arrays["item_factors"]
        user.copy_(solve_rows(item, matrix, self.alpha, self.l2, masks["user_factors"]))
        item.copy_(solve_rows(user, matrix.T.tocsr(), self.alpha, self.l2, masks["item_factors"]))
