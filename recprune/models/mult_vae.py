"""Mult-VAE: a variational autoencoder with a multinomial likelihood (Liang et al., 2018)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import torch
import torch.nn.functional as F

from recprune.interactions import Interactions
from recprune.models.base import Structure
from recprune.models.descent import GradientModel
from recprune.models.parts import ops
from recprune.models.parts.layers import Linear, glorot, low_precision, sparse_times
from recprune.models.parts.lost_rows import DECLARED
from recprune.models.parts.ranges import Count, NotNegative, Positive, Share, Whole


@dataclass(eq=False, repr=False)
class MultVAE(GradientModel):
    """logits = W_4 tanh(W_3 z + b_3) + b_4, z = W_2 tanh(W_1 x/|x| + b_1) + b_2 at scoring time.

    hidden    width of the layer on either side
    latent    dimension of z
    dropout   share of the history that is hidden from the encoder in training
    beta      largest weight of the KL term, reached linearly over `anneal` epochs (section 2.2.2)
    bfloat16  whether the decoder is multiplied in bfloat16 in training, on processors that have it

    The history is a sparse input: its product with W_1 touches only the rows of what the user has seen.
    The variance half of the encoder's output is needed in training alone and is not part of the model. A weight counts
    as so many draws of the item in the multinomial likelihood, and is the item's entry of x.
    """

    hidden: Count = 300
    latent: Count = 100
    dropout: Share = 0.5
    beta: NotNegative = 0.2
    anneal: Whole = 30
    learning_rate: Positive = 1e-3
    l2: NotNegative = 0.0
    batch_size: Count = 128
    epochs: Whole = 150
    patience: Count = 15
    bfloat16: bool = True

    name: ClassVar[str] = "mult-vae"
    label: ClassVar[str] = "Mult-VAE"
    family: ClassVar[str] = "deep"
    main_size: ClassVar[str] = "hidden"
    other_sizes: ClassVar[tuple[str, ...]] = ("latent",)
    folds_in: ClassVar[bool] = True
    takes: ClassVar[str] = "histories"
    in_common: ClassVar[tuple[int, ...]] = (1,)
    seconds_a_fit: ClassVar[float] = 10.0
    tiny: ClassVar[dict[str, Any]] = {"hidden": 8, "latent": 4, "epochs": 1}
    search: ClassVar[dict[str, Any]] = {
        "hidden": {"choices": [300, 600]},
        "latent": {"choices": [32, 64, 128, 200]},
        "dropout": {"low": 0.3, "high": 0.8},
        "beta": {"low": 0.05, "high": 0.6},
        "anneal": {"low": 10, "high": 100, "log": True},
        "learning_rate": {"low": 3e-4, "high": 4e-3, "log": True},
        "l2": {"choices": [0.0, 1e-6, 1e-5]},
        "batch_size": {"choices": [64, 128, 256, 512]},
    }

    def smaller(self, share: float) -> Self:
        """A model with `share` of the hidden width, which the size is linear in, and of the latent dimension."""
        return self._resized(hidden=share * self.hidden, latent=share * self.latent)

    def initialise(self, generator: torch.Generator) -> None:
        n, hidden, latent = self.n_items, self.hidden, self.latent
        self.arrays = {
            "encoder.weight": glorot(generator, n, hidden),  # one row per item: W_1 transposed
            "encoder.bias": torch.zeros(hidden),
            "latent.weight": glorot(generator, latent, hidden),
            "latent.bias": torch.zeros(latent),
            "decoder.weight": glorot(generator, hidden, latent),
            "decoder.bias": torch.zeros(hidden),
            "output.weight": glorot(generator, n, hidden),
            "output.bias": torch.zeros(n),
        }
        self._draw_variance(generator)

    def complete(self, seed: int) -> None:
        """The half of the encoder that a compact model lacks, where it does, gets initial values."""
        if not self.auxiliary:
            self._draw_variance(torch.Generator().manual_seed(seed))

    def _draw_variance(self, generator: torch.Generator) -> None:
        latent, hidden = self.arrays["latent.weight"].shape
        self.auxiliary = {
            "variance.weight": glorot(generator, latent, hidden),
            "variance.bias": torch.full((latent,), -3.0),
        }

    def batches(self, train: Interactions, rng: np.random.Generator, epoch: int) -> Iterator[tuple]:
        matrix = train.tocsr()
        active = np.flatnonzero(np.diff(matrix.indptr))
        order = rng.permutation(active)
        steps = -(-len(order) // self.batch_size)
        for step, start in enumerate(range(0, len(order), self.batch_size)):
            beta = self.beta * min(1.0, (epoch + step / steps) / max(1, self.anneal))
            yield matrix[order[start : start + self.batch_size]], beta

    def loss(self, arrays: dict[str, torch.Tensor], batch: tuple, generator: torch.Generator) -> torch.Tensor:
        matrix, beta = batch
        keep = torch.rand(matrix.nnz, generator=generator) >= self.dropout
        shown = ops.entries(ops.unit_rows(matrix), keep.numpy())
        shown.data /= 1 - self.dropout
        h = torch.tanh(sparse_times(shown, arrays["encoder.weight"]) + arrays["encoder.bias"])
        mean = F.linear(h, arrays["latent.weight"], arrays["latent.bias"])
        log_variance = F.linear(h, arrays["variance.weight"], arrays["variance.bias"])
        z = mean + torch.randn(mean.shape, generator=generator).to(mean.device) * torch.exp(0.5 * log_variance)
        with low_precision(self.bfloat16):
            logits = self._decode(arrays, z).float()
        wanted = torch.from_numpy(matrix.toarray()).to(logits.device)
        likelihood = (wanted * F.log_softmax(logits, 1)).sum() / len(logits)
        divergence = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(1).mean()
        return beta * divergence - likelihood

    def _decode(self, arrays, z: torch.Tensor) -> torch.Tensor:
        h = torch.tanh(ops.linear(z, arrays["decoder.weight"], arrays["decoder.bias"]))
        return ops.linear(h, arrays["output.weight"], arrays["output.bias"])

    def forward(self, given: torch.Tensor) -> torch.Tensor:
        a = {name: ops.dense(array) for name, array in self.arrays.items()}
        x = given / given.square().sum(1, keepdim=True).sqrt().clamp(min=1e-12)
        encoder = torch.tanh(x @ a["encoder.weight"] + a["encoder.bias"])
        return self._decode(a, F.linear(encoder, a["latent.weight"], a["latent.bias"]))

    @torch.no_grad()
    def _score_rows(self, histories):
        decoder = self._hidden(histories)[2]
        return ops.linear(decoder, self.arrays["output.weight"], self.arrays["output.bias"]).numpy()

    def _hidden(self, histories) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Activations at scoring time: encoder (m x hidden), latent (m x latent), decoder (m x hidden)."""
        a = self.arrays
        first = torch.from_numpy(ops.sparse_rows_times(ops.unit_rows(histories), a["encoder.weight"]))
        encoder = torch.tanh(first + a["encoder.bias"])
        latent = ops.linear(encoder, a["latent.weight"], a["latent.bias"])
        return encoder, latent, torch.tanh(ops.linear(latent, a["decoder.weight"], a["decoder.bias"]))

    def trace(self, users: np.ndarray, items: np.ndarray) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """(m,) scores of m pairs, and their activations, a row for each pair though they differ by user alone:
        {"encoder": (m x hidden), "latent": (m x latent), "decoder": (m x hidden)}."""
        a = self.arrays
        known, which = np.unique(users, return_inverse=True)
        encoder = self._hidden(self._fitted[known])[0][which].requires_grad_()
        latent = ops.linear(encoder, a["latent.weight"], a["latent.bias"])
        decoder = torch.tanh(ops.linear(latent, a["decoder.weight"], a["decoder.bias"]))
        scores = (decoder * ops.rows(a["output.weight"], items)).sum(1) + a["output.bias"][items]
        return scores, {"encoder": encoder, "latent": latent, "decoder": decoder}

    def readers(self) -> dict[str, tuple[str, str]]:
        """Dimension -> the weights that multiply its activations, along axis 1, and the bias that they are added to.

        What the units of a dimension have in common for all pairs can so be taken in by a bias.
        """
        return {
            "encoder": ("latent.weight", "latent.bias"),
            "latent": ("decoder.weight", "decoder.bias"),
            "decoder": ("output.weight", "output.bias"),
        }

    def linear_layers(self, train: Interactions, seed: int) -> dict[str, Linear]:
        """Name -> `Linear`: what the four matrices multiply, one row a user."""
        history = ops.unit_rows(train.tocsr())
        inputs = dict(zip(self.readers(), self._hidden(train.tocsr()), strict=True))
        layers = {weight: Linear(inputs[part]) for part, (weight, _) in self.readers().items()}
        return {"encoder.weight": Linear(history, axis=0), **layers}

    def macs(self) -> int:
        encoder = self._mean_history() * ops.count_nonzero(self.arrays["encoder.weight"]) / max(1, self.n_items)
        rest = sum(
            ops.count_nonzero(self.arrays[name]) for name in ("latent.weight", "decoder.weight", "output.weight")
        )
        return int(encoder + rest)

    def prunable(self) -> dict[str, torch.Tensor]:
        return {name: array for name, array in self.arrays.items() if not name.endswith(("bias", *DECLARED))}

    def structure(self) -> Structure:
        return {
            "neuron": {
                "encoder": [("encoder.weight", 1), ("encoder.bias", 0), ("latent.weight", 1)],
                "decoder": [("decoder.weight", 0), ("decoder.bias", 0), ("output.weight", 1)],
            },
            "factor": {"latent": [("latent.weight", 0), ("latent.bias", 0), ("decoder.weight", 1)]},
            "item-row": {"items": [("encoder.weight", 0), ("output.weight", 0), ("output.bias", 0)]},
        }
