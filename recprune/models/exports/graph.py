"""Scores as an ONNX graph, by torch's exporter.

    histories   float32 (b x n_items): the weight of each interaction, zeros elsewhere; in models that score from them
    users       int64 (b,): codes; in models that have a row for each user
    scores      float32 (b x n_items), -inf for a lost item

Graphs have dense operations alone: what was pruned is written as zeros.
"""

from __future__ import annotations

import copy
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch

from recprune.models.base import Recommender
from recprune.models.exports import plain
from recprune.models.parts import ops
from recprune.models.parts.lost_rows import codes

OPSET = 18


class Product(torch.nn.Module):
    """What `plain.SCORES` says, on dense matrices over all items."""

    def __init__(self, model: Recommender):
        super().__init__()
        self.of = {name: ops.dense(array) for name, array in plain.matrices(model).items()}

    def forward(self, given: torch.Tensor) -> torch.Tensor:
        """(b x n_items) scores."""
        if "user_factors" in self.of:
            return self.of["user_factors"][given] @ self.of["item_factors"].T
        if "item_item" in self.of:
            return given @ self.of["item_item"]
        table = self.of["item_embeddings"]
        return (given @ table) @ table.T - given * table.square().sum(1)


class Pass(torch.nn.Module):
    """The forward pass of a model on the items that have a row."""

    def __init__(self, model: Recommender, kept: torch.Tensor | None):
        super().__init__()
        self.model = copy.copy(model)
        self.model.arrays = {name: ops.dense(array) for name, array in model.arrays.items()}
        self.rows = None if kept is None else torch.from_numpy(codes(kept).astype(np.int64))
        if self.rows is not None:
            self.place = torch.full((model.n_items,), len(self.rows))  # of a lost item: a column behind the last
            self.place[self.rows] = torch.arange(len(self.rows))

    def forward(self, given: torch.Tensor) -> torch.Tensor:
        """(b x n_items) scores, those of lost items any."""
        if self.rows is None:
            return self.model.forward(given)
        scores = self.model.forward(given[:, self.rows] if self.model.takes == "histories" else given)
        return torch.cat([scores, torch.zeros_like(scores[:, :1])], 1)[:, self.place]


class Graph(torch.nn.Module):
    """Scores over the catalogue, lost items at -inf."""

    def __init__(self, model: Recommender):
        super().__init__()
        kept = model.arrays.get("kept_items")
        self.scores = Product(model) if model.plain() else Pass(model, kept)
        self.penalty = None if kept is None else torch.full((model.n_items,), -torch.inf)
        if self.penalty is not None and kept is not None:
            self.penalty[codes(kept).astype(np.int64)] = 0.0

    def forward(self, given: torch.Tensor) -> torch.Tensor:
        """(b x n_items) scores."""
        scores = self.scores(given)
        return scores if self.penalty is None else scores + self.penalty


def write(model: Recommender, path: Path) -> dict[str, Any]:
    """Write the graph, and say what it reads. Raises ValueError where the package that writes it is missing."""
    try:
        import onnx  # noqa: F401  torch's exporter asks for it
    except ImportError:
        raise ValueError("form 'onnx' needs ONNX, which is not installed: pip install 'recprune[onnx]'") from None
    takes = model.takes or ("users" if "user_factors" in model.plain() else "histories")
    example = torch.zeros(2, dtype=torch.long) if takes == "users" else torch.ones(2, model.n_items)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore", DeprecationWarning)  # torch's other exporter needs two packages more
        torch.onnx.export(
            Graph(model).eval(),
            (example,),
            str(path),
            input_names=[takes],
            output_names=["scores"],
            dynamic_axes={takes: {0: "rows"}, "scores": {0: "rows"}},
            opset_version=OPSET,
            dynamo=False,
        )
    return {"scores": "model.onnx", "reads": takes}
