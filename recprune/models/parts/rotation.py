"""One rotation of factors for all models: what is concentrated on some axes is spread over all of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from scipy.fft import dct

from recprune.mixing import splitmix64
from recprune.models.parts.ops import Array


def is_full(table: Array) -> bool:
    """Whether a table is dense, and no row but those of zeros alone holds a zero: pruned entries would be lost."""
    if not isinstance(table, torch.Tensor):
        return False
    entries = (table != 0).sum(1)
    return bool(((entries == 0) | (entries == table.shape[1])).all())


def evened(table: torch.Tensor) -> torch.Tensor:
    """(n x d) the rows of a table, turned: each coordinate takes about as much from every old one.

    Signs by a hash of the axis, then the orthonormal discrete cosine transform (as in the fast Johnson-Lindenstrauss
    transform of Ailon and Chazelle, 2009; before rounding: QuaRot, Ashkboos et al., 2024). It is the same for all
    tables of d columns, so that dot products between their rows stay; in double precision, rounded once.
    """
    signs = np.where(splitmix64(np.arange(table.shape[1])) >> np.uint64(63), -1.0, 1.0)
    turned = dct(table.double().numpy() * signs, norm="ortho", axis=1)
    return torch.from_numpy(np.ascontiguousarray(turned, dtype=np.float32))


def distance(tables: Sequence[torch.Tensor], others: Sequence[torch.Tensor]) -> float:
    """Squared Frobenius distance of U V' and X Y', from (U, V) and (X, Y): n x d and m x d, no n x m matrix is made."""
    (u, v), (x, y) = ((left.double(), right.double()) for left, right in (tables, others))
    own, mixed, of_others = ((a.T @ b) * (c.T @ d) for a, b, c, d in ((u, u, v, v), (u, x, v, y), (x, x, y, y)))
    return float(own.sum() - 2 * mixed.sum() + of_others.sum())
