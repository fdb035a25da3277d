"""The data sets behind the rows: how large, how uneven, and how the protocol splits them.

Rows say how well a model ranks, not on how many users. What is counted here from the logs themselves is kept in a
file beside the rows, data-sets.csv, so that tables need no data.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from recprune.datasets import FetchError, load
from recprune.datasets.naming import name_of
from recprune.datasets.registry import known
from recprune.errors import ReportError
from recprune.files import write_atomically
from recprune.report.evidence.cells import PAIR, read_places
from recprune.report.evidence.frames import json_of, read_table, rows_as
from recprune.splits import Split, split
from recprune.study.identity import data_identity
from recprune.study.rows.places import places

FILE = "data-sets.csv"
#: what must agree for a counted row to be of the rows' own data
MADE_OF = ["data", "options", "seed"]
OPTIONS = ("min_rating", "core", "columns")
COUNTED = [
    "min_rating",
    "core",
    "users",
    "items",
    "interactions",
    "density",
    "train",
    "validation",
    "test",
    "test_users",
    "new_test_users",
    "gini_users",
    "gini_items",
    "top_items",
]
#: of them, those of whole numbers
WHOLE = ["seed", "users", "items", "interactions", "train", "validation", "test", "test_users", "new_test_users"]
SHARES = ["density", "gini_users", "gini_items", "top_items"]


class _Run(NamedTuple):
    """What provenance.csv says of a run, as far as it matters here."""

    dataset: str
    protocol: str
    data: str
    parameters: str


def write_data_sets(results: Path, dataset: str = "") -> Path | None:
    """The data sets and protocols of a results folder's rows are counted into its data-sets.csv; returns its path.

    dataset  a path, where the rows' data set is a file of that name; registered and synthetic ones are found by name
    What was counted of the same data and options keeps its row: what is committed of other studies asks for no download
    of their data. A file is known by its content, so another one of the same name is not counted. None, and no file,
    where nothing is known.
    """
    results = Path(results)
    made = _made_of(results)
    before = {(row["dataset"], row["protocol"]): row for row in read_data_sets(results).to_dict("records")}
    rows = []
    for key, options in made.items():
        row, counts = before.get(key), None
        if row is not None and all(row[name] == options[name] for name in MADE_OF):
            counts = {name: row[name] for name in COUNTED}
        elif source := _source(key[0], options["data"], dataset):
            counts = _counted(source, key[1], options)
        if counts:
            rows.append(dict(zip(PAIR, key, strict=True)) | {name: options[name] for name in MADE_OF} | counts)
    if not rows:
        return None
    frame = pd.DataFrame(rows, columns=[*PAIR, *MADE_OF, *COUNTED]).sort_values(PAIR)
    return write_atomically(results / FILE, frame.to_csv(index=False, lineterminator="\n"))


def read_data_sets(results: Path) -> pd.DataFrame:
    """The rows of <results>/data-sets.csv; none where there is no such file. Raises ReportError for another file."""
    path = Path(results) / FILE
    if not path.exists():
        return pd.DataFrame(columns=[*PAIR, *MADE_OF, *COUNTED])
    whole = dict.fromkeys(WHOLE, "int64")
    kinds = dict.fromkeys([*PAIR, "data", "options", "core"], "str") | dict.fromkeys(SHARES, "float64") | whole
    frame = read_table(path, (*PAIR, *MADE_OF, *COUNTED), "`python -m recprune.report data-sets`", kinds)
    if not pd.api.types.is_numeric_dtype(frame["min_rating"]):  # whole or not, as the study has it
        raise ReportError(f"{path}: column 'min_rating': numbers are needed")
    return frame


def count_split(of: Split) -> dict[str, float | str]:
    """The numbers of COUNTED, of one split."""
    learnt = [of.unpruned, *of.histories.values()]
    parts = [*learnt, of.validation, of.test]
    by_user = _occurrences([part.user for part in parts], of.n_users)
    by_item = np.sort(_occurrences([part.item for part in parts], of.n_items))
    total = int(by_item.sum())
    known_users = _occurrences([part.user for part in learnt], of.n_users) > 0
    test_users = np.unique(of.test.user)
    rated = any(part.rating is not None for part in parts)
    return {
        "min_rating": of.options["min_rating"] if rated else float("nan"),
        "core": str(of.options["core"]),
        "users": of.n_users,
        "items": of.n_items,
        "interactions": total,
        "density": total / (of.n_users * of.n_items),
        "train": of.train.nnz,
        "validation": of.validation.nnz,
        "test": of.test.nnz,
        "test_users": len(test_users),
        "new_test_users": int((~known_users[test_users]).sum()),
        "gini_users": gini(by_user),
        "gini_items": gini(by_item),
        "top_items": float(by_item[-max(1, round(of.n_items / 10)) :].sum() / total),
    }


def _occurrences(codes: list[np.ndarray], n: int) -> np.ndarray:
    """(n,) how often each code is there."""
    return np.bincount(np.concatenate(codes), minlength=n)


def gini(counts: np.ndarray) -> float:
    """The Gini coefficient, sum_i (2i - n - 1) x_i / (n sum_i x_i), x ascending: 0 where all are alike, near 1 where
    few hold everything."""
    x, n = np.sort(counts), len(counts)
    return float(((2 * np.arange(1, n + 1) - n - 1) * x).sum() / (n * x.sum()))


def _made_of(results: Path) -> dict[tuple[str, str], dict]:
    """Of the rows, (data set, protocol) -> identity of the data, options of the split and first seed, by provenance."""
    seeds = read_places(results).groupby(PAIR)["seed"].min().to_dict()
    found: dict[tuple[str, str], dict] = {}
    for path in (place / "provenance.csv" for place in places(results)):
        for line, run in enumerate(rows_as(_Run, read_table(path, _Run._fields, "`make reproduce`")), 2):
            given = json_of(path, line, "parameters", run.parameters)
            options = json.dumps({name: given.get(name) for name in OPTIONS}, sort_keys=True)
            found.setdefault((run.dataset, run.protocol), {"data": run.data, "options": options})
    return {key: made | {"seed": int(seeds[key])} for key, made in found.items() if key in seeds}


def _source(name: str, identity: str, given: str) -> str:
    """What `load` takes for the data of that identity; nothing where it is not to be had here."""
    if given and name_of(given) == name and data_identity(given) == identity:
        return given
    if name in known() and data_identity(name) == identity:
        return name
    kind, _, rest = identity.partition(":")
    return rest if kind == "name" and rest.partition(":")[0] == "synthetic" else ""


def _counted(source: str, protocol: str, options: dict) -> dict | None:
    """COUNTED of the split that the runs made; None where the log cannot be had."""
    given = json.loads(options["options"])
    try:
        log = load(source, **(given["columns"] or {}))
    except (FetchError, OSError):
        return None
    return count_split(split(log, protocol, options["seed"], given["min_rating"], given["core"]))
