"""The rows of a study: one a cell, in one order, with one way to write a number.

The same cells give the same bytes, so two result files are compared with `==` (see `compare`).
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pandas as pd

from recprune.cells.names import AS_TRAINED
from recprune.errors import StudyError
from recprune.evaluation.belonging import HISTORIES
from recprune.files import write_atomically

CELL = (
    "dataset",
    "protocol",
    "model",
    "family",
    "side",
    "unit",
    "criterion",
    "schedule",
    "recovery",
    "values",
    "history",
    "kept",
    "samples_kept",
    "seed",
)
SHARES = ("kept", "samples_kept")
#: of the columns of a cell that a frame may lack: the format as trained, users served from all that they did, all the
#: training interactions
DEFAULTS: dict[str, Any] = {"values": AS_TRAINED, "history": HISTORIES[0], "samples_kept": 1.0}
CUTOFFS = (10, 20, 100)
GROUPS = ("low", "mid", "high")
APART = ("warm", "cold")  # users with and without a history, where a protocol has both
PARTS = ("val", "test")


CHOSEN_BY = ("ndcg@10", "recall@20")  # of validation: what choices are made by; all else is looked at on test alone
#: metric -> the cutoffs at which a file has it; the notebook of a dense model shows every metric at all of CUTOFFS
AT = {
    **dict.fromkeys(("ndcg", "recall"), CUTOFFS),
    **dict.fromkeys(("recall_min", "coverage"), (10, 20)),
    **dict.fromkeys(("precision", "hit", "mrr", "map", "gini", "novelty"), (10,)),
}


def _quality() -> list[str]:
    ranking = [f"{metric}@{k}" for metric, cutoffs in AT.items() for k in cutoffs]
    groups = [f"ndcg@10_users_{g}" for g in (*GROUPS, *APART)] + [f"recall@20_items_{g}" for g in GROUPS]
    return [f"test_{metric}" for metric in (*ranking, *groups, "jaccard@20", "rbo@20")]


FOOTPRINT = ("parameters", "nonzeros", "bytes_disk", "bytes_memory", "macs")
CLOCK = ("p50_ms", "p95_ms", "users_per_s", "train_s", "score_s", "peak_rss_mb")
LATENCY = ("p50_ratio", "p50_self")  # to the dense model of the same turns; of that to itself
LEVEL = ("test_ndcg@10_lo", "test_ndcg@10_hi")  # 95 % interval of the mean over seeds, over users
RATIOS = tuple(f"{part}_ratio{end}" for part in PARTS for end in ("", "_lo", "_hi", "_lower"))

#: every column of cells.csv, in order
COLUMNS = (
    *CELL,
    *(f"val_{metric}" for metric in CHOSEN_BY),
    *_quality(),
    *("train_ndcg@10", "train_recall@10"),
    *FOOTPRINT,
    *CLOCK,
    "epochs",
    *LEVEL,
    *RATIOS,
    *LATENCY,
    "bytes_ratio",
    "run",
)
#: the columns that a clock or the machine decides: the only ones that may differ between two runs in one environment
TIMING = frozenset((*CLOCK, *LATENCY))
TEXT = frozenset(CELL) - {"kept", "samples_kept", "seed"} | {"run"}
WHOLE = frozenset(FOOTPRINT) | {"seed"}
#: significant digits in a file: of what verdicts are read off (a bound is held against .99), and of everything else
#: that was measured, whose seeds differ in the third
FINE, COARSE = 6, 4
HELD_AGAINST = frozenset((*RATIOS, *LEVEL, "bytes_ratio", "val_ndcg@10", "test_ndcg@10"))
PER_USER = "per_user"  # of a frame that was just measured: test nDCG@10 of every user; goes to a file of its own
SIDES = ("dense", "samples", "parameters", "both", "control")


def canonical(frame: pd.DataFrame, where: str = "rows") -> pd.DataFrame:
    """The rows of a frame with all of COLUMNS in their order and types, sorted by cell.

    Columns that were not measured become missing values. Raises StudyError for an unknown column,
    a missing or empty cell column, or a cell that occurs twice.
    """
    unknown = [column for column in frame.columns if column not in COLUMNS]
    if unknown:
        raise StudyError(f"{where}: unknown column {unknown[0]!r}; the columns are: {', '.join(COLUMNS)}")
    frame = with_defaults(frame)
    missing = [column for column in CELL if column not in frame.columns]
    if missing:
        raise StudyError(f"{where}: column {missing[0]!r} is missing; a row needs: {', '.join(CELL)}")
    rows = pd.DataFrame({column: _column(frame, column, where) for column in COLUMNS}, columns=list(COLUMNS))
    wrong = set(rows["side"]) - set(SIDES)
    if wrong:
        raise StudyError(f"{where}: side {sorted(wrong)[0]!r} is unknown; known: {', '.join(SIDES)}")
    rows = rows.sort_values(list(CELL), ascending=[c not in SHARES for c in CELL], ignore_index=True)
    twice = rows.duplicated(list(CELL))
    if twice.any():
        first = rows[list(CELL)].iloc[int(twice.to_numpy().argmax())]
        cell = ", ".join(f"{k}={v}" for k, v in first.items())
        raise StudyError(f"{where}: the cell occurs twice: {cell}")
    return rows


def with_defaults(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with DEFAULTS in what it leaves empty."""
    given = {
        column: frame[column] if column in frame else pd.Series(None, frame.index, dtype=object) for column in DEFAULTS
    }
    return frame.assign(
        **{column: each.where(each.notna() & (each != ""), DEFAULTS[column]) for column, each in given.items()}
    )


def _column(frame: pd.DataFrame, column: str, where: str) -> pd.Series:
    kind: Any = "str" if column in TEXT else "Int64" if column in WHOLE else "float64"
    if column not in frame:
        return pd.Series("" if kind == "str" else pd.NA if kind == "Int64" else float("nan"), frame.index, dtype=kind)
    try:
        values = frame[column].fillna("").astype(str) if kind == "str" else pd.to_numeric(frame[column]).astype(kind)
    except (ValueError, TypeError) as error:
        raise StudyError(f"{where}: column {column!r}: {error}") from None
    if column in (*SHARES, "seed") and values.isna().any():
        raise StudyError(f"{where}: column {column!r}: row {int(values.isna().to_numpy().argmax()) + 1} is empty")
    return values


def to_csv(rows: pd.DataFrame) -> str:
    """The CSV text of canonical rows: a measured number has FINE or COARSE significant digits, a share all it has."""
    exact = TEXT | WHOLE | set(SHARES)
    written = {
        column: [number_text(value, FINE if column in HELD_AGAINST else COARSE) for value in rows[column]]
        for column in rows.columns
        if column not in exact
    }
    return rows.assign(**written).to_csv(index=False, lineterminator="\n")


def number_text(value: float, digits: int) -> str:
    """The shortest text of a rounded number: `.2865`, `12.3`, `7`; nothing for a missing value."""
    if value != value:
        return ""
    text = repr(float(f"{value:.{digits}g}")).removesuffix(".0")
    return text.replace("0.", ".", 1) if text.startswith(("0.", "-0.")) else text


def write_rows(path: str | Path, frame: pd.DataFrame) -> Path:
    """The path of canonical rows, written whole or not at all: a CSV file, or a folder whose cells.csv it becomes."""
    path = Path(path)
    path = path if path.suffix == ".csv" else path / "cells.csv"
    return write_atomically(path, to_csv(canonical(frame, str(path))))


def read_rows(path: str | Path | io.StringIO) -> pd.DataFrame:
    """The canonical rows of a file, or of the text of one. Raises StudyError for what is no such file."""
    try:
        frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    except FileNotFoundError:
        raise StudyError(f"{path}: there is no such file; `make reproduce` or `make quick` writes it") from None
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise StudyError(f"{path}: not a file of rows: {str(error).strip()}") from None
    where = "rows" if isinstance(path, io.StringIO) else str(path)
    numbers = [column for column in frame.columns if column not in TEXT]
    frame[numbers] = frame[numbers].replace("", None)
    return canonical(frame, where)


def empty() -> pd.DataFrame:
    """A frame of no rows with all columns."""
    return pd.DataFrame(columns=list(COLUMNS))
