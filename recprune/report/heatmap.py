"""Safe sparsity at a glance: method by model, one number each."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from recprune.report import style
from recprune.report.cells import ReportError, methods_in_order, models_in_order
from recprune.report.safe import safe_points
from recprune.report.style import Method, label, method_label

SECTIONS = {"parameters": "parameters removed", "samples": "samples removed"}
DEEPEST = 3.0  # orders of magnitude: 99.9 % removed has the darkest colour


def safe_sparsity(cells: pd.DataFrame) -> tuple[Figure, pd.DataFrame]:
    """The share that each method removes safely from each model: one-sided 95 % lower bound of validation nDCG@10
    at least 0.99 of dense. Methods in rows, parameters then samples; models in columns, CF first.

    Colour is the order of magnitude removed (90 %, 99 %, 99.9 %), "none" that no measured share was safe, an empty cell
    that the method was not measured on the model; a star, that test did not confirm the choice.
    Returns the figure and what is written in it. Raises ReportError when nothing was pruned.
    """
    found = safe_points(cells)
    if found.empty or not found["side"].isin(list(SECTIONS)).any():
        raise ReportError("nothing was pruned: there is no safe sparsity to show")
    models = models_in_order(found)
    part = found["side"].replace("control", "parameters")
    rows: list[tuple[str, Method | None]] = []  # (section, method), a heading where there is no method
    for section in SECTIONS:
        if (part == section).any():
            rows += [(section, None), *((section, method) for method in methods_in_order(found[part == section]))]
    with style.paper():
        figure = style.new_figure(style.SINGLE if len(models) < 3 else style.DOUBLE, 0.35 + 0.175 * len(rows))
        ax = figure.subplots()
        _grid(ax, found.assign(part=part), models, rows)
        style.settle(figure)
    return figure, found


def percent(removed: float) -> str:
    """A share removed as readers see it, what is kept to two digits: "50 %", "99.5 %", "99.98 %", or "none"."""
    if np.isnan(removed) or removed <= 0:
        return "none"
    kept = float(f"{100 * (1 - removed):.2g}")
    return f"{100 - kept:.10g} %"


def _grid(ax: Axes, found: pd.DataFrame, models: list[str], rows: list[tuple[str, Method | None]]) -> None:
    ax.set(xlim=(-0.5, len(models) - 0.5), ylim=(len(rows) - 0.5, -0.5))
    places = {name: place for place, name in enumerate(rows)}
    for row in found.itertuples():
        y = places[row.part, Method(row.unit, row.criterion, row.schedule, row.recovery)]
        _cell(ax, models.index(row.model), y, row.removed_99, row.confirmed)
    ax.tick_params(length=0, labeltop=True, labelbottom=False)
    ax.set_xticks(range(len(models)), [label(model) for model in models], fontsize=8)
    ax.set_yticks(range(len(rows)), [method_label(method) if method else SECTIONS[section] for section, method in rows])
    families = dict(zip(found["model"], found["family"], strict=True))
    for tick, model in zip(ax.get_xticklabels(), models, strict=True):
        tick.set(color=style.FAMILIES.get(families[model], style.GREY), weight="bold")
    for tick, (_, method) in zip(ax.get_yticklabels(), rows, strict=True):
        tick.set(style="normal" if method else "italic", color="black" if method else style.GREY)
    for spine in ax.spines.values():
        spine.set_visible(False)


def _cell(ax: Axes, x: int, y: int, removed: float, confirmed: bool) -> None:
    depth = 0.0 if np.isnan(removed) else min(-np.log10(max(1 - removed, 1e-9)) / DEEPEST, 1.0)
    colour = colormaps["YlGnBu"](0.08 + 0.82 * depth) if depth else "#EEEEEE"
    ax.add_patch(Rectangle((x - 0.485, y - 0.46), 0.97, 0.92, color=colour, lw=0))
    ink = style.GREY if not depth else "white" if depth > 0.5 else "black"
    ax.text(
        x,
        y,
        percent(removed) + ("*" if depth and not confirmed else ""),
        ha="center",
        va="center_baseline",
        fontsize=7,
        color=ink,
    )
