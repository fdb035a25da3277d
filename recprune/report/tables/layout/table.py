"""A table before it is written: columns of numbers, each with the format in which readers see them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import pandas as pd
from pandas.api.typing import SeriesGroupBy

from recprune.report.artefact import Artefact
from recprune.report.evidence.study import StudyEvidence
from recprune.report.tables.layout.formats import Format


@dataclass(frozen=True)
class Column:
    """A column of a table.

    head    what stands above it
    format  how its cells are written
    values  what they are made of: series of one length; the first is what the column is sorted by
    bold    which cells are the best of their kind
    """

    head: str
    format: Format
    values: tuple[Sequence, ...]
    bold: Sequence[bool]

    @cached_property
    def text(self) -> list[str]:
        """The cells as readers see them."""
        return [self.format(*cell) for cell in zip(*self.values, strict=True)]

    @property
    def keys(self) -> list[float] | None:
        """The numbers that the cells are sorted by, NaN where one is missing; None for words."""
        return [float(value) for value in self.values[0]] if self.format.number else None


def column(head: str, format: Format, *values: Iterable, bold: Iterable[bool] | None = None) -> Column:
    """A column of these values; nothing in it is bold unless `bold` says so."""
    cells = tuple(list(series) for series in values)
    return Column(head, format, cells, [False] * len(cells[0]) if bold is None else list(bold))


@dataclass(frozen=True)
class Table(Artefact):
    """A table with its caption.

    caption  what it shows, of which data, and what is bold
    frame    numbers, as they go into the CSV
    columns  the same rows as readers see them
    study    the folder of its files: a study's name, a data set's for several protocols; "" for what belongs to none
    stem     the name of its files in there, without ending
    of       the class of the evidence that it was made of
    """

    caption: str
    frame: pd.DataFrame
    columns: Sequence[Column]
    study: str = ""
    stem: str = ""
    of: type = StudyEvidence

    @cached_property
    def text(self) -> pd.DataFrame:
        """What readers see, as strings."""
        return pd.DataFrame({each.head: each.text for each in self.columns})

    @cached_property
    def bold(self) -> pd.DataFrame:
        """Which cells of `text` are bold."""
        return pd.DataFrame({each.head: each.bold for each in self.columns}, dtype=bool)


def best(values: pd.Series, choose: Callable[[Iterable[float]], float]) -> pd.Series:
    """Which values are the best; none where nothing competes."""
    known = values.dropna()
    return values == choose(known) if len(values) > 1 and len(known) else pd.Series(False, values.index)


def best_of_each(groups: SeriesGroupBy, choose: Callable[[Iterable[float]], float]) -> pd.Series:
    """Which values are the best of their group."""
    return groups.transform(lambda values: best(values, choose)).astype(bool)
