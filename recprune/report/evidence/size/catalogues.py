"""What each form of a model costs at catalogues of several sizes, and where two forms cost the same."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd

from recprune.models.quantization import FORMATS
from recprune.report.evidence.frames import read_table

FILE = Path("bench") / "sizes.csv"
KINDS = {"n_items": "int64", "step": "str", "form": "str", "seconds": "float64", "bytes": "float64"}
#: cost -> the step that measures it, and what a number of it is worth in the units of the cost
COSTS = {
    "ms": ("serve-1", "seconds", 1e3),
    "ms_of_128": ("serve-128", "seconds", 1e3 / 128),
    "bytes": ("save", "bytes", 1.0),
}
COLUMNS = ["cost", "form", "n_items", "value"]
OTHERS = ("implicit", "numpy")  # other code, drawn beside ours: no form of a model of this library


def catalogues(results: Path) -> pd.DataFrame:
    """One row per cost, form and size of the catalogue, from <results>/bench/sizes.csv: the median of its repeats.

    cost   "ms" to recommend 20 items to one user, "ms_of_128" for each of 128 users at once, "bytes" on disk
    value  in these units
    No rows where `make bench` left no such file; raises ReportError where it is another.
    """
    path = Path(results) / FILE
    if not path.exists():
        return pd.DataFrame(columns=COLUMNS)
    table = read_table(path, KINDS, "`make bench`", KINDS)
    parts = [pd.DataFrame(columns=COLUMNS)]
    for cost, (step, column, unit) in COSTS.items():
        mine = table[(table["step"] == step) & (table[column] > 0)]
        medians = mine.groupby(["form", "n_items"], sort=True)[column].median().mul(unit)
        parts.append(medians.rename("value").reset_index().assign(cost=cost))
    return pd.concat([part for part in parts if len(part)] or parts, ignore_index=True)[COLUMNS]


def break_evens(costs: pd.DataFrame) -> pd.DataFrame:
    """Where two forms of `catalogues` cost the same, one of them dense: one row per cost and pair that cross.

    n_items  between two sizes at which both were measured, on straight lines through the logarithms; where they cross
             more than once, the last time
    first, then  the form that costs less below that size, and the one that does above
    Value formats change bytes alone: their milliseconds are those of the float32 arrays that they are read into.
    """
    found = []
    for cost, rows in costs[~costs["form"].isin(OTHERS)].groupby("cost", sort=False):
        rows = rows if cost == "bytes" else rows[~rows["form"].str.split().str[-1].isin(FORMATS)]
        lines = rows.pivot_table(index="n_items", columns="form", values="value")
        for pair in combinations(lines.columns, 2):
            if any(form.startswith("dense") for form in pair) and (at := _crossing(lines[list(pair)].dropna())):
                found.append({"cost": cost, **at})
    return pd.DataFrame(found, columns=["cost", "first", "then", "n_items", "value"])


def _crossing(lines: pd.DataFrame) -> dict | None:
    """The last crossing of two lines, whose columns are the forms and whose index is the size; None without one."""
    one, other = lines.columns
    apart = np.log(lines[one]) - np.log(lines[other])
    apart = apart[apart != 0]
    before, after = apart.to_numpy()[:-1], apart.to_numpy()[1:]
    turns = np.flatnonzero(np.sign(before) != np.sign(after))
    if len(turns) == 0:
        return None
    last = int(turns[-1])
    part = before[last] / (before[last] - after[last])
    ends = apart.index[last : last + 2]
    size, value = (
        float(np.exp((1 - part) * np.log(low) + part * np.log(high))) for low, high in (ends, lines.loc[ends, one])
    )
    first, then = (one, other) if before[last] < 0 else (other, one)
    return {"first": first, "then": then, "n_items": size, "value": value}
