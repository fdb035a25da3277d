"""Scores as a plain product of matrices, over all users and items, whatever rows the model has lost.

item_item                     x B, with x the user's history
user_factors, item_factors    U_u V'
item_embeddings               (x A) A', less x_i |A_i|^2 of the items i of the history
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy import sparse

from recprune.models.base import Recommender
from recprune.models.parts import ops
from recprune.models.parts.lost_rows import codes

SCORES = {
    "item_item": "history @ item_item",
    "user_factors": "user_factors[user] @ item_factors.T",
    "item_embeddings": "history @ item_embeddings @ item_embeddings.T - history * (item_embeddings**2).sum(1)",
}
OF_ITEMS = {"item_item": (0, 1), "item_factors": (0,), "item_embeddings": (0,)}  # axes that are rows of items


def matrices(model: Recommender) -> dict[str, ops.Array]:
    """Name -> matrix over all users and items; a lost item's are zeros."""
    kept = model.arrays.get("kept_items")
    found = model.plain()
    return found if kept is None else {name: _spread(array, name, model, kept) for name, array in found.items()}


def _spread(array: ops.Array, name: str, model: Recommender, kept: torch.Tensor) -> ops.Array:
    """The matrix with a row, and a column where those are items, for each item of the catalogue."""
    axes = OF_ITEMS.get(name, ())
    if not axes:
        return array
    rows, n = codes(kept), model.n_items
    matrix = sparse.csr_array(ops.dense(array).numpy() if isinstance(array, torch.Tensor) else array)
    place = sparse.csr_array((np.ones(len(rows), np.float32), (rows, np.arange(len(rows)))), shape=(n, len(rows)))
    matrix = sparse.csr_array(place @ matrix)
    return sparse.csr_array(matrix @ place.T) if 1 in axes else matrix


def rule(found: dict[str, ops.Array]) -> str:
    """How the matrices score."""
    return next(text for name, text in SCORES.items() if name in found)


def write(model: Recommender, folder: Path, form: str) -> dict[str, Any]:
    """Write the matrices, sparse or dense, and say what they are."""
    found = matrices(model)
    folder.mkdir()
    for name, array in found.items():
        if form == "numpy":
            np.save(folder / f"{name}.npy", ops.dense(array).numpy())
        else:
            matrix = ops.to_csr(array.contiguous()) if isinstance(array, torch.Tensor) else array
            sparse.save_npz(folder / f"{name}.npz", matrix)
    return {"scores": rule(found), "arrays": {name: list(array.shape) for name, array in found.items()}}
