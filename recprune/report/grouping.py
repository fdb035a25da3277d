"""Which curves share a figure: one question each, and few enough lines to be told apart."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pandas as pd

SINGLE = ("weight", "neighbour")  # one parameter each, anywhere
BLOCKS = ("n-of-m",)
ROWS = ("item-row", "user-row")
#: rules whose scores come out of a training of their own
SPARSE = ("proximal-l1", "proximal-l1-clip", "l2-threshold", "l2-threshold-clip", "group-lasso", "group-lasso-clip", "clip", "train-longer", "slim",
          "soft-threshold", "snip")  # fmt: skip
#: rules for samples that ask a proxy model, or a decomposition of the log
MODELLED = ("loss", "gradient", "forgetting", "score-variance", "leverage", "mutual-information", "mutual-information-redundant")
CONTROLS = ("random", "mask-shuffle")


@dataclass(frozen=True)
class Group:
    """One figure: its name, what is kept, its side, and which rows are its subject; the controls come with them."""

    stem: str
    what: str
    side: str
    subject: Callable[[pd.DataFrame], pd.Series]

    def rows(self, cells: pd.DataFrame) -> pd.DataFrame:
        """The cells to draw: the subject, the dense models and the controls; none where there is no subject."""
        mine = (cells["side"] == self.side) & self.subject(cells)
        if not (mine & ~cells["criterion"].isin(CONTROLS)).any():
            return cells[:0]
        there = cells["model"].isin(cells.loc[mine & ~cells["criterion"].isin(CONTROLS), "model"])
        control = (cells["criterion"] == "smaller-dense") if self.side == "parameters" else cells["side"] == ""
        return cells[there & (mine | (cells["side"] == "dense") | control)]


def _structure(cells: pd.DataFrame) -> pd.Series:
    """A unit that nobody knows counts as a structure."""
    return ~cells["unit"].isin((*SINGLE, *BLOCKS, *ROWS))


def _cut(cells: pd.DataFrame) -> pd.Series:
    """Cut at once, nothing after it."""
    return cells["schedule"].isin(["", "one-shot"]) & (cells["recovery"] == "none") & ~cells["criterion"].isin(SPARSE)


def _trained(cells: pd.DataFrame) -> pd.Series:
    return cells["criterion"].isin(SPARSE) | ((cells["criterion"] == "magnitude") & cells["recovery"].isin(["none", "fine-tune", "retrain"]))


GROUPS = (
    Group("parameters", "single parameters, by rule", "parameters", lambda c: c["unit"].isin(SINGLE) & _cut(c)),
    Group("recovery", "single parameters, by what follows the cut", "parameters",
          lambda c: c["unit"].isin(SINGLE) & ~_cut(c) & ~c["criterion"].isin(SPARSE)),
    Group("sparse-training", "single parameters, by training that makes sparse", "parameters",
          lambda c: (c["unit"] == "weight") & c["schedule"].isin(["", "one-shot"]) & _trained(c) & c["model"].isin(_with_sparse(c))),
    Group("blocks", "weights, N of every M", "parameters", lambda c: c["unit"].isin(BLOCKS)),
    Group("structure", "factors, neurons and splits, by rule", "parameters", lambda c: _structure(c) & _cut(c)),
    Group("structure-recovery", "factors and neurons, recovered", "parameters", lambda c: _structure(c) & ~_cut(c)),
    Group("rows", "embedding rows", "parameters", lambda c: c["unit"].isin(ROWS)),
    Group("samples", "training interactions, by the log itself", "samples",
          lambda c: (c["unit"] == "interaction") & (c["schedule"] == "one-shot") & ~c["criterion"].isin(MODELLED)),
    Group("samples-modelled", "training interactions, by a model of the log", "samples",
          lambda c: (c["unit"] == "interaction") & (c["schedule"] == "one-shot") & c["criterion"].isin((*MODELLED, "random"))),
    Group("samples-loop", "training interactions, in rounds or by whole users", "samples",
          lambda c: (c["unit"] != "interaction") | (c["schedule"] != "one-shot") | (c["criterion"] == "random")),
)  # fmt: skip


def _with_sparse(cells: pd.DataFrame) -> set[str]:
    return set(cells.loc[cells["criterion"].isin(SPARSE), "model"])


def groups(cells: pd.DataFrame) -> Iterator[tuple[Group, pd.DataFrame]]:
    """Each figure that the cells suffice for, with its rows."""
    for group in GROUPS:
        rows = group.rows(cells)
        if len(rows):
            yield group, rows
