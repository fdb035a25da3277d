"""Value formats: the numbers that a compact model's arrays are rounded to, and how these are stored.

    float32   as they are
    float16   IEEE half precision, 2 bytes
    int8      a whole number from -127 to 127 times the scale of the row: 1 byte
    int4      a whole number from -7 to 7 times the scale of the row: half a byte

The scale of a row is its largest magnitude divided by 127, or 7, in bfloat16 (2 bytes): rounded so, the largest entry
still gets the number 127, or 7, and the product of number and scale is exact in float32. So number and scale follow
from the array alone, again and again. An entry is off by half a scale at most, and zero stays zero.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import torch
from scipy import sparse

from recprune.errors import demand
from recprune.models.parts.ops import Array

FORMATS = ("float32", "float16", "int8", "int4")  # finest first
TOP = {"int8": 127, "int4": 7}
ENTRIES = 2**22  # that are worked on at a time


def format_of(array: Array, values: str) -> str | None:
    """The format of one array in a model of the format `values`; None for an array that stays as it is.

    Vectors, which are biases and the like, have no rows to be scaled: they are float16 in a model of int8 or int4.
    """
    if isinstance(array, torch.Tensor) and not array.is_floating_point():
        return None
    if values in TOP and len(array.shape) < 2:
        return "float16"
    return None if values == "float32" else values


def rounded(array: Array, values: str) -> Array:
    """The array, float32, with its values rounded to nearest in the format `values`.

    Raises ValueError for a value beyond the range of float16.
    """
    if isinstance(array, torch.Tensor):
        data = array.contiguous().numpy()
        return torch.from_numpy(_rounded(data.ravel(), row_ends(array.shape), values).reshape(data.shape))
    return sparse.csr_array((_rounded(array.data, array.indptr, values), array.indices, array.indptr), array.shape)


def _rounded(data: np.ndarray, ends: np.ndarray, values: str) -> np.ndarray:
    if values in TOP:
        return _times(*_numbers(data, ends, TOP[values]), ends)
    largest = max(data.max(initial=0), -data.min(initial=0))
    if largest > np.finfo(np.float16).max:
        raise ValueError(f"a value of {largest:.5g} is beyond float16, which ends at {np.finfo(np.float16).max:,.0f}")
    return data.astype(np.float16).astype(np.float32)


def row_ends(shape) -> np.ndarray:
    """(rows + 1,) where the rows of a dense array begin and end among its entries, as `indptr` has it."""
    rows = shape[0] if len(shape) else 1
    return np.arange(rows + 1) * math.prod(shape[1:])


def encode(data: np.ndarray, ends: np.ndarray, values: str | None) -> tuple[np.ndarray, np.ndarray | None]:
    """The (n,) entries as they are stored, and the (rows,) scales as they are stored, where the format has any.

    ends   (rows + 1,) where the rows begin and end among the entries

    Raises ValueError for entries that are not rounded to the format.
    """
    if values is None:
        return data, None
    if values == "float16":
        stored, scales = data.astype(np.float16), None
    else:
        stored, scales = _numbers(data, ends, TOP[values])
    if not np.array_equal(data, stored.astype(np.float32) if scales is None else _times(stored, scales, ends)):
        raise ValueError(f"values that are not in {values} any more: they were changed after they were rounded")
    if values == "int4":
        stored = _two_a_byte(stored)
    return stored, None if scales is None else (scales.view(np.uint32) >> 16).astype(np.uint16)


def stored_entries(stored: np.ndarray, values: str | None) -> np.ndarray:
    """The entries, floats or whole numbers, from how they are stored. Raises ValueError for what is none of the format.

    Of int4 they are a list, which the caller knows the shape of.
    """
    wanted = {None: np.float32, "float16": np.float16, "int8": np.int8, "int4": np.uint8}[values]
    whole = values is None and stored.dtype.kind != "f"  # whole numbers are as they are
    demand(whole or stored.dtype == wanted, f"values are {stored.dtype}, and not {np.dtype(wanted)}")
    if values == "int4":
        stored = _one_a_byte(stored)
    if values in TOP:
        demand(stored.min(initial=0) >= -TOP[values], f"a number is below {-TOP[values]}")
    return stored


def decode(entries: np.ndarray, scales: np.ndarray | None, ends: np.ndarray, values: str | None) -> np.ndarray:
    """(n,) float32 entries, from `stored_entries` and the scales as they are stored.

    Raises ValueError for scales that are not those of the entries.
    """
    if values not in TOP or scales is None:
        return entries.astype(np.float32) if values == "float16" else entries
    demand(scales.dtype == np.uint16 and scales.shape == (len(ends) - 1,), "the scales are not one a row")
    scale = (scales.astype(np.uint32) << 16).view(np.float32)
    demand(np.isfinite(scale).all(), "a scale is not finite")
    data = _times(entries, scale, ends)
    demand(np.array_equal(_scales(data, ends, TOP[values]), scale), "the scales are not those of the values")
    return data


def _numbers(data: np.ndarray, ends: np.ndarray, top: int) -> tuple[np.ndarray, np.ndarray]:
    """The (n,) whole numbers, int8, and the (rows,) scales, float32, that stand for the entries of rows."""
    scales, numbers = _scales(data, ends, top), np.empty(len(data), np.int8)
    divisors = np.where(scales > 0, scales, np.float32(np.inf))
    for rows, part in _parts(ends):
        numbers[part] = np.rint(data[part] / np.repeat(divisors[rows], np.diff(ends)[rows]))
    return numbers, scales


def _times(numbers: np.ndarray, scales: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """(n,) float32: the whole numbers of rows times the (rows,) scales."""
    data = np.empty(len(numbers), np.float32)
    for rows, part in _parts(ends):
        data[part] = numbers[part] * np.repeat(scales[rows], np.diff(ends)[rows])
    return data


def _scales(data: np.ndarray, ends: np.ndarray, top: int) -> np.ndarray:
    """(rows,) float32 that bfloat16 has; 0 for a row of zeros, or of less than float32 has to its full precision."""
    peaks = np.zeros(len(ends) - 1, np.float32)
    filled = np.diff(ends) > 0
    if filled.any():
        starts = ends[:-1][filled]
        peaks[filled] = np.maximum(np.maximum.reduceat(data, starts), -np.minimum.reduceat(data, starts))
    bits = (peaks / np.float32(top)).view(np.uint32)
    bits += np.uint32(0x7FFF) + (bits >> 16 & 1)  # to nearest, of two equally near the even one
    scales = (bits & np.uint32(0xFFFF0000)).view(np.float32)
    return np.where(scales >= np.finfo(np.float32).tiny, scales, np.float32(0))


def _parts(ends: np.ndarray) -> Iterator[tuple[slice, slice]]:
    """Slices of rows, and of their entries: some ENTRIES of them in each."""
    rows = len(ends) - 1
    step = max(1, rows * ENTRIES // max(1, int(ends[-1])))
    for row in range(0, rows, step):
        last = min(rows, row + step)
        yield slice(row, last), slice(int(ends[row]), int(ends[last]))


def _two_a_byte(numbers: np.ndarray) -> np.ndarray:
    """(half,) uint8 from (n,) numbers of -7 to 7; each is written as 8 more, and 0 fills up the last byte."""
    shifted = np.zeros(len(numbers) + len(numbers) % 2, np.uint8)
    shifted[: len(numbers)] = numbers + np.int8(8)
    return shifted[::2] << 4 | shifted[1::2]


def _one_a_byte(pairs: np.ndarray) -> np.ndarray:
    """The inverse of `_two_a_byte`."""
    shifted = np.stack([pairs >> 4, pairs & 15], axis=-1).ravel()
    if len(shifted) and shifted[-1] == 0:
        shifted = shifted[:-1]
    return shifted.astype(np.int8) - np.int8(8)
