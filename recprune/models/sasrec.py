"""SASRec: self-attention over a user's history in the order of time (Kang and McAuley, 2018)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import torch
import torch.nn.functional as F

from recprune.interactions import DataError, Interactions
from recprune.models.base import Structure
from recprune.models.descent import GradientModel
from recprune.models.parts import ops, sample_weights
from recprune.models.parts.layers import dropout, lookup, low_precision, normal
from recprune.models.parts.lost_rows import DECLARED
from recprune.models.parts.ranges import Count, NotNegative, Positive, Share, Whole

PADDING = -1  # no item's code


@dataclass(eq=False, repr=False)
class SASRec(GradientModel):
    """score_i = F_t . M_i, with F_t the last state of `blocks` causal self-attention blocks over M_s + P.

    E = M_s + P (eq. 1); in each block S = x + attention(LN(x) W_Q, x W_K, x W_V) (eq. 2, 3) and
    F = S + relu(LN(S) W_1 + b_1) W_2 + b_2 (eq. 4, 5). The item embedding M is shared by input and output.

    factors     dimension of the items' embedding and of every state
    blocks      number of attention blocks
    heads       number of attention heads; they divide `factors`
    hidden      width of the feed-forward layers
    max_length  the latest so many interactions of a history are looked at
    dropout     share of each state that is dropped in training
    candidates  items drawn, uniformly, as negatives for a batch; 0 takes the whole catalogue
    bf16        matrix products of training in bfloat16, where the processor has it

    `batch_size` counts sequences. Training reads every position of every history, cut into pieces of `max_length`, at
    once. The loss is the softmax cross-entropy of the next item, which ranks better than the
    paper's binary one with a single negative (Klenitskiy and Vasilev, 2023); over a sample of n of N items, the
    negatives' logits are raised by log(N / n). A weight counts at the interaction that is to be predicted.
    """

    factors: Count = 64
    blocks: Count = 2
    heads: Count = 2
    hidden: Count = 128
    max_length: Count = 100
    dropout: Share = 0.2
    candidates: Whole = 0
    bf16: bool = False
    learning_rate: Positive = 2e-3
    l2: NotNegative = 0.0
    batch_size: Count = 32
    epochs: Whole = 100
    patience: Count = 8

    name: ClassVar[str] = "sasrec"
    label: ClassVar[str] = "SASRec"
    family: ClassVar[str] = "deep"
    main_size: ClassVar[str] = "factors"
    other_sizes: ClassVar[tuple[str, ...]] = ("hidden",)
    folds_in: ClassVar[bool] = True
    in_common: ClassVar[tuple[int, ...]] = (2,)
    needs_times: ClassVar[bool] = True
    seconds_a_fit: ClassVar[float] = 60.0
    tiny: ClassVar[dict[str, Any]] = {"factors": 4, "hidden": 8, "max_length": 10, "epochs": 1}
    search: ClassVar[dict[str, Any]] = {
        "factors": {"choices": [32, 64, 128]},
        "blocks": {"choices": [1, 2]},
        "heads": {"choices": [1, 2]},
        "hidden": {"choices": [64, 128, 256]},
        "max_length": {"choices": [50, 100, 200]},
        "dropout": {"low": 0.1, "high": 0.5},
        "learning_rate": {"low": 5e-4, "high": 4e-3, "log": True},
        "batch_size": {"choices": [16, 32, 64]},
    }

    def __post_init__(self):
        super().__post_init__()
        if self.factors % self.heads:
            raise ValueError(f"sasrec: heads={self.heads} does not divide factors={self.factors}")

    def smaller(self, share: float) -> Self:
        """`share` of the factors, rounded to a multiple of the heads, and of the hidden width."""
        return self._resized(
            factors=self.heads * max(1, round(share * self.factors / self.heads)), hidden=share * self.hidden
        )

    def _grain(self) -> int:
        return self.heads

    def _know(self, train):
        if train.timestamp is None:
            raise DataError(f"{train.name}: sasrec needs times; give a timestamp column")
        super()._know(train)

    def _histories_of(self, log):
        return log.sequences()

    def initialise(self, generator: torch.Generator) -> None:
        d, h = self.factors, self.hidden
        draw = {"item": (self.n_items, d), "position": (self.max_length, d)}
        for b in self._blocks():
            draw |= {f"{b}.{part}": (d, d) for part in ("query", "key", "value")}
            draw |= {f"{b}.up": (h, d), f"{b}.down": (d, h)}
        self.arrays = {name: normal(generator, *shape, scale=shape[1] ** -0.5) for name, shape in draw.items()}
        for b in self._blocks():
            self.arrays |= {f"{b}.up.bias": torch.zeros(h), f"{b}.down.bias": torch.zeros(d)}
        for norm in (*(f"{b}.norm{i}" for b in self._blocks() for i in (1, 2)), "norm"):
            self.arrays |= {f"{norm}.scale": torch.ones(d), f"{norm}.bias": torch.zeros(d)}

    def _blocks(self) -> list[str]:
        return [f"block{b}" for b in range(1, self.blocks + 1)]

    def batches(self, train: Interactions, rng: np.random.Generator, epoch: int) -> Iterator[tuple]:
        """Sequences of like length share a batch; batches come in random order."""
        history = train.sequences()
        first, length = _pieces(history.indptr, self.max_length + 1, rng)
        order = np.lexsort((rng.random(len(length)), length))
        starts = np.arange(0, len(order), self.batch_size)
        for start in rng.permutation(starts):
            part = order[start : start + self.batch_size]
            items = None
            if 0 < self.candidates < self.n_items:
                items = torch.from_numpy(np.sort(rng.choice(self.n_items, self.candidates, replace=False)))
            values = (history.indices, history.data) if sample_weights.differ(train) else (history.indices,)
            codes, *weight = (torch.from_numpy(_table(v, first[part], length[part])) for v in values)
            yield codes, torch.from_numpy(length[part]), items, *weight

    def weight(self, batch: tuple) -> float:
        """What is to be predicted: every entry of a sequence but the first."""
        _, length, _, *weight = batch
        return float(weight[0][:, 1:].sum()) if weight else int((length - 1).sum())

    def loss(self, arrays: dict[str, torch.Tensor], batch: tuple, generator: torch.Generator) -> torch.Tensor:
        codes, length, items, *weight = batch
        state = self._states(arrays, codes[:, :-1], length - 1, generator)
        there = torch.arange(codes.shape[1] - 1, device=codes.device) < length[:, None] - 1
        state, target = state[there], codes[:, 1:][there]
        weight = [w[:, 1:][there] for w in weight]  # of what is to be predicted
        with low_precision(self.bf16):
            if items is None:
                logits = (state @ arrays["item"].T).float()
                losses = F.cross_entropy(logits, target, reduction="none" if weight else "mean")
                return sample_weights.mean(losses, *weight)
            negative = (state @ lookup(arrays["item"], items).T).float() + np.log(self.n_items / len(items))
        positive = (state * lookup(arrays["item"], target)).sum(1, keepdim=True)
        negative = negative.masked_fill(items == target[:, None], -torch.inf)
        return sample_weights.mean(torch.cat([positive, negative], 1).logsumexp(1) - positive[:, 0], *weight)

    def _states(self, arrays, codes, length, generator=None) -> torch.Tensor:
        """(b x l x d): the last block's output at every position of the sequences (b x l), which end in padding.

        A position sees itself and what comes before it, never the padding. Places are counted from the end of the
        sequence, so that the latest interaction always has the same one.
        """
        x = dropout(self._embedded(arrays, codes, length), self.dropout, generator)
        for b in self._blocks():
            x = x + dropout(self._attention(arrays, b, x), self.dropout, generator)
            h = torch.relu(_linear(_norm(arrays, f"{b}.norm2", x), arrays, f"{b}.up"))
            x = x + dropout(_linear(dropout(h, self.dropout, generator), arrays, f"{b}.down"), self.dropout, generator)
        return _norm(arrays, "norm", x)

    def _embedded(self, arrays, codes, length) -> torch.Tensor:
        """(b x l x d): the items' vectors and those of their places.

        Padding has the vector 0, so that an empty history is read as one place without an item.
        """
        table, d = arrays["item"], self.factors
        index = codes.clamp(min=0).reshape(-1)
        x = lookup(table, index) if _learns(table) else ops.rows(table, index)
        at = torch.arange(codes.shape[1], device=codes.device)
        place = (self.max_length - length[:, None] + at).clamp(max=self.max_length - 1)
        x = (x.view(*codes.shape, d) * d**0.5).masked_fill((codes == PADDING)[..., None], 0.0)
        return x + F.embedding(place, ops.dense(arrays["position"]))

    def _attention(self, arrays, b: str, x: torch.Tensor) -> torch.Tensor:
        query, key, value = (
            _linear(y, arrays, f"{b}.{part}").unflatten(2, (self.heads, -1)).transpose(1, 2)
            for part, y in (("query", _norm(arrays, f"{b}.norm1", x)), ("key", x), ("value", x))
        )
        return F.scaled_dot_product_attention(query, key, value, is_causal=True).transpose(1, 2).flatten(2)

    @torch.no_grad()
    def _score_rows(self, histories, block: int = 256):
        scores = np.empty(histories.shape, np.float32)
        length = np.minimum(np.diff(histories.indptr), self.max_length)
        order = np.argsort(length, kind="stable")
        for start in range(0, len(order), block):
            part = order[start : start + block]
            codes = _table(histories.indices, histories.indptr[part + 1] - length[part], length[part])
            state = self._states(self.arrays, torch.from_numpy(codes), torch.from_numpy(length[part]))
            last = state[torch.arange(len(part)), torch.from_numpy(np.maximum(length[part] - 1, 0))]
            scores[part] = ops.linear(last, self.arrays["item"])
        return scores

    def trace(self, users: np.ndarray, items: np.ndarray) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """(m,) scores of m pairs, and the neurons at the last position: {"block1": (m x hidden) and on}.

        The state of the last position is computed for each pair; what it attends to, the states of earlier
        positions, is the same for all pairs of a user, and is held constant.
        """
        a = self.arrays
        known, which = np.unique(users, return_inverse=True)
        history = self._fitted[known]
        length = np.minimum(np.diff(history.indptr), self.max_length)
        codes = _table(history.indices, history.indptr[1:] - length, length)
        end = torch.from_numpy(np.maximum(length - 1, 0))
        earlier = self._embedded(a, torch.from_numpy(codes), torch.from_numpy(length))
        last, neurons = earlier[torch.arange(len(end)), end][which], {}
        for b in self._blocks():
            last = last + self._last_attention(a, b, earlier, last, end, which)
            h = torch.relu(_linear(_norm(a, f"{b}.norm2", last), a, f"{b}.up"))
            neurons[b] = h = h if h.requires_grad else h.requires_grad_()
            last = last + _linear(h, a, f"{b}.down")
            x = earlier + self._attention(a, b, earlier)
            earlier = x + _linear(torch.relu(_linear(_norm(a, f"{b}.norm2", x), a, f"{b}.up")), a, f"{b}.down")
        return (_norm(a, "norm", last) * ops.rows(a["item"], items)).sum(1), neurons

    def _last_attention(self, a, b: str, earlier, last, end, which) -> torch.Tensor:
        """(m x d): what m last positions attend to: earlier ones (u x l x d) of m users `which` of u, and themselves.

        end   (u,) number of earlier positions
        """

        def heads(x):
            return x.unflatten(-1, (self.heads, -1))

        query = heads(_linear(_norm(a, f"{b}.norm1", last), a, f"{b}.query"))
        own = [heads(_linear(last, a, f"{b}.{part}")) for part in ("key", "value")]
        key, value = (heads(_linear(earlier, a, f"{b}.{part}"))[which] for part in ("key", "value"))
        logits = torch.einsum("mhd,mlhd->mhl", query, key)
        later = torch.arange(earlier.shape[1]) >= end[which][:, None]
        logits = torch.cat([logits.masked_fill(later[:, None], -torch.inf), (query * own[0]).sum(2, keepdim=True)], 2)
        weight = torch.softmax(logits / query.shape[2] ** 0.5, 2)
        return (torch.einsum("mhl,mlhd->mhd", weight[..., :-1], value) + weight[..., -1:] * own[1]).flatten(1)

    def readers(self) -> dict[str, tuple[str, str]]:
        """Block -> its reader, as in MultVAE.

        The mean at the last position is taken in at every position; in the last block that is exact.
        """
        return {b: (f"{b}.down", f"{b}.down.bias") for b in self._blocks()}

    def macs(self) -> int:
        seen = min(self._mean_history(), self.max_length)
        in_blocks = sum(
            ops.count_nonzero(a) for name, a in self.arrays.items() if name.startswith("block") and a.ndim == 2
        )
        attention = self.blocks * self.factors * seen * (seen + 1)  # half of the pairs, in two products
        return int(seen * in_blocks + attention + ops.count_nonzero(self.arrays["item"]))

    def prunable(self) -> dict[str, torch.Tensor]:
        untouched = ("bias", "scale", *DECLARED)
        return {name: array for name, array in self.arrays.items() if not name.endswith(untouched)}

    def structure(self) -> Structure:
        return {
            "neuron": {b: [(f"{b}.up", 0), (f"{b}.up.bias", 0), (f"{b}.down", 1)] for b in self._blocks()},
            "item-row": {"items": [("item", 0)]},
        }


def _pieces(indptr: np.ndarray, size: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """First entry and length of the pieces, of at most `size` and at least 2, that histories are cut into.

    A piece begins with the entry that the one before it ends with, so that every entry but a history's first is
    to be predicted once.
    """
    n = np.diff(indptr)
    count = np.maximum(1, -(-(n - 1) // (size - 1)))
    number = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    last = np.repeat(indptr[1:], count) - number * (size - 1)  # cut from the end
    first = np.maximum(np.repeat(indptr[:-1], count), last - size)
    long_enough = last - first >= 2
    return first[long_enough], (last - first)[long_enough]


def _table(values: np.ndarray, first: np.ndarray, length: np.ndarray) -> np.ndarray:
    """(b x longest): `length` entries of `values` from `first` on; codes as int64, then PADDING, weights, then 0."""
    places = np.arange(max(1, length.max(initial=1)))
    there = places < length[:, None]
    codes = values.dtype.kind == "i"
    table = np.full(there.shape, PADDING if codes else 0, np.int64 if codes else values.dtype)
    table[there] = values[(first[:, None] + places)[there]]
    return table


def _learns(table: ops.Array) -> bool:
    return isinstance(table, torch.Tensor) and table.requires_grad and torch.is_grad_enabled()


def _linear(x: torch.Tensor, arrays, name: str) -> torch.Tensor:
    flat = ops.linear(x.reshape(-1, x.shape[-1]), arrays[name], arrays.get(f"{name}.bias"))
    return flat.view(*x.shape[:-1], -1)


def _norm(arrays, name: str, x: torch.Tensor) -> torch.Tensor:
    return F.layer_norm(x, x.shape[-1:], arrays[f"{name}.scale"], arrays[f"{name}.bias"])
