"""Tables of the page: plain HTML that its script makes sortable, with numbers to sort by beside the words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from pathlib import Path
from urllib.parse import quote

from recprune.report.table import WORDS, Table

LONG = 15  # rows; a longer table has a box of its own, with a filter
SENTENCE, PARAGRAPH = 60, 240  # characters in a cell of words; longer ones are broken into lines
_UNITS = {"": 1, "%": 0.01, "B": 1, "kB": 1e3, "MB": 1e6, "GB": 1e9, "s": 1, "ms": 1}
_NUMBER = re.compile(r"([-−+]?\d[\d,]*(?:\.\d+)?(?:e[-+]?\d+)?)\s*(%|[kMG]?B\b|m?s\b)?", re.I)


def table_html(table: Table) -> str:
    """The table under its caption, with links to its files."""
    files = " · ".join(link(Path(f"../tables/{table.name}.{form}"), form.upper()) for form in ("csv", "md", "tex"))
    name = escape(table.name, quote=True)
    # not a <caption>: that would be as wide as the table, and scroll out of sight with it
    caption = f'<p class="caption" id="caption-{name}">{escape(table.caption)} <span class="files">{files}</span></p>'
    search, box = "", "wide"
    if len(table.text) > LONG:
        search = (
            f'<p class="filter"><label>Rows with <input type="search" data-filter="table-{name}" '
            f'placeholder="word"></label> <output>{len(table.text)} rows</output></p>'
        )
        box = "wide tall"
    return (
        f'{caption}{search}<div class="{box}" tabindex="0" role="region" aria-labelledby="caption-{name}">'
        f'<table class="sortable" id="table-{name}">{_head(table)}{_body(table)}</table></div>'
    )


def sort_keys(texts: Sequence[str]) -> list[float] | None:
    """The numbers that the texts of one column start with ("1.2 MB": 1,200,000; "0.99 [0.98, 1.00]": 0.99; "": NaN),
    or None where they are words. Among numbers, a text without a digit ("none") is a missing one."""
    found = [_NUMBER.match(text.strip()) for text in texts]
    words = [match is None and any(map(str.isdigit, text)) for match, text in zip(found, texts, strict=True)]
    if not any(found) or any(words):
        return None
    return [float("nan") if match is None else _value(match) for match in found]


def link(path: Path, text: str) -> str:
    return f'<a href="{quote(path.as_posix())}">{escape(text)}</a>'


def _value(match: re.Match) -> float:
    number, unit = match[1].replace(",", "").replace("−", "-"), match[2] or ""
    return float(number) * _UNITS.get(unit, 1)


def _head(table: Table) -> str:
    cells = (
        f'<th scope="col" aria-sort="none"{_kind(column)}><button type="button">{escape(column)}</button></th>'
        for column in table.text.columns
    )
    return f"<thead><tr>{''.join(cells)}</tr></thead>"


def _body(table: Table) -> str:
    columns = []
    for column in table.text.columns:
        texts, bold = table.text[column].tolist(), table.bold[column].tolist()
        keys = None if column in WORDS else sort_keys(texts)
        numbers = [""] * len(texts) if keys is None else [f' data-number="{key:.10g}"' for key in keys]
        shown = [f"<b>{escape(text)}</b>" if best else escape(text) for text, best in zip(texts, bold, strict=True)]
        longest = max(map(len, texts), default=0) if column in WORDS else 0
        kind = f' class="word long{" longer" * (longest > PARAGRAPH)}"' if longest > SENTENCE else _kind(column)
        columns.append([f"<td{kind}{n}>{text}</td>" for n, text in zip(numbers, shown, strict=True)])
    return f"<tbody>{''.join('<tr>' + ''.join(row) + '</tr>' for row in zip(*columns, strict=True))}</tbody>"


def _kind(column: str) -> str:
    return ' class="word"' if column in WORDS else ""
