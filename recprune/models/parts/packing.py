"""Arrays on disk, each in the layout that takes the fewest bytes.

    dense     every entry, 4 bytes each
    bitmap    the non-zeros and a bit an entry: smallest at densities between about 12 % and 97 %
    gaps      the non-zeros and a byte for each, how far it is from the one before, row after row; a gap of
              255 or more takes further bytes (Han et al., 2016): smallest down to about 0.5 %
    rows      the non-zeros, their columns, in 16 bits where the matrix allows, and the number in each row

Of the patterns N:M (the unit n-of-m) the positions could be written in 2 bits a value. That is what the bitmap
takes for 2:4, and a twentieth less for 1:4, which is not worth a layout.

Writing and reading take memory in proportion to what is written, whatever the shape of a sparse matrix. What is read
is checked before it is used as a position: a wrong one would reach beyond the array, in code that does not look.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from scipy import sparse

from recprune.errors import ModelFileError
from recprune.models.parts.ops import Array

Parts = dict[str, np.ndarray]
Shape = tuple[int, int]
FAR = 255  # a byte of gaps that says: so much further, and no value there


def pack(arrays: dict[str, Array]) -> tuple[Parts, dict[str, dict]]:
    """The arrays to write, and for each array its layout, shape, and form in memory."""
    written: Parts = {}
    layouts: dict[str, dict] = {}
    for name, array in arrays.items():
        form = "dense" if isinstance(array, torch.Tensor) else "csr"
        candidates = {"dense": {"": np.ascontiguousarray(array.numpy())}} if form == "dense" else {}
        if len(array.shape) == 2 and (form == "csr" or array.is_floating_point()):
            candidates |= _sparse(sparse.csr_array(array.numpy()) if form == "dense" else array)
        sizes = {layout: sum(part.nbytes for part in parts.values()) for layout, parts in candidates.items()}
        layout = min(sizes, key=lambda name: sizes[name])
        layouts[name] = {"layout": layout, "form": form, "shape": list(array.shape)}
        written |= {name + suffix: part for suffix, part in candidates[layout].items()}
    return written, layouts


def unpack(written: Parts, layouts: dict[str, dict]) -> dict[str, Array]:
    """The inverse of `pack`: same values, same form in memory.

    Raises ModelFileError for an array that is missing, or whose parts do not describe one of its shape.
    """
    arrays: dict[str, Array] = {}
    expected: set[str] = set()
    for name, spec in layouts.items():
        layout, shape = spec["layout"], tuple(spec["shape"])
        suffixes = ("",) if layout == "dense" else PARTS[layout]
        expected |= {name + suffix for suffix in suffixes}
        try:
            parts = {suffix: written[name + suffix] for suffix in suffixes}
        except KeyError as missing:
            raise ModelFileError(f"array {missing.args[0]!r} is missing") from None
        try:
            matrix = _dense(parts, shape) if layout == "dense" else SPARSE[layout][1](parts, shape)
        except ModelFileError as error:
            raise ModelFileError(f"array {name!r}: {error}") from None
        arrays[name] = matrix if isinstance(matrix, torch.Tensor) or spec["form"] == "csr" else _as_tensor(matrix)
    if more := sorted(set(written) - expected):
        raise ModelFileError(f"array {more[0]!r} belongs to nothing in model.json")
    return arrays


def _as_tensor(matrix: sparse.csr_array) -> torch.Tensor:
    return torch.from_numpy(matrix.toarray())


def _dense(parts: Parts, shape: tuple[int, ...]) -> torch.Tensor:
    demand(parts[""].shape == shape, f"the shape is {parts[''].shape}, and not {shape}")
    return torch.from_numpy(parts[""])


def _sparse(matrix: sparse.csr_array) -> dict[str, Parts]:
    """The matrix in each sparse layout; the bitmap, which grows with the shape, only where it could be the smallest."""
    found = {"rows": _rows(matrix), "gaps": _gaps(matrix)}
    values = found["gaps"][".values"].nbytes
    if values + -(-math.prod(matrix.shape) // 8) <= min(
        sum(p.nbytes for p in parts.values()) for parts in found.values()
    ):
        found["bitmap"] = _bitmap(matrix)
    return found


def _entries(matrix: sparse.csr_array) -> tuple[np.ndarray, np.ndarray]:
    """The non-zeros of a matrix, row after row, and the places (int64) where they stand in the raveled matrix."""
    matrix = _clean(matrix)
    row = np.repeat(np.arange(matrix.shape[0], dtype=np.int64), np.diff(matrix.indptr))
    return matrix.data, row * matrix.shape[1] + matrix.indices


def _clean(matrix: sparse.csr_array) -> sparse.csr_array:
    matrix = matrix.copy()
    matrix.eliminate_zeros()
    matrix.sort_indices()
    return matrix


def _from_entries(values: np.ndarray, place: np.ndarray, shape: Shape) -> sparse.csr_array:
    """The inverse of `_entries`."""
    demand(values.dtype == np.float32, f"values are {values.dtype}, and not float32")
    demand(len(values) == len(place), f"{len(values):,} values, and {len(place):,} places")
    if len(place):
        demand(place[0] >= 0 and bool((np.diff(place) > 0).all()), "places do not ascend")
        demand(place[-1] < math.prod(shape), f"a value is out of the shape {shape}")
    row, column = np.divmod(place, max(1, shape[1]))
    indptr = np.searchsorted(row, np.arange(shape[0] + 1)).astype(np.int32)
    return sparse.csr_array((values, column.astype(np.int32), indptr), shape=shape)


def _rows(matrix: sparse.csr_array) -> Parts:
    matrix = _clean(matrix)
    narrow = np.uint16 if matrix.shape[1] <= 2**16 else np.int32
    counts = np.diff(matrix.indptr)
    counts = counts.astype(np.uint16 if counts.max(initial=0) < 2**16 else np.int32)
    return {".values": matrix.data, ".columns": matrix.indices.astype(narrow), ".counts": counts}


def _from_rows(parts: Parts, shape: Shape) -> sparse.csr_array:
    counts, columns = (_whole(parts[suffix]) for suffix in (".counts", ".columns"))
    demand(counts.shape == (shape[0],), f"{counts.size:,} rows are counted, and not {shape[0]:,}")
    demand(not (counts < 0).any() and counts.sum() == columns.size, "the rows do not add up to the values")
    demand(not columns.size or 0 <= columns.min() <= columns.max() < shape[1], f"a column is out of the shape {shape}")
    return _from_entries(parts[".values"], np.repeat(np.arange(shape[0]), counts) * shape[1] + columns, shape)


def _bitmap(matrix: sparse.csr_array) -> Parts:
    values, place = _entries(matrix)
    bits = np.zeros(math.prod(matrix.shape), bool)
    bits[place] = True
    return {".values": values, ".bitmap": np.packbits(bits)}


def _from_bitmap(parts: Parts, shape: Shape) -> sparse.csr_array:
    bits = parts[".bitmap"]
    demand(bits.dtype == np.uint8 and bits.ndim == 1, "the bitmap is no row of bytes")
    demand(bits.size == -(-math.prod(shape) // 8), f"the bitmap is not one of the shape {shape}")
    return _from_entries(parts[".values"], np.flatnonzero(np.unpackbits(bits)), shape)


def _gaps(matrix: sparse.csr_array) -> Parts:
    values, place = _entries(matrix)
    further, rest = np.divmod(np.diff(place, prepend=-1), FAR)
    gaps = np.full(len(place) + further.sum(), FAR, np.uint8)
    gaps[np.cumsum(further + 1) - 1] = rest
    return {".values": values, ".gaps": gaps}


def _from_gaps(parts: Parts, shape: Shape) -> sparse.csr_array:
    gaps = parts[".gaps"]
    demand(gaps.dtype == np.uint8 and gaps.ndim == 1, "the gaps are no row of bytes")
    return _from_entries(parts[".values"], np.cumsum(gaps, dtype=np.int64)[gaps < FAR] - 1, shape)


def _whole(numbers: np.ndarray) -> np.ndarray:
    demand(numbers.ndim == 1 and numbers.dtype.kind in "iu", f"{numbers.dtype} of shape {numbers.shape} counts nothing")
    return numbers.astype(np.int64)


def demand(fine: bool | np.bool_, otherwise: str) -> None:
    """Raises ModelFileError with the sentence `otherwise` unless all is fine."""
    if not fine:
        raise ModelFileError(otherwise)


SPARSE = {"rows": (_rows, _from_rows), "gaps": (_gaps, _from_gaps), "bitmap": (_bitmap, _from_bitmap)}
PARTS = {
    "rows": (".values", ".columns", ".counts"),
    "gaps": (".values", ".gaps"),
    "bitmap": (".values", ".bitmap"),
}
