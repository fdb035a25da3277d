"""Rows beside the cells: what audits, attacks and windows of time found, one measured number a row.

A cell has one number of each column; an audit has a number for each target, a window of time one for each week. They
stand in a tidy file of their own beside cells.csv, further.csv.gz, since most of it repeats itself: whose model it is
(the columns of a cell), `kind` of measurement, `at` what (a target, a window, a share), `measure`, `value`, and
`error`: its standard error over users, empty where there is none. What a clock decided has a measure that ends in
CLOCK.
"""

from __future__ import annotations

import gzip
import io
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from recprune.cells.names import AS_TRAINED
from recprune.cells.rows import SHARES, number_text
from recprune.errors import StudyError
from recprune.files import write_atomically

if TYPE_CHECKING:
    from recprune.cells.measure import Cell  # which brings torch along; reports do without

FILE = "further.csv.gz"
KINDS = ("membership", "attack", "window")
WITHOUT_ID = "without-user-id"  # the criterion of a model with a table of users that was audited without it
#: whose model: as in a cell
WHOSE = ("dataset", "protocol", "kind", "model", "family", "side", "unit", "criterion", "schedule", "recovery")
KEY = (*WHOSE, "values", "kept", "samples_kept", "seed", "at", "measure")
COLUMNS = (*KEY, "value", "error", "run")
NUMBERS = (*SHARES, "value", "error")
#: what a frame may lack: nothing was pruned, all interactions were trained on, the values as trained
DEFAULTS: dict[str, Any] = {
    **dict.fromkeys(("unit", "criterion", "schedule", "recovery", "at", "run"), ""),
    "values": AS_TRAINED,
    "kept": 1.0,
    "samples_kept": 1.0,
    "error": float("nan"),
}
CLOCK = "_s"
DIGITS = 6  # significant, of a value and its error in a file


def further_row(
    cell: Cell,
    kind: str,
    at: str,
    measure: str,
    value: float,
    error: float = float("nan"),
    *,
    model: str,
    family: str,
) -> dict[str, Any]:
    """One row of what `cell` tells apart. A number beside the cells is of the log as it is: its histories are whole."""
    whose = asdict(cell)
    del whose["history"]
    said = {"at": at, "measure": measure, "value": float(value), "error": float(error)}
    return whose | {"model": model, "family": family, "kind": kind} | said


def over_users(values: np.ndarray) -> tuple[float, float]:
    """The mean of a value a user, (n_users,), and its standard error; NaN, a user's or of nobody, is no value."""
    known = values[~np.isnan(values)]
    mean = float(known.mean()) if len(known) else float("nan")
    return mean, float(known.std(ddof=1) / np.sqrt(len(known))) if len(known) > 1 else float("nan")


def further_rows(frame: pd.DataFrame, where: str = "further rows") -> pd.DataFrame:
    """The rows of a frame with all of COLUMNS, in their order and types, sorted by what they are of.

    Raises StudyError for an unknown or missing column, an unknown kind, a text for a number, and two rows of one thing.
    """
    if unknown := [name for name in frame.columns if name not in COLUMNS]:
        raise StudyError(f"{where}: unknown column {unknown[0]!r}; the columns are: {', '.join(COLUMNS)}")
    given = frame.assign(**{name: value for name, value in DEFAULTS.items() if name not in frame})
    if missing := [name for name in COLUMNS if name not in given]:
        raise StudyError(f"{where}: column {missing[0]!r} is missing; a row needs: {', '.join(COLUMNS)}")
    rows = pd.DataFrame({name: _column(given[name], name, where) for name in COLUMNS}, columns=list(COLUMNS))
    if wrong := sorted(set(rows["kind"]) - set(KINDS)):
        raise StudyError(f"{where}: kind {wrong[0]!r} is unknown; known: {', '.join(KINDS)}")
    rows = rows.sort_values(list(KEY), ignore_index=True)
    if (twice := rows.duplicated(list(KEY))).any():
        first = rows[list(KEY)].iloc[int(twice.to_numpy().argmax())]
        raise StudyError(f"{where}: there are two rows of {', '.join(f'{k}={v}' for k, v in first.items() if v != '')}")
    return rows


def _column(values: pd.Series, name: str, where: str) -> pd.Series:
    if name not in (*NUMBERS, "seed"):
        return values.fillna("").astype("str")
    try:
        found = pd.to_numeric(values).astype("Int64" if name == "seed" else "float64")
    except (ValueError, TypeError) as error:
        raise StudyError(f"{where}: column {name!r}: {error}") from None
    if name in ("seed", *SHARES) and found.isna().any():
        raise StudyError(f"{where}: column {name!r}: row {int(found.isna().to_numpy().argmax()) + 1} is empty")
    return found + 0  # no -0: a file has none


def no_further_rows() -> pd.DataFrame:
    """A frame of no rows with all columns."""
    return further_rows(pd.DataFrame(columns=list(COLUMNS)))


def write_further(folder: str | Path, frame: pd.DataFrame) -> Path:
    """The path of <folder>/further.csv.gz, written whole or not at all. Raises StudyError as `further_rows` does."""
    path = Path(folder) / FILE
    rows = further_rows(frame, str(path))
    written = {name: [number_text(value, DIGITS) for value in rows[name]] for name in ("value", "error")}
    text = rows.assign(**written).to_csv(index=False, lineterminator="\n")
    return write_atomically(path, gzip.compress(text.encode(), mtime=0))  # the same rows, the same bytes


def read_further(folder: str | Path) -> pd.DataFrame:
    """The further rows of a folder; none where it has no such file. Raises StudyError for what is another file."""
    path = Path(folder) / FILE
    return read_file(path) if path.exists() else no_further_rows()


def read_file(path: str | Path | io.StringIO) -> pd.DataFrame:
    """The rows of a file of further rows, whatever its name, or of the text of one. Raises StudyError for what is
    none."""
    where = "further rows" if isinstance(path, io.StringIO) else str(path)
    try:
        frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    except (ValueError, OSError) as error:  # pandas' own errors, and of decoding, are ValueErrors
        raise StudyError(f"{where}: not a file of further rows: {str(error).strip()}") from None
    numbers = [name for name in frame.columns if name in (*NUMBERS, "seed")]
    frame[numbers] = frame[numbers].replace("", None)
    return further_rows(frame, where)
