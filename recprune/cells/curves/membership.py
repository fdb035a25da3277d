"""Audits of membership: what the dense model of each seed, and what was made of it, gives away of its training data.

Each audited model leaves further rows (`recprune.cells.further`) of these measures:

    auc, tpr_at_1_fpr   of `recprune.membership`
    auc_gain            the AUC less that of the dense model asked in the same way, paired by user
    ratio               test nDCG@10 / that of the dense model

`at` says how the attacker asks: "" (the member hidden from its history, one model seen), SERVED, BESIDE, RETRAINED.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pandas as pd

from recprune.cells.bench import Bench
from recprune.cells.curves.controls import in_that_shape
from recprune.cells.curves.walk import downwards, seeds
from recprune.cells.further import WITHOUT_ID, further_row
from recprune.cells.measure import HEADLINE, Cell
from recprune.cells.names import AS_TRAINED
from recprune.evaluation import Membership, evaluate, footprint, membership
from recprune.evaluation.privacy import difference
from recprune.evaluation.privacy.signals import hides
from recprune.interactions import Interactions
from recprune.models import Recommender
from recprune.models.quantization import quantize
from recprune.pruning import ParameterPath, prune_samples
from recprune.splits import Split

KIND = "membership"
SERVED = "as served"  # nothing is hidden from the histories, and tables of users are asked as they are
BESIDE = "beside dense"  # the attacker sees the dense model, too
RETRAINED = "retrainings"  # the attacker trains models like it: in those of a closed form
SMALLER = (0.5, 0.25, 0.06)  # shares of the parameters of the smaller dense models
RETRAININGS = 8


def membership_rows(bench: Bench) -> pd.DataFrame:
    """The further rows of all audits of a run: of each seed's dense model, in each value format; pruned by the run's
    criterion and at random; trained on a part of the samples; trained smaller; and without what it knows of users by
    their ids."""
    found: list[dict[str, Any]] = []
    for seed in seeds(bench):
        audits = Audits(bench, seed)
        _dense(audits)
        if bench.p.keep:
            _pruned(audits)
            _smaller(audits)
        _of_samples(audits)
        _without_id(audits)
        found += audits.rows
    return pd.DataFrame(found)


@dataclass
class Audits:
    """The audits of one seed, and what the dense model's said, by `at`."""

    bench: Bench
    seed: int
    rows: list[dict[str, Any]] = field(default_factory=list)
    of_dense: dict[str, Membership] = field(default_factory=dict)

    @property
    def dense(self) -> Recommender:
        """The dense model."""
        return self.bench.dense(self.seed).model

    @property
    def split(self) -> Split:
        """The split of the seed."""
        return self.bench.split(self.seed)

    def add(
        self,
        model,
        cell: Cell,
        on: Split | None = None,
        served: bool = False,
        beside: bool = False,
        retrain: Callable[[Interactions, int], Any] | None = None,
    ) -> None:
        """The rows of one model: asked with the member hidden, and as far as wanted and possible in the other ways.

        on  what it was trained on, where that is not the seed's split
        """
        split, pairs = on or self.split, self.split.protocol != "strong"
        self._row(cell, "", "ratio", self._quality(model, split))
        self._audit(cell, "", membership(model, split, self.seed))
        if served and pairs and hides(model):
            self._audit(cell, SERVED, membership(model, split, self.seed, hide=False))
        if beside and pairs:
            self._audit(cell, BESIDE, membership([self.dense, model], split, self.seed))
        if retrain and pairs and not hasattr(self.dense, "descend"):
            attack = membership(model, split, self.seed, retrain=retrain, retrainings=RETRAININGS)
            self._audit(cell, RETRAINED, attack)

    def _quality(self, model, split: Split) -> float:
        found = evaluate(model, split, on="test", k=(10,)).mean[HEADLINE]
        return found / self.bench.dense(self.seed).reports["test"].mean[HEADLINE]

    def _audit(self, cell: Cell, at: str, audit: Membership) -> None:
        for measure in ("auc", "tpr_at_1_fpr"):
            self._row(cell, at, measure, getattr(audit, measure).estimate, audit.errors[measure])
        dense = self.of_dense.get("" if at == BESIDE else at)
        if cell.side == "dense" and cell.values == AS_TRAINED:
            self.of_dense[at] = audit
        elif dense is not None and audit.what == "interaction" and audit.n_users == dense.n_users:
            gain = difference(audit, dense)
            self._row(cell, at, "auc_gain", gain.mean, gain.error)

    def _row(self, cell: Cell, at: str, measure: str, value: float, error: float = float("nan")) -> None:
        model, family = self.dense.name, self.dense.family
        self.rows.append(further_row(cell, KIND, at, measure, value, error, model=model, family=family))


def _dense(audits: Audits) -> None:
    cell = Cell(side="dense", seed=audits.seed)
    audits.add(audits.dense, cell, served=True, retrain=_trained(audits) if audits.bench.p.keep else None)
    for values in audits.bench.p.values:
        if values != AS_TRAINED:
            audits.add(quantize(audits.dense, values), replace(cell, values=values), beside=True)


def _pruned(audits: Audits) -> None:
    """The dense model pruned by the run's criterion to every share with every recovery; and at random, without one."""
    p, seed = audits.bench.p, audits.seed
    paths = [(p.criterion, recovery) for recovery in p.recoveries or (p.recovery,)]
    for criterion, recovery in dict.fromkeys((*paths, ("random", "none"))):
        path = ParameterPath(audits.dense, audits.split, criterion, p.unit, p.schedule, recovery, seed, **p.options)
        for share in downwards(p.keep):
            cell = Cell.of(p, "parameters", share, seed, criterion=criterion, recovery=recovery)
            again = _trained(audits, cell) if share == min(p.keep) and criterion != "random" else None
            audits.add(path.cut(share), cell, beside=True, retrain=again)


def _smaller(audits: Audits) -> None:
    """The smaller dense models: is it pruning that leaks less, or is it to fit less?"""
    for share in SMALLER:
        small = in_that_shape(audits.bench, audits.seed, share)
        kept = footprint(small).parameters / footprint(audits.dense).parameters
        audits.add(small, _control("model", "smaller-dense", "retrain", kept, audits.seed), beside=True)


def _of_samples(audits: Audits) -> None:
    """The model trained on a part of the samples; its members are what it was trained on."""
    bench, seed = audits.bench, audits.seed
    for share in downwards(bench.p.samples):
        less = prune_samples(audits.split, bench.p.samples_criterion, share, seed)
        model = bench.train(bench.untrained(), seed, less)
        cell = Cell(
            side="samples",
            unit="interaction",
            criterion=bench.p.samples_criterion,
            schedule="one-shot",
            recovery="retrain",
            kept=share,
            seed=seed,
        )
        audits.add(model, cell, on=less)


def _without_id(audits: Audits) -> None:
    """The models with a table of users without it: its rows dropped, all but the one that a table has, so that users
    are folded in or, where they cannot be, get what is popular; and where it is a field, trained without."""
    dense, seed, n = audits.dense, audits.seed, audits.dense.n_users
    if "user-row" not in dense.structure() or audits.split.protocol == "strong":
        return
    path = ParameterPath(dense, audits.split, "random", "user-row", seed=seed)
    cell = _control("user-row", WITHOUT_ID, "none", 1 / n, seed)
    audits.add(path.cut(1 / n).compact(), cell, served=True)
    if "user_id" in dense.hyperparameters():
        without: dict[str, Any] = {"user_id": False}
        other = audits.bench.train(replace(audits.bench.untrained(), **without), seed)
        audits.add(other, replace(cell, recovery="retrain"), served=True)


def _trained(audits: Audits, cell: Cell | None = None) -> Callable[[Interactions, int], Any]:
    """(interactions, seed) -> the run's model trained on them; with a cell, pruned as that one."""

    def train(log: Interactions, seed: int):
        model = audits.bench.untrained().fit(log, seed=seed)
        if cell is None:
            return model
        of = replace(audits.split, train=log, unpruned=log)
        path = ParameterPath(model, of, cell.criterion, cell.unit, cell.schedule, cell.recovery, seed)
        return path.cut(cell.kept)

    return train


def _control(unit: str, criterion: str, recovery: str, kept: float, seed: int) -> Cell:
    return Cell(
        side="control", unit=unit, criterion=criterion, schedule="one-shot", recovery=recovery, kept=kept, seed=seed
    )
