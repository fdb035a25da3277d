"""Weighted least squares of all rows of a sparse matrix at once: half a sweep of alternating least squares.

Row u solves (Hu, Koren and Volinsky, 2008, eq. 4), with V (m x d) fixed,

    (V'V + sum_i (alpha w_ui - 1) v_i v_i' + l2_u I) x = sum_i alpha w_ui v_i      over its non-zeros i

exactly (`solve`), or by a few steps of conjugate gradients from where it stands (`descend`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch

STEPS = 3  # of conjugate gradients in a sweep, as in implicit
BLOCK = 2**16  # padded non-zeros a block, times d floats: what stays in the cache


@dataclass(frozen=True)
class Block:
    """Rows of like length, padded: index and weight (b x longest), `there` False where padded."""

    rows: torch.Tensor
    index: torch.Tensor
    weight: torch.Tensor
    there: torch.Tensor


class Rows:
    """The rows of a CSR matrix (n x m) of weights w, ready to be solved for again and again."""

    def __init__(self, matrix):
        self.n = matrix.shape[0]
        self.lengths = np.diff(matrix.indptr)
        self.blocks = list(_blocks(matrix, self.lengths))

    def solve(
        self, fixed: torch.Tensor, alpha: float, l2: np.ndarray, mask: torch.Tensor | None = None
    ) -> torch.Tensor:
        """The exact solution, in double precision, restricted to the coordinates that `mask` (n x d) leaves.

        fixed is V (m x d), l2 (n,) the penalty of each row. Returns (n x d) float32; a row without
        non-zeros is zero.
        """
        fixed, width = fixed.double(), fixed.shape[1]
        gram, identity = fixed.T @ fixed, torch.eye(width, dtype=torch.float64)
        penalty = torch.from_numpy(np.asarray(l2, np.float64))
        solved = torch.zeros(self.n, width)
        for block in self.blocks:
            vectors = fixed[block.index] * block.there[..., None]
            confidence = alpha * block.weight.double()
            system = gram + penalty[block.rows, None, None] * identity
            system = system + vectors.transpose(1, 2) @ (vectors * (confidence - 1)[..., None])
            right = (vectors * confidence[..., None]).sum(1)
            if mask is not None:  # a coordinate that is out: an identity row, a zero right-hand side
                out = ~mask[block.rows]
                system = system.masked_fill(out[:, None, :] | out[:, :, None], 0.0) + torch.diag_embed(out.double())
                right = right.masked_fill(out, 0.0)
            solved[block.rows] = torch.linalg.solve(system, right[..., None])[..., 0].float()
        return solved

    def descend(self, fixed: torch.Tensor, start: torch.Tensor, alpha: float, l2: np.ndarray) -> torch.Tensor:
        """STEPS steps of conjugate gradients for every row, from `start` (n x d); a row without non-zeros is zero."""
        gram, penalty = fixed.T @ fixed, torch.from_numpy(np.asarray(l2, np.float32))
        result = torch.zeros_like(start)
        for block in self.blocks:
            vectors = fixed[block.index]
            confidence = alpha * block.weight
            extra, own = (confidence - 1) * block.there, penalty[block.rows, None]

            def product(p, vectors=vectors, extra=extra, own=own):  # the system's matrix times p (b x d)
                return p @ gram + own * p + _weighted(vectors, extra * _dots(vectors, p))

            x = start[block.rows]
            residual = _weighted(vectors, confidence * block.there) - product(x)
            direction, size = residual.clone(), residual.square().sum(1, keepdim=True)
            for _ in range(STEPS):
                step = product(direction)
                length = size / (direction * step).sum(1, keepdim=True).clamp_min(1e-30)
                x, residual = x + length * direction, residual - length * step
                before, size = size, residual.square().sum(1, keepdim=True)
                direction = residual + size / before.clamp_min(1e-30) * direction
            result[block.rows] = x
        return result


def _dots(vectors: torch.Tensor, p: torch.Tensor) -> torch.Tensor:
    """(b x longest): each row's vectors times its p."""
    return (vectors @ p[..., None])[..., 0]


def _weighted(vectors: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """(b x d): each row's vectors, weighted and added up."""
    return (weight[:, None] @ vectors)[:, 0]


def _blocks(matrix, lengths: np.ndarray) -> Iterator[Block]:
    """Rows with non-zeros, shortest first: rows of like length share a block, with little padding."""
    order = np.argsort(lengths, kind="stable")
    start = int(np.searchsorted(lengths[order], 1))
    while start < len(order):
        end = start + 1
        while end < len(order) and (end + 1 - start) * lengths[order[end]] <= BLOCK:
            end += 1
        rows = order[start:end]
        longest = int(lengths[rows[-1]])
        index, weight = np.zeros((len(rows), longest), np.int64), np.zeros((len(rows), longest), np.float32)
        there = np.arange(longest) < lengths[rows][:, None]
        where = (matrix.indptr[rows][:, None] + np.arange(longest))[there]
        index[there], weight[there] = matrix.indices[where], matrix.data[where]
        yield Block(*(torch.from_numpy(a) for a in (rows, index, weight, there)))
        start = end
