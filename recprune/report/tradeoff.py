"""Quality against the share kept, drawn: the picture that every pruning method is judged by."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullFormatter

from recprune.errors import ReportError
from recprune.report import style
from recprune.report.cells import methods_in_order
from recprune.report.curves import DRAWN_CONTROLS, SIDES, curves, foot, series
from recprune.report.grouping import BLOCKS, SINGLE
from recprune.report.labels import Words, along, place
from recprune.report.safe import FLOOR_LEVELS
from recprune.report.style import SAFE_LINE, Look, Method, label, method_label

SAFE = FLOOR_LEVELS[0]
DIRECT = 4  # as many lines as can be named inside one panel; more get a legend


def tradeoff(
    cells: pd.DataFrame,
    side: str = "parameters",
    models: Sequence[str] | None = None,
    units: Sequence[str] | None = None,
) -> tuple[Figure, pd.DataFrame]:
    """Test nDCG@10 relative to the dense model against the share kept, one panel per model.

    cells   rows of one data set under one protocol
    side    "parameters" or "samples"
    models  which models, in which order; by default all that were pruned, CF first
    units   which units; by default all
    The controls are part of every panel: random removal, and for parameters the smaller dense model.
    A control that was not measured is noted in the panel. The right axis is the ratio times the dense
    model's mean, so it is the absolute value up to the difference between a mean of ratios and a ratio of means.
    Returns the figure and the points drawn (`curves`). Raises ReportError when there is nothing to draw.
    """
    data = curves(cells, side, models, units)
    looks = _looks(data)
    with style.paper():
        figure = small_multiples(data, looks, side, handles_of(looks, data))
    return figure, data


def small_multiples(data: pd.DataFrame, looks: dict[Method, Look], side: str, handles: Sequence[Artist]) -> Figure:
    """A panel per model on common axes; the legend below them, or in the place that the last row leaves free."""
    names = list(dict.fromkeys(data["model"]))
    columns = min(len(names), 3) if len(names) != 4 else 2
    rows = -(-len(names) // columns)
    width, height = (style.SINGLE, 2.1) if columns == 1 else (style.DOUBLE, 1.62)
    spare = rows * columns - len(names)
    inside = spare and len(handles) <= 12 * spare
    across = legend_columns([handle.get_label() for handle in handles], width)
    below = 0 if inside else 0.15 * -(-len(handles) // across)
    figure = style.new_figure(width, height * rows + below + 0.4)
    axes = list(figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).flat)
    bottom = foot(data["role"], data["ratio"])
    for number, (ax, name) in enumerate(zip(axes, names, strict=False)):
        rightmost = number % columns == columns - 1 or number == len(names) - 1
        panel(ax, data[data["model"] == name], looks, side, bottom, "nDCG@10" if rightmost else "")
        ax.tick_params(labelbottom=number + columns >= len(names), labelleft=number % columns == 0)
        ax.set_xlabel(share_words(data, side) if number >= columns * (rows - 1) else "")
        ax.set_ylabel("nDCG@10 / dense" if number % columns == 0 else "")
    set_limits(axes[0], data)
    free = axes[len(names) :]
    for ax in free:
        ax.set_axis_off()
    if inside:
        for ax, some in zip(free, np.array_split(np.array(handles, object), spare), strict=True):
            ax.legend(handles=list(some), loc="center left", handlelength=2.8, borderaxespad=0).set_in_layout(False)
    else:
        figure.legend(handles=handles, loc="outside lower center", ncols=across, handlelength=2.8, columnspacing=1.2)
    style.settle(figure)
    return figure


def curve(cells: pd.DataFrame) -> tuple[Figure, pd.DataFrame]:
    """The trade-off of one model, for a notebook: its dense row, and the rows of one or a few methods.

    Up to four lines are named where they run. Returns and raises as `tradeoff` does; rows of several
    models raise ReportError.
    """
    side = "samples" if (cells["side"] == "samples").any() else "parameters"
    data = curves(cells, side)
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


def panel(ax: Axes, data: pd.DataFrame, looks: dict[Method, Look], side: str, bottom: float, right: str) -> None:
    """One model's curves. What lies under `bottom` is a caret at the foot; `right` names the absolute axis."""
    name, family, level = data[["model", "family", "dense_ndcg@10"]].iloc[0]
    ax.axhline(1, color="black", lw=0.8, zorder=1)
    ax.axhline(SAFE, **SAFE_LINE)
    for method, rows in series(data):
        look = looks[method]
        own = np.flatnonzero((rows["role"] != "dense") & ~rows["below"])
        depth = 3 if method.criterion in ("random", "smaller-dense") else 4
        ax.plot(rows["x"], rows["ratio"], **look.line_style(), markevery=list(own), zorder=depth)
        ax.fill_between(rows["x"], rows["lo"], rows["hi"], color=look.colour, alpha=0.18, lw=0, zorder=2)
        under = rows[rows["below"]]
        ax.plot(under["x"], np.full(len(under), bottom), color=look.colour, marker=7, ls="", ms=4, zorder=5)
    if level > 0:
        absolute = ax.secondary_yaxis("right", functions=(lambda ratio: ratio * level, lambda value: value / level))
        absolute.yaxis.set_major_locator(MaxNLocator(5))
        absolute.set_ylabel(right)
    notes = [f"no {label(control)} control" for control in DRAWN_CONTROLS[side] if control not in set(data["role"])]
    notes += [] if level > 0 else ["no dense model"]
    panel_title(ax, name, family, pad=11 if notes else 3)
    if notes:  # over the panel, where no line runs
        ax.annotate(
            ", ".join(notes),
            (0.5, 1),
            (0, 3),
            xycoords="axes fraction",
            textcoords="offset points",
            ha="center",
            va="bottom",
            fontsize=6.5,
            style="italic",
            color=style.GREY,
        )
    ax.grid(axis="y", color="#E6E6E6", lw=0.5)
    ax.set_axisbelow(True)


def panel_title(ax: Axes, model: str, family: str, pad: float = 3) -> None:
    """The model's name with its family, in the family's colour."""
    kind = {"cf": "CF", "other": ""}.get(family, family)
    title = f"{label(model)} ({kind})" if kind else label(model)
    ax.set_title(title, color=style.FAMILIES.get(family, style.GREY), weight="bold", pad=pad)


def set_limits(ax: Axes, data: pd.DataFrame) -> None:
    """Axes that hold the points and the lines at 1 and 0.99; shares as per cents."""
    low, high = foot(data["role"], data["ratio"]), max(1.02, np.nanmax(data[["ratio", "hi"]].to_numpy()))
    ax.set_ylim(low - 0.03 * (high - low), high + 0.03 * (high - low))
    share_axis(ax, data["x"].min(), data.loc[data["kept"] == 0, "x"].unique().tolist())


def share_words(data: pd.DataFrame, side: str) -> str:
    """The axis of shares in words: a share of rows, factors, neurons or splits is not one of parameters."""
    units = set(data.loc[data["role"] != "dense", "unit"]) - {*SINGLE, *BLOCKS, "", "model"}
    return "share of units kept" if side == "parameters" and units else SIDES[side]


def share_axis(ax: Axes, least: float, nothing: Sequence[float] = ()) -> None:
    """Shares kept as per cents on a logarithmic axis from `least`; "0" at the places of `nothing`."""
    left = min(least, 0.5)
    ax.set_xscale("log")
    ax.set_xlim(left * 0.8, 1.25)
    steps = (1, 2, 5) if left > 0.04 else (1,)
    ticks = [share for power in range(-9, 1) for step in steps if left * 0.8 <= (share := step * 10.0**power) <= 1]
    ax.xaxis.set_major_locator(FixedLocator([*nothing, *ticks]))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda share, _: "0" if share in nothing else f"{100 * share:.4g} %"))
    between = (2, 5) if left > 0.001 and steps == (1,) else ()
    minor = [share * step for share in ticks for step in between if share * step <= 1]
    ax.xaxis.set_minor_locator(FixedLocator([tick for tick in minor if tick not in ticks]))
    ax.xaxis.set_minor_formatter(NullFormatter())


def measured(data: pd.DataFrame) -> str:
    """How many seeds the means are over, and what the bands are."""
    least, most = int(_pruned(data)["seeds"].min()), int(_pruned(data)["seeds"].max())
    over = f"{least}–{most} seeds" if least < most else f"{most} seeds" if most > 1 else "1 seed"
    return f"{over}, no intervals" if _pruned(data)[["lo", "hi"]].isna().all(axis=None) else f"95 % interval, {over}"


def safe_words() -> str:
    """The line of SAFE in words."""
    return f"{100 * SAFE:g} % of dense"


def legend_columns(texts: Sequence[str], width: float) -> int:
    """How many columns of such a legend fit into `width` inches at 7 points; texts go down the columns."""
    for columns in range(len(texts), 1, -1):
        wide = sum(0.0485 * max(map(len, column)) + 0.56 for column in np.array_split(np.array(texts, object), columns))
        if wide < width:
            return columns
    return 1


def _pruned(data: pd.DataFrame) -> pd.DataFrame:
    return data[data["role"] != "dense"]


def _looks(data: pd.DataFrame) -> dict[Method, Look]:
    return style.method_looks(methods_in_order(_pruned(data)))


def handles_of(looks: dict[Method, Look], data: pd.DataFrame) -> list[Line2D | Patch]:
    """Legend entries: the methods, the lines at dense and 99 % of it, the band, the caret."""
    handles = [Line2D([], [], **look.line_style(), label=method_label(method)) for method, look in looks.items()]
    handles += [
        Line2D([], [], color="black", lw=0.8, label="dense"),
        Line2D([], [], **SAFE_LINE, label=safe_words()),
    ]
    handles.append(Patch(color=style.BLUE, alpha=0.18, lw=0, label=measured(data)))
    if data["below"].any():
        handles.append(Line2D([], [], color=style.GREY, marker=7, ls="", ms=4, label="below the axis"))
    return handles


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
