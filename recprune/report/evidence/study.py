"""One study's evidence: the rows of a data set under a protocol, and what follows from them, each computed once."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any, TypeVar

import pandas as pd

from recprune.cells.further import no_further_rows
from recprune.cells.names import AS_TRAINED
from recprune.errors import ReportError
from recprune.evaluation.belonging import HISTORIES
from recprune.report.evidence.cells import canonical, heading, study_name
from recprune.report.evidence.fronts import best_dense
from recprune.report.evidence.methods import CURVE, FLOORS
from recprune.report.evidence.points import in_order, paired, points
from recprune.report.evidence.safe import safe_points, together, warning

Found = TypeVar("Found")


class StudyEvidence:
    """What is known of one data set under one protocol.

    cells    all there are, canonical; `StudyEvidence.of` takes any frame of them
    formats  those that serve users from all that they did, in every value format
    rows     those of them with their values as trained: all that is known but of formats is known of these
    name     as files call it: `ml-100k`, `ml-100k-strong`
    users    the values of every user (`recprune.cells.users`), where they are known
    further  the rows beside its cells (`recprune.cells.further`): audits, attacks, windows of time
    counted  the sizes of its data, one row (`evidence.data_sets`), where they were counted

    All else is computed when it is first asked for, and kept; nobody may change it in place. Raises ReportError for
    rows of several data sets or protocols.
    """

    def __init__(
        self,
        rows: pd.DataFrame,
        name: str = "",
        users: pd.DataFrame | None = None,
        counted: pd.DataFrame | None = None,
    ):
        if len(rows[["dataset", "protocol"]].drop_duplicates()) > 1:
            raise ReportError("rows of several data sets or protocols: draw one at a time")
        self.dataset, self.protocol = rows[["dataset", "protocol"]].iloc[0]
        self.cells = rows
        self.formats = _where(rows, rows["history"] == HISTORIES[0])
        self.rows = _where(self.formats, self.formats["values"] == AS_TRAINED)
        self.name = name or study_name(self.dataset, self.protocol)
        self.users, self.counted, self.further = users, counted, no_further_rows()
        self._found: dict[Callable, Any] = {}

    @classmethod
    def of(cls, cells: pd.DataFrame, users: pd.DataFrame | None = None) -> StudyEvidence:
        """The evidence of any frame of cells, such as a notebook's own. Raises ReportError where it holds no rows."""
        return cls(canonical(cells), users=users)

    @property
    def heading(self) -> str:
        """The data set and protocol in words."""
        return heading(self.rows)

    @cached_property
    def points(self) -> pd.DataFrame:
        """Curve points (see `points.points`), dense models over all their seeds."""
        return points(self.rows)

    @cached_property
    def paired(self) -> pd.DataFrame:
        """The same, dense models over the seeds of the others: what sets a mean of theirs beside one of the pruned."""
        rows = paired(self.rows)
        if len(rows) == len(self.rows):
            return self.points
        dense, others = rows[rows["side"] == "dense"], self.points[self.points["side"] != "dense"]
        return in_order(pd.concat([points(dense), others])) if len(dense) else others.reset_index(drop=True)

    @cached_property
    def paired_formats(self) -> pd.DataFrame:
        """The same in every value format."""
        return self.paired if self.formats is self.rows else points(paired(self.formats))

    @cached_property
    def pruned(self) -> pd.DataFrame:
        """The `points` of all models but the floors, which nobody prunes."""
        return self.points[~self.points["model"].isin(FLOORS)].reset_index(drop=True)

    @cached_property
    def dense(self) -> pd.DataFrame:
        """The points of the dense models."""
        return self.points[self.points["side"] == "dense"].reset_index(drop=True)

    @cached_property
    def best_dense(self) -> pd.DataFrame:
        """The dense model of each family that is best on validation: one point each."""
        return best_dense(self.points)

    @cached_property
    def safe(self) -> pd.DataFrame:
        """What each method removes safely from each model, each for itself (see `safe.safe_points`)."""
        return safe_points(self.points)

    @cached_property
    def chosen(self) -> pd.DataFrame:
        """The same where the bounds on validation hold for all methods of a model at once (see `safe.together`): what a
        choice among methods is made from."""
        return safe_points(together(self.points))

    @cached_property
    def warning(self) -> str:
        """A sentence, a space before it, on the dense models that do not beat popularity; "" where all do."""
        return warning(self.dense)

    def once(self, derive: Callable[[StudyEvidence], Found]) -> Found:
        """What a function of this study returns; called once, however many figures and tables ask."""
        if derive not in self._found:
            self._found[derive] = derive(self)
        return self._found[derive]

    def part(self, keep: pd.Series) -> StudyEvidence:
        """The study of some of the rows: whole curves, whose points are those of this study.

        keep  for each of the rows, whether it stays; one does
        """
        part = StudyEvidence(self.rows[keep], self.name)
        curves = pd.MultiIndex.from_frame(part.rows[CURVE].drop_duplicates())
        there = pd.MultiIndex.from_frame(self.points[CURVE]).isin(curves)
        part.points = self.points[there].reset_index(drop=True)
        return part


def _where(rows: pd.DataFrame, wanted: pd.Series) -> pd.DataFrame:
    """The wanted rows; the frame itself where that is all of them."""
    return rows if wanted.all() else rows[wanted].reset_index(drop=True)
