"""Products of items, G = X'X (n x n), as far as somebody asks for them.

Of a small catalogue all are computed once. Of a large one they are counted anew for each few items that are asked for
together: memory in proportion to the interactions, whatever the number of items.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Protocol

import numpy as np
from scipy import sparse

from recprune.models.parts import ops
from recprune.models.parts.parallel import on_all_threads

DENSE_BYTES = 3_000_000_000  # of a matrix of all products, float32: 27,386 items
PAIRS = 1 << 22  # products of one block that are held at once
ROWS = 1 << 24  # users times lists of one block, up to MANY users
MANY = 1 << 16  # users, from which the pairs of a list and a user that occur are numbered, not all there might be
LISTS = 1 << 8  # of one block, from then on
ADDED = 10_000  # products that are added up for an item, from which it is looked at alone


class Gram(Protocol):
    """The products of items, by parts."""

    def among(self, index: np.ndarray, there: np.ndarray) -> np.ndarray:
        """(b x w x w) float32: of each of b lists of items (b x w), the products between its items.

        Zero wherever `there` (b x w) is False.
        """
        ...

    def cost(self) -> np.ndarray:
        """(n,) what an item of a list adds to the memory of a block."""
        ...

    def most_lists(self) -> int:
        """How many lists a block may have."""
        ...


def gram_of(matrix: sparse.csr_array, out: np.ndarray | None = None) -> Gram:
    """The products of the columns of a matrix X (m x n): all of them at once where they take at most DENSE_BYTES.

    out   (n x n) float32: memory that these may be written to; None: new memory
    """
    return DenseGram(matrix, out) if 4 * matrix.shape[1] ** 2 <= DENSE_BYTES else SparseGram(matrix)


class DenseGram:
    """All products, in one matrix."""

    def __init__(self, matrix: sparse.csr_array, out: np.ndarray | None = None):
        self.products = dense_products(matrix, np.float32, out)

    def among(self, index: np.ndarray, there: np.ndarray) -> np.ndarray:
        """See `Gram`."""
        found = self.products[index[:, :, None], index[:, None, :]]
        found *= there[:, :, None]
        found *= there[:, None, :]
        return found

    def cost(self) -> np.ndarray:
        """See `Gram`."""
        return np.zeros(len(self.products), np.int64)

    def most_lists(self) -> int:
        """See `Gram`."""
        return PAIRS


class SparseGram:
    """The products of the items of a list, from those users alone who have one of them.

    All lists of a block are counted in one sparse product: its rows are pairs of a list and a user. Of many users few
    are in a pair: to count through all of them would take a catalogue of a million items ten times as long.
    """

    def __init__(self, matrix: sparse.csr_array):
        self.columns = sparse.csc_array(matrix, dtype=np.float32)

    def among(self, index: np.ndarray, there: np.ndarray) -> np.ndarray:
        """See `Gram`."""
        n_lists, width = index.shape
        n_users = self.columns.shape[0]
        place = np.flatnonzero(there)
        items = index.ravel()[place]
        start, size = self.columns.indptr[items], np.diff(self.columns.indptr)[items]
        entry = ops.spans(start, size)
        lists, users = np.repeat(place // width, size), self.columns.indices[entry]
        if n_users > MANY:
            row, n_pairs = numbered(lists, users, n_lists, n_users)
        else:
            row, n_pairs = users + lists * n_users, n_lists * n_users
        indptr = np.zeros(n_lists * width + 1, np.int32)
        indptr[place + 1] = size
        by_item = sparse.csr_array(
            (self.columns.data[entry], row.astype(np.int32), np.cumsum(indptr, dtype=np.int32)),
            shape=(n_lists * width, n_pairs),
        )
        products = by_item @ by_item.T.tocsr()
        found = np.zeros((n_lists * width, width), np.float32)
        at = np.repeat(np.arange(n_lists * width) * width, np.diff(products.indptr)) + products.indices % width
        found.ravel()[at] = products.data
        return found.reshape(n_lists, width, width)

    def cost(self) -> np.ndarray:
        """See `Gram`."""
        return np.diff(self.columns.indptr).astype(np.int64)

    def most_lists(self) -> int:
        """See `Gram`."""
        n_users = self.columns.shape[0]
        return LISTS if n_users > MANY else ROWS // max(1, n_users)


def numbered(lists: np.ndarray, users: np.ndarray, n_lists: int, n_users: int) -> tuple[np.ndarray, int]:
    """((m,) numbers, how many there are): equal pairs of a list and a user have one number; in the order of the pairs.

    Two counting sorts, by the lower bits of the user, then by all else, so that memory is in proportion to the pairs.
    """
    low = (max(1, n_users - 1)).bit_length() // 2
    order = _order(users & ((1 << low) - 1), 1 << low)
    high = (n_users >> low) + 1
    order = order[_order(lists[order] * high + (users[order] >> low), n_lists * high)]
    lists, users = lists[order], users[order]
    is_new = np.append(True, (np.diff(lists) != 0) | (np.diff(users) != 0))[: len(order)]
    number = np.empty(len(order), np.int64)
    number[order] = np.cumsum(is_new) - 1
    return number, int(is_new.sum())


def _order(keys: np.ndarray, n: int) -> np.ndarray:
    """(m,) the stable order of whole numbers below n, by counting: SciPy's conversion of one row to columns."""
    m = len(keys)
    row = sparse.csr_array((np.arange(m, dtype=np.int32), keys.astype(np.int32), np.array([0, m], np.int32)), (1, n))
    return row.tocsc().data


def dense_products(matrix: sparse.csr_array, kind: type, out: np.ndarray | None = None) -> np.ndarray:
    """(n x n) X'X of the columns of X (m x n), in the precision `kind`, some columns at a time.

    out   (n x n) of that kind: the memory that it is written to; None: new memory

    Every product is added up over the users in their order, so that both halves are the same to the bit.
    """
    n = matrix.shape[1]
    found = np.empty((n, n), kind) if out is None else out
    rows, columns = sparse.csr_array(matrix), sparse.csc_array(matrix)
    added = np.square(np.diff(rows.indptr).astype(float)).sum()
    products = _by_column if added > ADDED * n else _by_block
    step = max(1, PAIRS // max(1, n))

    def fill(first: int) -> None:
        last = min(first + step, n)
        products(columns[:, first:last], rows[:, first:], found[first:last, first:])
        found[last:, first:last] = found[first:last, last:].T

    on_all_threads(fill, range(0, n, step))
    return found


def _by_column(columns: sparse.csc_array, later: sparse.csr_array, found: np.ndarray) -> None:
    """The products of some items with these and all `later` ones: each from its own users' rows."""
    for row, (first, last) in enumerate(pairwise(columns.indptr)):
        found[row] = later[columns.indices[first:last]].T @ columns.data[first:last]


def _by_block(columns: sparse.csc_array, later: sparse.csr_array, found: np.ndarray) -> None:
    """As `_by_column`, in one sparse product: five times slower an addition, without a beginning for each item."""
    found[:] = (columns.T @ later).toarray()
