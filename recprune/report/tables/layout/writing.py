"""A table as files: CSV (numbers), Markdown and LaTeX (rounded, best in bold)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from recprune.files import write_atomically
from recprune.report.evidence.labels import visible
from recprune.report.tables.layout.latex import to_latex
from recprune.report.tables.layout.table import Table


def to_markdown(table: Table) -> str:
    """The table as a pipe table under its caption; numbers to the right."""
    marked = table.text.map(_plain)
    marked = marked.where(~table.bold, "**" + marked + "**")
    align = ["left" if column.format.left else "right" for column in table.columns]
    return f"{_plain(table.caption)}\n\n{marked.to_markdown(index=False, colalign=align, disable_numparse=True)}\n"


def _plain(text: str) -> str:
    """The text so that Markdown prints it as it stands: a data set or criterion may be called anything."""
    text = re.sub(r"([\\|*_<`$]|&(?=#?\w+;)|~(?=~)|(?<=~)~)", r"\\\1", visible(text))
    text = re.sub(r"\](?=[(\[:])", r"\]", text)  # neither a link nor a picture
    return " ".join(text.split())


def write_tables(tabled: Iterable[Table], results: Path) -> list[Path]:
    """Each table is written to <results>/tables, as `write_table` does; returns the paths."""
    return [path for table in tabled for path in write_table(table, results)]


def write_table(table: Table, results: Path) -> list[Path]:
    """One table is written to <results>/tables/<study> as CSV, Markdown and LaTeX; returns the paths."""
    base = Path(results) / "tables" / table.name
    files = {
        "csv": table.frame.to_csv(index=False, lineterminator="\n"),
        "md": to_markdown(table),
        "tex": to_latex(table),
    }
    return [write_atomically(f"{base}.{form}", content) for form, content in files.items()]
