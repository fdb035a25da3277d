"""A pruned model beside the dense one it was made of, and beside popularity: what is kept, what it costs, a verdict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import pandas as pd
from scipy import sparse

from recprune.errors import kind_of
from recprune.evaluation.belonging import check_belongs
from recprune.evaluation.footprint import Footprint, Latency, footprint, latency
from recprune.evaluation.intervals import Interval, paired_ratio
from recprune.evaluation.metrics import Metric
from recprune.evaluation.ranking import Report, evaluate
from recprune.splits import Split
from recprune.typed import near

PARTS = ("validation", "test")
ORDER = ("popularity", "dense", "pruned")
CUTOFF = 10
NDCG = f"ndcg@{CUTOFF}"
LOSS = 0.01  # of a metric, that may be lost where nothing is said


class Scores(Protocol):
    """The least that a model has to have, of whatever origin.

    Under a protocol that holds users out, `fold_in(histories) -> (len(histories) x n_items)` besides. What has
    `recommend(users, k)` is timed, what has `parameters()`, `macs()` and `save(path)` is weighed, and what has
    `history`, `users` and `items` is held against the split: it must not know what it is asked.
    """

    def score(self, users: np.ndarray) -> np.ndarray:
        """(len(users) x n_items) scores of users by their codes in the split, higher is better, -inf: never."""
        ...


@dataclass(frozen=True, repr=False)
class Comparison:
    """What `compare` found. Printed, it is a table and the verdict in words.

    metric, max_loss   by what, and how much of it may be lost
    reports            model -> part -> what `evaluate` found, of "popularity", "dense" and "pruned"
    kept               part -> pruned / dense, with intervals over users
    over_popularity    "dense", "pruned" -> it / popularity on test, likewise
    footprints, times  model -> its `Footprint`, its `Latency`; missing of what cannot be weighed or timed
    """

    metric: str
    max_loss: float
    reports: Mapping[str, Mapping[str, Report]]
    kept: Mapping[str, Interval]
    over_popularity: Mapping[str, Interval]
    footprints: Mapping[str, Footprint] = field(default_factory=dict)
    times: Mapping[str, Latency] = field(default_factory=dict)

    @property
    def verdict(self) -> str:
        """Whether all but `max_loss` is kept on test: "yes", "no" or "undecided".

        yes   the one-sided 95 % lower bound of the ratio reaches 1 - max_loss
        no    the upper end of the 95 % interval does not
        """
        ratio, floor = self.kept["test"], 1 - self.max_loss
        if ratio.lower >= floor:
            return "yes"
        return "no" if ratio.hi < floor else "undecided"

    @property
    def warnings(self) -> tuple[str, ...]:
        """A sentence for each model that does not beat popularity: then it is not safe, whatever was kept."""
        return tuple(
            f"warning: the {name} model does not beat popularity, which needs no model: test {shown(self.metric)} is "
            f"{over.estimate:.1%} of it, 95 % interval {over.lo:.1%} to {over.hi:.1%}; whatever was kept, do not call "
            "it safe"
            for name, over in self.over_popularity.items()
            if not over.lo > 1
        )

    def table(self) -> pd.DataFrame:
        """A row for each thing measured, a column a model; pruned / dense besides, NaN where there is none of it."""
        rows: dict[str, dict[str, float]] = {}
        coverage = f"coverage@{self.metric.partition('@')[2]}"
        for on in PARTS:
            for metric in (self.metric, coverage):
                rows[f"{shown(metric)} on {on}"] = {name: self.reports[name][on].mean[metric] for name in ORDER}
        rows |= {
            "parameters, non-zero": {name: cost.nonzeros for name, cost in self.footprints.items()},
            "bytes on disk": {name: cost.bytes_disk for name, cost in self.footprints.items()},
            "bytes served": {name: cost.bytes_served for name, cost in self.footprints.items()},
            "bytes in memory": {name: cost.bytes_memory for name, cost in self.footprints.items()},
            "ms for one user": {name: time.p50_ms for name, time in self.times.items()},
        }
        frame = pd.DataFrame.from_dict(rows, orient="index").reindex(columns=list(ORDER))
        frame["pruned/dense"] = frame["pruned"] / frame["dense"].where(frame["dense"] != 0)
        return frame

    def sentences(self) -> list[str]:
        """The verdict in words, and the warnings."""
        name = shown(self.metric)
        found = [
            f"{on} {name} is {ratio.estimate:.1%} of dense, 95 % interval {ratio.lo:.1%} to {ratio.hi:.1%}"
            for on, ratio in self.kept.items()
        ]
        return [*found, f"kept within {100 * self.max_loss:.4g} % on test: {self.verdict}", *self.warnings]

    def __repr__(self) -> str:
        text = self.table().map(_number).to_string()
        return "\n".join([text, *self.sentences()])


def compare(
    dense: Scores,
    pruned: Scores,
    split: Split,
    *,
    metric: str = NDCG,
    max_loss: float = LOSS,
    popularity: Any = None,
    metrics: Mapping[str, Metric] | None = None,
    history: str = "full",
) -> Comparison:
    """The pruned model beside the dense one, on validation and test, with intervals over users and a verdict.

    dense, pruned  anything that scores (see `Scores`): models from here or from elsewhere
    metric         what the verdict is about: a metric of `evaluate` at a cutoff, or of `metrics`, the caller's own
    max_loss       share of it that may be lost, 0 <= max_loss < 1
    popularity     what stands for popularity; by default the training interactions of each item, added up
    history        as of `evaluate`

    All are ranked over the whole catalogue by `evaluate`, which says what a model must not know; bytes and times
    are there where a model can be weighed and timed.

    Raises TypeError for what does not score, ValueError for an unknown metric, a wrong loss, and as `evaluate`.
    """
    check_loss(max_loss)
    _, _, cutoff = metric.partition("@")
    if not cutoff.isdecimal() or int(cutoff) < 1:
        raise ValueError(f"metric is {metric!r}; a metric at a cutoff is needed, like {NDCG}")
    check_belongs(dense, split, "test")
    given = {"popularity": Popular.of(split) if popularity is None else popularity, "dense": dense, "pruned": pruned}
    for name, model in given.items():
        if not callable(getattr(model, "score", None)):
            raise TypeError(
                f"{name}: what has `score(users) -> (len(users) x n_items)` is needed, not {kind_of(model)}"
            )
    found = {
        name: {on: evaluate(model, split, on=on, k=int(cutoff), history=history, metrics=metrics) for on in PARTS}
        for name, model in given.items()
    }
    known = found["dense"]["test"].per_user
    if metric not in known:
        raise ValueError(f"unknown metric {metric!r}; known: {', '.join(known)}{near(metric, known)}")
    return compared(given, found, split.n_users, metric, max_loss)


def compared(
    models: Mapping[str, Any],
    reports: Mapping[str, Mapping[str, Report]],
    n_users: int,
    metric: str = NDCG,
    max_loss: float = LOSS,
) -> Comparison:
    """The comparison of models that have been ranked: "popularity", "dense" and "pruned" in both mappings."""

    def ratio(name: str, base: str, on: str) -> Interval:
        return paired_ratio(*(reports[one][on].per_user[metric] for one in (name, base)))

    timed = {name: model for name, model in models.items() if callable(getattr(model, "recommend", None))}
    return Comparison(
        metric=metric,
        max_loss=max_loss,
        reports=reports,
        kept={on: ratio("pruned", "dense", on) for on in PARTS},
        over_popularity={name: ratio(name, "popularity", "test") for name in ("dense", "pruned")},
        footprints={name: footprint(_compact(model)) for name, model in models.items() if _weighs(model)},
        times=latency(timed, np.arange(n_users)) if timed else {},
    )


@dataclass(frozen=True)
class Popular:
    """Popularity as `compare` has it where it is given no model: (n_items,) training interactions, weights added up."""

    counts: np.ndarray

    @classmethod
    def of(cls, split: Split) -> Popular:
        """That of a split."""
        return cls(np.asarray(split.train.tocsr().sum(axis=0), np.float32).ravel())

    def score(self, users: np.ndarray) -> np.ndarray:
        """(len(users) x n_items), the same for all."""
        return np.tile(self.counts, (len(users), 1))

    def fold_in(self, histories: sparse.csr_array) -> np.ndarray:
        """(m x n_items), likewise."""
        return np.tile(self.counts, (histories.shape[0], 1))


def check_loss(max_loss: float) -> None:
    """Raises ValueError for what is no share."""
    if isinstance(max_loss, bool) or not isinstance(max_loss, int | float | np.number) or not 0 <= max_loss < 1:
        raise ValueError(f"max_loss is {max_loss!r}; a share from 0 to below 1 is needed")


def shown(metric: str) -> str:
    """A metric as readers see it."""
    return metric.replace("ndcg", "nDCG")


def _number(value: float) -> str:
    """A number of the table; nothing where there is none."""
    if np.isnan(value):
        return ""
    return f"{value:,.0f}" if value > 1 and float(value).is_integer() else f"{value:.4f}"


def _compact(model: Any) -> Any:
    """What is saved and served of a pruned model."""
    return model.compact() if hasattr(model, "masks") else model


def _weighs(model: Any) -> bool:
    """Whether `footprint` can weigh it."""
    return all(callable(getattr(_compact(model), what, None)) for what in ("parameters", "macs", "save"))
