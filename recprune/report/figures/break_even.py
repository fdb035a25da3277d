"""The size trap: milliseconds and bytes of each form of a model against the size of the catalogue."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from recprune.errors import NothingToDrawError
from recprune.report.evidence.frames import each
from recprune.report.evidence.results import Evidence
from recprune.report.evidence.size.catalogues import COSTS, break_evens
from recprune.report.figures.drawing import style
from recprune.report.figures.drawing.panels import legend_columns
from recprune.report.figures.drawing.placement import Words, along, place
from recprune.report.figures.drawing.registry import figure
from recprune.report.figures.drawing.style import BLUE, CYAN, GREY, INDIGO, ORANGE, RED, TEAL, WINE, Look
from recprune.report.tables.layout.formats import count, human

OTHERS = ("implicit", "implicit factors", "numpy")  # other code, beside which ours is drawn
PANELS = {
    "ms": "milliseconds for one user",
    "ms_of_128": "milliseconds a user, 128 at once",
    "bytes": "bytes on disk",
}
#: dense forms dashed and hollow, what was made smaller solid and filled, other code dotted and grey
DASHED, DOTTED = (0, (4, 1.5)), (0, (1, 1.2))
LOOKS = {
    "dense item-item": Look(INDIGO, "o", DASHED, "none"),
    "dense item-item int8": Look(BLUE, "o", DASHED, "none"),
    "pruned dense item-item": Look(BLUE, "v"),
    "sparse item-item": Look(INDIGO, "o"),
    "sparse item-item int8": Look(BLUE, "^"),
    "pruned sparse item-item": Look(CYAN, "D"),
    "item-kNN": Look(TEAL, "P"),
    "dense factors": Look(WINE, "s", DASHED, "none"),
    "dense factors int8": Look(RED, "s", DASHED, "none"),
    "pruned dense factors": Look(RED, "s"),
    "implicit": Look(GREY, "x", DOTTED),
    "implicit factors": Look(GREY, "1", DOTTED),
    "numpy": Look(GREY, "+", DOTTED),
}
SPARE = ((TEAL, "D"), (ORANGE, "v"), (TEAL, "X"), (ORANGE, "p"))


def caption(evidence: Evidence, data: pd.DataFrame) -> str:
    lines, pairs = data[data["role"] == "measured"], break_evens(evidence.catalogues)
    sizes = f"{count(lines['n_items'].min())} to {count(lines['n_items'].max())} items"
    others = " Dotted: other code, for the same task." if lines["form"].isin(OTHERS).any() else ""
    found = "; ".join(_sentence(cost, rows) for cost, rows in each(pairs, "cost")) or "no pair of forms was measured"
    return (
        f"What each form of a model costs at catalogues of {sizes}, synthetic, users and interactions in proportion: "
        "the processor's time for a whole recommendation of 20 items, and bytes on disk. A break-even size is where "
        "two forms cost the same, on straight lines between the sizes measured, the last where there are several: "
        f"{found}.{others} Times are of the machine that measured them."
    )


def _sentence(cost: str, pairs: pd.DataFrame) -> str:
    """The break-even sizes of one panel in words."""
    found = [
        f"{then} below {first} " + (f"from {_about(size)} items on" if size == size else "at every size")
        for first, then, size in pairs[["first", "then", "n_items"]].itertuples(index=False, name=None)
    ]
    return f"{PANELS[cost]}, {', '.join(found)}"


def _about(size: float) -> str:
    """A size between two that were measured: more digits would not be known."""
    return count(float(f"{size:.2g}"))


@figure("break-even", caption=caption, of=Evidence)
def break_even(evidence: Evidence) -> tuple[Figure, pd.DataFrame]:
    """Milliseconds and bytes against the number of items, a line a form, with the sizes at which a dense one breaks
    even with another. Returns the figure and what is drawn: role "measured" or "break-even" (`form` costs less below
    that size, `then` above). Raises NothingToDrawError where `make bench` has not measured it.
    """
    costs = evidence.catalogues
    if not costs.duplicated(["cost", "form"]).any():
        raise NothingToDrawError("no form of a model was measured at two sizes of the catalogue: `make bench` does")
    data = pd.concat(
        [
            costs.assign(role="measured", then=""),
            break_evens(costs).dropna().rename(columns={"first": "form"}).assign(role="break-even"),
        ],
        ignore_index=True,
    )[["cost", "role", "form", "then", "n_items", "value"]]
    shown = [cost for cost in COSTS if (data["cost"] == cost).any()]
    looks = _looks(data)
    with style.paper():
        width = style.SINGLE if len(shown) == 1 else style.DOUBLE
        handles = [Line2D([], [], **look.line_style(), label=form) for form, look in looks.items()]
        if (data["role"] == "break-even").any():
            handles.append(Line2D([], [], **_MARK, label="breaks even"))
        across = legend_columns(handles, width)
        picture = style.new_figure(width, 2.5 + 0.15 * -(-len(handles) // across))
        axes = picture.subplots(1, len(shown), sharex=True, squeeze=False)[0]
        for ax, cost in zip(axes, shown, strict=True):
            _panel(ax, data[data["cost"] == cost], cost, looks)
        picture.legend(handles=handles, loc="outside lower center", ncols=across, handlelength=2.8, columnspacing=1.2)
        style.settle(picture)
        for ax, cost in zip(axes, shown, strict=True):
            _sizes(ax, data[data["cost"] == cost])
    return picture, data


_MARK: dict[str, Any] = {"ls": "", "marker": "*", "color": "black", "ms": 6, "zorder": 6}


def _looks(data: pd.DataFrame) -> dict[str, Look]:
    """A look for each form, known ones first."""
    there = set(data["form"])
    spare = iter(SPARE * len(there))
    unknown = sorted(there - set(LOOKS))
    return {form: look for form, look in LOOKS.items() if form in there} | {
        form: Look(*next(spare), DASHED, "none") if form.startswith("dense") else Look(*next(spare)) for form in unknown
    }


def _panel(ax: Axes, data: pd.DataFrame, cost: str, looks: dict[str, Look]) -> None:
    for form, rows in each(data[data["role"] == "measured"], "form"):
        ax.plot(rows["n_items"], rows["value"], **looks[form].line_style(), zorder=2 if form in OTHERS else 4)
    even = data[data["role"] == "break-even"]
    ax.plot(even["n_items"], even["value"], **_MARK)
    ax.set(xscale="log", yscale="log", xlabel="items in the catalogue", title=PANELS[cost])
    ax.xaxis.set_major_locator(LogLocator())
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: count(value)))
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: human(value) if cost == "bytes" else f"{value:g}"))
    ax.yaxis.set_minor_formatter(NullFormatter())
    ax.grid(axis="y", color="#E6E6E6", lw=0.5)
    ax.set_axisbelow(True)


def _sizes(ax: Axes, data: pd.DataFrame) -> None:
    """The number of items beside each point that breaks even."""
    even = data[data["role"] == "break-even"].sort_values("n_items")
    words = [Words(_about(n), "black", [(n, value)]) for n, value in zip(even["n_items"], even["value"], strict=True)]
    place(ax, words, np.vstack([*_drawn(ax, data), even[["n_items", "value"]].to_numpy(float)]))


def _drawn(ax: Axes, data: pd.DataFrame) -> Iterator[np.ndarray]:
    """(m, 2) points along the lines of a panel, whose axes are both logarithmic."""
    for _, rows in each(data[data["role"] == "measured"], "form"):
        path = along(rows["n_items"], np.log(rows["value"]))
        yield np.column_stack([path[:, 0], np.exp(path[:, 1])])
