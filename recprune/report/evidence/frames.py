"""Rows and groups of a pandas table with the types of what is in them, which pandas itself does not tell."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, TypeVar

import pandas as pd

Row = TypeVar("Row", bound=NamedTuple)


def rows_as(kind: type[Row], table: pd.DataFrame) -> Iterator[Row]:
    """The rows of a table as tuples of that kind, whose fields are names of columns."""
    return map(kind._make, table[list(kind._fields)].itertuples(index=False, name=None))


def each(table: pd.DataFrame, column: str) -> Iterator[tuple[str, pd.DataFrame]]:
    """(text, its rows) of every text in a column, in the order in which they first come."""
    return ((str(text), rows) for text, rows in table.groupby(column, sort=False))


def where_lowest(table: pd.DataFrame, value: pd.Series) -> pd.Series:
    """The first of the rows with the lowest value, which is given row by row."""
    return table.iloc[int(value.argmin())]
