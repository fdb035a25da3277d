"""DLRM: a feature model, dot products of embedded fields under a perceptron (Naumov et al., 2019)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
import torch
import torch.nn.functional as F
from scipy import sparse

from recprune.interactions import Interactions
from recprune.models.base import Structure
from recprune.models.descent import GradientModel
from recprune.models.parts import attributes, ops
from recprune.models.parts.layers import Linear, glorot, normal, sparse_times
from recprune.models.parts.lost_rows import DECLARED
from recprune.models.parts.negatives import any_pairs
from recprune.models.parts.ranges import Count, NotNegative, Positive, Share, Whole

ID_HIDDEN = 0.5  # share of the users of a batch whose id is hidden
UNTOUCHED = ("codes", "bias", *DECLARED)  # last part of the names of what no mask touches
FIRST = ("layer1.dots", "layer1.user", "layer1.item")
PER_PAIR = ("layer1.dots", "layer1.item", "output.dots", "output.mlp")


@dataclass(eq=False, repr=False)
class DLRM(GradientModel):
    """score = b_i + w . z + h . relu(... relu(W_z z + W_u sum_f e_f + W_i sum_g e_g + b_1) ...), z_fg = e_f . e_g.

    f runs over the fields of the user: the id, the history, and every attribute there is (age, gender,
    occupation); g over those of the item: the id and its attributes (genres, year). A field with several
    values is a bag: the mean of their vectors, for the history their sum divided by its Euclidean norm. With no
    attributes, ids and histories remain.

    factors          dimension of every embedding table
    hidden           widths of the perceptron's layers
    dropout          share of each history that is hidden from the model in training, and is what it has to find
    negative_weight  of an item not interacted with, where one interacted with has 1
    candidates       items drawn, uniformly, for each batch; 0 takes the whole catalogue
    user_id          whether the user's id is a field

    `batch_size` counts users. The loss is the binary cross-entropy of the click label, as in the paper, over all
    pairs of the batch's users and the candidates: products of matrices in place of look-ups of sampled negatives.
    What the history shows is left out: a model that sees its target learns to copy.

    Of the paper's dot products those between a user's and an item's field are taken; the others belong to one
    side alone, and W_u and W_i see each side. So the first layer of all pairs is a sum of products, as in NeuMF.
    User ids start at zero and are hidden at random: a user without one, new or folded in, is at zero and is
    described by history and attributes (compare DropoutNet, Volkovs et al., 2017). A weight multiplies the
    interaction's term of the loss, and its vector in a history.
    """

    factors: Count = 64
    hidden: tuple[Count, ...] = (16, 8)
    dropout: Share = 0.2
    negative_weight: NotNegative = 0.3
    candidates: Whole = 0
    user_id: bool = True
    learning_rate: Positive = 3e-3
    l2: NotNegative = 2e-4
    batch_size: Count = 64
    epochs: Whole = 60
    patience: Count = 6

    name: ClassVar[str] = "dlrm"
    label: ClassVar[str] = "DLRM"
    family: ClassVar[str] = "deep"
    main_size: ClassVar[str] = "factors"
    other_sizes: ClassVar[tuple[str, ...]] = ("hidden",)
    folds_in: ClassVar[bool] = True
    in_common: ClassVar[tuple[int, ...]] = (1,)
    seconds_a_fit: ClassVar[float] = 20.0
    tiny: ClassVar[dict[str, Any]] = {"factors": 4, "hidden": (4, 2), "epochs": 1}
    search: ClassVar[dict[str, Any]] = {
        "factors": {"choices": [32, 64]},
        "hidden": {"choices": [[8], [16, 8], [32, 16]]},
        "dropout": {"low": 0.1, "high": 0.6},
        "user_id": {"choices": [True, False]},
        "negative_weight": {"low": 0.1, "high": 1.0, "log": True},
        "learning_rate": {"low": 1e-3, "high": 6e-3, "log": True},
        "l2": {"low": 1e-6, "high": 1e-3, "log": True},
        "batch_size": {"choices": [32, 64, 128]},
        "fixed": {"candidates": 1024},
    }

    def __post_init__(self):
        super().__post_init__()
        self.hidden = tuple(int(width) for width in self.hidden)
        if not self.hidden:
            raise ValueError("dlrm: hidden needs the width of at least one layer")

    def smaller(self, share: float) -> Self:
        """A model with `share` of the factors and of every layer's width."""
        hidden = tuple(max(1, round(share * width)) for width in self.hidden)
        return replace(self._resized(factors=share * self.factors), hidden=hidden)

    def _know(self, train):
        super()._know(train)
        self.arrays = attributes.of_both_sides(train)

    def _fields(self, side: str) -> list[str]:
        """Names of the embedding tables of one side."""
        return [name for name in self.arrays if name.startswith(side + ".") and not name.endswith(UNTOUCHED)]

    def initialise(self, generator: torch.Generator) -> None:
        d, n = self.factors, self.n_items
        codes = {name: array for name, array in self.arrays.items() if name.endswith("codes")}
        self.arrays = codes | ({"user.id": torch.zeros(self.n_users, d)} if self.user_id else {})
        sizes = {name.removesuffix(".codes"): attributes.n_values(array) for name, array in codes.items()}
        for name, size in {"user.history": n, "item.id": n, **sizes}.items():
            self.arrays[name] = normal(generator, size, d, scale=0.1)
        dots = len(self._fields("user")) * len(self._fields("item"))
        first, layers = self.hidden[0], {}
        for part, width in (("dots", dots), ("user", d), ("item", d)):
            layers[f"layer1.{part}"] = glorot(generator, first, width)
        layers["layer1.bias"] = torch.zeros(first)
        for depth, (into, out) in enumerate(zip(self.hidden, self.hidden[1:], strict=False), start=2):
            layers |= {f"layer{depth}.weight": glorot(generator, out, into), f"layer{depth}.bias": torch.zeros(out)}
        self.arrays |= layers
        self.arrays["output.dots"] = torch.ones(1, dots)
        self.arrays["output.mlp"] = glorot(generator, 1, self.hidden[-1])
        self.arrays["item.bias"] = torch.zeros(n)

    def batches(self, train: Interactions, rng: np.random.Generator, epoch: int) -> Iterator[tuple]:
        matrix = train.tocsr()
        order = rng.permutation(np.flatnonzero(np.diff(matrix.indptr)))
        for start in range(0, len(order), self.batch_size):
            users = order[start : start + self.batch_size]
            items = None
            if 0 < self.candidates < self.n_items:
                items = np.sort(rng.choice(self.n_items, self.candidates, replace=False))
            yield users, items, matrix[users]

    def weight(self, batch: tuple) -> float:
        """What the histories weigh in the candidates; the loss is a mean over a share of it, which chance hides."""
        _, items, matrix = batch
        return float((matrix if items is None else matrix[:, items]).sum())

    def loss(self, arrays: dict[str, torch.Tensor], batch: tuple, generator: torch.Generator) -> torch.Tensor:
        users, items, matrix = batch
        hidden = (torch.rand(matrix.nnz, generator=generator) < self.dropout).numpy()
        known = (torch.rand(len(users), generator=generator) >= ID_HIDDEN).float().to(arrays["item.bias"].device)
        user = self._users(arrays, ops.entries(matrix, ~hidden), users, known)
        logits = self._pairs(arrays, user, self._items(arrays, items))
        seen, wanted = (
            torch.from_numpy((m if items is None else m[:, items]).toarray()).to(logits.device)
            for m in (matrix, ops.entries(matrix, hidden))
        )
        unseen = self.negative_weight * (seen == 0)
        loss = wanted * F.softplus(-logits) + unseen * F.softplus(logits)
        return loss.sum() / wanted.sum().clamp(min=1.0)

    def _users(self, arrays, history, users: np.ndarray | None, known: torch.Tensor | None = None) -> torch.Tensor:
        """(b x fields x d): the histories, then ids and attributes of `users`, or zeros (None) for users unknown.

        known   (b,) 0 where an id is hidden, else 1
        """
        vectors = [_bag(history, arrays["user.history"])]
        for name in self._fields("user"):
            if name == "user.history":
                continue
            if users is None:
                vectors.append(torch.zeros_like(vectors[0]))
            elif name == "user.id":
                vector = self._ids(arrays, users)
                vectors.append(vector if known is None else vector * known[:, None])
            else:
                vectors.append(_mean(arrays[name], arrays[f"{name}.codes"][torch.from_numpy(users)]))
        return torch.stack(vectors, 1)

    def _ids(self, arrays, users: np.ndarray) -> torch.Tensor:
        """(b x d): the users' rows, zeros for a user without one."""
        row = self._user_rows(users)
        vector = ops.rows(arrays["user.id"], np.maximum(row, 0))
        return vector * torch.from_numpy(row >= 0).to(vector.device)[:, None] if "kept_users" in arrays else vector

    def _items(self, arrays, items: np.ndarray | None = None) -> tuple[torch.Tensor, torch.Tensor]:
        """(n x fields x d) vectors, and (n,) biases, of `items`, or of all that have a row."""
        rows = np.arange(len(arrays["item.bias"])) if items is None else items
        vectors = [ops.rows(arrays["item.id"], rows)]
        for name in self._fields("item"):
            if name != "item.id":
                vectors.append(_mean(arrays[name], arrays[f"{name}.codes"][torch.from_numpy(rows)]))
        return torch.stack(vectors, 1), arrays["item.bias"][torch.from_numpy(rows)]

    def _pairs(self, arrays, user: torch.Tensor, items: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
        """(b x n) scores of all pairs of users and items, given their fields' vectors."""
        item, bias = items
        of_user = ops.linear(user.sum(1), arrays["layer1.user"], arrays["layer1.bias"])
        of_item = ops.linear(item.sum(1), arrays["layer1.item"])
        x = torch.relu(_weighted(arrays["layer1.dots"], user, item) + of_user[:, :, None] + of_item.T)
        for depth in range(2, len(self.hidden) + 1):
            x = torch.relu(ops.dense(arrays[f"layer{depth}.weight"]) @ x + arrays[f"layer{depth}.bias"][:, None])
        logit = _weighted(arrays["output.dots"], user, item) + ops.dense(arrays["output.mlp"]) @ x
        return logit[:, 0] + bias

    def _score(self, users):
        return self._of_catalogue(self._scores(self._of_rows(self._fitted[users]), users))

    def _score_rows(self, histories):
        return self._scores(histories, None)

    @torch.no_grad()
    def _scores(self, histories, users: np.ndarray | None) -> np.ndarray:
        user, (item, bias) = self._users(self.arrays, histories, users), self._items(self.arrays)
        scores = np.empty(histories.shape, np.float32)
        step = max(1, 2**14 // max(1, len(bias)))  # users a block: 16,384 pairs stay in the cache
        for start in range(0, len(scores), step):
            scores[start : start + step] = self._pairs(self.arrays, user[start : start + step], (item, bias))
        return scores

    def _layers(self, users, items) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """(m,) scores of m pairs, and by name what is multiplied on the way; "factors" are factors of one."""
        a = self.arrays
        known, which = np.unique(users, return_inverse=True)
        user, (item, bias) = self._users(a, self._fitted[known], known)[which], self._items(a, items)
        factors = torch.ones(len(user), user.shape[2], requires_grad=True)
        item = item * factors[:, None]
        dots = (user @ item.transpose(1, 2)).flatten(1)
        seen = {"factors": factors, "dots": dots, "user": user.sum(1), "item": item.sum(1)}
        first = sum(ops.linear(seen[part], a[f"layer1.{part}"]) for part in ("dots", "user", "item"))
        seen["layer1"] = x = torch.relu(first + a["layer1.bias"])
        for depth in range(2, len(self.hidden) + 1):
            seen[f"layer{depth}"] = x = torch.relu(ops.linear(x, a[f"layer{depth}.weight"], a[f"layer{depth}.bias"]))
        return (ops.linear(dots, a["output.dots"]) + ops.linear(x, a["output.mlp"]))[:, 0] + bias, seen

    def trace(self, users: np.ndarray, items: np.ndarray) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """(m,) scores of m pairs, and their activations: {"layer1": (m x hidden[0]) and on, "factors": (m x d) ones}.

        A factor has no activation of its own, since its products are added up field by field; so the item's vectors
        are multiplied by ones, and the derivative with respect to a one is what the factor adds to the score
        through them, to first order.
        """
        scores, seen = self._layers(users, items)
        return scores, {name: x for name, x in seen.items() if name.startswith(("factors", "layer"))}

    def readers(self) -> dict[str, tuple[str, str]]:
        """Dimension -> its reader, as in MultVAE: of the last layer the items' biases, for all alike."""
        depth = len(self.hidden)
        next_layer = {f"layer{d}": (f"layer{d + 1}.weight", f"layer{d + 1}.bias") for d in range(1, depth)}
        return next_layer | {f"layer{depth}": ("output.mlp", "item.bias")}

    def linear_layers(self, train: Interactions, seed: int) -> dict[str, Linear]:
        """Name -> `Linear`, one row a pair drawn uniformly. The parts of the first layer are layers of their own."""
        seen = self._layers(*any_pairs(train, seed))[1]
        layers = {weight: Linear(seen[part].detach()) for part, (weight, _) in self.readers().items()}
        first = {f"layer1.{part}": Linear(seen[part].detach()) for part in ("dots", "user", "item")}
        return first | {"output.dots": first["layer1.dots"]} | layers

    def macs(self) -> int:
        a, n = self.arrays, self._n_rows("item-row")
        history = self._mean_history() * ops.count_nonzero(a["user.history"]) / max(1, self.n_items)
        attributed = n * a["item.id"].shape[1] * (len(self._fields("item")) - 1)
        dots = len(self._fields("user")) * (ops.count_nonzero(a["item.id"]) + attributed)
        layers = sum(ops.count_nonzero(a[name]) for name in a if name.endswith("weight") or name in PER_PAIR)
        return int(history + ops.count_nonzero(a["layer1.user"]) + dots + n * layers)

    def prunable(self) -> dict[str, torch.Tensor]:
        return {name: array for name, array in self.arrays.items() if not name.endswith(UNTOUCHED)}

    def structure(self) -> Structure:
        depth, neurons = len(self.hidden), {}
        for layer in range(1, depth + 1):
            into = [(name, 0) for name in FIRST] if layer == 1 else [(f"layer{layer}.weight", 0)]
            out = (f"layer{layer + 1}.weight", 1) if layer < depth else ("output.mlp", 1)
            neurons[f"layer{layer}"] = [*into, (f"layer{layer}.bias", 0), out]
        tables = [(name, 1) for side in ("user", "item") for name in self._fields(side)]
        return {
            "neuron": neurons,
            "factor": {"factors": [*tables, ("layer1.user", 1), ("layer1.item", 1)]},
            "item-row": {"items": [("item.id", 0), ("user.history", 0), ("item.bias", 0)]},
        } | ({"user-row": {"users": [("user.id", 0)]}} if self.user_id else {})

    def _cut_with(self, unit):
        """The places where items lose their attributes' codes with their rows.

        Users keep theirs: without an id they are described by them.
        """
        codes = [
            name for name in self.arrays if unit == "item-row" and name.startswith("item.") and name.endswith("codes")
        ]
        return [*super()._cut_with(unit), *((name, 0) for name in codes)]


def _weighted(weight: ops.Array, user: torch.Tensor, item: torch.Tensor) -> torch.Tensor:
    """(b x h x n): sums over the fields f, g of weight_fg e_f . e_g, for h weights (h x fg) and all pairs of b users
    (b x f x d) and n items (n x g x d).

    The weights are multiplied into the users' vectors, before there are pairs: one large product is left.
    """
    (b, f, d), (n, g, _) = user.shape, item.shape
    by_item = ops.dense(weight).view(-1, f, g).transpose(1, 2).reshape(-1, f) @ user  # (b x hg x d)
    return (by_item.view(-1, g * d) @ item.reshape(n, g * d).T).view(b, -1, n)


def _bag(history: sparse.csr_array, table: ops.Array) -> torch.Tensor:
    """(b x d): the sum of the vectors of each history, divided by the history's Euclidean norm."""
    bag = ops.unit_rows(history)
    if not isinstance(table, torch.Tensor):
        return torch.from_numpy(ops.sparse_rows_times(bag, table))
    return sparse_times(bag, table)


def _mean(table: ops.Array, codes: torch.Tensor) -> torch.Tensor:
    """(n x d): the mean vector of each row's values (n x m), zero where it has none."""
    there = (codes >= 0).float()
    vectors = F.embedding(codes.clamp(min=0).long(), ops.dense(table))
    return (vectors * (there / there.sum(1, keepdim=True).clamp(min=1.0))[..., None]).sum(1)
