"""Implicit alternating least squares (Hu, Koren and Volinsky, 2008; Rendle et al., 2021, "Revisiting iALS")."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import torch
from scipy import sparse
from threadpoolctl import threadpool_limits

from recprune.interactions import Interactions
from recprune.models.disk.formats import format_of, rounded
from recprune.models.factors import FactorModel
from recprune.models.parts import ops
from recprune.models.parts.layers import normal
from recprune.models.parts.least_squares import Rows
from recprune.models.parts.lost_rows import codes
from recprune.models.parts.ranges import Count, Finite, NotNegative


@dataclass(eq=False, repr=False)
class IALS(FactorModel):
    """min sum_ui c_ui (p_ui - U_u . V_i)^2 + sum_u l2_u |U_u|^2 + sum_i l2_i |V_i|^2 (Hu et al., eq. 3).

    c = alpha * weight where p = 1, else 1 and p = 0. Row u's penalty is scaled by its frequency:
    l2_u = l2 (n_u + n_items / alpha)^nu, likewise for items (Rendle et al., 2021, eq. 4, whose weight of
    the unobserved pairs is 1 / alpha here). The sum of squares is linear in the weights.

    factors      dimension d
    l2           regularisation
    alpha        confidence of an interaction
    iterations   sweeps over users and items
    nu           0: the same penalty for all (solved by `implicit`); 1: Rendle's choice
    """

    factors: Count = 64
    l2: NotNegative = 40.0
    alpha: NotNegative = 3.0
    iterations: Count = 16
    nu: Finite = 0.0

    name: ClassVar[str] = "ials"
    label: ClassVar[str] = "iALS"
    family: ClassVar[str] = "cf"
    folds_in: ClassVar[bool] = True
    recoveries: ClassVar[tuple[str, ...]] = ("none", "refit")
    cheap_to_tune: ClassVar[tuple[str, ...]] = ("l2", "alpha")
    tiny: ClassVar[dict[str, Any]] = {"factors": 4, "iterations": 1}
    search: ClassVar[dict[str, Any]] = {
        "factors": {"choices": [64, 128, 256]},
        "alpha": {"low": 1.5, "high": 10.0, "log": True},
        "iterations": {"low": 5, "high": 20},
        "nu": {"choices": [0.0, 1.0]},
        "l2": [  # with nu = 1 the same strength is at a much smaller l2
            {"when": {"nu": 0.0}, "low": 5.0, "high": 200.0, "log": True},
            {"when": {"nu": 1.0}, "low": 5e-3, "high": 1e-1, "log": True},
        ],
    }

    def smaller(self, share: float) -> Self:
        """A model with `share` of the factors."""
        return self._resized(factors=share * self.factors)

    def _fit(self, train, validation, seed, fold_in):
        matrix = train.tocsr()
        user, item = self._alternate(matrix, seed) if self.nu else self._by_implicit(matrix, seed)
        self.arrays = {"user_factors": user, "item_factors": item}

    def _by_implicit(self, matrix, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
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
            solver.fit(sparse.csr_matrix(matrix), show_progress=False)
        return torch.from_numpy(np.array(solver.user_factors)), torch.from_numpy(np.array(solver.item_factors))

    @torch.no_grad()
    def _renew_users(self) -> None:
        """Half a sweep: the factors of each user that has a row, from the items'; what was pruned stays zero."""
        stored, items = self.arrays["user_factors"], ops.dense(self.arrays["item_factors"])
        histories, kept = self._of_rows(self._fitted), self.arrays.get("kept_users")
        there = torch.ones(stored.shape[0], dtype=torch.bool) if kept is None else kept > 0
        rows = Rows(histories if kept is None else histories[codes(kept)])
        left = ops.dense(stored)[there] != 0
        left |= ~left.any(1, keepdim=True)  # who had no interaction had zeros, too
        found = torch.zeros(stored.shape)
        found[there] = rows.solve(
            items, self.alpha, self._penalty(rows.lengths, self.n_items), None if left.all() else left
        )
        renewed = found if isinstance(stored, torch.Tensor) else ops.smallest_in_memory(found)
        values = format_of(renewed, self.values)
        self.arrays["user_factors"] = rounded(renewed, values) if values else renewed

    def _alternate(self, matrix, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
        """U and V by sweeps of warm-started conjugate gradients (Takacs et al., 2011), from N(0, 0.01 / d) entries."""
        generator = torch.Generator().manual_seed(seed)
        user, item = (normal(generator, n, self.factors, scale=0.1 / self.factors**0.5) for n in matrix.shape)
        by_user, by_item = Rows(matrix), Rows(matrix.T.tocsr())
        for _ in range(self.iterations):
            user = by_user.descend(item, user, self.alpha, self._penalty(by_user.lengths, len(item)))
            item = by_item.descend(user, item, self.alpha, self._penalty(by_item.lengths, len(user)))
        return user, item

    def _penalty(self, lengths: np.ndarray, n_others: int) -> np.ndarray:
        """(n,) penalty of each row, from the number of its interactions."""
        return self.l2 * (lengths + n_others / self.alpha) ** self.nu

    def _score_rows(self, histories):
        return self._products(self._solved(histories)).numpy()

    def folded(self, histories: sparse.csr_array) -> torch.Tensor:
        return self._solved(self._of_rows(histories))

    def _solved(self, histories: sparse.csr_array) -> torch.Tensor:
        """(m x d) factors of users, from histories of the items that have a row."""
        items, rows = ops.dense(self.arrays["item_factors"]), Rows(histories)
        return rows.solve(items, self.alpha, self._penalty(rows.lengths, self.n_items))

    def gradients(self, train: Interactions, seed: int) -> Iterator[dict[str, torch.Tensor]]:
        """Name -> gradient of the squared errors, the first sum of the objective, in closed form and one piece.

        dL/dU = 2 (U V'V + R V), with R_ui = (c_ui - 1) U_u . V_i - c_ui over the interactions, likewise for V:
        what Hu et al., 2008, set to zero (eq. 4 and 5), less the penalties.
        """
        matrix = train.tocsr()
        user, item = self.arrays["user_factors"], self.arrays["item_factors"]
        confidence = self.alpha * matrix.data
        rows = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
        score = (ops.rows(user, rows) * ops.rows(item, matrix.indices)).sum(1).numpy()
        rest = sparse.csr_array(
            ((confidence - 1) * score - confidence, matrix.indices, matrix.indptr), shape=matrix.shape
        )
        yield {
            "user_factors": 2 * (user @ (item.T @ item) + torch.from_numpy(ops.sparse_rows_times(rest, item))),
            "item_factors": 2
            * (item @ (user.T @ user) + torch.from_numpy(ops.sparse_rows_times(rest.T.tocsr(), user))),
        }

    def refit(self, train: Interactions, masks: dict[str, torch.Tensor]) -> None:
        """The surviving coordinates are solved for in one sweep of alternating least squares, from the pruned factors.

        Biases go: what stays is fitted to the interactions themselves.
        """
        self.arrays.pop("item_bias", None)
        matrix = self._of_rows(train.tocsr())
        by_user, by_item = Rows(matrix), Rows(matrix.T.tocsr())
        user, item = self.arrays["user_factors"], self.arrays["item_factors"]
        penalty = self._penalty(by_user.lengths, len(item))
        user.copy_(by_user.solve(item, self.alpha, penalty, masks.get("user_factors")))
        penalty = self._penalty(by_item.lengths, len(user))
        item.copy_(by_item.solve(user, self.alpha, penalty, masks.get("item_factors")))

    @torch.no_grad()
    def renew(self, train: Interactions, masks: dict[str, torch.Tensor], seed: int, epochs: int) -> None:
        """Users and items with new interactions are folded in, these after those, against the factors of the others.

        All other rows stay. Biases go, as in `refit`.
        """
        self.arrays.pop("item_bias", None)
        before, after = (self._by_table(histories) for histories in (self._fitted, train.tocsr()))
        for name, fixed, was, now in (
            ("user_factors", "item_factors", before, after),
            ("item_factors", "user_factors", before.T.tocsr(), after.T.tocsr()),
        ):
            changed = np.flatnonzero(np.diff(was.indptr) != np.diff(now.indptr))
            rows = Rows(now[changed])
            penalty = self._penalty(rows.lengths, now.shape[1])
            mask = masks[name][changed]
            self.arrays[name][changed] = rows.solve(
                self.arrays[fixed], self.alpha, penalty, None if mask.all() else mask
            )

    def _by_table(self, histories: sparse.csr_array) -> sparse.csr_array:
        """(rows of the users' table x rows of the items'): a row of either that is gone has nothing."""
        histories, kept = self._of_rows(histories), self.arrays.get("kept_users")
        if kept is None:
            return histories
        there = sparse.diags_array((kept.numpy() > 0).astype(np.float32)).tocsr()
        return sparse.csr_array(there @ histories[np.maximum(kept.numpy() - 1, 0)])

    def macs(self) -> int:
        """The multiply-adds of a mean user.

        A user without a row costs more: the system of its history, h d^2, its solution, d^3 / 3, and all products.
        """
        items = self.arrays["item_factors"]
        width, gone = items.shape[1], 1 - self._n_rows("user-row") / max(1, self.n_users)
        folding_in = self._mean_history() * width**2 + width**3 / 3 + ops.count_nonzero(items)
        return super().macs() + int(gone * folding_in)
