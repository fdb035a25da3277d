"""What a template shows of a figure and of a table: their captions, files, picture, heads and cells."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol
from urllib.parse import quote

from recprune.files import write_atomically
from recprune.report.tables.layout.table import Column, Table

LONG = 15  # rows; a longer table has a box of its own, with a filter
SENTENCE, PARAGRAPH = 60, 240  # characters in a cell of words; longer ones are broken into lines
PICTURE = "png"  # the form that the page shows, and that is kept beside the rows


class Figure(Protocol):
    """A drawn figure, as the page needs it."""

    @property
    def name(self) -> str: ...
    @property
    def study(self) -> str: ...
    @property
    def of(self) -> type: ...
    @property
    def caption(self) -> str: ...
    def rendered(self, form: str) -> bytes: ...


class Head(NamedTuple):
    """The head of a column."""

    text: str
    css: str | None


class Cell(NamedTuple):
    """A cell: what is read, and the number to sort by where its column has numbers."""

    text: str
    css: str | None
    number: str | None
    is_bold: bool


@dataclass(frozen=True)
class FigureView:
    """A figure as the page shows it. source: address of the picture, which is width x height pixels; path: of its files
    below the results, without ending; forms: those that are there."""

    caption: str
    path: str
    source: str
    width: int
    height: int
    forms: tuple[str, ...]


@dataclass(frozen=True)
class TableView:
    """A table as the page shows it: heads, rows of cells, and whether it is long enough for a filter."""

    anchor: str
    caption: str
    path: str
    heads: list[Head]
    rows: list[tuple[Cell, ...]]
    forms: tuple[str, ...]

    @property
    def is_long(self) -> bool:
        return len(self.rows) > LONG


def figure_view(figure: Figure, results: Path) -> FigureView:
    """The view of a figure: its picture is a file in `results`, written where it is not there as it is drawn now."""
    # sixty pictures inside would be three times the page's weight; a browser asks for each when it comes into sight
    path, picture = f"figures/{figure.name}", figure.rendered(PICTURE)
    file = results / f"{path}.{PICTURE}"
    if not file.is_file() or file.read_bytes() != picture:
        write_atomically(file, picture)
    width, height = struct.unpack(">II", picture[16:24])  # of the PNG's header
    address = quote(path)
    forms = there(results, path, ("pdf", "svg", PICTURE, "csv"))
    return FigureView(figure.caption, address, f"../{address}.{PICTURE}", width, height, forms)


def table_view(table: Table, results: Path) -> TableView:
    """The view of a table; its columns say what they are sorted by."""
    heads = [Head(column.head, _css(column)) for column in table.columns]
    rows = list(zip(*(_cells(column) for column in table.columns), strict=True))
    path = f"tables/{table.name}"
    return TableView(table.anchor, table.caption, quote(path), heads, rows, there(results, path, ("csv", "md", "tex")))


def there(results: Path, path: str, forms: Iterable[str]) -> tuple[str, ...]:
    """Those of the forms of a file that are there: the page has no link that leads nowhere."""
    return tuple(form for form in forms if (results / f"{path}.{form}").is_file())


def _cells(column: Column) -> list[Cell]:
    css, keys = _css(column), column.keys
    if column.format.left and max(map(len, column.text), default=0) > SENTENCE:
        css = "word long longer" if max(map(len, column.text)) > PARAGRAPH else "word long"
    numbers = [None] * len(column.text) if keys is None else [f"{key:.10g}" for key in keys]
    cells = zip(column.text, numbers, column.bold, strict=True)
    return [Cell(text, css, number, bool(is_bold)) for text, number, is_bold in cells]


def _css(column: Column) -> str | None:
    return "word" if column.format.left else None
