"""A table, before it is written as CSV, Markdown or LaTeX."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import pandas as pd

#: columns that are set to the left
WORDS = (
    "model",
    "family",
    "removes",
    "method",
    "best method",
    "on test",
    "artefact",
    "target",
    "notebook",
    "what",
    "protocols",
    "data set",
    "protocol",
    "input",
    "metric",
    "hyper-parameters",
    "search",
    "source",
    "note",
    "state",
    "cost of",
    "claim",
    "verdict",
    "contrast",
    "claim holds",
    "chosen on validation",
    "CF and deep differ",
    "effect of",
    "depends on",
    "evidence",
    "what would overturn it",
)


@dataclass(frozen=True)
class Table:
    """A table with its file name (no ending) and caption.

    frame  numbers, as they go into the CSV
    text   the same rows as readers see them: strings
    bold   same shape as `text`: which cells are the best of their kind; by default none
    """

    name: str
    caption: str
    frame: pd.DataFrame
    text: pd.DataFrame
    bold: pd.DataFrame | None = None

    def __post_init__(self):
        if self.bold is None:
            object.__setattr__(self, "bold", none_bold(self.text))


def none_bold(text: pd.DataFrame) -> pd.DataFrame:
    """No cell of a table in bold."""
    return pd.DataFrame(False, index=text.index, columns=text.columns)


def in_units(number: float, units: tuple[str, ...]) -> str:
    """A number to three digits, in the first of `units` (each a thousand of the one before) that keeps it below 1,000."""
    for unit in units:
        if number < 999.5 or unit == units[-1]:
            return f"{number:.3g}{unit}"
        number /= 1000
    return ""


def human(size: float) -> str:
    """Bytes in words: 1 kB = 1,000 B."""
    return in_units(size, (" B", " kB", " MB", " GB"))


def count(number: float) -> str:
    """A count in few characters: 950, 12.5 k, 1.03 M."""
    return in_units(number, ("", " k", " M", " G"))


def plus_minus(mean: float, spread: float) -> str:
    """0.2345 ± 0.0012, without the spread where there is none."""
    if math.isnan(mean):
        return ""
    return f"{mean:.4f}" if math.isnan(spread) else f"{mean:.4f} ± {spread:.4f}"


def interval(ratio: float, low: float, high: float) -> str:
    """0.995 [0.991, 0.999], without the interval where there is none."""
    if math.isnan(ratio):
        return ""
    return f"{ratio:.3f}" if math.isnan(low) or math.isnan(high) else f"{ratio:.3f} [{low:.3f}, {high:.3f}]"


def starred(text: str, confirmed: bool) -> str:
    """`text` with a star where test did not confirm it."""
    return text if confirmed or not text else text + "*"


def between(low: float, high: float) -> str:
    """[0.2301, 0.2389], or nothing."""
    return "" if math.isnan(low) or math.isnan(high) else f"[{low:.4f}, {high:.4f}]"


def written(values: pd.Series, write: Callable[[float], str]) -> list[str]:
    """Each value in words, nothing for a missing one."""
    return ["" if math.isnan(value) else write(value) for value in values]


def best(values: pd.Series, choose: Callable[[Iterable[float]], float]) -> pd.Series:
    """Which values are the best; none where nothing competes."""
    known = values.dropna()
    return values == choose(known) if len(values) > 1 and len(known) else pd.Series(False, values.index)
