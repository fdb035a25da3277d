"""Positions in files of format 2, whose values are all float32. They are read, and no longer written.

bitmap    a bit an entry
gaps      a byte a non-zero, how far it is from the one before, row after row; a gap of 255 or more takes further
          bytes (Han et al., 2016)
rows      the columns of the non-zeros, and the number of them in each row
"""

from __future__ import annotations

import math

import numpy as np

from recprune.errors import demand

FAR = 255  # a byte of gaps that says: so much further, and no value there
PARTS = {
    "rows": (".values", ".columns", ".counts"),
    "gaps": (".values", ".gaps"),
    "bitmap": (".values", ".bitmap"),
}


def places(layout: str, parts: dict[str, np.ndarray], shape: tuple[int, int]) -> np.ndarray:
    """Where the non-zeros stand in the raveled matrix, int64; whether they ascend within the shape is not looked at.

    Raises ValueError for parts that are no positions in a matrix of this shape.
    """
    return {"rows": _rows, "gaps": _gaps, "bitmap": _bitmap}[layout](parts, shape)


def _rows(parts, shape) -> np.ndarray:
    counts, columns = (_whole(parts[suffix]) for suffix in (".counts", ".columns"))
    demand(counts.shape == (shape[0],), f"{counts.size:,} rows are counted, and not {shape[0]:,}")
    demand(not (counts < 0).any() and counts.sum() == columns.size, "the rows do not add up to the values")
    demand(not columns.size or 0 <= columns.min() <= columns.max() < shape[1], f"a column is out of the shape {shape}")
    return np.repeat(np.arange(shape[0]), counts) * shape[1] + columns


def _gaps(parts, shape) -> np.ndarray:
    gaps = parts[".gaps"]
    demand(gaps.dtype == np.uint8 and gaps.ndim == 1, "the gaps are no row of bytes")
    return np.cumsum(gaps, dtype=np.int64)[gaps < FAR] - 1


def _bitmap(parts, shape) -> np.ndarray:
    bits = parts[".bitmap"]
    demand(bits.dtype == np.uint8 and bits.ndim == 1, "the bitmap is no row of bytes")
    demand(bits.size == -(-math.prod(shape) // 8), f"the bitmap is not one of the shape {shape}")
    return np.flatnonzero(np.unpackbits(bits))


def _whole(numbers: np.ndarray) -> np.ndarray:
    demand(numbers.ndim == 1 and numbers.dtype.kind in "iu", f"{numbers.dtype} of shape {numbers.shape} counts nothing")
    return numbers.astype(np.int64)
