"""The order of dense models under each protocol."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from recprune.report.evidence.frames import each
from recprune.report.evidence.labels import label
from recprune.report.evidence.methods import FLOORS
from recprune.report.evidence.protocols import QUALITY, ProtocolsEvidence
from recprune.report.figures.drawing import style
from recprune.report.figures.drawing.registry import figure
from recprune.report.figures.drawing.style import model_look
from recprune.report.figures.drawing.words import INTERVAL, of_protocols, over


def caption(protocols: ProtocolsEvidence, data: pd.DataFrame) -> str:
    return (
        f"Dense models under each protocol, {of_protocols(data)}: test nDCG@10 with its {INTERVAL} interval "
        f"over users and seeds, each seed as a dot, and the rank ({over(data)}). A value at the edge lies left of the "
        "scale, which differs between protocols."
    )


@figure("protocols-order", caption=caption, of=ProtocolsEvidence)
def protocol_order(several: ProtocolsEvidence) -> tuple[Figure, pd.DataFrame]:
    """Dense models under each protocol, one panel each: mean test nDCG@10 with its 95 % interval over users where the
    rows have it, every seed as a dot, and the rank. Models stand in the order of the first protocol.

    Levels differ between protocols (another number of relevant items), so each panel has a scale of its own, on which
    popularity and random may lie too far left: then their value is written at its edge.
    Returns the figure and `levels`. Raises ReportError as that does.
    """
    table = several.levels
    protocols = list(dict.fromkeys(table["protocol"]))
    by_rank = table.sort_values(["protocol", "rank"], key=_placed(protocols), kind="stable")
    models = list(dict.fromkeys(by_rank["model"]))
    with style.paper():
        picture = style.new_figure(style.DOUBLE, 0.75 + 0.19 * len(models))
        axes = picture.subplots(1, len(protocols), sharey=True, squeeze=False)[0]
        for ax, protocol in zip(axes, protocols, strict=True):
            rows = several.studies[protocol].rows
            seeds = {model: list(mine[QUALITY]) for model, mine in each(rows[rows["side"] == "dense"], "model")}
            _panel(ax, table[table["protocol"] == protocol].set_index("model"), seeds, models)
            ax.set_title(protocol, weight="bold", pad=3)
        axes[0].set_yticks(range(len(models)), [label(model) for model in models])
        axes[0].set_ylim(len(models) - 0.5, -0.5)
        picture.supxlabel("test nDCG@10 (dots: seeds; right: rank)", fontsize=8)
        style.settle(picture)
    return picture, table


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
        look = model_look(model, str(row["family"]))
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
