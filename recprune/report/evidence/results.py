"""The evidence of a results folder: all of its studies, its searches, and its data sets under several protocols."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

import pandas as pd

from recprune.cells.further import KEY, no_further_rows, read_further
from recprune.cells.rows import CELL
from recprune.cells.users import VALUES, read_per_user
from recprune.report.evidence.cells import PAIR, canonical, of_study, read_cells, read_places, studies
from recprune.report.evidence.data_sets import read_data_sets
from recprune.report.evidence.protocols import ProtocolsEvidence, several
from recprune.report.evidence.searches import Search, searches
from recprune.report.evidence.size.catalogues import COLUMNS, catalogues
from recprune.report.evidence.study import StudyEvidence
from recprune.study.rows.places import places


class Evidence:
    """What figures, tables, page and paper are made of: read once per command, computed once per study.

    folder  the results folder. Its files, and those of its larger studies (`study.rows.places`), are read, and what
            follows from them computed, when first asked for; that raises ReportError where cells.csv is missing or
            holds no rows, and where two files have rows of one data set and protocol
    """

    def __init__(self, folder: str | Path):
        self.folder = Path(folder)

    @classmethod
    def of(cls, cells: pd.DataFrame) -> Evidence:
        """The evidence of any frame of cells, and of nothing else."""
        evidence = cls("")
        evidence.cells, evidence.users_of = canonical(cells), {Path(): pd.DataFrame(columns=[*CELL, VALUES])}
        evidence.counted, evidence.elsewhere, evidence.searches = None, [], []
        evidence.further = no_further_rows()
        evidence.catalogues = pd.DataFrame(columns=COLUMNS)
        return evidence

    @cached_property
    def cells(self) -> pd.DataFrame:
        """The rows of every cells.csv, as `read_places` gives them."""
        return read_places(self.folder)

    @cached_property
    def users_of(self) -> dict[Path, pd.DataFrame]:
        """Folder of rows -> the values of users in its cells (`recprune.cells.users`); no rows where none were kept."""
        return {place: read_per_user(place) for place in places(self.folder)}

    @cached_property
    def users(self) -> pd.DataFrame:
        """All of them in one frame; of a cell that two folders have, the first one's, as in `cells`."""
        found = list(self.users_of.values())
        whole = pd.concat([each for each in found if len(each)] or found[:1], ignore_index=True)
        return whole[~whole.duplicated(list(CELL))]

    @cached_property
    def further(self) -> pd.DataFrame:
        """The rows beside the cells (`recprune.cells.further`), of all folders; of what two have, the first one's."""
        whole = pd.concat([read_further(place) for place in places(self.folder)], ignore_index=True)
        return whole[~whole.duplicated(list(KEY))].reset_index(drop=True)

    @cached_property
    def counted(self) -> pd.DataFrame | None:
        """The sizes of the data behind the rows (`evidence.data_sets`); no rows where they were not counted."""
        return read_data_sets(self.folder)

    @cached_property
    def studies(self) -> list[StudyEvidence]:
        """Each data set under each protocol; without those that only have rows of models that were told more."""
        found = _studies(self.cells, self.users, self.counted)
        pairs = {(study.dataset, study.protocol) for study in found}
        for study in found:
            study.further = _beside(study, self.further, pairs)
        return found

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

    @cached_property
    def catalogues(self) -> pd.DataFrame:
        """What forms of a model cost at catalogues of several sizes (`evidence.size`); no rows where `make bench` did
        not measure it."""
        return catalogues(self.folder)


def _beside(study: StudyEvidence, further: pd.DataFrame, pairs: set[tuple[str, str]]) -> pd.DataFrame:
    """The further rows of a study: those of its data set and protocol; and of protocols in which the data set has no
    cells, which belong to the first of its studies."""
    mine = further[further["dataset"] == study.dataset]
    first = next(protocol for dataset, protocol in sorted(pairs) if dataset == study.dataset)
    homeless = [(study.dataset, protocol) not in pairs for protocol in mine["protocol"]]
    keep = (mine["protocol"] == study.protocol) | (
        pd.Series(homeless, mine.index, dtype=bool) & (first == study.protocol)
    )
    return mine[keep].reset_index(drop=True)


def _studies(
    cells: pd.DataFrame, users: pd.DataFrame | None = None, counted: pd.DataFrame | None = None
) -> list[StudyEvidence]:
    found = []
    for name, rows in studies(cells):
        rows = rows[rows["unit"] != "history"].reset_index(drop=True)
        if len(rows):
            mine = None if users is None else of_study(users, *rows[PAIR].iloc[0])
            sizes = None if counted is None else counted[(counted[PAIR] == rows[PAIR].iloc[0].tolist()).all(axis=1)]
            found.append(StudyEvidence(rows, name, mine, sizes))
    return found
