"""Arrays on disk, each in the layout that takes the fewest bytes, and its values in the model's format (`formats`).

    dense     every entry
    rice      the non-zeros, and where they are in a Rice code (`rice`): 2 bits a non-zero where half of the entries are
              non-zeros, 7 at 2 %, 10 at 0.25 %

Of the patterns N:M (the unit n-of-m) the positions could be written in 2 bits a value. That is what the code takes for
2:4, and a twentieth less for 1:4, which is not worth a layout. A dense array of more than CODED non-zeros stays dense:
it would gain little for its time. Files of format 2 have other layouts: see `older`.

Writing and reading take memory in proportion to what is written, whatever the shape of a sparse matrix. What is read
is checked before it is used as a position: a wrong one would reach beyond the array, in code that does not look.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from scipy import sparse

from recprune.errors import ModelFileError, demand
from recprune.models.disk import formats, older, rice
from recprune.models.parts.ops import Array, count_nonzero, to_csr

Parts = dict[str, np.ndarray]
LAYOUTS = ("dense", "rice", *older.PARTS)
CODED = 1 << 25  # non-zeros of a dense array up to which their places are coded


def pack(arrays: dict[str, Array], values: str = "float32") -> tuple[Parts, dict[str, dict]]:
    """The arrays to write, and for each array its layout, shape, and form in memory, and its format unless float32.

    values   the format that the arrays are rounded to

    Raises ValueError for an array that is not.
    """
    written: Parts = {}
    layouts: dict[str, dict] = {}
    for name, array in arrays.items():
        of_array = formats.format_of(array, values)
        try:
            layout, parts = _smallest(array, of_array)
        except ValueError as error:
            raise ValueError(f"array {name!r}: {error}") from None
        form = "dense" if isinstance(array, torch.Tensor) else "csr"
        layouts[name] = {"layout": layout, "form": form, "shape": list(array.shape)}
        layouts[name] |= {"values": of_array} if of_array else {}
        written |= {name + suffix: part for suffix, part in parts.items()}
    return written, layouts


def _smallest(array: Array, values: str | None) -> tuple[str, Parts]:
    """The layout that takes fewer bytes, and its parts."""
    if not isinstance(array, torch.Tensor):
        return "rice", _rice(array, values)
    dense = _dense(array, values)
    size = sum(part.nbytes for part in dense.values())
    if array.ndim == 2 and array.is_floating_point():
        nonzeros = count_nonzero(array)
        pays = nonzeros * (size + array.numel() / 8) < size * array.numel()  # a position takes a bit at least
        if pays and nonzeros <= CODED:
            parts = _rice(array, values)
            if sum(part.nbytes for part in parts.values()) < size:
                return "rice", parts
    return "dense", dense


def _dense(array: torch.Tensor, values: str | None) -> Parts:
    data = np.ascontiguousarray(array.numpy())
    stored, scales = formats.encode(data.ravel(), formats.row_ends(data.shape), values)
    return _with_scales({"": stored if values == "int4" else stored.reshape(data.shape)}, scales)


def _rice(array: Array, values: str | None) -> Parts:
    matrix = to_csr(array) if isinstance(array, torch.Tensor) else _in_order(array)
    stored, scales = formats.encode(matrix.data, matrix.indptr, values)
    return _with_scales({".values": stored, ".rice": rice.encode(_gaps(matrix))}, scales)


def _with_scales(parts: Parts, scales: np.ndarray | None) -> Parts:
    return parts if scales is None else parts | {".scales": scales}


def _in_order(matrix: sparse.csr_array) -> sparse.csr_array:
    """The matrix with its non-zeros alone, row after row and column after column; itself, where it is that."""
    if matrix.has_sorted_indices and count_nonzero(matrix) == len(matrix.data):
        return matrix
    matrix = matrix.copy()
    matrix.eliminate_zeros()
    matrix.sort_indices()
    return matrix


def _gaps(matrix: sparse.csr_array) -> np.ndarray:
    """(nnz,) how many entries of the raveled matrix lie between each stored one and the one before."""
    filled = np.flatnonzero(np.diff(matrix.indptr))
    first, last = (matrix.indptr[row].astype(np.int64) for row in (filled, filled + 1))
    ends = filled[:, None] * matrix.shape[1] + np.stack([matrix.indices[first], matrix.indices[last - 1]], axis=1)
    of_first = np.diff(ends.ravel(), prepend=-1)[::2] - 1
    gaps = np.empty(len(matrix.indices), np.int32 if of_first.max(initial=0) < 2**31 else np.int64)
    np.subtract(matrix.indices[1:], matrix.indices[:-1] + 1, out=gaps[1:], casting="same_kind")
    gaps[first] = of_first
    return gaps


def unpack(written: Parts, layouts: dict[str, dict]) -> dict[str, Array]:
    """The inverse of `pack`: same values, same form in memory.

    Raises ModelFileError for an array that is missing, or whose parts do not describe one of its shape.
    """
    arrays: dict[str, Array] = {}
    expected: set[str] = set()
    for name, spec in layouts.items():
        suffixes = _suffixes(spec["layout"], spec.get("values"))
        expected |= {name + suffix for suffix in suffixes}
        try:
            parts = {suffix: written[name + suffix] for suffix in suffixes}
        except KeyError as missing:
            raise ModelFileError(f"array {missing.args[0]!r} is missing") from None
        read = _read_dense if spec["layout"] == "dense" else _read_sparse
        try:
            arrays[name] = read(parts, **spec)
        except (ValueError, MemoryError) as error:
            raise ModelFileError(f"array {name!r}: {error}") from None
    if more := sorted(set(written) - expected):
        raise ModelFileError(f"array {more[0]!r} belongs to nothing in model.json")
    return arrays


def _suffixes(layout: str, values: str | None) -> tuple[str, ...]:
    positions = {"dense": ("",), "rice": (".values", ".rice"), **older.PARTS}[layout]
    return (*positions, ".scales") if values in formats.TOP else positions


def _read_dense(parts: Parts, shape, values: str | None = None, **_) -> torch.Tensor:
    shape, stored = tuple(shape), parts[""]
    entries = formats.stored_entries(stored, values)
    if values == "int4":
        demand(entries.shape == (math.prod(shape),), f"{entries.size:,} values are not of the shape {shape}")
    else:
        demand(stored.shape == shape, f"the shape is {stored.shape}, and not {shape}")
    data = formats.decode(entries.ravel(), parts.get(".scales"), formats.row_ends(shape), values)
    return torch.from_numpy(data.reshape(shape))


def _read_sparse(parts: Parts, layout: str, shape, form: str, values: str | None = None) -> Array:
    shape = tuple(shape)
    stored = parts[".values"]
    demand(stored.ndim == 1, f"values of shape {stored.shape} are no list")
    entries = formats.stored_entries(stored, values)
    demand(values is not None or entries.dtype == np.float32, f"values are {entries.dtype}, and not float32")
    if layout == "rice":
        demand(parts[".rice"].dtype == np.uint8 and parts[".rice"].ndim == 1, "the code is no row of bytes")
        places = rice.decode(parts[".rice"], len(entries), math.prod(shape))
    else:
        places = older.places(layout, parts, shape)
    demand(len(entries) == len(places), f"{len(entries):,} values, and {len(places):,} places")
    if len(places):
        demand(bool((places[1:] > places[:-1]).all()), "places do not ascend")
        demand(places[0] >= 0 and places[-1] < math.prod(shape), f"a value is out of the shape {shape}")
    return _matrix(entries, places, parts.get(".scales"), shape, form, values)


def _matrix(entries: np.ndarray, places: np.ndarray, scales, shape, form: str, values: str | None) -> Array:
    """The matrix of entries at places that have been checked; of these nothing is left."""
    ends = np.searchsorted(places, np.arange(shape[0] + 1) * shape[1])
    data = formats.decode(entries, scales, ends, values)
    if form == "csr":
        column = np.remainder(places, max(1, shape[1]), out=places).astype(np.int32)
        return sparse.csr_array((data, column, ends.astype(np.int32)), shape=shape)
    array = np.zeros(shape, np.float32)
    array.ravel()[places] = data
    return torch.from_numpy(array)
