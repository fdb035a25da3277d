"""The parts of README.md that are made: the verdicts, the artefacts and the methods, each between two comments."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from recprune.errors import ReportError
from recprune.files import write_atomically
from recprune.report.artefacts import artefacts
from recprune.report.cells import studies
from recprune.report.claims.claim import read_claims
from recprune.report.claims.compared import compared
from recprune.report.claims_tables import claims_tables
from recprune.report.methods import methods
from recprune.report.tables import to_markdown

ARTEFACTS = "<!-- artefacts: written by `make readme` -->", "<!-- end of artefacts -->"
CLAIMS = "<!-- claims: written by `make readme` -->", "<!-- end of claims -->"
METHODS = "<!-- methods: written by `make readme` -->", "<!-- end of methods -->"


def block(cells: pd.DataFrame) -> str:
    """The tables of artefacts of every study in the rows, as Markdown."""
    return "\n".join(to_markdown(artefacts(rows, f"artefacts-{name}", name)) for name, rows in studies(cells))


def verdicts(cells: pd.DataFrame, users: pd.DataFrame) -> str:
    """The verdicts on the claims, as Markdown; nothing without the values of the users."""
    claims = read_claims()
    return "\n".join(
        to_markdown(table) for table in claims_tables(claims, compared(cells, users, claims)) if table.name == "claims"
    )


def update(readme: Path, cells: pd.DataFrame, users: pd.DataFrame) -> Path:
    """Write the tables between their comments in a README. Raises ReportError when it lacks them."""
    text = readme.read_text("utf-8")
    for place, written in (
        (ARTEFACTS, block(cells)),
        (METHODS, to_markdown(methods())),
        (CLAIMS, verdicts(cells, users)),
    ):
        text = _between(text, *place, written, readme)
    return write_atomically(readme, text)


def _between(text: str, begin: str, end: str, written: str, readme: Path) -> str:
    before, found, rest = text.partition(begin)
    _, also, after = rest.partition(end)
    if not found or not also:
        raise ReportError(f"{readme}: lacks the comments {begin!r} and {end!r}, between which the table goes")
    return f"{before}{begin}\n\n{written}\n{end}{after}"
