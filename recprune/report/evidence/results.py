"""The evidence of a results folder: all of its studies, its searches, and its data sets under several protocols."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

import pandas as pd

from recprune.cells.users import read_per_user
from recprune.report.evidence.cells import of_study, read_cells, studies
from recprune.report.evidence.protocols import ProtocolsEvidence, several
from recprune.report.evidence.searches import Search, searches
from recprune.report.evidence.study import StudyEvidence


class Evidence:
    """What figures, tables, page and paper are made of: read once per command, computed once per study.

    folder  the results folder;  cells  its rows, as `read_cells` gives them
    Everything else is read or computed when it is first asked for.
    """

    def __init__(self, cells: pd.DataFrame, folder: str | Path = "results"):
        self.cells, self.folder = cells, Path(folder)

    @classmethod
    def read(cls, folder: str | Path) -> Evidence:
        """The evidence of <folder>/cells.csv and the files beside it. Raises ReportError without rows."""
        return cls(read_cells(Path(folder) / "cells.csv"), folder)

    @cached_property
    def users(self) -> pd.DataFrame:
        """The values of every user in every cell (`recprune.cells.users`); no rows where they were not kept."""
        return read_per_user(self.folder)

    @cached_property
    def studies(self) -> list[StudyEvidence]:
        """Each data set under each protocol; without those that only have rows of models that were told more."""
        return _studies(self.cells, self.users)

    @cached_property
    def elsewhere(self) -> list[StudyEvidence]:
        """The studies that `make protocols` left below the folder."""
        path = self.folder / "protocols" / "cells.csv"
        return _studies(read_cells(path)) if path.exists() else []

    @cached_property
    def explored(self) -> list[StudyEvidence]:
        """All `studies`, and of those elsewhere the ones that the folder itself has no rows of."""
        known = {(study.dataset, study.protocol) for study in self.studies}
        return [*self.studies, *(each for each in self.elsewhere if (each.dataset, each.protocol) not in known)]

    @cached_property
    def protocols(self) -> list[ProtocolsEvidence]:
        """Each data set under several protocols, of the rows and of those elsewhere."""
        return [*several(self.studies), *several(self.elsewhere)]

    @cached_property
    def searches(self) -> list[Search]:
        """The searches of hyper-parameters there are."""
        return list(searches(self.folder))


def _studies(cells: pd.DataFrame, users: pd.DataFrame | None = None) -> list[StudyEvidence]:
    found = []
    for name, rows in studies(cells):
        rows = rows[rows["unit"] != "history"].reset_index(drop=True)
        if len(rows):
            mine = None if users is None else of_study(users, *rows[["dataset", "protocol"]].iloc[0])
            found.append(StudyEvidence(rows, name, mine))
    return found
