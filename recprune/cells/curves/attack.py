"""Attacks by fake profiles: how far they lift their targets, before and after pruning, and which fakes pruning removes.

Further rows (`recprune.cells.further`) of these measures; `at` is the kind of profile ("none": no attack) and the
original id of the item attacked for:

    hit@10    share of the real users who have the target among their 10 best, of those who did not train on it
    standing  share of the other items that are scored below the target, mean over the same users
    recall    share of the fake interactions that a rule for samples removes
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from recprune.cells.bench import Bench
from recprune.cells.curves.walk import downwards, seeds
from recprune.cells.further import further_row, over_users
from recprune.cells.measure import Cell
from recprune.evaluation.attack import PROFILES, Poisoned, hit_rate, poisoned, removed, standing, targets
from recprune.models import Recommender
from recprune.pruning import ParameterPath, SamplePath, prune_samples
from recprune.splits import Split

KIND = "attack"
NONE = "none"  # no attack
TARGETS = 5
FAKES = 0.01  # of the users
#: rules for samples that look at the log, or at a small model of it
RULES = ("random", "stratified", "weight", "loss", "inverse-propensity", "score-variance", "leverage", "k-core")
UNITS = ("interaction", "user")


def attack_rows(bench: Bench) -> pd.DataFrame:
    """The further rows of a model that was trained on poisoned data: dense, pruned to each share with each recovery,
    and trained on what a rule for samples left. Without a model: of the rules for samples themselves."""
    found: list[dict[str, Any]] = []
    for seed in seeds(bench):
        for at, attack in _attacks(bench.split(seed), seed):
            found += _of_model(bench, at, attack, seed) if bench.p.model else _of_rules(bench, at, attack, seed)
    return pd.DataFrame(found)


def _attacks(split: Split, seed: int) -> Iterator[tuple[str, Poisoned]]:
    """(at, attack) for each target and kind of profile; for each target first without an attack."""
    for target in targets(split, TARGETS, seed).tolist():
        name = str(split.items[target])
        yield f"{NONE} {name}", Poisoned(split, target, np.empty(0, np.int64))
        for profiles in PROFILES:
            yield f"{profiles} {name}", poisoned(split, target, profiles, FAKES, seed)


def _of_model(bench: Bench, at: str, attack: Poisoned, seed: int) -> list[dict[str, Any]]:
    p = bench.p
    clean = not len(attack.fakes)
    model = bench.dense(seed).model if clean else bench.train(bench.untrained(), seed, attack.split)
    found = _hits(bench, model, at, attack, Cell(side="dense", seed=seed))
    for recovery in (p.recoveries or (p.recovery,)) if p.keep else ():
        path = ParameterPath(model, attack.split, p.criterion, p.unit, p.schedule, recovery, seed, **p.options)
        for share in downwards(p.keep):
            cell = Cell.of(p, "parameters", share, seed, recovery=recovery)
            found += _hits(bench, path.cut(share), at, attack, cell)
    for share in downwards(p.samples):
        less = prune_samples(attack.split, p.samples_criterion, share, seed)
        cell = _samples("interaction", p.samples_criterion, "retrain", share, seed)
        found += _hits(bench, bench.train(bench.untrained(), seed, less), at, attack, cell)
    return found


def _hits(bench: Bench, model, at: str, attack: Poisoned, cell: Cell) -> list[dict[str, Any]]:
    """The rows of one model: how many real users have the target in their lists, and where it stands."""
    dense: Recommender = bench.dense(cell.seed).model
    real, found = bench.split(cell.seed).n_users, []
    for measure, ask in (("hit@10", hit_rate), ("standing", standing)):
        mean, error = over_users(ask(model, attack.split, attack.target, real=real))
        found.append(further_row(cell, KIND, at, measure, mean, error, model=dense.name, family=dense.family))
    return found


def _of_rules(bench: Bench, at: str, attack: Poisoned, seed: int) -> list[dict[str, Any]]:
    """The recall of each rule that the log has what it needs for, by unit and share; of real attacks."""
    found = []
    for criterion in RULES if len(attack.fakes) else ():
        if criterion == "weight" and attack.split.train.rating is None and attack.split.train.weight is None:
            continue
        for unit in UNITS:
            path = SamplePath(attack.split, criterion, seed + attack.target, unit)  # of each target another draw
            for share in downwards(bench.p.samples):
                cell = _samples(unit, criterion, "", share, seed)
                gone = removed(attack, path.cut(share).train)
                found.append(further_row(cell, KIND, at, "recall", gone, model="", family=""))
    return found


def _samples(unit: str, criterion: str, recovery: str, kept: float, seed: int) -> Cell:
    return Cell(
        side="samples", unit=unit, criterion=criterion, schedule="one-shot", recovery=recovery, kept=kept, seed=seed
    )
