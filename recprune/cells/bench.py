"""The bench of a run: the log, and for each seed the split and the dense model with which all else is compared."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from recprune.cells.once import once
from recprune.cells.parameters import Parameters
from recprune.cells.rows import CUTOFFS
from recprune.datasets import load
from recprune.evaluation import Report, evaluate, footprint
from recprune.interactions import Interactions
from recprune.models import Recommender, build, load_model
from recprune.splits import Split, split

TRAINING_USERS = 30_000  # ranked on training at most


@dataclass(frozen=True)
class Dense:
    """A dense model with its rankings by part of the split: what other models are compared with."""

    model: Recommender
    reports: dict[str, Report]
    bytes_disk: int


@dataclass
class Bench:
    """The log, the splits and the dense models that all cells of a run share."""

    p: Parameters

    @cached_property
    def log(self) -> Interactions:
        """The log of the run."""
        return load(self.p.dataset, **self.p.columns, quiet=True)

    @once
    def split(self, seed: int) -> Split:
        """The split of a seed."""
        p = self.p
        return split(self.log, p.protocol, seed=seed, min_rating=p.min_rating, core=p.core)

    @once
    def dense(self, seed: int) -> Dense:
        """The trained dense model of a seed: loaded where the run was given a folder of them, else trained."""
        folder = Path(self.p.dense, "models", f"seed-{seed}") if self.p.dense else None
        return ranked(load_model(folder) if folder else self.train(self.untrained(), seed), self.split(seed))

    def untrained(self) -> Recommender:
        """A fresh model of the run, with its hyper-parameters."""
        return build(self.p.model, **self.p.hyperparameters)

    def train(self, model: Recommender, seed: int, on: Split | None = None) -> Recommender:
        """The model, trained on a split (by default the seed's own), and serving all that it had before pruning."""
        on = on or self.split(seed)
        fold_in = on.fold_in("validation")
        return model.fit(on.train, validation=on.validation, seed=seed, fold_in=fold_in, served=on.unpruned)


def ranked(model: Recommender, of: Split) -> Dense:
    """A trained model with its rankings of a split, and its size."""
    return Dense(model, reports(model, of), footprint(model).bytes_disk)


def reports(model, of: Split, train: Split | None = None, history: str = "full") -> dict[str, Report]:
    """How a model ranks on all three parts; on training, for what it was trained on.

    train    what that was, where it is not the split itself
    history  what users are known by when they are served: see `recprune.evaluate`
    Of many training users some are ranked: under `strong` there are ten times as many as on the other parts.
    """
    known = train or of
    found = {part: evaluate(model, known, on=part, k=CUTOFFS, history=history) for part in ("validation", "test")}
    if of.histories:  # the users who are evaluated were held out: what they train on is what is folded in
        known = replace(known, histories={})
    return found | {"train": evaluate(model, known, on="train", k=(10,), max_users=TRAINING_USERS)}
