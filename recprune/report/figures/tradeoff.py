"""Quality against the share kept: the picture that every pruning method is judged by."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from matplotlib.figure import Figure

from recprune.errors import NothingToDrawError
from recprune.report.evidence.curves import DRAWN_CONTROLS, LOWEST, curves
from recprune.report.evidence.groups import GROUPS, Group
from recprune.report.evidence.labels import label
from recprune.report.evidence.study import StudyEvidence
from recprune.report.figures.drawing import style
from recprune.report.figures.drawing.panels import handles_of, looks_of, small_multiples
from recprune.report.figures.drawing.registry import figure
from recprune.report.figures.drawing.words import STRICT, means


def caption(study: StudyEvidence, data: pd.DataFrame, group: Group) -> str:
    controls = [label(name) for name in DRAWN_CONTROLS[group.side] if name in set(data["role"])]
    beside = f" Controls in every panel that has them: {' and '.join(controls)}." if controls else ""
    return (
        f"Test nDCG@10 relative to the dense model against the share kept, on {study.heading}: {group.what}. "
        f"{means(data)}{beside} Solid line: dense; dotted: {STRICT:g} of it; the right axis is the absolute value. "
        f"Triangles at the foot lie below the axis, which ends no lower than {LOWEST:g}."
    )


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
    looks = looks_of(data)
    with style.paper():
        picture = small_multiples(data, looks, side, handles_of(looks, data))
    return picture, data


def of_group(study: StudyEvidence, group: Group) -> tuple[Figure, pd.DataFrame]:
    """The trade-off of the methods of one group. Raises NothingToDrawError where none of them was measured."""
    part = group.of(study)
    if part is None:
        raise NothingToDrawError(f"no cells of {group.what}")
    return tradeoff(part, group.side)


for each in GROUPS:
    figure(f"tradeoff-{each.stem}", caption=caption, group=each)(of_group)
