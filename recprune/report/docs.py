"""The parts of docs/*.md that are made, each between two comments: verdicts, expected values, methods, demands."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path

from recprune.errors import NothingToDrawError, ReportError
from recprune.files import write_atomically
from recprune.report import tables
from recprune.report.articles import articles
from recprune.report.evidence import Evidence
from recprune.report.headlines import headlines
from recprune.report.tables.methods import methods

WIDTH = 120  # of prose; a row of a table is a line, however long


def artefacts(evidence: Evidence) -> str:
    """The tables of artefacts of every study in the rows, as Markdown."""
    return "\n".join(_markdown(tables.artefacts(study)) for study in evidence.studies)


def again(evidence: Evidence) -> str:
    """Each headline with its command and its number, as Markdown."""
    return "\n".join(line if line.startswith("|") else _filled(line) for line in headlines(evidence).split("\n"))


def verdicts(evidence: Evidence) -> str:
    """The verdicts on the claims and when each holds, as Markdown; nothing without the values of the users."""
    try:
        return "\n".join(map(_markdown, (tables.verdicts(evidence), tables.when_claims_hold(evidence))))
    except NothingToDrawError:
        return ""


def matrix(evidence: Evidence) -> str:
    """What works on what, as Markdown: of the registry, whatever the rows are."""
    return _markdown(methods())


def demands(evidence: Evidence) -> str:
    """What the articles ask for, as Markdown, with links from a page of docs/: of their file, whatever the rows are."""
    return articles("../")


#: name of a part -> the page of docs/ that has it, and what writes it
PARTS: dict[str, tuple[str, Callable[[Evidence], str]]] = {
    "headlines": ("expected-values.md", again),
    "artefacts": ("expected-values.md", artefacts),
    "claims": ("claims.md", verdicts),
    "methods": ("methods.md", matrix),
    "articles": ("articles.md", demands),
}


def marks(name: str) -> tuple[str, str]:
    """The comments between which a part stands."""
    return f"<!-- {name}: written by `make docs-parts` -->", f"<!-- end of {name} -->"


def update(docs: Path, evidence: Evidence) -> list[Path]:
    """Every part is written between its comments in its page of the folder; returns the pages.

    Raises ReportError where a page is missing or lacks the comments, before anything is written.
    """
    pages = {name: _read(docs / name) for name in dict.fromkeys(page for page, _ in PARTS.values())}
    for name, (page, _) in PARTS.items():
        _between(pages[page], *marks(name), "", docs / page)  # a fault is found before minutes of work
    for name, (page, write) in PARTS.items():
        pages[page] = _between(pages[page], *marks(name), write(evidence), docs / page)
    return [write_atomically(docs / name, text) for name, text in pages.items()]


def _read(page: Path) -> str:
    try:
        return page.read_text("utf-8")
    except FileNotFoundError:
        raise ReportError(f"{page}: no such page; `make docs-parts` writes into the pages of a checkout") from None


def _between(text: str, begin: str, end: str, written: str, page: Path) -> str:
    before, found, rest = text.partition(begin)
    _, also, after = rest.partition(end)
    if not found or not also:
        raise ReportError(f"{page}: lacks the comments {begin!r} and {end!r}, between which the table goes")
    return f"{before}{begin}\n\n{written}\n{end}{after}"


def _markdown(table: tables.Table) -> str:
    """A table below its caption, whose lines end where those of prose do."""
    caption, *rows = tables.to_markdown(table).split("\n")
    return "\n".join([_filled(caption), *rows])


def _filled(text: str) -> str:
    return textwrap.fill(text, WIDTH, break_long_words=False, break_on_hyphens=False)
