"""Quality against bytes per item: each model dense, trained smaller and pruned, in every value format."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from recprune.cells.rows import AS_TRAINED
from recprune.errors import NothingToDrawError
from recprune.models.quantization import FORMATS
from recprune.report.evidence.curves import LOWEST
from recprune.report.evidence.frames import each
from recprune.report.evidence.methods import METHOD, models_in_order
from recprune.report.evidence.size.formats import format_fronts
from recprune.report.evidence.study import StudyEvidence
from recprune.report.figures.drawing import style
from recprune.report.figures.drawing.panels import SAFE, cost_axis, model_panels, panel_title, safe_words
from recprune.report.figures.drawing.registry import figure
from recprune.report.figures.drawing.style import BLACK, BLUE, CYAN, GREY, ORANGE, SAFE_LINE, Look
from recprune.report.figures.drawing.words import over
from recprune.report.tables.layout.formats import human

#: value format -> how it is drawn: of fewer bits, warmer
LOOKS = dict(zip(FORMATS, (Look(BLACK, "o"), Look(BLUE, "s"), Look(CYAN, "^"), Look(ORANGE, "D")), strict=True))
UNKNOWN = Look(GREY, "h")
DASHED = (0, (3, 1.5))


def caption(study: StudyEvidence, data: pd.DataFrame) -> str:
    return (
        f"What a byte buys on {study.heading}: test nDCG@10 relative to the dense model in float32 (right: as it is) "
        f"against bytes on disk per item, of {items_of(study):,} items, in each value format. Large: the dense model; "
        "solid: pruned in its parameters, of all rules, schedules and recoveries the points that beat every smaller "
        "one on validation; dashed, hollow: the same model trained smaller, chosen alike. "
        f"{over(data).capitalize()}. Dotted: {SAFE:g} of dense. Points that retain less than {LOWEST:g} are not drawn, "
        "nor models that were neither pruned nor trained smaller."
    )


@figure("bytes-per-item", caption=caption)
def bytes_per_item(study: StudyEvidence) -> tuple[Figure, pd.DataFrame]:
    """Test nDCG@10 relative to dense in float32 against bytes on disk per item, a panel per model, a colour per format.

    Returns the figure and `size_points`. Raises NothingToDrawError where there is one value format alone, or where the
    items of the data were not counted.
    """
    data = size_points(study)
    data = data[data["ratio"] >= LOWEST]
    made_small = data.loc[data["role"] != "dense", "model"]  # where there is any: the others say nothing but rounding
    data = data[data["model"].isin(made_small) | made_small.empty].reset_index(drop=True)
    if data.empty:
        raise NothingToDrawError(f"no model of {study.heading} stands beside its dense one in float32")
    names = models_in_order(data)
    height = 2.1 if len(names) == 1 else 1.62

    def draw(ax: Axes, name: str, rightmost: bool) -> None:
        _panel(ax, data[data["model"] == name], "nDCG@10" if rightmost else "")

    with style.paper():
        picture, axes = model_panels(names, _handles(data), height, "bytes per item", draw)
        cost_axis(axes[0], data["bytes_per_item"], human)
        low, high = min(SAFE, data["ratio"].min()), max(1.02, data["ratio"].max())
        axes[0].set_ylim(low - 0.05 * (high - low), high + 0.03 * (high - low))
        style.settle(picture)
    return picture, data


def items_of(study: StudyEvidence) -> int:
    """The number of items of a study's data. Raises NothingToDrawError where they were not counted."""
    if study.counted is None or study.counted.empty:
        raise NothingToDrawError(f"the items of {study.heading} were not counted: bytes per item are not known")
    return int(study.counted["items"].iloc[0])


def size_points(study: StudyEvidence) -> pd.DataFrame:
    """The points of `evidence.size.formats.format_fronts` as the figures have them, with `bytes_per_item` and

    ratio, lo, hi   mean over seeds of test nDCG@10 / that of the dense model in float32, and its 95 % interval
    """
    items = items_of(study)
    data = study.once(format_fronts)
    reference = (data["role"] == "dense") & (data["values"] == AS_TRAINED)
    ratios = {
        short: data[name].mask(reference, 1.0)
        for short, name in (("ratio", "test_ratio"), ("lo", "test_ratio_lo"), ("hi", "test_ratio_hi"))
    }
    columns = ["dataset", "protocol", "model", "family", "role", "values", *METHOD, "label", "kept", "seeds"]
    drawn = data[[*columns, "bytes_disk"]].assign(
        bytes_per_item=data["bytes_disk"] / items, val_ratio=data["rel_val_ndcg@10"], **ratios
    )
    drawn["ndcg@10"], drawn["dense_ndcg@10"] = data["test_ndcg@10"], data["dense_ndcg@10"]
    return drawn


def _panel(ax: Axes, data: pd.DataFrame, right: str) -> None:
    """One model's fronts; `right` names the absolute axis."""
    ax.axhline(1, color="black", lw=0.8, zorder=1)
    ax.axhline(SAFE, **SAFE_LINE)
    drawn: dict[str, Any]
    for values, rows in each(data, "values"):
        look = LOOKS.get(values, UNKNOWN)
        for role, line, face, depth in (("smaller-dense", DASHED, "white", 3), ("pruned", "-", look.colour, 4)):
            front = rows[rows["role"] == role].sort_values("bytes_disk")
            drawn = {"color": look.colour, "marker": look.marker, "markerfacecolor": face}
            ax.plot(front["bytes_per_item"], front["ratio"], ls=line, lw=1, ms=3, zorder=depth, **drawn)
        dense = rows[rows["role"] == "dense"]
        drawn = {"marker": look.marker, "facecolor": look.colour, "edgecolor": "black"}
        ax.scatter(dense["bytes_per_item"], dense["ratio"], s=42, linewidth=0.7, zorder=5, **drawn)
    level = data["dense_ndcg@10"].iloc[0]
    if level > 0:
        absolute = ax.secondary_yaxis("right", functions=(lambda ratio: ratio * level, lambda value: value / level))
        absolute.yaxis.set_major_locator(MaxNLocator(5))
        absolute.set_ylabel(right)
    panel_title(ax, *data[["model", "family"]].iloc[0])
    ax.grid(axis="y", color="#E6E6E6", lw=0.5)
    ax.set_axisbelow(True)


def _handles(data: pd.DataFrame) -> list[Line2D]:
    handles = [
        Line2D([], [], color=look.colour, marker=look.marker, lw=1, ms=3, label=values)
        for values, look in LOOKS.items()
        if (data["values"] == values).any()
    ]
    grey: dict[str, Any] = {"color": GREY, "marker": "o"}
    shapes: dict[str, dict[str, Any]] = {
        "dense": {"ls": "", "ms": 6.5, "markeredgecolor": "black", "label": "dense"},
        "pruned": {"lw": 1, "ms": 3, "label": "pruned, best on validation"},
        "smaller-dense": {"lw": 1, "ms": 3, "ls": DASHED, "markerfacecolor": "white", "label": "smaller dense"},
    }
    handles += [Line2D([], [], **grey | shape) for role, shape in shapes.items() if (data["role"] == role).any()]
    return [*handles, Line2D([], [], **SAFE_LINE, label=safe_words())]
