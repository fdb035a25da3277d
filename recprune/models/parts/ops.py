"""The few operations a recommender scores with, on dense tensors and on sparse matrices alike.

Every model writes its forward pass once, in these words; a compact model has SciPy matrices where its
dense form has tensors, and scores by the same code. (SciPy's CSR is ahead of torch's on CPUs.)
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import torch
from scipy import sparse
from torch.nn.functional import embedding_bag

Array: TypeAlias = torch.Tensor | sparse.csr_array
ENTRIES = 2**22  # of a dense matrix that are looked at together


def rows(table: Array, index: np.ndarray | torch.Tensor) -> torch.Tensor:
    """(len(index) x d): rows of an embedding table."""
    if isinstance(table, torch.Tensor):
        return table[torch.as_tensor(index, dtype=torch.long, device=table.device)]
    return torch.from_numpy(table[np.asarray(index)].toarray())


def take(array: Array, index: torch.Tensor, axis: int) -> Array:
    """The entries at `index` along an axis; contiguous."""
    if isinstance(array, torch.Tensor):
        return array.index_select(axis, index).contiguous()
    return array[index.numpy()] if axis == 0 else array[:, index.numpy()]


def linear(x: torch.Tensor, weight: Array, bias: torch.Tensor | None = None) -> torch.Tensor:
    """x W' + b, with x (n x d_in) and W (d_out x d_in)."""
    if isinstance(weight, torch.Tensor):
        return torch.nn.functional.linear(x, weight, bias)
    product = torch.from_numpy(np.ascontiguousarray((weight @ x.numpy().T).T))
    return product if bias is None else product + bias


def sparse_rows_times(x: sparse.csr_array, table: Array) -> np.ndarray:
    """X W for sparse X (n x m): (n x d), dense. The histories of users times one row per item.

    Where all is float32, torch adds up the rows in SciPy's order in a third of the time; the bits are SciPy's where
    the values of X are 1, and else a product is not rounded before it is added.
    """
    if isinstance(table, torch.Tensor):
        if x.dtype == np.float32 and table.dtype == torch.float32 and table.numel():
            index, start, weight = (torch.from_numpy(a) for a in (x.indices, x.indptr[:-1], x.data))
            return embedding_bag(index, table, start, mode="sum", per_sample_weights=weight).numpy()
        return x @ table.numpy()
    return (x @ table).toarray()


def spans(start: np.ndarray, length: np.ndarray) -> np.ndarray:
    """(length.sum(),) int64: start[0], start[0] + 1, ... and so on through every span, one after the other."""
    end = np.cumsum(length, dtype=np.int64)
    return np.repeat(start - (end - length), length) + np.arange(end[-1] if len(end) else 0)


def entries(x: sparse.csr_array, chosen: np.ndarray) -> sparse.csr_array:
    """The entries at which `chosen` (nnz,) is True, and no others."""
    before = np.zeros(x.nnz + 1, x.indptr.dtype)
    np.cumsum(chosen, out=before[1:])
    return sparse.csr_array((x.data[chosen], x.indices[chosen], before[x.indptr]), shape=x.shape)


def unit_rows(x: sparse.csr_array) -> sparse.csr_array:
    """The matrix with each row divided by its Euclidean norm."""
    row = np.repeat(np.arange(x.shape[0]), np.diff(x.indptr))
    norm = np.sqrt(np.bincount(row, np.square(x.data), x.shape[0]))
    scale = (1 / np.maximum(norm, 1e-12)).astype(np.float32)
    return sparse.csr_array((x.data * scale[row], x.indices, x.indptr), shape=x.shape)


def squared_rows(array: Array) -> np.ndarray:
    """(n,) the squared Euclidean length of each row."""
    if isinstance(array, torch.Tensor):
        return array.square().sum(1).numpy()
    return np.asarray(array.multiply(array).sum(axis=1)).ravel()


def dense(array: Array) -> torch.Tensor:
    """The array as a dense tensor (itself, where it is one)."""
    return array if isinstance(array, torch.Tensor) else torch.from_numpy(array.toarray())


def count_nonzero(array: Array) -> int:
    """Number of entries that are not zero."""
    if isinstance(array, torch.Tensor):
        return int(torch.count_nonzero(array))
    return int(np.count_nonzero(array.data))


def finite(array: Array) -> bool:
    """Whether no stored value is infinite or not a number."""
    return bool(np.isfinite(array.numpy() if isinstance(array, torch.Tensor) else array.data).all())


def n_bytes(array: Array) -> int:
    """Bytes in memory, indices included."""
    if isinstance(array, torch.Tensor):
        return array.numel() * array.element_size()
    return array.data.nbytes + array.indices.nbytes + array.indptr.nbytes


def smallest_in_memory(array: Array) -> Array:
    """The array in the form that takes fewer bytes in memory: dense, 4 an entry, or CSR, 8 a non-zero, 4 a row."""
    if isinstance(array, torch.Tensor) and (array.ndim != 2 or not array.is_floating_point()):
        return array
    rows, columns = array.shape
    if 8 * count_nonzero(array) + 4 * (rows + 1) >= 4 * rows * columns:
        return dense(array)
    if isinstance(array, torch.Tensor):
        return to_csr(array)
    matrix = array.copy()
    matrix.eliminate_zeros()
    return matrix


def to_csr(array: torch.Tensor) -> sparse.csr_array:
    """The non-zeros of a matrix, in memory of theirs alone: SciPy holds 16 bytes for the place of each meanwhile."""
    data = array.numpy()
    n_rows, n_columns = data.shape
    step = max(1, ENTRIES // max(1, n_columns))
    parts = [slice(row, row + step) for row in range(0, n_rows, step)]
    counts = np.concatenate([[0], *(np.count_nonzero(data[part], axis=1) for part in parts)])
    indptr = np.cumsum(counts, dtype=np.int64)
    kind = sparse.get_index_dtype(maxval=max(int(indptr[-1]), n_columns))
    indices, values = np.empty(indptr[-1], kind), np.empty(indptr[-1], data.dtype)
    for part in parts:
        there = slice(indptr[part.start], indptr[min(part.stop, n_rows)])
        row, column = np.nonzero(data[part])
        indices[there], values[there] = column, data[part][row, column]
    return sparse.csr_array((values, indices, indptr.astype(kind)), shape=data.shape)
