"""Measuring: from the parameters of a run to rows, one for each cell.

A `Bench` holds what all cells of a run share: the log, and for each seed the split, the trained dense
model and how it ranks. Its curves walk over seeds and shares; `intervals` closes a curve over its seeds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import sparse
from tqdm import tqdm

from recprune.cells.parameters import Parameters
from recprune.cells.rows import CUTOFFS, PER_USER, read_rows
from recprune.datasets import load
from recprune.datasets.naming import name_of
from recprune.errors import StudyError
from recprune.evaluation import Report, evaluate, footprint, latency, overlap, paired_ratio, peak_rss_mb
from recprune.interactions import Interactions
from recprune.models import Recommender, build, load_model
from recprune.models.training import with_equal_updates
from recprune.pruning import ParameterPath, Pruned, PrunedData, SamplePath, data_path, prune
from recprune.splits import Split, split

HEADLINE = "ndcg@10"
LOOP_STEPS = 10  # rounds that a loop over samples takes from everything to nothing


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
    def _paths(self) -> dict[int, ParameterPath]:
        return {}

    @cached_property
    def _sample_paths(self) -> dict[int, SamplePath]:
        return {}

    @cached_property
    def _loops(self) -> dict[int, dict[float, PrunedData]]:
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
            self._dense[seed] = self._ranked(model, self.split(seed))
        return self._dense[seed]

    def _ranked(self, model: Recommender, of: Split) -> Dense:
        return Dense(model, reports(model, of), footprint(model).bytes_disk)

    def _cell(self, side: str, kept: float, seed: int) -> dict:
        """A cell of the run's own method."""
        p = self.p
        method = {"unit": p.unit, "criterion": p.criterion, "schedule": p.schedule, "recovery": p.recovery}
        return {"side": side, **method, "kept": kept, "seed": seed}

    @staticmethod
    def _control(unit: str, criterion: str, recovery: str, kept: float, seed: int) -> dict:
        method = {"unit": unit, "criterion": criterion, "schedule": "one-shot", "recovery": recovery}
        return {"side": "control", **method, "kept": kept, "seed": seed}

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

    def path(self, seed: int) -> ParameterPath:
        """The dense model of a seed on its way down, as the parameters of the run say, with the last of its recoveries."""
        if seed not in self._paths:
            self._paths.clear()  # one at a time: a path holds models
            self._paths[seed] = self._path_from(self.dense(seed).model, self.split(seed), seed)
        return self._paths[seed]

    def _path_from(self, model: Recommender, of: Split, seed: int) -> ParameterPath:
        p = self.p
        return ParameterPath(model, of, p.criterion, p.unit, p.schedule, self._recoveries[-1], seed, **p.options)

    @property
    def _recoveries(self) -> tuple[str, ...]:
        return self.p.recoveries or (self.p.recovery,)

    def parameter_rows(self) -> pd.DataFrame:
        """The dense model of every seed pruned to every share, largest first, with every recovery; in compact form."""
        rows = []
        for seed in self._progress(self.p.seeds):
            for recovery in self._recoveries:
                last = recovery == self._recoveries[-1]
                path = self.path(seed) if last else self.path(seed).recovering(recovery)
                for share in sorted(self.p.keep, reverse=True):
                    pruned = self.prune(seed, share) if last else path.cut(share)
                    rows.append(
                        self._pruned_row(pruned, self._cell("parameters", share, seed) | {"recovery": recovery})
                    )
        return self.intervals(rows)

    def prune(self, seed: int, share: float) -> Pruned:
        """The dense model of a seed, pruned as the parameters say, with the last of the recoveries.

        The first seed's smallest is kept: a notebook looks at it.
        """
        if (seed, share) not in self._shown:
            pruned = self.path(seed).cut(share)
            self._show(seed, share, pruned)
            return pruned
        return self._shown[seed, share]

    def control_rows(self) -> pd.DataFrame:
        """What is reached without a rule: everything reset to zero; and of models of gradient descent, that trained
        again, and the dense model trained on as fine-tuning does.
        """
        rows = []
        for seed in self._progress(self.p.seeds):
            model, of = self.dense(seed).model, self.split(seed)
            for recovery in ("none", "retrain")[: 1 + hasattr(model, "descend")]:
                reset = prune(model, of, criterion="zero-reset", recovery=recovery, seed=seed)
                rows.append(self._pruned_row(reset, self._control("weight", "zero-reset", recovery, 0.0, seed)))
            if hasattr(model, "descend"):
                on = ParameterPath(model, of, "random", recovery="fine-tune", seed=seed).cut(1.0)
                rows.append(self._pruned_row(on, self._control("model", "train-on", "fine-tune", 1.0, seed)))
        return self.intervals(rows)

    def _pruned_row(self, pruned: Pruned, cell: dict, **more) -> dict:
        return self.measure(
            pruned.compact(), cell, train_s=pruned.recovery_seconds, score_s=pruned.score_seconds, **more
        )

    def sample_path(self, seed: int) -> SamplePath:
        """The split of a seed on its way down, as the parameters of the run say."""
        if seed not in self._sample_paths:
            self._sample_paths[seed] = SamplePath(self.split(seed), self.p.criterion, seed, self.p.unit)
        return self._sample_paths[seed]

    def sample_rows(self) -> pd.DataFrame:
        """The model trained from scratch on every share of the training interactions; the same test interactions.

        Under the recovery `retrain-updates` models of gradient descent make as many updates as on all interactions.
        """
        p, rows = self.p, []
        for seed, share in self._cells(p.keep):
            path = self.sample_path(seed)
            less, model = path.cut(share), build(p.model, **p.hyperparameters)
            if p.recovery == "retrain-updates":
                model = with_equal_updates(model, self.split(seed).train, less.train)
            self.train(model, seed, less)
            self._show(seed, share, model)
            cell = self._cell("samples", share, seed)
            rows.append(self.measure(model, cell, train_s=model.train_seconds, score_s=path.seconds, on=less))
        return self.intervals(rows)

    def loop(self, seed: int) -> dict[float, PrunedData]:
        """Share of the training interactions -> what stands there in the articles' loop, from the dense model of a seed.

        One walk down to the smallest share, in steps of equal size, passes through the others.
        """
        p, steps = self.p, LOOP_STEPS
        if seed not in self._loops:
            least = min(p.keep)
            rounds = max(1, round((1 - least) * steps))
            path = data_path(
                self.dense(seed).model,
                self.split(seed),
                p.criterion,
                least,
                p.schedule,
                rounds,
                p.recovery,
                seed,
                **p.options,
            )
            states = {round(1 - (1 - least) * turn / rounds, 6): state for turn, state in enumerate(path, 1)}
            missing = [share for share in p.keep if round(share, 6) not in states]
            if missing:
                raise StudyError(f"keep: {missing[0]} is not on the way from 1 to {least} in steps of 1/{steps}")
            self._loops[seed] = {share: states[round(share, 6)] for share in sorted(p.keep, reverse=True)}
        return self._loops[seed]

    def loop_rows(self) -> pd.DataFrame:
        """Training interactions go a share a round, and the model is adjusted after each."""
        rows = []
        for seed in self._progress(self.p.seeds):
            for share, done in self.loop(seed).items():
                spent = done.rounds[["score_s", "recovery_s"]].sum()
                cell, cost = (
                    self._cell("samples", share, seed),
                    {"train_s": spent["recovery_s"], "score_s": spent["score_s"]},
                )
                rows.append(self.measure(done.model, cell, **cost, on=done.split))
        return self.intervals(rows)

    def both_rows(self) -> pd.DataFrame:
        """Does less training data change how prunable a model is? A grid of shares of samples by shares of parameters.

        For each share of the samples a dense model is trained, then pruned. Ratios (and overlaps) are to the dense
        model *of the same samples*; the levels can be compared across.
        """
        p, rows = self.p, []
        for seed, share in self._cells(p.samples):
            less = SamplePath(self.split(seed), p.samples_criterion, seed).cut(share)
            dense = self._ranked(self.train(build(p.model, **p.hyperparameters), seed, less), less)
            base = self._cell("both", 1.0, seed) | {"samples_kept": share}
            rows.append(
                self.measure(dense.model, base, train_s=dense.model.train_seconds, score_s=0.0, on=less, against=dense)
            )
            path = self._path_from(dense.model, less, seed)
            for kept in sorted(p.keep, reverse=True):
                rows.append(self._pruned_row(path.cut(kept), base | {"kept": kept}, on=less, against=dense))
        return self.intervals(rows)

    def smaller_rows(self) -> pd.DataFrame:
        """The control: the same model trained dense with about the given share of the parameters."""
        rows = []
        for seed, share in self._cells(self.p.keep):
            dense = self.dense(seed).model
            small = self.train(dense.smaller(share), seed)
            self._show(seed, share, small)
            cell = self._control("model", "smaller-dense", "retrain", _n_parameters(small) / _n_parameters(dense), seed)
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
            cell = self._control("history", "train+validation", "none", 1.0, seed) | {"schedule": ""}
            found = dense.reports | {"test": informed}
            rows.append(self.measure(dense.model, cell, train_s=0.0, score_s=0.0, found=found))
        return self.intervals(rows)

    def _show(self, seed: int, share: float, model: Recommender | Pruned) -> None:
        if (seed, share) == (self.p.seeds[0], min(self.p.keep)):
            self._shown[seed, share] = model

    @property
    def smallest(self) -> Recommender:
        """The first seed's model at the smallest share, once its curve was measured."""
        return self._shown[self.p.seeds[0], min(self.p.keep)]

    def _cells(self, shares: tuple[float, ...]) -> Iterator[tuple[int, float]]:
        """Seed by seed, the largest share first: a path goes downwards."""
        yield from self._progress([(seed, share) for seed in self.p.seeds for share in sorted(shares, reverse=True)])

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
        against: Dense | None = None,
    ) -> dict:
        """The row of one cell, except for what needs all seeds of its curve.

        on       what the model was trained on, where that is not the seed's split
        found    how the model ranks, where that is known
        against  what it is compared with; by default the seed's dense model

        Times to recommend are measured for the first seed only: they take as long as all the rest, and seeds
        change weights, not sizes.
        """
        p, seed = self.p, cell["seed"]
        dense, of = against or self.dense(seed), self.split(seed)
        found = found or reports(model, of, train=on)
        row = {
            "dataset": name_of(p.dataset),
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
        row |= vars(cost) | {"bytes_ratio": cost.bytes_disk / dense.bytes_disk}
        if seed == p.seeds[0]:
            speed = latency({"dense": dense.model, "this": model}, np.arange(of.n_users), seed=seed)
            this = speed["this"]
            row |= {"p50_ms": this.p50_ms, "p95_ms": this.p95_ms, "users_per_s": this.users_per_s}
            row["p50_ratio"] = this.p50_ms / speed["dense"].p50_ms
        row |= {"train_s": train_s, "score_s": score_s, "peak_rss_mb": peak_rss_mb()}
        row["_per_user"] = {
            part: (found[part].per_user[HEADLINE], dense.reports[part].per_user[HEADLINE])
            for part in ("validation", "test")
        }
        return row

    def intervals(self, rows: list[dict]) -> pd.DataFrame:
        """Rows with the intervals of their curve points: paired bootstrap over users, all seeds of a point together."""
        points: dict[tuple, list[dict]] = {}
        for row in rows:
            point = (row.pop("_curve", row["kept"]), row["recovery"], row.get("samples_kept", 1.0))
            points.setdefault(point, []).append(row)
        for point in points.values():
            per_user = [row.pop("_per_user") for row in point]
            for part, short in (("validation", "val"), ("test", "test")):
                pruned, dense = zip(*(values[part] for values in per_user), strict=True)
                interval = paired_ratio(list(pruned), list(dense))
                for row in point:
                    row |= {f"{short}_ratio_{end}": getattr(interval, end) for end in ("lo", "hi", "lower")}
            ones = [np.where(np.isnan(values), np.nan, 1.0) for values in pruned]  # the ratio to 1 is the mean itself
            level = paired_ratio(list(pruned), ones)
            for row, values in zip(point, pruned, strict=True):
                row |= {f"test_{HEADLINE}_lo": level.lo, f"test_{HEADLINE}_hi": level.hi, PER_USER: values}
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
    user, item, data = (
        np.concatenate(values) for values in zip(*((p.user, p.item, p.tocsr().data) for p in parts), strict=True)
    )
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
