"""Saved models: safetensors for the arrays, JSON for the rest, never pickle.

    model.safetensors, model.json    the model proper: what `bytes_disk` counts (see `packing` for the arrays), and how
                                     it was made (see `provenance`), which that does not count
    history.safetensors              what each user has interacted with in training (not a parameter)
    users.parquet, items.parquet     original ids, and titles where the log has them
    training.safetensors             arrays that only further training needs, where there are any
    statistics.safetensors           what an update would count again from the histories, if that was asked for
    record.json                      what the model was trained on, and the sha256 of every other file

A model is checked when it is read: the sums first, then, whether there are sums or not, that every position lies
within its array. A folder without record.json is one that an earlier version wrote; it is read without the sums.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import torch
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file
from scipy import sparse

from recprune.errors import ModelFileError, demand
from recprune.files import as_json, sha256_of, whole_folder
from recprune.models.disk import provenance
from recprune.models.disk.formats import FORMATS, format_of
from recprune.models.disk.packing import LAYOUTS, pack, unpack
from recprune.models.parts import ops
from recprune.typed import named, one_of, value

FORMAT = 3
READABLE = (2, FORMAT)  # 2: values in float32, other layouts of positions
UNITS = 2**20  # rows of a matrix that has none for each user or item: more are a damaged header
RECORD = "record.json"
NEEDED = ("model.json", "model.safetensors", "history.safetensors", "users.parquet", "items.parquet")
FILES = (*NEEDED, "training.safetensors", "statistics.safetensors", RECORD)


@dataclass(frozen=True, kw_only=True)
class Header:
    """model.json: what the arrays are of, and how they are laid out."""

    format: int
    model: str
    hyperparameters: dict[str, Any]
    shape: tuple[int, int]
    arrays: dict[str, Layout]
    values: str = "float32"
    provenance: dict[str, Any] = field(default_factory=dict)  # of an earlier version nothing is said


@dataclass(frozen=True, kw_only=True)
class Layout:
    """How one array is written: see `packing`. values: what it is rounded to; None where it is as in memory."""

    layout: str
    form: str
    shape: tuple[int, ...]
    values: str | None = None


@dataclass(frozen=True, kw_only=True)
class Record:
    """record.json: the sums of the other files, and what the model was trained on."""

    files: dict[str, str]
    trained_on: dict[str, Any] | None = None
    compact: bool = False
    pruned: bool = False


def write_folder(
    path: str | os.PathLike,
    model,
    hyperparameters: dict,
    statistics: dict | None = None,
    metrics: dict[str, Any] | None = None,
) -> None:
    """Write a model to a folder that appears whole or not at all, readable by whom the umask lets read.

    statistics   name -> tensor: written beside it, and it is said how many bytes that takes
    metrics      part of a split -> name -> value: what was measured of the model

    Raises ModelFileError where the place is taken by what is no saved model or holds other files, and ValueError for
    an array that is not finite.
    """
    path = Path(os.path.realpath(path))
    for name, array in model.arrays.items():
        if not ops.finite(array):
            raise ValueError(f"{model.name}: array {name!r} has values that are not finite; such a model is not saved")
    check_place(path)
    with whole_folder(path) as folder:
        _write(folder, model, hyperparameters, statistics or {}, metrics or {})
    if statistics:
        taken = (path / "statistics.safetensors").stat().st_size
        print(f"{model.name}: statistics for updates take {taken:,} bytes", file=sys.stderr, flush=True)


def check_place(path: Path) -> None:
    """Raises ModelFileError unless there is nothing at the path, an empty folder, or a saved model and no more."""
    if not path.exists():
        return
    if not path.is_dir():
        raise ModelFileError(f"{path}: is a file; the name of a folder is needed")
    found = sorted(entry.name for entry in path.iterdir())
    strange = [name for name in found if name not in FILES or (name == "model.json" and not _is_ours(path / name))]
    if strange or (found and "model.json" not in found):
        which = f"{strange[0]!r} is none of its files" if strange else "model.json is missing"
        raise ModelFileError(f"{path}: exists and is not a saved model ({which}); nothing was written there")


def _is_ours(header: Path) -> bool:
    """Whether a model.json is one that was written here, damaged in its values or not."""
    try:
        table = json.loads(header.read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(table, dict) and {"format", "model", "hyperparameters", "arrays"} <= set(table)


def _write(folder: Path, model, hyperparameters: dict, statistics: dict, metrics: dict) -> None:
    written, layouts = pack(model.arrays, model.values)
    save_file(written, folder / "model.safetensors")
    header = {
        "format": FORMAT,
        "model": model.name,
        "hyperparameters": hyperparameters,
        "shape": [model.n_users, model.n_items],
        "arrays": layouts,
        "provenance": provenance.written(model, sha256_of(folder / "model.safetensors"), metrics),
    }
    header |= {"values": model.values} if model.values != "float32" else {}
    (folder / "model.json").write_text(as_json(header))
    _write_beside(folder, model, statistics)
    record = {
        "files": {file.name: sha256_of(file) for file in sorted(folder.iterdir())},
        "trained_on": model.trained_on,
        "compact": model.is_compact,
    }
    record |= {"pruned": True} if model.is_pruned else {}
    (folder / RECORD).write_text(as_json(record))
    mode = (folder / "model.json").stat().st_mode  # what the umask makes of a new file; others make theirs private
    for file in folder.iterdir():
        file.chmod(mode)


def _write_beside(folder: Path, model, statistics: dict) -> None:
    """Histories, ids, and what only further training needs."""
    history = model.history
    tensors = {
        "history": {
            "indptr": history.indptr.astype(np.int32),
            "indices": history.indices.astype(np.int32),
            "data": history.data,
        },
    }
    if model.auxiliary:
        tensors["training"] = {k: v.numpy() for k, v in model.auxiliary.items()}
    if statistics:
        tensors["statistics"] = {k: _whole(v.numpy()) for k, v in statistics.items()}
    for name, arrays in tensors.items():
        save_file(arrays, folder / f"{name}.safetensors")
    for name, frame in (
        ("users", pd.DataFrame({"id": model.users})),
        ("items", pd.DataFrame({"id": model.items, "title": model.titles})),
    ):
        frame.to_parquet(folder / f"{name}.parquet", write_page_checksum=True)


def _whole(array: np.ndarray) -> np.ndarray:
    """The same numbers in half the bytes, where they are whole and fit: sums of ones are."""
    small = array.astype(np.int32) if np.abs(array).max(initial=0) < 2**31 else array
    return small if np.array_equal(small, array) else array


def read_folder(path: str | os.PathLike) -> tuple[Header, dict[str, Any]]:
    """The header, and the attributes of the model by name: arrays, values, history, users and so on.

    Raises ModelFileError where the folder is no model, or a file of it is missing or damaged.
    """
    path = Path(path)
    record = _checked_record(path)
    header = _read_header(path / "model.json")
    users, items = (
        _read_ids(path / f"{kind}.parquet", n) for kind, n in zip(("users", "items"), header.shape, strict=True)
    )
    with _of_file(path / "model.safetensors"):
        arrays = unpack(_tensors(path / "model.safetensors"), {k: vars(v) for k, v in header.arrays.items()})
        for name, array in arrays.items():
            found, right = header.arrays[name].values, format_of(array, header.values)
            demand(found == right, f"array {name!r} is in {found}, and in a model of {header.values} in {right}")
        for name, array in arrays.items():
            demand(ops.finite(array), f"array {name!r} has values that are not finite")
    extra, statistics = path / "training.safetensors", path / "statistics.safetensors"
    with _of_file(path / "history.safetensors"):
        history = _history(_tensors(path / "history.safetensors"), header.shape)
    title = items.get("title", pd.Series([None]))
    return header, {
        "arrays": arrays,
        "values": header.values,
        "provenance": header.provenance,
        "auxiliary": {k: torch.from_numpy(v) for k, v in _tensors(extra).items()} if extra.exists() else {},
        "history": history,
        "users": users["id"].to_numpy(),
        "items": items["id"].to_numpy(),
        "titles": None if title.isna().all() else title.to_numpy(),
        "trained_on": record.trained_on,
        "is_compact": record.compact,
        "is_pruned": record.pruned,
        "statistics": {k: torch.from_numpy(v) for k, v in _tensors(statistics).items()} if statistics.exists() else {},
    }


def _checked_record(path: Path) -> Record:
    """The record of a folder whose files are those that were written. Raises ModelFileError for any other."""
    missing = next((name for name in NEEDED if not (path / name).exists()), None)
    if missing:
        raise ModelFileError(f"{path}: no saved model here (missing {missing})")
    if not (path / RECORD).exists():
        return Record(files={})
    record = _typed(path / RECORD, Record)
    for name, sum_ in record.files.items():
        with _of_file(path / name):
            demand(name in FILES and (path / name).is_file(), "is missing")
            demand(sha256_of(path / name) == sum_, "damaged model: the file is not what was saved (its sha256 differs)")
    strangers = [name for name in FILES if name != RECORD and (path / name).exists() and name not in record.files]
    if strangers:
        raise ModelFileError(f"{path / strangers[0]}: is not among the files that were saved ({RECORD})")
    return record


def _read_header(path: Path) -> Header:
    table = _json(path)
    if isinstance(table, dict) and table.get("format") not in READABLE:
        known = " and ".join(map(str, READABLE))
        raise ModelFileError(f"{path}: format {table.get('format')!r}; this version reads {known}")
    header = _typed(path, Header)
    with named(path, error=ModelFileError):
        one_of("values", header.values, FORMATS)
        for name, spec in header.arrays.items():
            one_of(f"arrays.{name}.layout", spec.layout, LAYOUTS)
            one_of(f"arrays.{name}.form", spec.form, ("dense", "csr"))
            if spec.values is not None:
                one_of(f"arrays.{name}.values", spec.values, FORMATS[1:])
            matrix = len(spec.shape) == 2 and spec.shape[0] <= max(*header.shape, UNITS)
            if spec.layout != "dense" and not matrix:
                raise ModelFileError(f"{path}: arrays.{name}.shape: {list(spec.shape)} is no shape of a matrix")
    for shape in (header.shape, *(spec.shape for spec in header.arrays.values())):
        if any(n < 0 or n >= 2**31 for n in shape):
            raise ModelFileError(f"{path}: {list(shape)} is no shape")
    return header


@contextmanager
def _of_file(path: Path) -> Iterator[None]:
    """A context that puts the name of a file before what is found wrong inside."""
    try:
        yield
    except ModelFileError as error:
        raise ModelFileError(f"{path}: {error}") from None


def _typed(path: Path, kind):
    with named(path, error=ModelFileError):
        return value(kind, _json(path), "")


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ModelFileError(f"{path}: not JSON that can be read: {type(error).__name__}: {error}") from None


def _tensors(path: Path) -> dict[str, np.ndarray]:
    try:
        return load_file(path)
    except (SafetensorError, OSError, ValueError, KeyError, TypeError) as error:
        raise ModelFileError(f"{path}: damaged model: {error}") from None


def _read_ids(path: Path, n: int) -> pd.DataFrame:
    """The ids, and titles, of the `n` users or items."""
    try:
        frame = pd.read_parquet(path, page_checksum_verification=True)
    except (pa.ArrowException, OSError, ValueError, KeyError, TypeError) as error:
        raise ModelFileError(f"{path}: not a readable Parquet file ({str(error).splitlines()[0]})") from None
    with _of_file(path):
        demand("id" in frame, "has no column 'id'")
        demand(len(frame) == n, f"{len(frame):,} ids, and the model has {n:,}")
        demand(frame["id"].notna().all() and frame["id"].is_unique, "an id is missing, or there twice")
    return frame


def _history(parts: dict[str, np.ndarray], shape: tuple[int, int]) -> sparse.csr_array:
    demand(set(parts) == {"indptr", "indices", "data"}, "holds other arrays than indptr, indices and data")
    indptr, indices, data = (parts[name] for name in ("indptr", "indices", "data"))
    demand(indptr.dtype == indices.dtype == np.int32, "positions are no 32-bit whole numbers")
    demand(data.dtype == np.float32 and np.isfinite(data).all(), "weights are no finite 32-bit numbers")
    demand(indptr.shape == (shape[0] + 1,), f"{indptr.size - 1:,} histories, and the model has {shape[0]:,} users")
    demand(indices.ndim == data.ndim == 1 and len(indices) == len(data), "items and weights are not as many")
    demand(indptr[0] == 0 and indptr[-1] == len(indices), "the histories do not add up to the interactions")
    demand((np.diff(indptr) >= 0).all(), "a history ends before it begins")
    demand(not len(indices) or 0 <= indices.min() <= indices.max() < shape[1], f"an item is not among {shape[1]:,}")
    return sparse.csr_array((data, indices, indptr), shape=shape)
