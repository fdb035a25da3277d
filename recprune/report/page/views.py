"""What a template shows of a figure and of a table: their captions, files, picture, heads and cells."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import NamedTuple, Protocol
from urllib.parse import quote

from recprune.report.tables.layout.table import Column, Table

LONG = 15  # rows; a longer table has a box of its own, with a filter
SENTENCE, PARAGRAPH = 60, 240  # characters in a cell of words; longer ones are broken into lines
HEAVY = 2_000_000  # bytes of an SVG beyond which the page shows the PNG


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
    """A figure as the page shows it. source: the picture as a data: address; path: of its files, without ending."""

    caption: str
    path: str
    source: str
    forms: tuple[str, ...] = ("pdf", "svg", "png", "csv")


@dataclass(frozen=True)
class TableView:
    """A table as the page shows it: heads, rows of cells, and whether it is long enough for a filter."""

    anchor: str
    caption: str
    path: str
    heads: list[Head]
    rows: list[tuple[Cell, ...]]
    forms: tuple[str, ...] = ("csv", "md", "tex")

    @property
    def is_long(self) -> bool:
        return len(self.rows) > LONG


def figure_view(figure: Figure) -> FigureView:
    """The view of a figure, its SVG inside; the PNG where that would be too heavy."""
    # an SVG inside the page would share its ids with the others; as an image it keeps them to itself
    picture, kind = figure.rendered("svg"), "svg+xml"
    if len(picture) > HEAVY:
        picture, kind = figure.rendered("png"), "png"
    source = f"data:image/{kind};base64,{base64.b64encode(picture).decode()}"
    return FigureView(figure.caption, f"figures/{quote(figure.name)}", source)


def table_view(table: Table) -> TableView:
    """The view of a table; its columns say what they are sorted by."""
    heads = [Head(column.head, _css(column)) for column in table.columns]
    rows = list(zip(*(_cells(column) for column in table.columns), strict=True))
    return TableView(table.anchor, table.caption, f"tables/{quote(table.name)}", heads, rows)


def _cells(column: Column) -> list[Cell]:
    css, keys = _css(column), column.keys
    if column.format.left and max(map(len, column.text), default=0) > SENTENCE:
        css = "word long longer" if max(map(len, column.text)) > PARAGRAPH else "word long"
    numbers = [None] * len(column.text) if keys is None else [f"{key:.10g}" for key in keys]
    cells = zip(column.text, numbers, column.bold, strict=True)
    return [Cell(text, css, number, bool(is_bold)) for text, number, is_bold in cells]


def _css(column: Column) -> str | None:
    return "word" if column.format.left else None
