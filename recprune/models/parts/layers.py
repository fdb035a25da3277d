"""What the forward passes of training are made of: look-ups, dropout, initial values, and cheap multiplications."""

from __future__ import annotations

import math
from contextlib import nullcontext
from typing import NamedTuple

import torch
import torch.nn.functional as F
from scipy import sparse

from recprune.models.parts import ops


class Linear(NamedTuple):
    """A weight matrix's side of a product, for criteria that look at a layer's inputs.

    inputs   (m x d_in), dense or sparse
    axis     of the weight along which the inputs run: 1 for (d_out x d_in), 0 for (d_in x d_out)
    ridge    the layer minimises squared errors + ridge * squared weights; 0 where it was trained otherwise
    """

    inputs: torch.Tensor | sparse.csr_array
    axis: int = 1
    ridge: float = 0.0


class _Lookup(torch.autograd.Function):
    """Rows of a table; their gradient is added to `table.grad` where it stands.

    torch's own embedding makes a table of zeros for every backward pass: a third of NeuMF's training time.
    """

    @staticmethod
    def forward(ctx, table, index):
        ctx.table = table
        ctx.save_for_backward(index)
        return table.index_select(0, index)

    @staticmethod
    def backward(ctx, gradient):
        (index,) = ctx.saved_tensors
        if ctx.table.grad is None:
            ctx.table.grad = torch.zeros_like(ctx.table)
        ctx.table.grad.index_add_(0, index, gradient)
        return None, None


def lookup(table: torch.Tensor, index: torch.Tensor) -> torch.Tensor:
    """(*index.shape x d): rows of an embedding table (n x d); differentiable once, in the table."""
    return _Lookup.apply(table, index.reshape(-1)).view(*index.shape, table.shape[1])


class _SparseTimes(torch.autograd.Function):
    """X W; the gradient in W is X' times the gradient of the product: a sum of rows, as the product is.

    torch's own embedding bag sorts its entries for the backward pass, and takes ten times as long.
    """

    @staticmethod
    def forward(ctx, x, table):
        ctx.x = x
        return _product(x, table.detach())

    @staticmethod
    def backward(ctx, gradient):
        return None, _product(ctx.x.T.tocsr(), gradient.contiguous())


def _product(x: sparse.csr_array, table: torch.Tensor) -> torch.Tensor:
    """X W, where W is."""
    if table.device.type == "cpu":
        return torch.from_numpy(ops.sparse_rows_times(x, table))
    index, start, weight = (torch.from_numpy(a).to(table.device) for a in (x.indices, x.indptr[:-1], x.data))
    return F.embedding_bag(index, table, start, mode="sum", per_sample_weights=weight)


def sparse_times(x: sparse.csr_array, table: torch.Tensor) -> torch.Tensor:
    """(n x d): X W for a sparse X (n x m) and a table W (m x d), float32; differentiable once, in the table."""
    return _SparseTimes.apply(x, table)


def dropout(x: torch.Tensor, share: float, generator: torch.Generator | None) -> torch.Tensor:
    """x with a share of its entries dropped, the others scaled up; without a generator (scoring) nothing is dropped.

    `share` is met to 1 / 65,536: 16 random bits an entry cost a third of a random float.
    """
    if generator is None or share == 0:
        return x
    keep = keep_mask(x.numel(), share, generator).view(x.shape).to(x.device)
    return x * keep.to(x.dtype).mul_(0 if share == 1 else 1 / (1 - share))


def keep_mask(n: int, share: float, generator: torch.Generator) -> torch.Tensor:
    """(n,) bool, False with probability `share`."""
    bits = torch.empty(-(-n // 4), dtype=torch.int64).random_(-(2**63), None, generator=generator)
    return bits.view(torch.int16)[:n] >= round(share * 2**16) - 2**15


def low_precision(wanted: bool = True):
    """A context in which matrix products take bfloat16 inputs, on processors that multiply those faster.

    Elsewhere, and where it is not wanted, nothing changes.
    """
    return torch.autocast("cpu", torch.bfloat16) if wanted and has_bfloat16() else nullcontext()


def has_bfloat16() -> bool:
    """Whether this processor multiplies bfloat16 numbers in hardware (torch asks it, in no public function)."""
    return any(getattr(torch.cpu, name, bool)() for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"))


def normal(generator: torch.Generator, *shape: int, scale: float) -> torch.Tensor:
    """Normal random numbers of that standard deviation, around 0."""
    return torch.randn(*shape, generator=generator) * scale


def glorot(generator: torch.Generator, out: int, into: int) -> torch.Tensor:
    """(out x into), uniform in +-sqrt(6 / (out + into)) (Glorot and Bengio, 2010)."""
    return (torch.rand(out, into, generator=generator) * 2 - 1) * math.sqrt(6 / (out + into))
