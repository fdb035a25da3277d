"""NeuMF: generalised matrix factorisation beside a multilayer perceptron (He et al., 2017, eq. 12)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
import torch
import torch.nn.functional as F

from recprune.interactions import Interactions
from recprune.models.base import Structure
from recprune.models.descent import GradientModel
from recprune.models.parts import ops, sample_weights
from recprune.models.parts.layers import Linear, dropout, glorot, lookup, normal
from recprune.models.parts.lost_rows import DECLARED
from recprune.models.parts.negatives import Positives, any_pairs
from recprune.models.parts.ranges import Count, NotNegative, Positive, Share, Whole


@dataclass(eq=False, repr=False)
class NeuMF(GradientModel):
    """score = h . [p_u * q_i ; relu(... relu(W_1 [p'_u ; q'_i] + b_1) ...)], trained on the click label.

    factors     dimension of the four embedding tables
    hidden      widths of the perceptron's layers
    dropout     share of the looked-up vectors, of their products and of each hidden layer that is dropped in training
    negatives   unseen items drawn for each interaction (binary cross-entropy); they count with its weight

    W_1 is kept as its user half and its item half: the first layer of all pairs is then a sum of two
    products, which makes scoring the full catalogue affordable.
    """

    factors: Count = 32
    hidden: tuple[Count, ...] = (64, 32)
    dropout: Share = 0.1
    negatives: Count = 4
    learning_rate: Positive = 2e-3
    l2: NotNegative = 1e-6
    batch_size: Count = 4096
    epochs: Whole = 40
    patience: Count = 4

    name: ClassVar[str] = "neumf"
    label: ClassVar[str] = "NeuMF"
    family: ClassVar[str] = "deep"
    takes: ClassVar[str] = "users"
    main_size: ClassVar[str] = "factors"
    other_sizes: ClassVar[tuple[str, ...]] = ("hidden",)
    seconds_a_fit: ClassVar[float] = 15.0
    tiny: ClassVar[dict[str, Any]] = {"factors": 4, "hidden": (4, 2), "epochs": 1}
    search: ClassVar[dict[str, Any]] = {
        "factors": {"choices": [16, 32, 64]},
        "hidden": {"choices": [[32, 16], [64, 32], [128, 64]]},
        "dropout": {"low": 0.0, "high": 0.5},
        "negatives": {"choices": [1, 2, 4]},
        "learning_rate": {"low": 5e-4, "high": 5e-3, "log": True},
        "l2": {"low": 1e-8, "high": 5e-5, "log": True},
        "batch_size": {"choices": [2048, 4096, 8192]},
    }

    def __post_init__(self):
        super().__post_init__()
        self.hidden = tuple(int(width) for width in self.hidden)
        if not self.hidden:
            raise ValueError("neumf: hidden needs the width of at least one layer")

    def smaller(self, share: float) -> Self:
        """A model with `share` of the factors and of every layer's width."""
        return replace(
            self._resized(factors=share * self.factors), hidden=tuple(max(1, round(share * w)) for w in self.hidden)
        )

    def initialise(self, generator: torch.Generator) -> None:
        d, first = self.factors, self.hidden[0]
        tables = {
            f"{part}.{side}": normal(generator, size, d, scale=0.1)
            for part in ("gmf", "mlp")
            for side, size in (("user", self.n_users), ("item", self.n_items))
        }
        layers = {
            "layer1.user": glorot(generator, first, 2 * d)[:, :d].contiguous(),
            "layer1.item": glorot(generator, first, 2 * d)[:, :d].contiguous(),
            "layer1.bias": torch.zeros(first),
        }
        for depth, (into, out) in enumerate(zip(self.hidden, self.hidden[1:], strict=False), start=2):
            layers |= {f"layer{depth}.weight": glorot(generator, out, into), f"layer{depth}.bias": torch.zeros(out)}
        last = {
            "output.gmf": glorot(generator, 1, d + self.hidden[-1])[:, :d].contiguous(),
            "output.mlp": glorot(generator, 1, d + self.hidden[-1])[:, : self.hidden[-1]].contiguous(),
        }
        self.arrays = tables | layers | last
        self.auxiliary = {}
        self.complete(0)

    def complete(self, seed: int) -> None:
        """The bias of the output is zero at first: it shifts every score alike, and no ranking needs it."""
        self.auxiliary = self.auxiliary or {"output.bias": torch.zeros(1)}

    def batches(self, train: Interactions, rng: np.random.Generator, epoch: int) -> Iterator[tuple]:
        order = rng.permutation(train.nnz)
        users, items = train.user[order], train.item[order]
        negatives = Positives(train).uniform_negatives(np.repeat(users[:, None], self.negatives, 1), rng)
        candidates = np.concatenate([items[:, None], negatives], axis=1)  # (nnz x (1 + negatives)), the positive first
        step = max(1, self.batch_size // (1 + self.negatives))
        columns = (torch.from_numpy(users), torch.from_numpy(candidates), *sample_weights.in_order(train, order))
        yield from zip(*(column.split(step) for column in columns), strict=True)

    def weight(self, batch: tuple) -> float:
        users, _, *weight = batch
        return sample_weights.total(len(users), *weight)

    def loss(self, arrays: dict[str, torch.Tensor], batch: tuple, generator: torch.Generator) -> torch.Tensor:
        users, items, *weight = batch  # (b,), (b x (1 + negatives)); (b,) where there are weights
        label = torch.zeros(items.shape, device=items.device)
        label[:, 0] = 1.0
        gmf = lookup(arrays["gmf.user"], users)[:, None] * lookup(arrays["gmf.item"], items)
        gmf, user, item = (
            dropout(x, self.dropout, generator)
            for x in (gmf, lookup(arrays["mlp.user"], users), lookup(arrays["mlp.item"], items))
        )
        of_user = F.linear(user, arrays["layer1.user"], arrays["layer1.bias"])
        of_item = F.linear(item, arrays["layer1.item"])
        hidden = self._perceptron(arrays, of_user[:, None] + of_item, generator)
        logit = F.linear(gmf, arrays["output.gmf"]) + F.linear(hidden, arrays["output.mlp"]) + arrays["output.bias"]
        losses = F.binary_cross_entropy_with_logits(logit[..., 0], label, reduction="none" if weight else "mean")
        return sample_weights.mean(losses, *weight)

    def _perceptron(self, arrays, first: torch.Tensor, generator: torch.Generator | None = None) -> torch.Tensor:
        """(... x hidden[-1]) output of the last layer, from the sums of the first one (... x hidden[0])."""
        x = torch.relu(first)
        for depth in range(2, len(self.hidden) + 1):
            x = dropout(x, self.dropout, generator)
            x = torch.relu(ops.linear(x, arrays[f"layer{depth}.weight"], arrays[f"layer{depth}.bias"]))
        return dropout(x, self.dropout, generator)

    def _score(self, users):
        return self._by_user(users, self._score_user_rows)

    @torch.no_grad()
    def _score_user_rows(self, users: np.ndarray) -> np.ndarray:
        """(len(users) x rows of items) scores of the users whose rows these are."""
        a = self.arrays
        output = ops.dense(a["output.gmf"])
        gmf = ops.linear(ops.rows(a["gmf.user"], users) * output, a["gmf.item"])
        of_user = ops.linear(ops.rows(a["mlp.user"], users), a["layer1.user"], a["layer1.bias"])
        of_item = ops.linear(ops.dense(a["mlp.item"]), a["layer1.item"])
        output = ops.dense(a["output.mlp"])[0]
        scores = np.empty(gmf.shape, np.float32)
        step = max(1, 2**12 // max(1, of_item.shape[0]))  # users a block: 4,096 pairs stay in the cache
        for start in range(0, len(users), step):
            pairs = of_user[start : start + step, None] + of_item
            hidden = self._perceptron(a, pairs.reshape(-1, pairs.shape[-1]))
            scores[start : start + step] = gmf[start : start + step] + (hidden @ output).view(pairs.shape[:2])
        return scores

    def forward(self, given: torch.Tensor) -> torch.Tensor:
        a = {name: ops.dense(array) for name, array in self.arrays.items()}
        gmf = F.linear(a["gmf.user"][given] * a["output.gmf"], a["gmf.item"])
        of_user = F.linear(a["mlp.user"][given], a["layer1.user"], a["layer1.bias"])
        pairs = of_user[:, None] + F.linear(a["mlp.item"], a["layer1.item"])
        return gmf + self._perceptron(a, pairs) @ a["output.mlp"][0]

    def trace(self, users: np.ndarray, items: np.ndarray) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """(m,) scores of m pairs and their activations: {"gmf": (m x d) products, "mlp.user", "mlp.item": (m x d)
        looked-up vectors, "layer1": (m x hidden[0]) and on}."""
        a = self.arrays
        gmf = ops.rows(a["gmf.user"], users) * ops.rows(a["gmf.item"], items)
        user, item = ops.rows(a["mlp.user"], users), ops.rows(a["mlp.item"], items)
        seen = {"gmf": gmf.requires_grad_(), "mlp.user": user.requires_grad_(), "mlp.item": item.requires_grad_()}
        x = torch.relu(ops.linear(user, a["layer1.user"], a["layer1.bias"]) + ops.linear(item, a["layer1.item"]))
        seen["layer1"] = x
        for depth in range(2, len(self.hidden) + 1):
            seen[f"layer{depth}"] = x = torch.relu(ops.linear(x, a[f"layer{depth}.weight"], a[f"layer{depth}.bias"]))
        return (ops.linear(gmf, a["output.gmf"]) + ops.linear(x, a["output.mlp"]))[:, 0], seen

    def readers(self) -> dict[str, tuple[str, str]]:
        """Dimension -> its reader, as in MultVAE. `output.bias` shifts all scores alike, and is no part of them."""
        depth = len(self.hidden)
        next_layer = {f"layer{d}": (f"layer{d + 1}.weight", f"layer{d + 1}.bias") for d in range(1, depth)}
        tables = {f"mlp.{side}": (f"layer1.{side}", "layer1.bias") for side in ("user", "item")}
        last = {"gmf": ("output.gmf", "output.bias"), f"layer{depth}": ("output.mlp", "output.bias")}
        return tables | next_layer | last

    def linear_layers(self, train: Interactions, seed: int) -> dict[str, Linear]:
        """Name -> `Linear`, one row a pair drawn uniformly. The halves of the first layer are layers of their own."""
        seen = self.trace(*any_pairs(train, seed))[1]
        return {weight: Linear(seen[part].detach()) for part, (weight, _) in self.readers().items()}

    def macs(self) -> int:
        tables = ops.count_nonzero(self.arrays["gmf.item"]) + ops.count_nonzero(self.arrays["layer1.user"])
        per_item = sum(
            ops.count_nonzero(array)
            for name, array in self.arrays.items()
            if name == "layer1.item" or name.startswith("output.mlp") or name.endswith(".weight")
        )
        return tables + self._n_rows("item-row") * per_item

    def prunable(self) -> dict[str, torch.Tensor]:
        return {name: array for name, array in self.arrays.items() if not name.endswith(("bias", *DECLARED))}

    def structure(self) -> Structure:
        depth = len(self.hidden)
        neurons = {}
        for layer in range(1, depth + 1):
            into = [("layer1.user", 0), ("layer1.item", 0)] if layer == 1 else [(f"layer{layer}.weight", 0)]
            out = (f"layer{layer + 1}.weight", 1) if layer < depth else ("output.mlp", 1)
            neurons[f"layer{layer}"] = [*into, (f"layer{layer}.bias", 0), out]
        return {
            "neuron": neurons,
            "factor": {
                "gmf": [("gmf.user", 1), ("gmf.item", 1), ("output.gmf", 1)],
                "mlp.user": [("mlp.user", 1), ("layer1.user", 1)],
                "mlp.item": [("mlp.item", 1), ("layer1.item", 1)],
            },
            "user-row": {"users": [("gmf.user", 0), ("mlp.user", 0)]},
            "item-row": {"items": [("gmf.item", 0), ("mlp.item", 0)]},
        }
