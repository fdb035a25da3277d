"""Rows and groups of a pandas table with the types of what is in them, which pandas itself does not tell."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import pandas as pd

from recprune.errors import ReportError
from recprune.typed import shown

Row = TypeVar("Row", bound=NamedTuple)


def read_table(path: Path, columns: Iterable[str], made_by: str, kinds: Any = str) -> pd.DataFrame:
    """The rows of a CSV file that has these columns, as text or of the `kinds` (column -> type) given.

    Raises ReportError, naming the file and the command that makes it, for a file that is none.
    """
    remedy = f"put the committed file back (git checkout {path.name}) or make it again: {made_by}"
    try:
        table = pd.read_csv(path, dtype=kinds, keep_default_na=kinds is not str, encoding="utf-8")
    except FileNotFoundError:
        raise ReportError(f"{path}: there is no such file; {made_by} writes it") from None
    except (OSError, ValueError, OverflowError) as error:  # empty, ragged, binary or of another encoding: ValueErrors
        raise ReportError(f"{path}: not a table: {' '.join(str(error).split())}; {remedy}") from None
    if missing := [column for column in columns if column not in table]:
        raise ReportError(f"{path}: column {missing[0]!r} is missing; {remedy}")
    return table


def json_of(path: Path, line: int, column: str, text: str) -> dict:
    """The JSON object in a cell of a CSV file. Raises ReportError that names the line."""
    try:
        found = json.loads(text)
    except (ValueError, TypeError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise ReportError(f"{path}: line {line}: {column}: {shown(text)} is not a JSON object")
    return found


def rows_as(kind: type[Row], table: pd.DataFrame) -> Iterator[Row]:
    """The rows of a table as tuples of that kind, whose fields are names of columns."""
    return map(kind._make, table[list(kind._fields)].itertuples(index=False, name=None))


def each(table: pd.DataFrame, column: str) -> Iterator[tuple[str, pd.DataFrame]]:
    """(text, its rows) of every text in a column, in the order in which they first come."""
    return ((str(text), rows) for text, rows in table.groupby(column, sort=False))


def where_lowest(table: pd.DataFrame, value: pd.Series) -> pd.Series:
    """The first of the rows with the lowest value, which is given row by row."""
    return table.iloc[int(value.argmin())]
