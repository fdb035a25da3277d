"""Measuring: from the parameters of a run to rows, one for each cell.

A `Bench` holds what all cells of a run share: the log, and for each seed the split, the trained dense
model and how it ranks. Its curves walk over seeds and shares; `intervals` closes a curve over its seeds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import sparse
from tqdm import tqdm

from recprune.datasets import load
from recprune.evaluation import Report, evaluate, footprint, latency, overlap, paired_ratio, peak_rss_mb
from recprune.interactions import Interactions
from recprune.models import Recommender, build, load_model
from recprune.pruning import Pruned, prune, prune_samples
from recprune.splits import Split, split
from recprune.study.config import Parameters, dataset_name
from recprune.study.rows import CUTOFFS, read_rows

HEADLINE = "ndcg@10"


@dataclass(frozen=True)
class Dense:
    """The dense model of one seed, with its rankings: what every other model of the seed is compared with."""

    model: Recommender
    reports: dict[str, Report]
    bytes_disk: int


@dataclass
class Bench:
    """The log, the splits and the dense models of a run."""

    p: Parameters
    quality: dict[tuple, dict[str, np.ndarray]] = field(default_factory=dict, repr=False)

    @cached_property
    def log(self) -> Interactions:
        return load(self.p.dataset, **self.p.columns)

    @cached_property
    def _splits(self) -> dict[int, Split]:
        return {}

    @cached_property
    def _dense(self) -> dict[int, Dense]:
        return {}

    @cached_property
    def _shown(self) -> dict[tuple[int, float], Pruned | Recommender]:
        """What a notebook looks at is made once: the first seed's model at the smallest share."""
        return {}

    def split(self, seed: int) -> Split:
        """The split of a seed."""
        if seed not in self._splits:
            p = self.p
            self._splits[seed] = split(self.log, p.protocol, seed=seed, min_rating=p.min_rating, core=p.core)
        return self._splits[seed]

    def dense(self, seed: int) -> Dense:
        """The trained dense model of a seed: loaded where the run was given a folder of them, else trained."""
        if seed not in self._dense:
            folder = Path(self.p.dense, "models", f"seed-{seed}") if self.p.dense else None
            model = load_model(folder) if folder else self.train(build(self.p.model, **self.p.hyperparameters), seed)
            self._dense[seed] = Dense(model, reports(model, self.split(seed)), footprint(model).bytes_disk)
        return self._dense[seed]

    def train(self, model: Recommender, seed: int, on: Split | None = None) -> Recommender:
        """Train on a split (by default the seed's own)."""
        on = on or self.split(seed)
        return model.fit(on.train, validation=on.validation, seed=seed, fold_in=on.fold_in("validation"))

    def dense_rows(self) -> pd.DataFrame:
        """Train the dense model of every seed and measure it; saved below `p.out` when that is given."""
        rows = []
        for seed in self._progress(self.p.seeds):
            dense = self.dense(seed)
            if self.p.out:
                dense.model.save(Path(self.p.out, "models", f"seed-{seed}"))
            cell = {
                "side": "dense",
                "unit": "",
                "criterion": "none",
                "schedule": "",
                "recovery": "",
                "kept": 1.0,
                "seed": seed,
            }
            rows.append(self.measure(dense.model, cell, train_s=dense.model.train_seconds, score_s=0.0))
        return self.intervals(rows)

    def with_dense(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Rows of a curve together with those of the dense models they are compared with, for a figure."""
        dense = read_rows(Path(self.p.dense, "cells.csv")) if self.p.dense else self.dense_rows()
        return pd.concat([dense, rows], ignore_index=True)

    def parameter_rows(self) -> pd.DataFrame:
        """The dense model of every seed pruned to every share (criterion `zero-reset`: to nothing), in compact form."""
        p, rows = self.p, []
        reset = p.criterion == "zero-reset"
        for seed, share in self._cells((0.0,) if reset else p.keep):
            pruned = self._shown.get((seed, share)) or self._prune(seed, share)
            cell = {
                "side": "control" if reset else "parameters",
                "unit": p.unit,
                "criterion": p.criterion,
                "schedule": p.schedule,
                "recovery": p.recovery,
                "kept": share,
                "seed": seed,
            }
            rows.append(
                self.measure(pruned.compact(), cell, train_s=pruned.recovery_seconds, score_s=pruned.score_seconds)
            )
        return self.intervals(rows)

    def prune(self, seed: int, share: float) -> Pruned:
        """The dense model of a seed, pruned as the parameters say; kept, for a notebook to look at and for its curve."""
        if (seed, share) not in self._shown:
            self._shown[seed, share] = self._prune(seed, share)
        return self._shown[seed, share]

    def _prune(self, seed: int, share: float) -> Pruned:
        p = self.p
        return prune(
            self.dense(seed).model,
            self.split(seed),
            criterion=p.criterion,
            unit=p.unit,
            keep=share or None,
            schedule=p.schedule,
            recovery=p.recovery,
            seed=seed,
            **p.options,
        )

    def sample_rows(self) -> pd.DataFrame:
        """The model trained from scratch on every share of the training interactions; the same test interactions."""
        p, rows = self.p, []
        for seed, share in self._cells(p.keep):
            less = prune_samples(self.split(seed), criterion=p.criterion, keep=share, seed=seed)
            model = self.train(build(p.model, **p.hyperparameters), seed, less)
            self._show(seed, share, model)
            cell = {
                "side": "samples",
                "unit": "interaction",
                "criterion": p.criterion,
                "schedule": "one-shot",
                "recovery": "retrain",
                "kept": share,
                "seed": seed,
            }
            rows.append(self.measure(model, cell, train_s=model.train_seconds, score_s=0.0, on=less))
        return self.intervals(rows)

    def smaller_rows(self) -> pd.DataFrame:
        """The control: the same model trained dense with about the given share of the parameters."""
        rows = []
        for seed, share in self._cells(self.p.keep):
            dense = self.dense(seed).model
            small = self.train(dense.smaller(share), seed)
            self._show(seed, share, small)
            cell = {
                "side": "control",
                "unit": "model",
                "criterion": "smaller-dense",
                "schedule": "one-shot",
                "recovery": "retrain",
                "kept": _n_parameters(small) / _n_parameters(dense),
                "seed": seed,
            }
            rows.append(self.measure(small, cell, train_s=small.train_seconds, score_s=0.0) | {"_curve": share})
        return self.intervals(rows)

    def history_rows(self) -> pd.DataFrame:
        """The dense models, not trained again, once they know the validation interactions as well: what the published
        evaluations of sequence models give them at test time. Validation columns stay those of the dense model.
        """
        rows = []
        for seed in self._progress(self.p.seeds):
            dense, of = self.dense(seed), self.split(seed)
            informed = evaluate(Informed(dense.model, known_before_test(of)), of, on="test", k=CUTOFFS)
            cell = {
                "side": "control",
                "unit": "history",
                "criterion": "train+validation",
                "schedule": "",
                "recovery": "none",
                "kept": 1.0,
                "seed": seed,
            }
            found = dense.reports | {"test": informed}
            rows.append(self.measure(dense.model, cell, train_s=0.0, score_s=0.0, found=found))
        return self.intervals(rows)

    def _show(self, seed: int, share: float, model: Recommender) -> None:
        if (seed, share) == (self.p.seeds[0], min(self.p.keep)):
            self._shown[seed, share] = model

    @property
    def smallest(self) -> Recommender:
        """The first seed's model at the smallest share, once its curve was measured."""
        return self._shown[self.p.seeds[0], min(self.p.keep)]

    def _cells(self, shares: tuple[float, ...]) -> Iterator[tuple[int, float]]:
        yield from self._progress([(seed, share) for seed in self.p.seeds for share in shares])

    def _progress(self, cells):
        """A progress bar for somebody who looks on; a run of the study reports on itself."""
        return tqdm(cells, desc=f"{self.p.model} {self.p.method}".strip(), disable=bool(self.p.out))

    def measure(
        self,
        model: Recommender,
        cell: dict,
        *,
        train_s: float,
        score_s: float,
        on: Split | None = None,
        found: dict[str, Report] | None = None,
    ) -> dict:
        """The row of one cell, except for what needs all seeds of its curve. `found`: how it ranks, where that is known."""
        p, seed = self.p, cell["seed"]
        dense, of = self.dense(seed), self.split(seed)
        found = found or reports(model, of, train=on)
        row = {
            "dataset": dataset_name(p.dataset),
            "protocol": p.protocol,
            "model": model.name,
            "family": model.family,
        } | cell
        for part, short in (("validation", "val"), ("test", "test")):
            report, reference = found[part], dense.reports[part]
            mean = report.mean | overlap(report.lists, reference.lists, k=20)
            row |= {f"{short}_{name}": value for name, value in mean.items()}
            row[f"{short}_ratio"] = report.mean[HEADLINE] / reference.mean[HEADLINE]
        row |= {f"train_{name}": found["train"].mean[name] for name in (HEADLINE, "recall@10")}
        cost = footprint(model)
        row |= vars(cost)
        speed = latency({"dense": dense.model, "this": model}, np.arange(of.n_users), seed=seed)
        row |= {
            "p50_ms": speed["this"].p50_ms,
            "p95_ms": speed["this"].p95_ms,
            "users_per_s": speed["this"].users_per_s,
            "p50_ratio": speed["this"].p50_ms / speed["dense"].p50_ms,
            "bytes_ratio": cost.bytes_disk / dense.bytes_disk,
            "train_s": train_s,
            "score_s": score_s,
            "peak_rss_mb": peak_rss_mb(),
        }
        self.quality[seed, cell["side"], cell["kept"]] = {
            part: found[part].per_user[HEADLINE] for part in ("validation", "test")
        }
        return row

    def intervals(self, rows: list[dict]) -> pd.DataFrame:
        """Rows with the intervals of their curve points: paired bootstrap over users, all seeds of a point together."""
        points: dict[float, list[dict]] = {}
        for row in rows:
            points.setdefault(row.pop("_curve", row["kept"]), []).append(row)
        for point in points.values():
            for part, short in (("validation", "val"), ("test", "test")):
                pruned = [self.quality[r["seed"], r["side"], r["kept"]][part] for r in point]
                dense = [self.dense(r["seed"]).reports[part].per_user[HEADLINE] for r in point]
                interval = paired_ratio(pruned, dense)
                for row in point:
                    row |= {f"{short}_ratio_{end}": getattr(interval, end) for end in ("lo", "hi", "lower")}
            ones = [np.where(np.isnan(values), np.nan, 1.0) for values in pruned]  # the ratio to 1 is the mean itself
            level = paired_ratio(pruned, ones)
            for row in point:
                row |= {f"test_{HEADLINE}_lo": level.lo, f"test_{HEADLINE}_hi": level.hi}
        return pd.DataFrame(rows)


@dataclass(frozen=True)
class Informed:
    """A model that scores its users from given histories (n_users x n_items) in place of those it was trained on."""

    model: Recommender
    histories: sparse.csr_array

    def score(self, users) -> np.ndarray:
        return self.model.fold_in(self.histories[users])


def known_before_test(of: Split) -> sparse.csr_array:
    """(n_users x n_items): training, then validation interactions; in each row the order of time, where there are times."""
    parts = (of.train, of.validation)
    user, item, data = (np.concatenate(values) for values in zip(*((p.user, p.item, p.tocsr().data) for p in parts), strict=True))
    late = np.repeat([0, 1], [part.nnz for part in parts])
    times = late if of.train.timestamp is None else np.concatenate([part.timestamp for part in parts])
    order = np.lexsort((late, times, user))
    starts = np.append(0, np.cumsum(np.bincount(user, minlength=of.n_users)))
    return sparse.csr_array((data[order], item[order], starts), shape=of.train.shape)


def reports(model, of: Split, train: Split | None = None) -> dict[str, Report]:
    """How a model ranks on all three parts; on training, for what it was trained on."""
    known = train or of
    found = {part: evaluate(model, of, on=part, k=CUTOFFS) for part in ("validation", "test")}
    if of.histories:  # the users who are evaluated were held out: what they train on is what is folded in
        return found | {"train": evaluate(model, replace(known, histories={}), on="train", k=(10,))}
    return found | {"train": evaluate(model, known, on="train", k=(10,))}


def _n_parameters(model: Recommender) -> int:
    return footprint(model).parameters
