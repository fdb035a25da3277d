"""Measuring: from a model to the values of its cell, and from the cells of a curve to rows with intervals."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from recprune.cells.bench import Bench, Dense, reports
from recprune.cells.names import AS_TRAINED
from recprune.cells.parameters import Parameters
from recprune.cells.rows import COLUMNS, FOOTPRINT, PER_USER
from recprune.datasets.naming import name_of
from recprune.evaluation import Report, footprint, latency, overlap, paired_ratio, peak_rss_mb
from recprune.evaluation.belonging import HISTORIES
from recprune.models import Recommender
from recprune.models.quantization import quantize
from recprune.splits import Split

if TYPE_CHECKING:
    from recprune.pruning import Pruned

HEADLINE = "ndcg@10"
TURNS = 100  # in which a model recommends beside its dense one, over all seeds
PARTS = (("validation", "val"), ("test", "test"))  # part of the split, and its name in the columns


@dataclass(frozen=True, kw_only=True)
class Cell:
    """What tells one measured point of a run from the others: its method, its values, the shares kept, and the seed."""

    side: str
    unit: str = ""
    criterion: str = "none"
    schedule: str = ""
    recovery: str = ""
    values: str = AS_TRAINED
    history: str = HISTORIES[0]
    kept: float = 1.0
    samples_kept: float = 1.0
    seed: int

    @classmethod
    def of(cls, p: Parameters, side: str, kept: float, seed: int, **changes) -> Cell:
        """A cell of the run's own method."""
        method = {"unit": p.unit, "criterion": p.criterion, "schedule": p.schedule, "recovery": p.recovery}
        return cls(**{"side": side, **method, "kept": kept, "seed": seed, **changes})


@dataclass(frozen=True, kw_only=True)
class Measured:
    """A cell with what was measured of it.

    values  column of cells.csv -> value
    users   part -> nDCG@10 of every user, its own and that of the dense model it is compared with
    asked   the share that was asked for: cells of one point may keep shares that differ with the seed
    """

    cell: Cell
    values: dict[str, Any] = field(repr=False)
    users: dict[str, tuple[np.ndarray, np.ndarray]] = field(repr=False)
    asked: float

    @property
    def point(self) -> tuple:
        """The point of the curve that the cells of all seeds share."""
        cell = self.cell
        return self.asked, cell.unit, cell.recovery, cell.values, cell.history, cell.samples_kept


def measure(
    bench: Bench,
    model: Recommender,
    cell: Cell,
    *,
    train_s: float,
    score_s: float = 0.0,
    epochs: int | None = None,
    on: Split | None = None,
    found: dict[str, Report] | None = None,
    against: Dense | None = None,
    asked: float | None = None,
) -> Measured:
    """The values of one cell, except for what needs all seeds of its curve.

    epochs   of the training that took train_s, in models of gradient descent; by default all that it ever had
    on       what the model was trained on, where that is not the seed's split
    found    how the model ranks, where that is known
    against  what it is compared with; by default the seed's dense model
    asked    the share that was asked for, where that is not the share kept

    The times to recommend are a few turns in each seed, as many in all as one seed would need: how far the seeds
    differ tells what the clock is worth, and so does the dense model against itself.
    """
    of, dense = bench.split(cell.seed), against or bench.dense(cell.seed)
    found = found or reports(model, of, train=on, history=cell.history)
    cost = footprint(model)
    values = {
        **_quality(found, dense.reports),
        **{name: getattr(cost, name) for name in FOOTPRINT},
        "bytes_ratio": cost.bytes_disk / dense.bytes_disk,
        **(_times(bench, model, cell.seed) if cell.history == HISTORIES[0] else {}),
        "train_s": train_s,
        "score_s": score_s,
        "epochs": _epochs(model, epochs),
        "peak_rss_mb": peak_rss_mb(),
    }
    about = {"dataset": name_of(bench.p.dataset), "protocol": bench.p.protocol}
    about |= {"model": model.name, "family": model.family}
    users = {part: (found[part].per_user[HEADLINE], dense.reports[part].per_user[HEADLINE]) for part, _ in PARTS}
    return Measured(cell=cell, values=about | values, users=users, asked=cell.kept if asked is None else asked)


def measure_formats(
    bench: Bench,
    model: Recommender,
    cell: Cell,
    *,
    found: dict[str, Report] | None = None,
    on: Split | None = None,
    **more,
) -> list[Measured]:
    """The values of a cell in each format of the run: of the model as it is, and of what `quantize` makes of it.

    found  how the model as it is ranks, where that is known;  on: see `measure`

    The seconds of its training are those of a model in each of its formats; rounding takes next to none.
    Where samples were pruned, and what users did tells a model what they are served, there is one more cell: of the
    same model, when all that it still knows of its users is what it was trained on.
    """
    cells = [measure(bench, model, cell, found=found, on=on, **more)]
    if on is not None and on.train.nnz < on.unpruned.nnz and model.folds_in and not on.histories:
        cells.append(measure(bench, model, replace(cell, history=HISTORIES[1]), on=on, **more))
    return cells + [
        measure(bench, quantize(model, values), replace(cell, values=values), on=on, **more)
        for values in bench.p.values
        if values != AS_TRAINED
    ]


def measure_pruned(bench: Bench, pruned: Pruned, cell: Cell, **more) -> list[Measured]:
    """The values of a pruned model's cells: of its compact form, with the seconds of its scores and its recovery."""
    cost: dict[str, Any] = {"train_s": pruned.recovery_seconds, "score_s": pruned.score_seconds}
    return measure_formats(bench, pruned.compact(), cell, **cost, epochs=pruned.epochs, **more)


def _epochs(model: Recommender, epochs: int | None) -> float:
    """The epochs of a row, NaN where a model has none."""
    if not hasattr(model, "descend"):
        return float("nan")
    return model.epochs_trained if epochs is None else epochs


def _quality(found: dict[str, Report], dense: dict[str, Report]) -> dict[str, float]:
    same = overlap(found["test"].lists, dense["test"].lists, k=20)
    values = {f"test_{name}": value for name, value in same.items()}
    for part, short in (*PARTS, ("train", "train")):
        values |= {f"{short}_{name}": value for name, value in found[part].mean.items()}
    for part, short in PARTS:
        values[f"{short}_ratio"] = found[part].mean[HEADLINE] / dense[part].mean[HEADLINE]
    return {name: value for name, value in values.items() if name in COLUMNS}


def _times(bench: Bench, model: Recommender, seed: int) -> dict[str, float]:
    dense, turns = bench.dense(seed).model, max(1, TURNS // len(bench.p.seeds))
    known = {"dense": dense, "again": dense, "this": model}
    speed = latency(known, np.arange(dense.n_users), seed=seed, repeats=turns, batch_repeats=1)
    this, reference = speed["this"], speed["dense"].p50_ms
    times = {"p50_ms": this.p50_ms, "p95_ms": this.p95_ms, "users_per_s": this.users_per_s}
    return times | {"p50_ratio": this.p50_ms / reference, "p50_self": speed["again"].p50_ms / reference}


def to_rows(cells: Iterable[Measured]) -> pd.DataFrame:
    """Rows of measured cells, with the intervals of their points and the values of every user (PER_USER)."""
    cells = list(cells)
    points: dict[tuple, list[Measured]] = {}
    for measured in cells:
        points.setdefault(measured.point, []).append(measured)
    intervals = {point: _intervals(seeds) for point, seeds in points.items()}
    return pd.DataFrame(
        [each.values | asdict(each.cell) | intervals[each.point] | {PER_USER: each.users["test"][0]} for each in cells]
    )


def _intervals(seeds: list[Measured]) -> dict[str, float]:
    """Intervals of one point: over users and seeds."""
    found: dict[str, float] = {}
    for part, short in PARTS:
        own, dense = zip(*(measured.users[part] for measured in seeds), strict=True)
        interval = paired_ratio(list(own), list(dense))
        found |= {f"{short}_ratio_{end}": getattr(interval, end) for end in ("lo", "hi", "lower")}
    ones = [np.where(np.isnan(values), np.nan, 1.0) for values in own]  # the ratio to 1 is the mean itself
    level = paired_ratio(list(own), ones)
    return found | {f"test_{HEADLINE}_lo": level.lo, f"test_{HEADLINE}_hi": level.hi}
