"""The rows that every figure and table is made of: read, checked, and taken apart by study."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import pandas as pd

from recprune.cells.further import FILE as FURTHER
from recprune.cells.rows import CELL, COLUMNS, read_rows
from recprune.cells.rows import canonical as canonical_rows
from recprune.datasets.naming import name_of
from recprune.errors import ReportError, StudyError
from recprune.report.evidence.methods import CURVE
from recprune.study.rows.places import places

#: what figures and tables draw; a file without one of these cannot be reported
NEEDED = [
    *CURVE,
    "kept",
    "seed",
    "val_ndcg@10",
    "val_ratio_lower",
    "test_ratio",
    "test_ratio_lo",
    "test_ratio_hi",
    "test_ratio_lower",
    "test_ndcg@10",
    "test_recall@20",
    "test_mrr@10",
    "test_coverage@20",
    "parameters",
    "bytes_disk",
    "bytes_ratio",
    "p50_ms",
    "p50_ratio",
    "train_s",
]
PAIR = ["dataset", "protocol"]  # what a study is of
QUALITY = "test_ndcg@10"
SAME_QUALITY = 1e-4  # relative: what rounding in rows may change
LONGEST = 100  # characters of a name that becomes that of a folder


def read_cells(path: str | Path) -> pd.DataFrame:
    """The rows of a cells.csv, in their canonical order and types.

    Raises ReportError when there is no such file, it is not a table, a column is missing, or it holds no rows.
    """
    path = Path(path)
    try:
        with path.open(encoding="utf-8") as file:
            header = file.readline().strip().split(",")
        missing = [column for column in NEEDED if column not in header]
        if missing:
            raise ReportError(f"{path}: missing column{'s' * (len(missing) > 1)} {', '.join(missing)}")
        cells = read_rows(path)
    except FileNotFoundError:
        raise ReportError(f"{path}: there is no such file; `make reproduce` or `make quick` writes it") from None
    except (StudyError, ReportError) as error:
        raise ReportError(str(error)) from None
    except (OSError, ValueError) as error:
        raise ReportError(f"{path}: not a file of rows: {error}; `make reproduce` or `make quick` writes it") from None
    if cells.empty:
        raise ReportError(f"{path}: holds no rows; `make reproduce` or `make quick` measures them")
    return cells


def read_places(folder: Path) -> pd.DataFrame:
    """The rows that a results folder shows: of its own cells.csv, and of those of its larger studies.

    A folder that holds further rows alone (`recprune.cells.further`) has no cells to show. A cell that two files have,
    as those have that were measured again to be stored in other value formats, is the first file's. Raises ReportError
    as `read_cells` does, and where two files have rows of one data set and protocol, but no cell in both, or one of
    another quality in each.
    """
    whole = pd.DataFrame()
    found = places(Path(folder))
    for place in [place for place in found if not _without_cells(place)] or found[:1]:
        path = place / "cells.csv"
        rows = read_cells(path).assign(file=str(path))
        whole = pd.concat([whole, _others(rows, whole) if len(whole) else rows], ignore_index=True)
    return whole.drop(columns="file")


def _without_cells(place: Path) -> bool:
    """Whether the runs of a folder left further rows, and no cells."""
    if not (place / FURTHER).exists():
        return False
    with (place / "cells.csv").open(encoding="utf-8") as file:
        return sum(1 for _ in islice(file, 2)) == 1


def _others(rows: pd.DataFrame, before: pd.DataFrame) -> pd.DataFrame:
    """The rows of a file that those before it lack."""
    again = rows.merge(before[[*CELL, QUALITY, "file"]], how="left", on=list(CELL), suffixes=("", "_before"))
    again["known"] = again["file_before"].notna()
    same = np.isclose(again[QUALITY], again[f"{QUALITY}_before"], rtol=SAME_QUALITY, equal_nan=True)
    again["differs"] = again["known"] & ~same
    for pair, mine in again.groupby(PAIR):
        theirs = before[(before[PAIR] == list(pair)).all(axis=1)]
        if theirs.empty:
            continue
        where = f"{mine['file'].iloc[0]} and {theirs['file'].iloc[0]}"
        if not mine["known"].any():
            raise ReportError(
                f"{where}: both have rows of {'/'.join(map(str, pair))}, and none of them in common; a data set "
                "and protocol is accepted in one file, or measured again in another: remove it from one, its runs "
                "gather it again"
            )
        if mine["differs"].any():
            wrong = mine[mine["differs"]].iloc[0]
            raise ReportError(
                f"{where}: {QUALITY} of one cell is {wrong[QUALITY]:.4f} and {wrong[f'{QUALITY}_before']:.4f}, "
                f"{' '.join(str(wrong[name]) for name in CELL)}; the same is needed: gather both by the same code"
            )
    return rows[~again["known"].to_numpy()]


def canonical(cells: pd.DataFrame) -> pd.DataFrame:
    """The rows of any frame of cells, such as a notebook's own, as read_cells gives them. Raises ReportError.

    Without the rows of models that were told more at test time (unit "history"): only the reference table shows those.
    """
    cells = cells[cells["unit"] != "history"] if "unit" in cells else cells
    if len(cells) == 0:
        raise ReportError("there are no rows to show")
    try:
        return canonical_rows(cells[[column for column in cells.columns if column in COLUMNS]])
    except StudyError as error:
        raise ReportError(str(error)) from None


def studies(cells: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """(name, rows) of each data set under each protocol, the data set with most rows first, then by protocol.

    The name suits a folder: `ml-100k`, `ml-100k-strong`.
    A path stands for its file. Other characters than letters, digits, dots and hyphens become hyphens;
    should two names become one that way, or one be too long, they carry a piece of a hash.
    """
    measured = cells.groupby("dataset").size()
    groups = {(str(dataset), str(protocol)): rows for (dataset, protocol), rows in cells.groupby(PAIR)}
    order = sorted(groups, key=lambda key: (-measured[key[0]], key))
    parts = {key: (study_name(*key), groups[key]) for key in order}
    names = [name.lower() for name, _ in parts.values()]
    for key, (name, rows) in parts.items():
        if names.count(name.lower()) > 1:
            name += f"-{_digest(chr(0).join(key))}"
        yield name, rows


def study_name(dataset: str, protocol: str) -> str:
    """The name of a study in files: its data set, and its protocol where that is not the usual one."""
    title = name_of(dataset) if protocol in ("", "ratio") else f"{name_of(dataset)}-{protocol}"
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", title).strip("-.") or "data"
    return name if len(name) <= LONGEST else f"{name[:LONGEST]}-{_digest(title)}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:6]


def of_study(cells: pd.DataFrame, dataset: str, protocol: str) -> pd.DataFrame:
    """The rows (or values of users) of one data set, by its name or a path to its file, under one protocol."""
    name = name_of(dataset)
    return cells[(cells["dataset"] == name) & (cells["protocol"] == protocol)]


def heading(rows: pd.DataFrame) -> str:
    """The data set and protocol of one study in words."""
    dataset, protocol = name_of(rows["dataset"].iloc[0]), rows["protocol"].iloc[0]
    return f"{dataset}, protocol {protocol}" if protocol else dataset
