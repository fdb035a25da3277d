"""What `make tune` searched and found, from <results>/tuning alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from recprune.errors import ReportError, StudyError
from recprune.report.evidence.cells import study_name
from recprune.report.evidence.frames import read_table
from recprune.typed import named, parse, read_toml

#: the columns of trials that are shown, and their types
KINDS = {"trial": "int64", "state": "str", "val_ndcg@10": "float64", "seconds": "float64"}


@dataclass(frozen=True, kw_only=True)
class _Found:
    """What a table [MODEL] of tuned.toml must have to be shown."""

    search: dict


@dataclass(frozen=True)
class Search:
    """The searches of all models on one data set under one protocol: <results>/tuning/<data set>/<protocol>."""

    folder: Path

    @property
    def dataset(self) -> str:
        return self.folder.parent.name

    @property
    def protocol(self) -> str:
        return self.folder.name

    @property
    def name(self) -> str:
        """The study's name."""
        return study_name(self.dataset, self.protocol)

    @cached_property
    def tuned(self) -> dict[str, dict]:
        """Model -> what was chosen for it, and how it was searched (tuned.toml)."""
        path = self.folder / "tuned.toml"
        try:
            tables = read_toml(path)
            with named(path):
                for model, table in tables.items():
                    if isinstance(table, dict):
                        parse(_Found, {"search": table.get("search")}, model)
        except StudyError as error:
            raise ReportError(str(error)) from None
        if not tables:
            raise ReportError(f"{path}: holds no model; remove the folder, or `make tune` searches again")
        return tables

    @cached_property
    def trials(self) -> pd.DataFrame:
        """Every trial, one row each, models in the order of tuned.toml.

        seconds  of processor time since the search began
        best     highest validation nDCG@10 up to this trial
        """
        frames = []
        for model in self.tuned:
            rows = read_table(self.folder / f"{model}.csv", KINDS, "`make tune`", KINDS)[list(KINDS)]
            rows["seconds"] = rows["seconds"].cumsum()
            frames.append(rows.assign(model=model, best=rows["val_ndcg@10"].fillna(-np.inf).cummax()))
        return pd.concat(frames, ignore_index=True)[["model", "trial", "state", "seconds", "val_ndcg@10", "best"]]


def searches(results: Path) -> Iterator[Search]:
    """Every search there is."""
    for path in sorted(Path(results).glob("tuning/*/*/tuned.toml")):
        yield Search(path.parent)
