"""Figures of what changes with the protocol."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, MaxNLocator

from recprune.errors import NothingToDrawError
from recprune.report import style
from recprune.report.cells import FLOORS, canonical, methods_in_order, models_in_order
from recprune.report.curves import curves, foot
from recprune.report.protocols import QUALITY, levels, protocols_in_order
from recprune.report.style import label, model_look
from recprune.report.tradeoff import handles_of, legend_columns, panel, set_limits

TICKS = (0.001, 0.01, 0.05, 0.2, 1.0)  # a panel is an inch wide


def protocol_order(cells: pd.DataFrame) -> tuple[Figure, pd.DataFrame]:
    """Dense models under each protocol, one panel each: mean test nDCG@10 with its 95 % interval over users where the rows
    have it, every seed as a dot, and the rank. Models stand in the order of the first protocol.

    Levels differ between protocols (another number of relevant items), so each panel has a scale of its own, on which
    popularity and random may lie too far left: then their value is written at its edge.
    Returns the figure and `levels`. Raises ReportError as that does.
    """
    table = levels(cells)
    protocols = protocols_in_order(table)
    models = list(
        dict.fromkeys(table.sort_values(["protocol", "rank"], key=_placed(protocols), kind="stable")["model"])
    )
    rows = canonical(cells)
    rows = rows[rows["side"] == "dense"]
    with style.paper():
        figure = style.new_figure(style.DOUBLE, 0.75 + 0.19 * len(models))
        axes = figure.subplots(1, len(protocols), sharey=True, squeeze=False)[0]
        for ax, protocol in zip(axes, protocols, strict=True):
            seeds = rows[rows["protocol"] == protocol].groupby("model")[QUALITY].apply(list).to_dict()
            _panel(ax, table[table["protocol"] == protocol].set_index("model"), seeds, models)
            ax.set_title(protocol, weight="bold", pad=3)
        axes[0].set_yticks(range(len(models)), [label(model) for model in models])
        axes[0].set_ylim(len(models) - 0.5, -0.5)
        figure.supxlabel("test nDCG@10 (dots: seeds; right: rank)", fontsize=8)
        style.settle(figure)
    return figure, table


def _placed(protocols: list[str]):
    return lambda column: column.map(protocols.index) if column.name == "protocol" else column


def _panel(ax: Axes, found: pd.DataFrame, seeds: dict[str, list[float]], models: list[str]) -> None:
    low, high = _limits(found, seeds)
    for y, model in enumerate(models):
        if model not in found.index:
            _say(ax, 0.5, y, "left out", style.GREY)
            continue
        row = found.loc[model]
        ax.text(1.02, y, f"{row['rank']}", transform=ax.get_yaxis_transform(), ha="left", va="center", fontsize=7)
        if row["ndcg@10"] < low:
            _say(ax, 0.03, y, f"◂ {row['ndcg@10']:.3f}", style.GREY)
            continue
        look = model_look(model, row["family"])
        if not np.isnan(row["lo"]):
            ax.plot([row["lo"], row["hi"]], [y, y], color=look.colour, lw=1.0, zorder=2)
        ax.plot(seeds[model], [y] * len(seeds[model]), ls="", marker=".", ms=3, color=style.GREY, zorder=3)
        ax.plot(row["ndcg@10"], y, **look.line_style(), zorder=4)
    ax.set_xlim(low, high)
    ax.xaxis.set_major_locator(MaxNLocator(3))
    ax.grid(axis="y", color="#E6E6E6", lw=0.5)
    ax.set_axisbelow(True)
    ax.tick_params(axis="y", length=0)


def _limits(found: pd.DataFrame, seeds: dict[str, list[float]]) -> tuple[float, float]:
    """Ends of the scale: every recommender with its seeds and interval; the floors only where nothing else is."""
    names = [name for name in found.index if name not in FLOORS] or list(found.index)
    values = np.concatenate([found.loc[names, ["lo", "hi"]].to_numpy().ravel(), *(seeds[name] for name in names)])
    low, high = np.nanmin(values), np.nanmax(values)
    margin = 0.08 * (high - low) or 0.01
    return low - margin, high + margin


def _say(ax: Axes, x: float, y: float, words: str, colour: str) -> None:
    side = "left" if x < 0.3 else "center"
    ax.text(
        x,
        y,
        words,
        transform=ax.get_yaxis_transform(),
        ha=side,
        va="center",
        fontsize=6.5,
        style="italic",
        color=colour,
    )


def protocol_curves(cells: pd.DataFrame) -> tuple[Figure, pd.DataFrame]:
    """Test nDCG@10 relative to the dense model against the share of parameters kept: one row of panels per pruned model, one
    column per protocol, all on one scale. Returns the figure and the points drawn (`curves`). Raises NothingToDrawError when no
    parameters were pruned.
    """
    rows = canonical(cells)
    pruned = rows[rows["side"] == "parameters"]
    if pruned.empty:
        raise NothingToDrawError("no parameters were pruned: there are no curves to show")
    protocols, models = protocols_in_order(pruned), models_in_order(pruned)
    found = [curves(rows[rows["protocol"] == name], "parameters") for name in protocols]
    data = pd.concat(found, ignore_index=True)
    looks = style.method_looks(methods_in_order(data[data["role"] != "dense"]))
    bottom = foot(data["role"], data["ratio"])
    with style.paper():
        handles = handles_of(looks, data)
        across = legend_columns([handle.get_label() for handle in handles], style.DOUBLE)
        figure = style.new_figure(style.DOUBLE, 1.55 * len(models) + 0.15 * -(-len(handles) // across) + 0.4)
        axes = figure.subplots(len(models), len(protocols), sharex=True, sharey=True, squeeze=False)
        for i, model in enumerate(models):
            for j, protocol in enumerate(protocols):
                mine = data[(data["model"] == model) & (data["protocol"] == protocol)]
                ax = axes[i, j]
                if mine.empty:
                    ax.set_axis_off()
                    continue
                panel(ax, mine, looks, "parameters", bottom, "")
                ax.set_title(f"{label(model)}, {protocol}", pad=3)
                ax.set_xlabel("share kept" if i == len(models) - 1 else "")
                ax.set_ylabel("nDCG@10 / dense" if j == 0 else "")
        set_limits(axes[0, 0], data)
        axes[0, 0].xaxis.set_major_locator(FixedLocator([share for share in TICKS if share >= data["x"].min()]))
        figure.legend(handles=handles, loc="outside lower center", ncols=across, handlelength=2.8, columnspacing=1.2)
        style.settle(figure)
    return figure, data
