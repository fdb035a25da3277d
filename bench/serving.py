"""Forms that were saved serve and are evaluated in turns: ours, implicit's, a dense product in NumPy, irspack's judge.

`python -m bench.serving FORM ... FOLDER` prints one row of JSON a step and form.
"""

from __future__ import annotations

import functools
import importlib
import itertools
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import numpy as np
from scipy import sparse

import recprune as rp
from bench import logs
from bench.common import TINY, take_turns
from bench.competitors import implicit_evaluator, irspack_evaluator
from recprune.evaluation.footprint import HEADER, WEIGHTS
from recprune.models.base import Recommender

TOP = 20
STEPS = {"serve-1": 1, "serve-128": 128}  # users of a call
SCORES = 1 << 24  # that irspack is given at a time
LARGE = 50_000  # items beyond which what takes long is done once


def as_matrix(array: sparse.csr_array) -> sparse.csr_matrix:
    """The type that implicit asks for."""
    return sparse.csr_matrix(array)


class Served(Protocol):
    """What lists items, and may be evaluated."""

    def recommend(self, users: np.ndarray) -> object:
        """The TOP best items of each user that they have not seen."""
        ...

    def evaluate(self) -> object:
        """nDCG@TOP of the test part."""
        ...


class Ours:
    """A model of recprune."""

    def __init__(self, model: Recommender, split: rp.Split):
        self.model, self.split = model, split

    def recommend(self, users):
        return self.model.recommend(users, k=TOP)

    def evaluate(self):
        return rp.evaluate(self.model, self.split, on="test", k=TOP).mean[f"ndcg@{TOP}"]


def implicit_model(name: str, neighbours: int, factors: int, iterations: int):
    """implicit's item-kNN, or its factors, with one thread."""
    if name == "implicit":
        return _implicit(name)(K=neighbours, num_threads=1)
    options = {"regularization": 40.0, "alpha": 3.0, "random_state": 0, "num_threads": 1}
    return _implicit(name)(factors=factors, iterations=iterations, **options)


def _implicit(name: str):
    module, kind = {
        "implicit": ("nearest_neighbours", "CosineRecommender"),
        "implicit factors": ("cpu.als", "AlternatingLeastSquares"),
    }[name]
    return getattr(importlib.import_module(f"implicit.{module}"), kind)


class Implicit:
    """A model of implicit, read from its file."""

    def __init__(self, name: str, path: Path, split: rp.Split):
        with open(path, "rb") as file:
            self.model = _implicit(name).load(file)
        self.model.num_threads = 1
        self.histories = as_matrix(split.train.tocsr())
        self.judge = implicit_evaluator(self.model, split.seen("test"), split.test.tocsr())

    def recommend(self, users):
        rows = users if len(users) > 1 else int(users[0])  # by itself a user is quicker than a batch of one
        return self.model.recommend(rows, self.histories[rows], N=TOP)

    def evaluate(self):
        return self.judge((TOP,))


class DenseProduct:
    """NumPy alone: dense histories times the dense item-item matrix, the best of a partition sorted."""

    def __init__(self, model: Recommender, split: rp.Split):
        self.weights = model.arrays["item_item"].numpy()
        self.histories = split.train.tocsr()

    def recommend(self, users):
        rows = self.histories[users]
        scores = rows.toarray() @ self.weights
        scores[rows.nonzero()] = -np.inf
        best = np.argpartition(-scores, TOP, axis=1)[:, :TOP]
        return np.take_along_axis(best, np.argsort(-np.take_along_axis(scores, best, 1), axis=1), 1)


class Judged:
    """irspack's judge of the scores of a sparse item-item matrix, from SciPy's product."""

    def __init__(self, model: Recommender, split: rp.Split):
        users = np.unique(split.test.user)
        self.weights, self.histories = model.arrays["item_item"], split.train.tocsr()[users]
        self.judge = irspack_evaluator(self._blocks, split.seen("test")[users], split.test.tocsr()[users])

    def _blocks(self) -> Iterator[np.ndarray]:
        step = max(1, SCORES // self.weights.shape[1])
        for start in range(0, self.histories.shape[0], step):
            yield (self.histories[start : start + step] @ self.weights).toarray()

    def evaluate(self):
        return self.judge((TOP,))


MADE_OF = {"numpy": "dense item-item", "irspack": "sparse item-item"}  # whose weights another form takes


def place(form: str, folder: Path) -> Path:
    """Where a form is saved, or the one whose weights it takes."""
    return folder / "forms" / MADE_OF.get(form, form).replace(" ", "-")


def weight(form: str, folder: Path) -> int:
    """Bytes on disk of a saved form, users' histories apart."""
    path = place(form, folder)
    return sum((path / name).stat().st_size for name in (WEIGHTS, HEADER)) if path.is_dir() else path.stat().st_size


def read(form: str, folder: Path, split: rp.Split, load: Callable[[Path], Recommender] = rp.load_model) -> Served:
    """A saved form, ready to serve."""
    path = place(form, folder)
    if form.startswith("implicit"):
        return Implicit(form, path, split)
    return {"numpy": DenseProduct, "irspack": Judged}.get(form, Ours)(load(path), split)


def in_turns(saved: list[str]) -> list[str]:
    """What serves in turns where these forms were saved: a dense int8 form is in memory what float32 is."""
    others = [form for form, source in MADE_OF.items() if source in saved]
    return [form for form in saved if not (form.startswith("dense") and form.endswith("int8"))] + others


def baseline(step: str, form: str) -> str:
    """The form that a form is held against."""
    if step.startswith("select"):
        return "numpy"
    return "implicit factors" if "factors" in form else "implicit"


def turns(forms: list[str], folder: Path, against: str | None = None) -> Iterator[dict]:
    """One row a step and form: medians of turns, and the median ratio in a turn to `against`, or to the baseline."""
    split = logs.read(folder)
    users = np.unique(split.test.user)
    served, load = {}, functools.cache(rp.load_model)  # weights that two forms take are held once
    for form in forms:
        try:
            served[form] = read(form, folder, split, load)
        except ImportError as error:  # another library that is not there
            yield {"step": "evaluate", "form": form, "note": f"not available: {error}"}
    few = TINY or split.n_items > LARGE
    repeats = {"serve-1": 2 if TINY else 60, "serve-128": 1 if few else 5, "evaluate": 1 if few else 3}
    calls: dict[str, dict[str, Callable]] = {
        step: {form: _each(one.recommend, users, n) for form, one in served.items() if hasattr(one, "recommend")}
        for step, n in STEPS.items()
    }
    calls["evaluate"] = {form: one.evaluate for form, one in served.items() if hasattr(one, "evaluate")}
    for step, by_form in calls.items():
        spent = take_turns(by_form, repeats[step])
        for form in by_form:
            row = {"step": step, "form": form} | {
                key: float(np.median(times[form])) for key, times in spent._asdict().items()
            }
            other = against or baseline(step, form)
            if other in by_form:
                ratios = np.divide(spent.processor_seconds[form], spent.processor_seconds[other])
                row |= {"ratio": float(np.median(ratios)), "against": other}
            yield row


def _each(recommend: Callable, users: np.ndarray, n: int) -> Callable[[], object]:
    """A call that serves the next `n` users each time; every form gets the same ones, one after the other."""
    groups = itertools.cycle([users[start : start + n] for start in range(0, max(1, len(users) - n + 1), n)])
    return lambda: recommend(next(groups))


def main(arguments: list[str] | None = None) -> None:
    *forms, folder = sys.argv[1:] if arguments is None else arguments
    for row in turns(forms, Path(folder)):
        print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
