"""The part of README.md that is measured: the table of artefacts, put between two comments."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from recprune.report.artefacts import artefacts
from recprune.report.cells import ReportError, studies
from recprune.report.tables import to_markdown
from recprune.study.files import write_atomically

BEGIN, END = "<!-- artefacts: written by `make readme` -->", "<!-- end of artefacts -->"


def block(cells: pd.DataFrame) -> str:
    """The tables of artefacts of every study in the rows, as Markdown."""
    return "\n".join(to_markdown(artefacts(rows, f"artefacts-{name}", name)) for name, rows in studies(cells))


def update(readme: Path, cells: pd.DataFrame) -> Path:
    """Write the tables between the two comments of a README. Raises ReportError when it lacks them."""
    text = readme.read_text("utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ReportError(f"{readme}: lacks the comments {BEGIN!r} and {END!r}, between which the table goes")
    return write_atomically(readme, f"{before}{BEGIN}\n\n{block(cells)}\n{END}{after}")
