"""The forms of a model that are compared at a size, each made, saved and read again.

    python -m bench.forms make FAMILY FOLDER     fit, prune and quantize; what comes out is saved in FOLDER
    python -m bench.forms read FORM FOLDER       load it, serve and evaluate

One row of JSON is printed a step. The log lies in FOLDER (`bench.logs`). Every family, a model and what is made of
it, has a process of its own, and so has the reading of every form: memory that one needs is not counted as another's.
"""

from __future__ import annotations

import json
import sys
import tempfile
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import recprune as rp
from bench import logs, serving
from bench.common import weighed
from recprune.datasets import synthetic
from recprune.models.base import Recommender
from recprune.pruning.select import Ranking

NEIGHBOURS, FACTORS, SWEEPS, L2 = 100, 64, 2, 100.0
KEEP = 0.1  # of the weights stay in a pruned model
SHARES = (0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005)  # a curve
SELECTED = 0.01
MATRICES = {"fit": 3, "quantize": 12}  # of n x n float32 that dense EASE holds at once, packing for the disk included
MEMORY = 20e9  # bytes that a step may take
REFIT = 1e12  # multiply-adds that the refit of a pruned dense matrix may take


@dataclass(frozen=True)
class Family:
    """A model, and how it goes on after its weights have been cut; None: it is only fitted."""

    build: Callable[[], Recommender]
    recovery: str | None = None


FAMILIES = {
    "dense item-item": Family(lambda: rp.models.EASE(l2=L2), "refit"),
    "sparse item-item": Family(lambda: rp.models.EASE(l2=L2, neighbours=NEIGHBOURS), "refit"),
    "item-kNN": Family(lambda: rp.models.ItemKNN(neighbours=NEIGHBOURS, similarity="cosine")),
    "dense factors": Family(lambda: rp.models.IALS(factors=FACTORS, iterations=SWEEPS), "none"),
}
OTHERS = ("implicit", "implicit factors")
SELECTION = ("recprune", "numpy")
NAMES = (*SELECTION, *FAMILIES, *OTHERS)  # what `make` makes


class Steps:
    """What is timed: each step is one row on standard output, and one line for who watches."""

    def __init__(self, n_items: int):
        self.n_items = n_items

    def __call__(self, step: str, form: str, call: Callable[[], Any], repeats: int = 1) -> Any:
        """What the call gives; where it is repeated, the row has the median seconds and the highest peak."""
        found = []
        for _ in range(repeats):
            result, spent = weighed(call)
            found.append(spent)
        spent = {key: float(np.median([one[key] for one in found])) for key in ("seconds", "processor_seconds")}
        spent["peak_mb"] = max(one["peak_mb"] for one in found)
        self._row(step, form, spent)
        said = f"{spent['seconds']:.3g} s, {spent['peak_mb']:,.0f} MB"
        print(f"{self.n_items:>9,} items: {form}: {step}: {said}", file=sys.stderr, flush=True)
        return result

    def left_out(self, step: str, form: str, why: str) -> None:
        self._row(step, form, {"note": why})

    def _row(self, step: str, form: str, found: dict[str, Any]) -> None:
        print(json.dumps({"step": step, "form": form, **found}), flush=True)


def make(name: str, folder: Path) -> None:
    """A family is fitted, pruned and quantized, and each of the forms saved."""
    family, split = FAMILIES[name], logs.read(folder)
    steps = Steps(split.n_items)
    dense = split.n_items if name == "dense item-item" else 0

    def keep(model, form):
        steps("save", form, lambda: model.save(serving.place(form, folder)))

    if why := too_large("fit", dense):
        steps.left_out("fit", name, why)
        return
    _warm(family)
    model = steps("fit", name, lambda: family.build().fit(split.train, seed=0))
    keep(model, name)
    if family.recovery is None:
        return
    for step, form, change in (
        ("prune", f"pruned {name}", lambda: _pruned(model, split, family)),
        ("quantize", f"{name} int8", lambda: rp.quantize(model, "int8")),
    ):
        if why := too_large(step, dense):
            steps.left_out(step, form, why)
        else:
            keep(steps(step, form, change), form)


def too_large(step: str, n: int) -> str | None:
    """Why a step on a dense matrix of n x n is left out, if it is."""
    needed, work = MATRICES.get(step, 0) * 4 * n**2, n * (KEEP * n) ** 3 / 3
    if needed > MEMORY:
        return f"{MATRICES[step]} matrices of {4 * n**2 / 1e9:.3g} GB would be held at once"
    if step == "prune" and work > REFIT:
        return f"to refit its columns takes {work:.1g} multiply-adds"
    return None


def _pruned(model: Recommender, split: rp.Split, family: Family) -> Recommender:
    return rp.prune(model, split, "magnitude", keep=KEEP, recovery=family.recovery).compact()


def _warm(family: Family) -> None:
    """The same once at a size that is nothing: imports and first calls are no part of what grows."""
    split = rp.split(synthetic(60, 40, 900), core=0)
    model = family.build().fit(split.train, seed=0)
    if family.recovery is not None:
        _pruned(model, split, family)
        model = rp.quantize(model, "int8")
    with tempfile.TemporaryDirectory() as folder:
        model.save(Path(folder, "model"))


def make_other(name: str, folder: Path) -> None:
    """implicit's own item-kNN, or factors, with the same settings."""
    split = logs.read(folder)
    steps, matrix = Steps(split.n_items), serving.as_matrix(split.train.tocsr())
    model = serving.implicit_model(name, NEIGHBOURS + 1, FACTORS, SWEEPS)
    with warnings.catch_warnings():  # its own weighting hands its own solver a matrix that it warns of
        warnings.simplefilter("ignore")
        steps("fit", name, lambda: model.fit(matrix, show_progress=False))
    serving.place(name, folder).parent.mkdir(exist_ok=True)
    with open(serving.place(name, folder), "wb") as file:
        steps("save", name, lambda: model.save(file))


def select(name: str, folder: Path) -> None:
    """Some of as many scores as a sparse item-item model has weights, once and for a curve."""
    n_items = logs.read(folder).n_items
    scores = np.random.default_rng(0).standard_normal(n_items * NEIGHBOURS, dtype=np.float32)
    steps = Steps(n_items)

    def choose(shares):
        ranking = Ranking(scores, seed=0) if name == "recprune" else None
        for share in shares:
            k = round(share * len(scores))
            if ranking is not None:
                ranking.first(k)
            else:
                np.zeros(len(scores), bool)[np.argpartition(scores, len(scores) - k)[-k:]] = True

    choose([SELECTED])
    steps("select", name, lambda: choose([SELECTED]), repeats=3)
    steps("select a curve", name, lambda: choose(SHARES), repeats=3)


def read(form: str, folder: Path) -> None:
    """A saved form is loaded, serves and is evaluated, once each: seconds to load, and the memory of all."""
    split = logs.read(folder)
    serving.read(form, folder, split)  # what is read for the first time comes from the disk
    steps, users = Steps(split.n_items), np.unique(split.test.user)
    served = steps("load", form, lambda: serving.read(form, folder, split))
    if form not in serving.in_turns([form]):  # what it takes to serve is another form's
        return
    for step, n in serving.STEPS.items():
        steps(step, form, lambda n=n: served.recommend(users[:n]))
    steps("evaluate", form, served.evaluate)


def main(arguments: list[str] | None = None) -> None:
    task, name, folder = sys.argv[1:] if arguments is None else arguments
    do = {"read": read}.get(task) or (make_other if name in OTHERS else select if name in SELECTION else make)
    do(name, Path(folder))


if __name__ == "__main__":
    main()
