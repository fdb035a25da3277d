"""Factor models: the score of user u for item i is the dot product of their factors, U_u . V_i."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch

from recprune.interactions import Interactions
from recprune.models.base import Recommender, Structure
from recprune.models.parts import ops
from recprune.models.parts.lost_rows import POPULARITY


@dataclass(eq=False, repr=False)
class FactorModel(Recommender):
    """What iALS and BPR share: arrays `user_factors` U (n_users x d) and `item_factors` V (n_items x d).

    A pruned model may have `item_bias` (n_items,) besides: what factors that went added for everybody alike.

    U V' does not change when both are rotated, so a score of single coordinates depends on an arbitrary
    basis; `canonicalise` turns to the one that the singular value decomposition of U V' defines.
    """

    products: ClassVar[tuple[str, str] | None] = ("user_factors", "item_factors")

    def _score(self, users):
        return self._by_user(users, lambda rows: self._products(ops.rows(self.arrays["user_factors"], rows)).numpy())

    def _products(self, user: torch.Tensor) -> torch.Tensor:
        """(b x rows) scores of users whose factors are `user` (b x d)."""
        return ops.linear(user, self.arrays["item_factors"], self.arrays.get("item_bias"))

    def plain(self) -> dict[str, ops.Array]:
        """Two tables, with a column more for what is no product: the bias, and what those without a row get.

        Who can be folded in has the row that this gives.
        """
        user, item = ops.dense(self.arrays["user_factors"]), ops.dense(self.arrays["item_factors"])
        row = torch.from_numpy(self._user_rows(np.arange(self.n_users)))
        there = row >= 0
        users = torch.zeros(self.n_users, user.shape[1])
        users[there] = user[row[there].long()]
        strangers, has_row = np.flatnonzero(~there.numpy()), there
        if len(strangers) and self.folds_in:
            users[strangers], has_row = self.folded(self._fitted[strangers]), torch.ones_like(there)
        of_users, of_items = [users], [item]
        if "item_bias" in self.arrays:
            of_users, of_items = [*of_users, has_row[:, None]], [*of_items, self.arrays["item_bias"][:, None]]
        if not has_row.all():
            of_users, of_items = [*of_users, ~has_row[:, None]], [*of_items, self.arrays[POPULARITY][:, None]]
        return {
            name: torch.cat([part.float() for part in parts], 1)
            for name, parts in (("user_factors", of_users), ("item_factors", of_items))
        }

    def folded(self, histories) -> torch.Tensor:
        """(m x d) factors of users, solved for from their histories (m x n_items), in the models that do."""
        raise ValueError(f"{self.name} cannot fold in users it was not trained on")

    def trace(self, users: np.ndarray, items: np.ndarray) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """(m,) scores of m pairs, and the products that they are sums of: {"factors": (m x d) U_u * V_i}."""
        user, item = ops.rows(self.arrays["user_factors"], users), ops.rows(self.arrays["item_factors"], items)
        factors = (user * item).requires_grad_()
        scores = factors.sum(1)
        if "item_bias" in self.arrays:
            scores = scores + self.arrays["item_bias"][items]
        return scores, {"factors": factors}

    def readers(self) -> dict[str, tuple[str, str]]:
        """{"factors": its reader}, as in MultVAE: a factor that is the same for all users is a bias of the items."""
        return {"factors": ("item_factors", "item_bias")}

    def macs(self) -> int:
        user, item = self.arrays["user_factors"], self.arrays["item_factors"]
        width = max(1, item.shape[1])
        share = ops.count_nonzero(user) / max(1, self.n_users * width)  # of a user's factors that are not zero
        return round(ops.count_nonzero(item) * min(1.0, share))

    def prunable(self) -> dict[str, torch.Tensor]:
        return {name: self.arrays[name] for name in ("user_factors", "item_factors")}

    def structure(self) -> Structure:
        return {
            "factor": {"factors": [("user_factors", 1), ("item_factors", 1)]},
            "user-row": {"users": [("user_factors", 0)]},
            "item-row": {"items": [(name, 0) for name in ("item_factors", "item_bias") if name in self.arrays]},
        }

    def canonicalise(self, train: Interactions) -> torch.Tensor:
        """The singular values s (d,) of U V', largest first, to whose axes the model is rotated, in place.

        U = Qu Ru, V = Qv Rv, Ru Rv' = W diag(s) Z'; then U <- Qu W sqrt(s), V <- Qv Z sqrt(s). The product,
        and so every score, stays what it was; keeping the first r columns is the best approximation of
        rank r in Frobenius norm (Eckart and Young, 1936). `train` is for models that ask it (ELSA).
        """
        user, item = self.arrays["user_factors"].double(), self.arrays["item_factors"].double()
        user_q, user_r = torch.linalg.qr(user)
        item_q, item_r = torch.linalg.qr(item)
        left, s, right = torch.linalg.svd(user_r @ item_r.T)
        width = len(s)
        root = s.sqrt()
        self.arrays["user_factors"] = (user_q @ left[:, :width] * root).float().contiguous()
        self.arrays["item_factors"] = (item_q @ right[:width].T * root).float().contiguous()
        return s.float()

    def singular_values(self, train: Interactions) -> torch.Tensor:
        """(d,) what each factor carries of the scores, |U_f| |V_f|: the singular values, if it is on its axes."""
        return self.arrays["user_factors"].norm(dim=0) * self.arrays["item_factors"].norm(dim=0)
