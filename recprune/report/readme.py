"""The parts of README.md that are made, each between two comments: verdicts, artefacts, methods, demands."""

from __future__ import annotations

from pathlib import Path

from recprune.errors import NothingToDrawError, ReportError
from recprune.files import write_atomically
from recprune.report import tables
from recprune.report.articles import articles
from recprune.report.evidence import Evidence
from recprune.report.tables.methods import methods

ARTEFACTS = "<!-- artefacts: written by `make readme` -->", "<!-- end of artefacts -->"
CLAIMS = "<!-- claims: written by `make readme` -->", "<!-- end of claims -->"
ARTICLES = "<!-- articles: written by `make readme` -->", "<!-- end of articles -->"
METHODS = "<!-- methods: written by `make readme` -->", "<!-- end of methods -->"


def artefacts(evidence: Evidence) -> str:
    """The tables of artefacts of every study in the rows, as Markdown."""
    return "\n".join(tables.to_markdown(tables.artefacts(study)) for study in evidence.studies)


def verdicts(evidence: Evidence) -> str:
    """The verdicts on the claims and when each holds, as Markdown; nothing without the values of the users."""
    try:
        shown = (tables.verdicts(evidence), tables.when_claims_hold(evidence))
        return "\n".join(map(tables.to_markdown, shown))
    except NothingToDrawError:
        return ""


def update(readme: Path, evidence: Evidence) -> Path:
    """The tables are written between their comments in a README; returns its path.

    Raises ReportError when it lacks them.
    """
    text = readme.read_text("utf-8")
    for place, written in (
        (ARTEFACTS, artefacts(evidence)),
        (METHODS, tables.to_markdown(methods())),
        (ARTICLES, articles()),
        (CLAIMS, verdicts(evidence)),
    ):
        text = _between(text, *place, written, readme)
    return write_atomically(readme, text)


def _between(text: str, begin: str, end: str, written: str, readme: Path) -> str:
    before, found, rest = text.partition(begin)
    _, also, after = rest.partition(end)
    if not found or not also:
        raise ReportError(f"{readme}: lacks the comments {begin!r} and {end!r}, between which the table goes")
    return f"{before}{begin}\n\n{written}\n{end}{after}"
