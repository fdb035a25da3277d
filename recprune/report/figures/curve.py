"""The trade-off of one model, its lines named where they run."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from recprune.errors import ReportError
from recprune.report.evidence.curves import SIDES, curves, foot, series
from recprune.report.evidence.methods import Method, method_label
from recprune.report.evidence.study import StudyEvidence
from recprune.report.figures.drawing import style
from recprune.report.figures.drawing.panels import SAFE, handles_of, looks_of, measured, panel, set_limits
from recprune.report.figures.drawing.placement import Words, along, place
from recprune.report.figures.drawing.style import Look

DIRECT = 4  # as many lines as can be named inside one panel; more get a legend


def curve(study: StudyEvidence) -> tuple[Figure, pd.DataFrame]:
    """The trade-off of one model, for a notebook: its dense row, and the rows of one or a few methods.

    Up to four lines are named where they run. Returns and raises as `tradeoff` does; rows of several
    models raise ReportError.
    """
    side = "samples" if (study.rows["side"] == "samples").any() else "parameters"
    data = curves(study, side)
    if data["model"].nunique() > 1:
        raise ReportError(f"curve shows one model, the rows are of {', '.join(data['model'].unique())}: use tradeoff")
    looks = looks_of(data)
    named = len(looks) <= DIRECT
    with style.paper():
        picture = style.new_figure(4.6 if named else style.DOUBLE, 2.9)
        ax = picture.subplots()
        panel(ax, data, looks, side, foot(data["role"], data["ratio"]), "test nDCG@10")
        set_limits(ax, data)
        ax.set_xlabel(f"{SIDES[side]} ({measured(data)})")
        ax.set_ylabel("test nDCG@10 / dense")
        if not named:
            picture.legend(handles=handles_of(looks, data), loc="outside right upper", handlelength=2.8)
        style.settle(picture)
        if named:
            _name_lines(ax, data, looks)
    return picture, data


def _name_lines(ax: Axes, data: pd.DataFrame, looks: dict[Method, Look]) -> None:
    """Each method's name where its line is furthest from the others."""
    bottom = foot(data["role"], data["ratio"])
    lines = [(method, rows.assign(ratio=rows["ratio"].clip(lower=bottom))) for method, rows in series(data)]
    drawn = [along(rows["x"], rows["ratio"]) for _, rows in lines]
    left, right = ax.get_xlim()
    drawn += [along([left, right], [level, level], steps=60) for level in (1, SAFE)]
    words = []
    for method, rows in lines:
        seen = rows[~rows["below"] & (rows["role"] != "dense")]
        seen = seen if len(seen) else rows
        others = [
            np.interp(np.log(seen["x"]), np.log(other["x"]), other["ratio"]) for name, other in lines if name != method
        ]
        apart = np.abs(np.array([*others, np.ones(len(seen))]) - seen["ratio"].to_numpy()).min(axis=0)
        anchors = seen.assign(apart=apart).sort_values("apart", ascending=False, kind="stable")
        words.append(
            Words(method_label(method), looks[method].colour, [*zip(anchors["x"], anchors["ratio"], strict=True)])
        )
    words.append(Words("dense", "black", [(left * 1.15, 1.0), ((left * right) ** 0.5, 1.0)]))
    place(ax, words, np.vstack(drawn), far=False)
