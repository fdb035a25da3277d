"""Models for servers that have no recprune, and no torch: plain matrices, or a graph.

    export.json      what this is: model, form, how it scores, how it was made
    serving.npz      users, items: original ids in the order of their codes; popularity: the interactions of each item;
                     order: the place of each item among equal scores; lost: codes that are never recommended
    history.npz      (n_users x n_items) CSR: what each user has had, which is left out of the lists
    arrays/          form "scipy": a CSR matrix each, NAME.npz; form "numpy": a dense one each, NAME.npy
    model.onnx       form "onnx": the scores as a graph

`plain` says how matrices score, `graph` what a graph reads. Values are float32, whatever a model is quantized to.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

from recprune.errors import kind_of
from recprune.files import as_json, whole_folder
from recprune.models.base import Recommender
from recprune.models.exports import graph, plain
from recprune.models.parts.lost_rows import codes
from recprune.models.quantization import Compactable
from recprune.topk import tie_rank
from recprune.typed import near
from recprune.version import __version__

FORMS = ("scipy", "numpy", "onnx")
FORMAT = 1
FILES = ("export.json", "serving.npz", "history.npz", "arrays", "model.onnx")


def export(model: Compactable, folder: str | os.PathLike, form: str = "scipy") -> None:
    """A trained model, dense, pruned or quantized, is written to a folder in a form that is served without recprune.

    form   scipy   sparse matrices of item-item and factor models, ELSA and popularity: as small as what was pruned
           numpy   the same as dense arrays
           onnx    those, Mult-VAE and NeuMF as a graph of dense operations; needs the extra `onnx`

    The scores are those of `model.compact()`, up to the rounding of sums in another order.

    Raises ValueError for an unknown form, an untrained model, one that has no such form (it names those that it has),
    ids that are neither whole numbers nor strings, and a folder that holds anything but an export; TypeError for what
    is no model.
    """
    if form not in FORMS:
        raise ValueError(f"unknown form {form!r}; known: {', '.join(FORMS)}{near(form, FORMS)}")
    if not hasattr(model, "compact"):
        raise TypeError(f"a trained recommender is needed, not {kind_of(model)}")
    path, small = Path(os.path.realpath(folder)), model.compact()
    possible = forms_of(small)
    if form not in possible:
        raise ValueError(_impossible(small, form, possible))
    serving = {"users": _plain_ids("users", small.users), "items": _plain_ids("items", small.items), **_lists(small)}
    _check_place(path)
    with whole_folder(path) as new:
        about = graph.write(small, new / "model.onnx") if form == "onnx" else plain.write(small, new / "arrays", form)
        np.savez(new / "serving.npz", **serving)  # type: ignore[arg-type]  # stubs take the names for options
        sparse.save_npz(new / "history.npz", small._fitted)
        header = {"format": FORMAT, "form": form, "model": small.name, "shape": [small.n_users, small.n_items]}
        header |= {"recprune": __version__, "provenance": _provenance(small)} | about
        (new / "export.json").write_text(as_json(header))


def forms_of(model: Recommender) -> tuple[str, ...]:
    """The forms that a compact model can be exported in."""
    if model.plain():
        return FORMS
    return ("onnx",) if model.takes and not (model.takes == "users" and "kept_users" in model.arrays) else ()


def _impossible(model: Recommender, form: str, possible: tuple[str, ...]) -> str:
    why = "its scores are no plain product of matrices" if form != "onnx" else "it has no forward pass as a graph"
    if model.takes == "users" and "kept_users" in model.arrays:
        why = "some of its users have no row in its tables"
    able = f"{', '.join(possible)} can be had" if possible else "serve it with recprune.load_model"
    return f"{model.name} cannot be exported as {form!r}: {why}; {able}"


def _provenance(model: Recommender) -> dict[str, Any]:
    return {"values": model.values, **{k: v for k, v in model.provenance.items() if k in ("pruning", "metrics")}}


def _lists(model: Recommender) -> dict[str, np.ndarray]:
    """What lists need beside scores."""
    known, kept = model._fitted, model.arrays.get("kept_items")
    counts = np.bincount(known.indices, known.data, minlength=model.n_items).astype(np.float32)
    lost = np.setdiff1d(np.arange(model.n_items), codes(kept)) if kept is not None else np.empty(0, np.int64)
    return {"popularity": counts, "order": tie_rank(model.n_items), "lost": lost}


def _plain_ids(what: str, ids: np.ndarray | None) -> np.ndarray:
    """Ids as an array that is read without pickle. Raises ValueError where they cannot be one."""
    known = np.asarray(ids).tolist()
    whole = all(type(one) is int for one in known)
    if not (whole or all(type(one) is str for one in known)):
        strange = next(one for one in known if type(one) is not (int if type(known[0]) is int else str))
        raise ValueError(f"{what}: the id {strange!r:.60} is a {type(strange).__name__}; whole numbers or strings")
    found = np.array(known, np.int64) if whole else np.array(known, str)
    if found.tolist() != known:
        raise ValueError(f"{what}: an id ends in NUL characters, which an array of strings does not hold")
    return found


def _check_place(path: Path) -> None:
    """Raises ValueError unless there is nothing at the path, an empty folder, or an export and no more."""
    if not path.exists():
        return
    if not path.is_dir():
        raise ValueError(f"{path}: is a file; the name of a folder is needed")
    found = sorted(entry.name for entry in path.iterdir())
    strange = [name for name in found if name not in FILES]
    if strange or (found and not _is_ours(path / "export.json")):
        which = f"{strange[0]!r} is none of its files" if strange else "export.json is missing, or another's"
        raise ValueError(f"{path}: exists and is no export ({which}); nothing was written there")


def _is_ours(header: Path) -> bool:
    try:
        table = json.loads(header.read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(table, dict) and {"format", "form", "model", "shape"} <= set(table)
