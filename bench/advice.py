"""What `recprune advise` says of logs that it has not seen: parts of MovieLens, three models that train in seconds.

A part has some of the users, or some of the items, of the log, and is filtered and split as every log is. What the
rule of a model removes safely from it (0.99 of validation nDCG@10, the lower bound at this share and at every larger
one, and test confirms it) is held against the interval that the data sets of the studies give without the log that the
part is of. `--ml-1m PATH` adds parts of MovieLens-1M.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import recprune as rp
from bench.common import RESULTS, TINY, write
from recprune.evaluation import paired_ratio
from recprune.interactions import Interactions
from recprune.pruning.parameter_path import ParameterPath
from recprune.report.evidence.data_sets import count_split
from recprune.shell.advice import Expected, expected, holds
from recprune.shell.known import known

#: model -> shares that stay, from many to few: those of the studies
KEPT = {
    "ease": [0.5, 0.2, 0.1, 0.05, 0.02, 0.01],
    "ials": [0.75, 0.5, 0.375, 0.25, 0.125],
    "item-knn": [0.5, 0.3, 0.2, 0.1],
}
SEEDS = (0, 1, 2)
FLOOR = 0.99
COUNTS = ("users", "items", "interactions", "density", "gini_items")
#: log -> its parts
PARTS = {
    "ml-100k": [("users", 0.25), ("users", 0.5), ("items", 0.25), ("items", 0.5)],
    "ml-1m": [("items", 0.25), ("users", 0.1)],
}


def part_of(log: Interactions, of: str, share: float, seed: int) -> Interactions:
    """The interactions of a random share of the users, or of the items."""
    n = log.n_users if of == "users" else log.n_items
    drawn = np.random.default_rng(seed).permutation(n)[: max(1, round(share * n))]
    return log.select(np.isin(log.user if of == "users" else log.item, drawn))


def removed_from(log: Interactions, name: str, each: Expected, seeds: tuple[int, ...]) -> tuple[float, bool]:
    """The share that a model's rule removes safely on validation, and whether test confirms it."""
    rule, shares = each.rule, KEPT[each.rule.model]
    values, _ = known().hyperparameters(name, rule.model, "ratio")
    nDCG: dict[tuple[float, str], list[np.ndarray]] = {}
    for seed in seeds:
        of = rp.split(log, seed=seed)
        dense = rp.models.build(rule.model, **values).fit(of.train, of.validation, seed=seed)
        path = ParameterPath(dense, of, rule.criterion, rule.unit, rule.schedule, rule.recovery, seed)
        for share, model in ((1.0, dense), *((share, path.cut(share).compact()) for share in shares)):
            for on in ("validation", "test"):
                found = rp.evaluate(model, of, on=on, k=(10,)).per_user["ndcg@10"]
                nDCG.setdefault((share, on), []).append(found)
    removed, confirmed = 0.0, True
    for share in shares:
        bounds = {on: paired_ratio(nDCG[share, on], nDCG[1.0, on]).lower for on in ("validation", "test")}
        if not bounds["validation"] >= FLOOR:
            break
        removed, confirmed = 1 - share, bool(bounds["test"] >= FLOOR)
    return removed, confirmed


def rows_of(log: Interactions, parent: str, name: str, seeds: tuple[int, ...]) -> list[dict[str, Any]]:
    """A row for each model: what was found in a part, and what the other data sets say."""
    counts = count_split(rp.split(log, seed=seeds[0]))
    rows = []
    for each in expected(known(), without=(parent,)):
        if each.rule.model in KEPT:
            removed, confirmed = removed_from(log, parent, each, seeds)
            found = removed if confirmed else 0.0
            row = {"part": name, **{count: counts[count] for count in COUNTS}, "model": each.rule.model}
            row |= {"unit": each.rule.unit, "removed": removed, "confirmed": confirmed, "least": each.least}
            rows.append(row | {"lo": each.interval[0], "hi": each.interval[1], "held": holds(each.interval, found)})
            print(pd.DataFrame(rows[-1:]).to_string(index=False, header=len(rows) == 1), flush=True)
    return rows


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=RESULTS)
    parser.add_argument("--ml-1m", type=Path, help="a file or folder of MovieLens-1M")
    options = parser.parse_args(arguments)
    source = "synthetic:300x200x12000:seed=1" if TINY else "ml-100k"
    logs = {"ml-100k": rp.load(source, quiet=True)}
    if options.ml_1m:
        logs["ml-1m"] = rp.load(options.ml_1m, quiet=True)
    rows = []
    for parent, log in logs.items():
        for of, share in PARTS[parent][:: 3 if TINY else 1]:
            part = part_of(log, of, share, seed=1)
            rows += rows_of(part, parent, f"{share:.0%} of the {of} of {parent}", SEEDS[:1] if TINY else SEEDS)
    found = pd.DataFrame(rows)
    held = int(found["held"].sum())
    notes = (
        f"The interval held what was found in {held} of {len(found)}. It is that of the data sets of the "
        "studies without the one that the part is of. Three seeds; bounds one-sided at 95 %, over users and "
        "seeds. `removed`: safe on validation; where test does not confirm it, 0 counts."
    )
    write("advice", found, "What advise says of logs that it has not seen", notes, folder=options.out)


if __name__ == "__main__":
    main()
