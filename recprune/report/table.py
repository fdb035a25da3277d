"""A table, before it is written as CSV, Markdown or LaTeX."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd


@dataclass(frozen=True)
class Table:
    """A table with its file name (no ending) and caption.

    frame  numbers, as they go into the CSV
    text   the same rows as readers see them: strings
    bold   same shape as `text`: which cells are the best of their kind
    """

    name: str
    caption: str
    frame: pd.DataFrame
    text: pd.DataFrame
    bold: pd.DataFrame
