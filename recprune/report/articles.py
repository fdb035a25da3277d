"""What the articles behind this project ask for, and the command that shows each: from articles.toml."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from recprune.datasets.registry import ROOT
from recprune.errors import ReportError, StudyError
from recprune.typed import list_of, named, only_keys, parse, read_toml


@dataclass(frozen=True, kw_only=True)
class Row:
    """One demand: what the articles ask, what there is of it, the command that shows it, and the files to look at."""

    asks: str
    here: str
    command: str
    see: tuple[str, ...]


def read_articles(path: Path = ROOT / "articles.toml") -> tuple[Row, ...]:
    """The rows of the file, in its order. Raises ReportError that names the file, the row and what is accepted."""
    try:
        found = read_toml(path)
    except StudyError as error:
        raise ReportError(str(error)) from None
    with named(path, ReportError):
        only_keys("", found, ["row"])
        rows = [parse(Row, row, f"row[{n}]") for n, row in enumerate(list_of("row", found.get("row", [])), 1)]
        for n, row in enumerate(rows, 1):
            if gone := [name for name in row.see if not (path.parent / name).exists()]:
                raise StudyError(f"row[{n}].see: there is no {gone[0]}; a file or folder beside {path.name} is needed")
    return tuple(rows)


def articles(root: str = "") -> str:
    """The demands as a table of Markdown, with their commands and links to their places.

    root  the way from the page that shows the table to the root of the checkout, such as "../"
    """
    lines = ["| | the articles | here | command | see |", "|---:|---|---|---|---|"]
    for n, row in enumerate(read_articles(), 1):
        places = ", ".join(f"[{Path(name).name}]({root}{name})" for name in row.see)
        lines.append(f"| {n} | {row.asks} | {row.here} | `{row.command}` | {places} |")
    return "\n".join(lines) + "\n"
