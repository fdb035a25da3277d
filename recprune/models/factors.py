"""Factor models: the score of user u for item i is the dot product of their factors, U_u . V_i."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from recprune.models import ops
from recprune.models.base import Recommender


@dataclass(eq=False, repr=False)
class FactorModel(Recommender):
    """Shared by iALS and BPR; arrays `user_factors` U (n_users x d) and `item_factors` V (n_items x d).

    U V' does not change when both are rotated, so a score of single coordinates depends on an arbitrary
    basis; `canonicalise` turns to the one that the singular value decomposition of U V' defines.
    """

    def _score(self, users):
        return ops.linear(ops.rows(self.arrays["user_factors"], users), self.arrays["item_factors"]).numpy()

    def macs(self):
        user, item = self.arrays["user_factors"], self.arrays["item_factors"]
        width = max(1, item.shape[1])
        share = ops.count_nonzero(user) / max(1, user.shape[0] * width)  # of a user's factors that are not zero
        return int(round(ops.count_nonzero(item) * min(1.0, share)))

    def prunable(self):
        return {name: self.arrays[name] for name in ("user_factors", "item_factors")}

    def structure(self):
        return {"factor": {"factors": [("user_factors", 1), ("item_factors", 1)]}}

    def canonicalise(self) -> torch.Tensor:
        """Rotate to the principal axes, in place; returns the singular values s (d,) of U V', largest first.

        U = Qu Ru, V = Qv Rv, Ru Rv' = W diag(s) Z'; then U <- Qu W sqrt(s), V <- Qv Z sqrt(s). The product,
        and so every score, stays what it was; keeping the first r columns is the best approximation of
        rank r in Frobenius norm (Eckart and Young, 1936).
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


def solve_rows(
    fixed: torch.Tensor,
    matrix,
    alpha: float,
    l2: float,
    mask: torch.Tensor | None = None,
    block: int = 256,
) -> torch.Tensor:
    """Half a sweep of weighted alternating least squares: the rows' factors, given those of the columns.

    Row u solves (V'V + sum_i (alpha w_ui - 1) v_i v_i' + l2 I) x = sum_i alpha w_ui v_i over its non-zeros
    i (Hu, Koren and Volinsky, 2008, eq. 4), restricted to the coordinates that `mask` (n x d) leaves.
    fixed is V (m x d), matrix (n x m) CSR with weights w. Returns (n x d) float32.
    """
    fixed = fixed.double()
    width = fixed.shape[1]
    gram = fixed.T @ fixed + l2 * torch.eye(width, dtype=torch.float64)
    lengths = np.diff(matrix.indptr)
    solved = torch.zeros(matrix.shape[0], width)
    order = np.argsort(lengths, kind="stable")  # rows of like length share a block: little padding
    for start in range(0, len(order), block):
        rows = order[start : start + block]
        longest = int(lengths[rows].max())
        if longest == 0:
            continue
        index = np.zeros((len(rows), longest), np.int64)
        weight = np.zeros((len(rows), longest))
        there = np.arange(longest) < lengths[rows][:, None]
        where = (matrix.indptr[rows][:, None] + np.arange(longest))[there]
        index[there], weight[there] = matrix.indices[where], matrix.data[where]
        confidence = torch.from_numpy(alpha * weight)
        vectors = fixed[torch.from_numpy(index)] * torch.from_numpy(there)[..., None]
        system = gram + vectors.transpose(1, 2) @ (vectors * (confidence - 1)[..., None])
        right = (vectors * confidence[..., None]).sum(1)
        if mask is not None:  # a coordinate that is out: an identity row, a zero right-hand side
            out = ~mask[torch.from_numpy(rows)]
            system = system.masked_fill(out[:, None, :] | out[:, :, None], 0.0) + torch.diag_embed(out.double())
            right = right.masked_fill(out, 0.0)
        solved[torch.from_numpy(rows)] = torch.linalg.solve(system, right[..., None])[..., 0].float()
    return solved
