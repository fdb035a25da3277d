"""Saved models: safetensors for the arrays, JSON for the rest, never pickle.

    model.safetensors, model.json    the model proper: what `bytes_disk` counts
    history.safetensors              what each user has interacted with in training (not a parameter)
    users.parquet, items.parquet     original ids, and titles where the log has them
    training.safetensors             arrays that only further training needs, where there are any

Each array is written in the layout that takes the fewest bytes:

    dense     every entry, 4 bytes each
    bitmap    the non-zeros and a bit an entry: smallest at densities between about 12 % and 97 %
    gaps      the non-zeros and a byte for each, how far it is from the one before, row after row; a gap of
              255 or more takes further bytes (Han et al., 2016): smallest down to about 0.5 %
    rows      the non-zeros, their columns, in 16 bits where the matrix allows, and the number in each row

Of the patterns N:M (the unit n-of-m) the positions could be written in 2 bits a value. That is what the bitmap
takes for 2:4, and a twentieth less for 1:4, which is not worth a layout.
"""

from __future__ import annotations

import json
import math
import os
import shutil
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file
from scipy import sparse

from recprune.models.parts.ops import Array

FORMAT = 2


class ModelFileError(ValueError):
    """A folder that is no saved model; the message names the file and what is wrong with it."""


def pack(arrays: dict[str, Array]) -> tuple[dict[str, np.ndarray], dict[str, dict]]:
    """The arrays to write, and for each array its layout, shape, and form in memory."""
    written: dict[str, np.ndarray] = {}
    layouts: dict[str, dict] = {}
    for name, array in arrays.items():
        form = "dense" if isinstance(array, torch.Tensor) else "csr"
        candidates = {"dense": {"": np.ascontiguousarray(array.numpy())}} if form == "dense" else {}
        if len(array.shape) == 2 and (form == "csr" or array.is_floating_point()):
            matrix = sparse.csr_array(array.numpy()) if form == "dense" else array
            candidates |= {layout: write(matrix) for layout, (write, _) in SPARSE.items()}
        sizes = {layout: sum(part.nbytes for part in parts.values()) for layout, parts in candidates.items()}
        layout = min(sizes, key=lambda name: sizes[name])
        layouts[name] = {"layout": layout, "form": form, "shape": list(array.shape)}
        written |= {name + suffix: part for suffix, part in candidates[layout].items()}
    return written, layouts


def unpack(written: dict[str, np.ndarray], layouts: dict[str, dict]) -> dict[str, Array]:
    """The inverse of `pack`: same values, same form in memory."""
    arrays: dict[str, Array] = {}
    for name, spec in layouts.items():
        if spec["layout"] == "dense":
            arrays[name] = torch.from_numpy(written[name])
            continue
        matrix = SPARSE[spec["layout"]][1](written, name, tuple(spec["shape"]))
        arrays[name] = matrix if spec["form"] == "csr" else torch.from_numpy(matrix.toarray())
    return arrays


def _rows(matrix: sparse.csr_array) -> dict[str, np.ndarray]:
    matrix = matrix.copy()
    matrix.eliminate_zeros()
    matrix.sort_indices()
    narrow = np.uint16 if matrix.shape[1] <= 2**16 else np.int32
    counts = np.diff(matrix.indptr)
    counts = counts.astype(np.uint16 if counts.max(initial=0) < 2**16 else np.int32)
    return {".values": matrix.data, ".columns": matrix.indices.astype(narrow), ".counts": counts}


def _from_rows(written: dict[str, np.ndarray], name: str, shape: tuple[int, int]) -> sparse.csr_array:
    indptr = np.concatenate([[0], np.cumsum(written[name + ".counts"], dtype=np.int64)]).astype(np.int32)
    return sparse.csr_array(
        (written[name + ".values"], written[name + ".columns"].astype(np.int32), indptr), shape=shape
    )


def _bitmap(matrix: sparse.csr_array) -> dict[str, np.ndarray]:
    values = matrix.toarray()
    return {".values": values[values != 0], ".bitmap": np.packbits(values != 0)}


def _from_bitmap(written: dict[str, np.ndarray], name: str, shape: tuple[int, int]) -> sparse.csr_array:
    where = np.unpackbits(written[name + ".bitmap"], count=math.prod(shape)).astype(bool).reshape(shape)
    values = np.zeros(shape, np.float32)
    values[where] = written[name + ".values"]
    return sparse.csr_array(values)


def _gaps(matrix: sparse.csr_array) -> dict[str, np.ndarray]:
    values = matrix.toarray().ravel()
    place = np.flatnonzero(values)
    further, rest = np.divmod(np.diff(place, prepend=-1), FAR)
    gaps = np.full(len(place) + further.sum(), FAR, np.uint8)
    gaps[np.cumsum(further + 1) - 1] = rest
    return {".values": values[place], ".gaps": gaps}


def _from_gaps(written: dict[str, np.ndarray], name: str, shape: tuple[int, int]) -> sparse.csr_array:
    gaps = written[name + ".gaps"]
    place = np.cumsum(gaps, dtype=np.int64)[gaps < FAR] - 1
    values = np.zeros(math.prod(shape), np.float32)
    values[place] = written[name + ".values"]
    return sparse.csr_array(values.reshape(shape))


FAR = 255  # a byte of gaps that says: so much further, and no value there
SPARSE = {"rows": (_rows, _from_rows), "gaps": (_gaps, _from_gaps), "bitmap": (_bitmap, _from_bitmap)}


def write_folder(path: str | os.PathLike, model, hyperparameters: dict) -> None:
    """Write a model to a folder that appears whole or not at all."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f".{path.name}-", dir=path.parent))
    try:
        written, layouts = pack(model.arrays)
        save_file(written, folder / "model.safetensors")
        header = {
            "format": FORMAT,
            "model": model.name,
            "hyperparameters": hyperparameters,
            "shape": [model.n_users, model.n_items],
            "arrays": layouts,
        }
        (folder / "model.json").write_text(json.dumps(header, indent=1, sort_keys=True) + "\n")
        history = model.history
        save_file(
            {
                "indptr": history.indptr.astype(np.int32),
                "indices": history.indices.astype(np.int32),
                "data": history.data,
            },
            folder / "history.safetensors",
        )
        pd.DataFrame({"id": model.users}).to_parquet(folder / "users.parquet")
        pd.DataFrame({"id": model.items, "title": model.titles}).to_parquet(folder / "items.parquet")
        if model.auxiliary:
            save_file({k: v.numpy() for k, v in model.auxiliary.items()}, folder / "training.safetensors")
        if path.exists():
            if not (path / "model.json").exists() and any(path.iterdir()):
                raise ModelFileError(f"{path}: exists and is not a saved model; nothing was written there")
            shutil.rmtree(path)
        os.replace(folder, path)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def read_folder(path: str | os.PathLike) -> tuple[dict, dict]:
    """The header, and a mapping of everything else: arrays, auxiliary, history, users, items, titles.

    Raises ModelFileError where the folder is no model, or a file of it is missing or damaged.
    """
    path = Path(path)
    try:
        header = json.loads((path / "model.json").read_text())
        if header["format"] != FORMAT:
            raise ModelFileError(f"{path}/model.json: format {header['format']!r}; this version reads {FORMAT}")
        history = load_file(path / "history.safetensors")
        items = pd.read_parquet(path / "items.parquet")
        extra = path / "training.safetensors"
        return header, {
            "arrays": unpack(load_file(path / "model.safetensors"), header["arrays"]),
            "auxiliary": {k: torch.from_numpy(v) for k, v in load_file(extra).items()} if extra.exists() else {},
            "history": sparse.csr_array(
                (history["data"], history["indices"], history["indptr"]), shape=tuple(header["shape"])
            ),
            "users": pd.read_parquet(path / "users.parquet")["id"].to_numpy(),
            "items": items["id"].to_numpy(),
            "titles": None if items["title"].isna().all() else items["title"].to_numpy(),
        }
    except FileNotFoundError as error:
        raise ModelFileError(f"{path}: no saved model here (missing {Path(error.filename).name})") from None
    except (json.JSONDecodeError, KeyError, SafetensorError, OSError) as error:
        raise ModelFileError(f"{path}: damaged model: {type(error).__name__}: {error}") from None
