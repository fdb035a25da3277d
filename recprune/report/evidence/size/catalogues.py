"""What each form of a model costs at catalogues of several sizes, as `make bench` measured it, and where two forms cost
the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from recprune.report.evidence.frames import read_table

#: files of <results>/bench -> the columns that are read of them; the second measures more sizes, of fewer forms
FILES = {
    "sizes.csv": ("n_items", "step", "form", "processor_seconds", "bytes"),
    "break_even.csv": ("n_items", "step", "form", "processor_seconds"),
}
KINDS = {"n_items": "int64", "step": "str", "form": "str", "processor_seconds": "float64", "bytes": "float64"}
#: cost -> the step that measures it, in which column, and what a number of it is worth in the units of the cost
COSTS = {
    "ms": ("serve-1", "processor_seconds", 1e3),
    "ms_of_128": ("serve-128", "processor_seconds", 1e3 / 128),
    "bytes": ("save", "bytes", 1.0),
}
COLUMNS = ["cost", "form", "n_items", "value"]
#: forms of which is asked where they cost the same
PAIRS = (
    ("dense item-item", "sparse item-item"),
    ("dense item-item", "dense factors"),
    ("dense factors", "sparse item-item"),
    ("dense factors", "pruned dense factors"),
)


def catalogues(results: Path) -> pd.DataFrame:
    """One row per cost, form and size of the catalogue, from FILES in <results>/bench: the median of what they hold.

    cost   "ms" to recommend 20 items to one user, "ms_of_128" for each of 128 users at once, both of the processor and
           one thread; "bytes" on disk
    value  in these units
    No rows where `make bench` left no such file; raises ReportError where it is another.
    """
    paths = {Path(results) / "bench" / name: columns for name, columns in FILES.items()}
    tables = [read_table(path, columns, "`make bench`", KINDS) for path, columns in paths.items() if path.exists()]
    if not tables:
        return pd.DataFrame(columns=COLUMNS)
    table = pd.concat(tables, ignore_index=True)
    parts = []
    for cost, (step, column, unit) in COSTS.items():
        mine = table[(table["step"] == step) & (table[column] > 0)]
        medians = mine.groupby(["form", "n_items"], sort=True)[column].median().mul(unit)
        parts.append(medians.rename("value").reset_index().assign(cost=cost))
    return pd.concat(parts, ignore_index=True)[COLUMNS]


def break_evens(costs: pd.DataFrame) -> pd.DataFrame:
    """Where two forms of `catalogues` cost the same: one row per cost and pair of PAIRS that was measured at two sizes.

    n_items  between two sizes at which both were measured, on straight lines through the logarithms; where they cross
             more than once, the last time; NaN where they never do
    value    what both cost there
    first, then  the form that costs less below that size, and the one that does above, or at every size
    """
    found = []
    for cost, mine in costs.groupby("cost", sort=False):
        lines = mine.pivot_table(index="n_items", columns="form", values="value")
        there = [lines[list(pair)].dropna() for pair in PAIRS if set(pair) <= set(lines.columns)]
        found += [{"cost": cost, **_crossing(pair)} for pair in there if len(pair) > 1]
    rows = pd.DataFrame(found, columns=["cost", "first", "then", "n_items", "value"])
    return rows.astype({"n_items": "float64", "value": "float64"})


def _crossing(lines: pd.DataFrame) -> dict:
    """The last crossing of two lines, whose columns are the forms and whose index is the size."""
    one, other = lines.columns
    apart = np.log(lines[one]) - np.log(lines[other])
    apart = apart[apart != 0]
    before, after = apart.to_numpy()[:-1], apart.to_numpy()[1:]
    turns = np.flatnonzero(np.sign(before) != np.sign(after))
    if len(turns) == 0:
        dear, cheap = (one, other) if (apart > 0).any() else (other, one)
        return {"first": dear, "then": cheap, "n_items": np.nan, "value": np.nan}
    last = int(turns[-1])
    part = before[last] / (before[last] - after[last])
    ends = apart.index[last : last + 2]
    size, value = (
        float(np.exp((1 - part) * np.log(low) + part * np.log(high))) for low, high in (ends, lines.loc[ends, one])
    )
    first, then = (one, other) if before[last] < 0 else (other, one)
    return {"first": first, "then": then, "n_items": size, "value": value}
