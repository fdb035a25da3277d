"""Panels: the axes, titles and legends that several figures share."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from recprune.report.evidence.curves import DRAWN_CONTROLS, SIDES, foot, series
from recprune.report.evidence.groups import BLOCKS, SINGLE
from recprune.report.evidence.labels import label
from recprune.report.evidence.methods import Method, method_label, methods_in_order
from recprune.report.evidence.safe import FLOOR_LEVELS
from recprune.report.figures.drawing import style
from recprune.report.figures.drawing.style import SAFE_LINE, Look

SAFE = FLOOR_LEVELS[0]


def small_multiples(data: pd.DataFrame, looks: dict[Method, Look], side: str, handles: Sequence[Artist]) -> Figure:
    """A panel per model on common axes; the legend below them, or in the place that the last row leaves free."""
    names = list(dict.fromkeys(data["model"]))
    columns, rows = panel_grid(len(names))
    width, height = (style.SINGLE, 2.1) if columns == 1 else (style.DOUBLE, 1.62)
    spare = rows * columns - len(names)
    inside = spare and len(handles) <= 12 * spare
    across = legend_columns(handles, width)
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


def panel_grid(panels: int) -> tuple[int, int]:
    """Columns and rows for that many panels of a double-column figure."""
    columns = 2 if panels == 4 else min(panels, 3)
    return columns, -(-panels // columns)


def model_panels(
    names: Sequence[str],
    handles: Sequence[Artist],
    height: float,
    x_label: str,
    draw: Callable[[Axes, str, bool], None],
) -> tuple[Figure, list[Axes]]:
    """A figure with a panel for each model, of nDCG@10 relative to dense, and its axes; the legend takes a free cell.

    height  of a row of panels, in inches
    draw    (axes, model, whether it is the rightmost panel of its row)
    """
    columns, rows = panel_grid(len(names))
    width, spare = style.SINGLE if columns == 1 else style.DOUBLE, rows * columns - len(names)
    across = legend_columns(handles, width)
    picture = style.new_figure(width, height * rows + 0.4 + (0 if spare else 0.15 * -(-len(handles) // across)))
    axes = list(picture.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).flat)
    for number, (ax, name) in enumerate(zip(axes, names, strict=False)):
        draw(ax, name, number % columns == columns - 1 or number == len(names) - 1)
        ax.tick_params(labelbottom=number + columns >= len(names))
        ax.set_ylabel("nDCG@10 / dense" if number % columns == 0 else "")
        ax.set_xlabel(x_label if number >= columns * (rows - 1) else "")
    for ax in axes[len(names) :]:
        ax.set_axis_off()
    if spare:
        axes[-1].legend(handles=handles, loc="center left", handlelength=2.8, borderaxespad=0).set_in_layout(False)
    else:
        picture.legend(handles=handles, loc="outside lower center", ncols=across, handlelength=2.8)
    return picture, axes


def legend_columns(handles: Sequence[Artist], width: float, mark: float = 0.56) -> int:
    """How many columns of a legend of these entries fit into `width` inches at 7 points; texts go down the columns.
    mark: inches that an entry's mark takes, with the space around it."""
    lengths = [len(str(handle.get_label())) for handle in handles]

    def fits(columns: int) -> bool:
        return sum(0.0485 * max(column) + mark for column in np.array_split(lengths, columns)) < width

    most = next((columns for columns in range(len(lengths), 1, -1) if fits(columns)), 1)
    rows = -(-len(lengths) // most)
    needed = -(-len(lengths) // rows)  # fewer, in as many rows: no column of two beside others of one
    return needed if fits(needed) else most


def looks_of(data: pd.DataFrame) -> dict[Method, Look]:
    """A look for each method of a trade-off figure."""
    return style.method_looks(methods_in_order(_pruned(data)))


def _pruned(data: pd.DataFrame) -> pd.DataFrame:
    return data[data["role"] != "dense"]


def handles_of(looks: dict[Method, Look], data: pd.DataFrame) -> list[Line2D | Patch]:
    """Legend entries: the methods, the lines at dense and 99 % of it, the band, the caret."""
    handles: list[Line2D | Patch] = [
        Line2D([], [], **look.line_style(), label=method_label(method)) for method, look in looks.items()
    ]
    handles += [
        Line2D([], [], color="black", lw=0.8, label="dense"),
        Line2D([], [], **SAFE_LINE, label=safe_words()),
    ]
    handles.append(Patch(color=style.BLUE, alpha=0.18, lw=0, label=measured(data)))
    if data["below"].any():
        handles.append(Line2D([], [], color=style.GREY, marker=7, ls="", ms=4, label="below the axis"))
    return handles


def cost_axis(ax: Axes, costs: pd.Series, text: Callable[[float], str], beyond: float = 1.6) -> None:
    """A logarithmic axis of what things cost, which goes `beyond` times the highest; `text` says a number. Where it has
    few decades, ones, twos and fives have their numbers."""
    ax.set_xscale("log")
    ax.set_xlim(costs.min() / 1.6, costs.max() * beyond)
    ax.xaxis.set_major_locator(LogLocator(subs=(1,) if costs.max() > 50 * costs.min() else (1, 2, 5)))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: text(value)))
    ax.xaxis.set_minor_formatter(NullFormatter())
