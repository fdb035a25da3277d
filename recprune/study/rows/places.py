"""Where rows are gathered, and which results folder shows them: that of large studies shows those of several places.

results/cells.csv                       of main, and of what goes beside it
results/larger/<study>/cells.csv        of a study that goes beside the larger ones: a file that can be committed
"""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

LARGER = "larger"


@dataclass(frozen=True)
class Place:
    """The two folders of a study's rows.

    rows      where they are gathered: cells.csv, per_user.parquet, provenance.csv
    reported  the results folder whose figures, tables and page show them
    """

    rows: Path
    reported: Path

    @classmethod
    def own(cls, folder: Path) -> Place:
        """Of a study whose results are its own."""
        return cls(folder, folder)


def larger(results: Path, study: str) -> Place:
    """The place of a large study that a results folder shows beside its own rows."""
    return Place(results / LARGER / study, results)


def places(results: Path) -> list[Path]:
    """The folders with the rows that a results folder shows: itself, then larger ones by name; itself where no rows are
    anywhere."""
    files = [results / "cells.csv", *sorted(results.glob(f"{LARGER}/*/cells.csv"))]
    return [path.parent for path in files if path.exists()] or [results]


def has_rows(path: Path) -> bool:
    """Whether a file of rows (.csv or .csv.gz) is there and has any below its head."""
    opened = gzip.open if path.suffix == ".gz" else open
    try:
        with opened(path, "rt", encoding="utf-8") as file:
            return len(list(islice(file, 2))) > 1
    except FileNotFoundError:
        return False
