"""A dense model and its pruned ones, followed through windows of time: further rows, a number each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from recprune.cells.bench import Bench
from recprune.cells.curves.walk import downwards, seeds
from recprune.growth import WAYS, Followed, Windows, follow, follow_popular, slope, started, windows
from recprune.growth.update import pruned_to

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
    for seed in seeds(bench):
        dense: dict[str, Followed] = {}
        for arm in arms(bench, seed):
            whose = _whose(bench, arm) | {"seed": seed}
            found += [whose | row for row in _of_windows(arm, times_are(bench))]
            if arm.kept == 1:
                dense[arm.way] = arm.followed
                continue
            base = dense["values" if arm.way == "support" else arm.way]
            one = slope(arm.followed.of("warm"), base.of("warm"), seed=seed)
            found.append(whose | {"at": times_are(bench), "measure": "slope", "value": one.value, "error": one.error})
    rows = pd.DataFrame(found)
    return rows[rows["value"].notna()].reset_index(drop=True)


def _whose(bench: Bench, arm: Arm) -> dict[str, Any]:
    p, pruned = bench.p, arm.kept < 1
    side = "control" if arm.way == POPULAR else "parameters" if pruned else "dense"
    return {
        "kind": "window",
        "model": p.model,
        "family": bench.untrained().family,
        "side": side,
        "unit": p.unit if pruned else "",
        "criterion": p.criterion if pruned else "none",
        "schedule": p.schedule if pruned else "",
        "recovery": arm.way,
        "kept": arm.kept,
    }


def _of_windows(arm: Arm, times: str) -> Iterator[dict[str, Any]]:
    """The rows of an arm in each window; where nobody came, or nothing was taken in, the value is missing."""
    for w in range(arm.followed.ndcg.shape[1]):
        at = {"at": f"{times} window {w + 1}"}
        for who in WHO:
            users = arm.followed.of(who)[:, w]
            users = users[~np.isnan(users)]
            n = len(users)
            mean = float(users.mean()) if n else np.nan
            error = float(users.std(ddof=1) / np.sqrt(n)) if n > 1 else np.nan
            yield at | {"measure": f"ndcg@10 {who}", "value": mean, "error": error}
        if arm.way != POPULAR:
            yield at | {"measure": "update_s", "value": float(arm.followed.seconds[w]), "error": np.nan}
            yield at | {"measure": "values", "value": float(arm.followed.values[w]), "error": np.nan}
