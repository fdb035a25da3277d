"""Which curves share a figure: one question each, and few enough lines to be told apart."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from recprune.report.evidence.methods import ONCE, is_kind
from recprune.report.evidence.study import StudyEvidence

SINGLE = ("weight", "neighbour")  # one parameter each, anywhere
BLOCKS = ("n-of-m",)
ROWS = ("item-row", "user-row")


@dataclass(frozen=True)
class Group:
    """One figure: its name, what is kept, its side, and which rows are its subject; the controls come with them."""

    stem: str
    what: str
    side: str
    subject: Callable[[pd.DataFrame], pd.Series]

    def of(self, study: StudyEvidence) -> StudyEvidence | None:
        """The part of a study to draw: subject, dense models and controls; None where there is no subject."""
        cells = study.rows
        mine = (cells["side"] == self.side) & self.subject(cells)
        ruled = mine & ~is_kind(cells, "control")
        if not ruled.any():
            return None
        there = cells["model"].isin(cells.loc[ruled, "model"])
        control = (cells["criterion"] == "smaller-dense") if self.side == "parameters" else False
        return study.part(there & (mine | (cells["side"] == "dense") | control))


def _structure(cells: pd.DataFrame) -> pd.Series:
    """A unit that nobody knows counts as a structure."""
    return ~cells["unit"].isin((*SINGLE, *BLOCKS, *ROWS))


def _cut(cells: pd.DataFrame) -> pd.Series:
    """Cut at once, nothing after it."""
    return cells["schedule"].isin(ONCE) & (cells["recovery"] == "none") & ~is_kind(cells, "trained")


def _clipped(cells: pd.DataFrame) -> pd.Series:
    """Sparse training that ends with a cut, and the cut alone."""
    return cells["criterion"].isin(("clip", "train-longer")) | cells["criterion"].str.endswith("-clip")


def _recovered(cells: pd.DataFrame) -> pd.Series:
    return ~cells["recovery"].isin(["", "none"])


def _by_recovery(cells: pd.DataFrame) -> pd.Series:
    """One rule, and chance, in the models that recover: what follows the cut is all that differs."""
    mine = cells["unit"].isin(SINGLE) & cells["criterion"].isin(("magnitude", "random")) & cells["schedule"].isin(ONCE)
    return mine & cells["model"].isin(cells.loc[mine & _recovered(cells), "model"])


def _beside(cells: pd.DataFrame, subject: pd.Series) -> pd.Series:
    """The subject, and what it has to beat: the models' same units cut at once by magnitude or at random."""
    pairs = set(cells.loc[subject, ["model", "unit"]].itertuples(index=False, name=None))
    there = pd.MultiIndex.from_frame(cells[["model", "unit"]]).isin(pairs) if pairs else False
    plain = cells["criterion"].isin(("magnitude", "random")) & cells["schedule"].isin(ONCE)
    return subject | (plain & there & (cells["side"] == "parameters"))


def _sparse(cells: pd.DataFrame, recovered: bool, clipped: bool) -> pd.Series:
    """Single weights by training that makes sparse, with what they have to beat."""
    mine = is_kind(cells, "trained") & (cells["unit"] == "weight") & (_recovered(cells) == recovered)
    return _beside(cells, mine & (_clipped(cells) == clipped)) & (_recovered(cells) == recovered)


def _turned(cells: pd.DataFrame) -> pd.Series:
    """Factors that were turned to axes of their own before they were cut."""
    return _structure(cells) & _cut(cells) & cells["criterion"].str.endswith("-axes")


GROUPS = (
    Group("parameters", "single parameters, by rule", "parameters", lambda c: c["unit"].isin(SINGLE) & _cut(c)),
    Group(
        "recovery",
        "single parameters, cut at once by magnitude, by what follows",
        "parameters",
        _by_recovery,
    ),
    Group(
        "recovered",
        "single parameters, cut at once and recovered, by rule",
        "parameters",
        lambda c: c["unit"].isin(SINGLE) & _recovered(c) & c["schedule"].isin(ONCE) & ~is_kind(c, "trained"),
    ),
    Group(
        "sparse-training",
        "single parameters, by training that makes sparse",
        "parameters",
        lambda c: _sparse(c, False, False),
    ),
    Group(
        "sparse-training-recovery",
        "single parameters, by training that makes sparse, recovered",
        "parameters",
        lambda c: _sparse(c, True, False),
    ),
    Group(
        "sparse-training-clipped",
        "single parameters, by training that makes sparse and clips what it keeps",
        "parameters",
        lambda c: _sparse(c, False, True),
    ),
    Group("blocks", "weights, N of every M", "parameters", lambda c: c["unit"].isin(BLOCKS)),
    Group(
        "structure",
        "factors, neurons and splits, by rule",
        "parameters",
        lambda c: _structure(c) & _cut(c) & ~_turned(c),
    ),
    Group(
        "structure-axes",
        "factors, turned to their own axes first",
        "parameters",
        lambda c: _beside(c, _turned(c)) & _cut(c),
    ),
    Group(
        "structure-recovery",
        "factors and neurons, recovered",
        "parameters",
        lambda c: _structure(c) & _recovered(c) & ~is_kind(c, "trained"),
    ),
    Group(
        "structure-sparse",
        "factors and neurons, by training that makes sparse",
        "parameters",
        lambda c: _beside(c, _structure(c) & is_kind(c, "trained")),
    ),
    Group("rows", "embedding rows", "parameters", lambda c: c["unit"].isin(ROWS)),
    Group(
        "samples",
        "training interactions, by the log itself",
        "samples",
        lambda c: (c["unit"] == "interaction") & (c["schedule"] == "one-shot") & ~is_kind(c, "modelled"),
    ),
    Group(
        "samples-modelled",
        "training interactions, by a model of the log",
        "samples",
        lambda c: (
            (c["unit"] == "interaction")
            & (c["schedule"] == "one-shot")
            & (is_kind(c, "modelled") | (c["criterion"] == "random"))
        ),
    ),
    Group(
        "samples-loop",
        "training interactions, in rounds or by whole users",
        "samples",
        lambda c: (c["unit"] != "interaction") | (c["schedule"] != "one-shot") | (c["criterion"] == "random"),
    ),
)
