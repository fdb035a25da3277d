"""Quality against the share kept: the picture that every pruning method is judged by."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from recprune.errors import NothingToDrawError, ReportError
from recprune.report.evidence.curves import DRAWN_CONTROLS, LOWEST, SIDES, curves, foot, series
from recprune.report.evidence.groups import GROUPS, Group
from recprune.report.evidence.labels import label
from recprune.report.evidence.methods import Method, method_label, methods_in_order
from recprune.report.evidence.study import StudyEvidence
from recprune.report.figures import style
from recprune.report.figures.panels import SAFE, handles_of, measured, panel, set_limits, small_multiples
from recprune.report.figures.placement import Words, along, place
from recprune.report.figures.registry import figure
from recprune.report.figures.style import Look
from recprune.report.figures.words import STRICT, means

DIRECT = 4  # as many lines as can be named inside one panel; more get a legend


def tradeoff(
    study: StudyEvidence,
    side: str = "parameters",
    models: Sequence[str] | None = None,
    units: Sequence[str] | None = None,
) -> tuple[Figure, pd.DataFrame]:
    """Test nDCG@10 relative to the dense model against the share kept, one panel per model.

    side    "parameters" or "samples"
    models  which models, in which order; by default all that were pruned, CF first
    units   which units; by default all
    The controls are part of every panel: random removal, and for parameters the smaller dense model.
    A control that was not measured is noted in the panel. The right axis is the ratio times the dense
    model's mean, so it is the absolute value up to the difference between a mean of ratios and a ratio of means.
    Returns the figure and the points drawn (`curves`). Raises ReportError when there is nothing to draw.
    """
    data = curves(study, side, models, units)
    looks = _looks(data)
    with style.paper():
        figure = small_multiples(data, looks, side, handles_of(looks, data))
    return figure, data


def caption(study: StudyEvidence, data: pd.DataFrame, group: Group) -> str:
    controls = [label(name) for name in DRAWN_CONTROLS[group.side] if name in set(data["role"])]
    beside = f" Controls in every panel that has them: {' and '.join(controls)}." if controls else ""
    return (
        f"Test nDCG@10 relative to the dense model against the share kept, on {study.heading}: {group.what}. {means(data)}{beside} "
        f"Solid line: dense; dotted: {STRICT:g} of it; the right axis is the absolute value. Triangles at the foot lie below the axis, "
        f"which ends no lower than {LOWEST:g}."
    )


def of_group(study: StudyEvidence, group: Group) -> tuple[Figure, pd.DataFrame]:
    """The trade-off of the methods of one group. Raises NothingToDrawError where none of them was measured."""
    part = group.of(study)
    if part is None:
        raise NothingToDrawError(f"no cells of {group.what}")
    return tradeoff(part, group.side)


for each in GROUPS:
    figure(f"tradeoff-{each.stem}", caption=caption, group=each)(of_group)


def curve(study: StudyEvidence) -> tuple[Figure, pd.DataFrame]:
    """The trade-off of one model, for a notebook: its dense row, and the rows of one or a few methods.

    Up to four lines are named where they run. Returns and raises as `tradeoff` does; rows of several
    models raise ReportError.
    """
    side = "samples" if (study.rows["side"] == "samples").any() else "parameters"
    data = curves(study, side)
    if data["model"].nunique() > 1:
        raise ReportError(f"curve shows one model, the rows are of {', '.join(data['model'].unique())}: use tradeoff")
    looks = _looks(data)
    named = len(looks) <= DIRECT
    with style.paper():
        figure = style.new_figure(4.6 if named else style.DOUBLE, 2.9)
        ax = figure.subplots()
        panel(ax, data, looks, side, foot(data["role"], data["ratio"]), "test nDCG@10")
        set_limits(ax, data)
        ax.set_xlabel(f"{SIDES[side]} ({measured(data)})")
        ax.set_ylabel("test nDCG@10 / dense")
        if not named:
            figure.legend(handles=handles_of(looks, data), loc="outside right upper", handlelength=2.8)
        style.settle(figure)
        if named:
            _name_lines(ax, data, looks)
    return figure, data


def _looks(data: pd.DataFrame) -> dict[Method, Look]:
    return style.method_looks(methods_in_order(data[data["role"] != "dense"]))


def _name_lines(ax: Axes, data: pd.DataFrame, looks: dict[Method, Look]) -> None:
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
