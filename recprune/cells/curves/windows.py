"""A dense model and its pruned ones, followed through windows of time: further rows, a number each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from recprune.cells.bench import Bench
from recprune.cells.curves.walk import downwards, seeds
from recprune.cells.further import further_row, over_users
from recprune.cells.measure import Cell
from recprune.growth import WAYS, Followed, Windows, follow, follow_popular, slope, started, windows
from recprune.growth.update import pruned_to

KIND = "window"
WHO = ("warm", "cold")
DENSE_WAYS = tuple(way for way in WAYS if way != "support")  # a dense model has all of the support there is
POPULAR = "popularity"


@dataclass(frozen=True)
class Arm:
    """One model on its way through the windows: cut to a share or dense (1), taking windows in one way."""

    kept: float
    way: str
    followed: Followed


def times_are(bench: Bench) -> str:
    """What the rows of a run call its log: "dynamic", or "shuffled" for the static control."""
    return "shuffled" if bench.p.options.get("shuffled", False) else "dynamic"


def windows_of(bench: Bench, seed: int) -> Windows:
    """The windows of a seed; without the option `shuffled` they are those of every seed."""
    p = bench.p
    n, shuffled = p.options.get("windows", 4), p.options.get("shuffled", False)
    return windows(bench.log, n=n, min_rating=p.min_rating, core=p.core, shuffled=shuffled, seed=seed)


def arms(bench: Bench, seed: int) -> Iterator[Arm]:
    """Every arm of a seed: popularity, the dense model, then its pruned ones, each by every way that it has."""
    growing = windows_of(bench, seed)
    yield Arm(1.0, POPULAR, follow_popular(growing))
    dense = started(bench.untrained(), growing, seed)
    for way in DENSE_WAYS:
        yield Arm(1.0, way, follow(dense, growing, how=way, seed=seed))
    for share in downwards(bench.p.keep):
        pruned = pruned_to(dense, growing.train, share, seed, bench.p.criterion)
        for way in WAYS:
            yield Arm(share, way, follow(pruned, growing, how=way, seed=seed))


def windows_rows(bench: Bench) -> pd.DataFrame:
    """The further rows of a run: of each seed, arm and window quality, seconds and values; of each pruned arm a slope.

    ndcg@10 warm, ndcg@10 cold  mean over the users who come, and its standard error; at the window
    update_s, values            seconds of taking the window in, values that are not zero; at the window
    slope                       of log(pruned / dense) of the warm users, from window to window, the dense model taking
                                them in the same way (of `support`: by `values`), see `recprune.growth.slope`
    """
    found: list[dict[str, Any]] = []
    model, family = bench.p.model, bench.untrained().family
    for seed in seeds(bench):
        dense: dict[str, Followed] = {}
        for arm in arms(bench, seed):
            cell = _cell(bench, arm, seed)
            for at, measure, value, error in _of_windows(arm, times_are(bench)):
                found.append(further_row(cell, KIND, at, measure, value, error, model=model, family=family))
            if arm.kept == 1:
                dense[arm.way] = arm.followed
                continue
            base = dense["values" if arm.way == "support" else arm.way]
            one = slope(arm.followed.of("warm"), base.of("warm"), seed=seed)
            found.append(
                further_row(cell, KIND, times_are(bench), "slope", one.value, one.error, model=model, family=family)
            )
    rows = pd.DataFrame(found)
    return rows[rows["value"].notna()].reset_index(drop=True)


def _cell(bench: Bench, arm: Arm, seed: int) -> Cell:
    if arm.kept < 1:
        return Cell.of(bench.p, "parameters", arm.kept, seed, recovery=arm.way)
    return Cell(side="control" if arm.way == POPULAR else "dense", recovery=arm.way, seed=seed)


def _of_windows(arm: Arm, times: str) -> Iterator[tuple[str, str, float, float]]:
    """(at, measure, value, error) of an arm in each window; where nobody came, or nothing was taken in, NaN."""
    for w in range(arm.followed.ndcg.shape[1]):
        at = f"{times} window {w + 1}"
        for who in WHO:
            yield at, f"ndcg@10 {who}", *over_users(arm.followed.of(who)[:, w])
        if arm.way != POPULAR:
            yield at, "update_s", arm.followed.seconds[w], np.nan
            yield at, "values", arm.followed.values[w], np.nan
