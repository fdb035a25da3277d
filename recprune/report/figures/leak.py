"""Leak against quality: what a model gives away of its training data, and how good it still is."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from recprune.errors import NothingToDrawError
from recprune.report.evidence.audits.leaks import ROLES, leaks
from recprune.report.evidence.frames import each
from recprune.report.evidence.labels import label
from recprune.report.evidence.methods import FLOORS
from recprune.report.evidence.study import StudyEvidence
from recprune.report.figures.drawing import style
from recprune.report.figures.drawing.registry import figure
from recprune.report.figures.drawing.style import BLUE, GREY, ORANGE, PURPLE, TEAL, WINE, Look

ACROSS = 4  # panels in a row
LOOKS = {
    "dense": Look("black", "*"),
    "format": Look(PURPLE, "D"),
    "parameters": Look(BLUE, "o"),
    "random": Look(GREY, "x", ":"),
    "samples": Look(TEAL, "^"),
    "smaller": Look(ORANGE, "s", "--"),
    "id": Look(WINE, "P"),
}


def caption(study: StudyEvidence, data: pd.DataFrame) -> str:
    return (
        f"Leak against quality, on {study.heading}: within-user AUC of membership inference (.5 is chance; bars: 95 % "
        "interval over users and seeds) against test nDCG@10 as a share of the dense model's. Lines join the shares "
        "kept by one method, from much to little. Where pruned models lie on the line of the smaller dense ones, it is "
        "less fit that gives away less, and not pruning."
    )


@figure("leak", caption=caption)
def leak(study: StudyEvidence) -> tuple[Figure, pd.DataFrame]:
    """The points of `leaks`, a panel a model. Returns the figure and them; raises NothingToDrawError as they do."""
    data = leaks(study.further)
    data = data[~data["model"].isin(FLOORS)].reset_index(drop=True)  # they are the controls of the audit itself
    if data.empty:
        raise NothingToDrawError("no model but popularity was audited for membership")
    return leak_of(data), data


def leak_of(data: pd.DataFrame) -> Figure:
    """The figure of points of `leaks`."""
    models = list(dict.fromkeys(data["model"]))
    across = min(ACROSS, len(models))
    down = -(-len(models) // across)
    with style.paper():
        picture = style.new_figure(style.DOUBLE, 0.7 + 2.0 * down)
        axes = picture.subplots(down, across, squeeze=False, sharey=True).ravel()
        for ax, model in zip(axes, models, strict=False):
            _panel(ax, data[data["model"] == model])
            ax.set_title(label(model), weight="bold", pad=3)
        for ax in axes[len(models) :]:
            ax.set_axis_off()
        for ax in axes[max(0, len(models) - across) : len(models)]:  # the lowest of each column
            ax.set_xlabel("test nDCG@10 / dense")
        for ax in axes[::across]:
            ax.set_ylabel("AUC of membership")
        picture.legend(handles=_handles(data), loc="outside lower center", ncols=min(4, data["role"].nunique()))
        style.settle(picture)
    return picture


def _panel(ax, rows: pd.DataFrame) -> None:
    ax.axhline(0.5, color=GREY, lw=0.6, ls=":", zorder=1)
    for role, mine in each(rows, "role"):
        for _, line in mine.groupby(["criterion", "recovery"], sort=False):
            look, ends = LOOKS[role], np.abs(line[["auc_lo", "auc_hi"]].to_numpy().T - line["auc"].to_numpy())
            ax.errorbar(line["ratio"], line["auc"], yerr=ends, **look.line_style(), ms=4, lw=1.0, elinewidth=0.6)


def _handles(data: pd.DataFrame) -> list[Line2D]:
    there = [role for role in ROLES if (data["role"] == role).any()]
    return [Line2D([], [], **LOOKS[role].line_style(), ms=4, label=ROLES[role]) for role in there]
