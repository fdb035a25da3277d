"""Quality against cost: every model, dense and pruned, and the front of each family."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from recprune.errors import ReportError
from recprune.report.evidence.frames import each
from recprune.report.evidence.fronts import RATIOS, pareto_points
from recprune.report.evidence.labels import label
from recprune.report.evidence.study import StudyEvidence
from recprune.report.figures.drawing import style
from recprune.report.figures.drawing.panels import cost_axis, legend_columns
from recprune.report.figures.drawing.placement import Words, along, place
from recprune.report.figures.drawing.registry import figure
from recprune.report.figures.drawing.style import model_looks
from recprune.report.figures.drawing.words import STRICT, over
from recprune.report.tables.layout.formats import human

COSTS = {"bytes_disk": "bytes on disk", "p50_ms": "milliseconds to recommend for one user (median)"}
_GAIN = {"bytes_disk": "smaller", "p50_ms": "faster"}
WORDS = {"bytes_disk": "bytes on disk", "p50_ms": "milliseconds per user"}
RING = 70  # square points: the size of the ring around a safe point


def caption(study: StudyEvidence, data: pd.DataFrame, cost: str, width: float) -> str:
    return (
        f"Quality against {WORDS[cost]} on {study.heading}: mean test nDCG@10 ({over(data)}) of every dense model, and "
        "of the front of CF and of deep models. Validation chooses a front: on it nothing of the family is both "
        "cheaper and better; on test, steps may fall. Large marks are dense models, small ones pruned, black-edged "
        "ones smaller dense models, grey ones random removal. A ring marks the cheapest point of a model that is safe "
        f"at {STRICT:g}, chosen on validation, too"
        + ("" if width <= style.SINGLE else "; the best dense model of each family has that point named")
        + ". Models pruned by their samples are left out: they are not smaller. What does not beat popularity is "
        "counted, not drawn."
    )


@figure("pareto-column", caption=caption, cost="bytes_disk", width=style.SINGLE)
@figure("pareto-latency", caption=caption, cost="p50_ms", width=style.DOUBLE)
@figure("pareto", caption=caption, cost="bytes_disk", width=style.DOUBLE)
def pareto(study: StudyEvidence, cost: str = "bytes_disk", width: float = style.DOUBLE) -> tuple[Figure, pd.DataFrame]:
    """Test nDCG@10 against `cost` ("bytes_disk" or "p50_ms") of dense models and fronts, means over seeds.

    The steps are the front of each family: no point of the family is both cheaper and better on validation. A ring
    marks the cheapest point of a model, controls apart, whose loss is safe (chosen on validation); that of each
    family's best dense model, best on validation too, is named. Sample pruning is left out: it changes what a model
    learns from, not its size. Points worse than the popularity recommender are counted in a note, not drawn.
    width: of the figure, in inches. Returns the figure and the points drawn. Raises ReportError where no row has the
    cost.
    """
    if cost not in COSTS:
        raise ReportError(f"cost {cost!r} is unknown; known: {', '.join(COSTS)}")
    data, floor, hidden = pareto_points(study.paired, study.safe, cost)
    with style.paper():
        looks = model_looks(data)
        handles = _handles(looks, data)
        narrow = width <= style.SINGLE
        across = legend_columns(handles, width, 0.45 if narrow else 0.56)
        picture = style.new_figure(width, (2.5 if narrow else 3.1) + 0.15 * -(-len(handles) // across))
        ax = picture.subplots()
        for name, look in looks.items():
            _model(ax, data[data["model"] == name], look, cost)
        _axes(ax, data, cost, floor, named=not narrow)
        _floor(ax, floor, hidden)
        fronts = [_front(ax, rows, family, cost) for family, rows in each(data[data["front"]], "family")]
        mark, space = (1.2, 0.8) if narrow else (1.8, 1.2)
        picture.legend(
            handles=handles, loc="outside lower center", ncols=across, handlelength=mark, columnspacing=space
        )
        style.settle(picture)
        if not narrow:  # in a column the legend has the names
            points = data[[cost, "ndcg@10"]].to_numpy(float)
            place(ax, _words(data, cost), np.vstack([points, *fronts, _rims(ax, data[data["safe"]], cost)]))
    return picture, data


def _model(ax: Axes, data: pd.DataFrame, look: style.Look, cost: str) -> None:
    face = "white" if look.fill == "none" else look.colour
    for role, size, edge, depth in (
        ("random", 15, style.PALE, 3),
        ("pruned", 18, look.colour, 4),
        ("smaller-dense", 15, "black", 4),
        ("dense", 46, "black", 5),
    ):
        rows = data[data["role"] == role]
        colour = (style.PALE if face != "white" else "white") if role == "random" else face
        ring = look.colour if role == "dense" and face == "white" else edge
        ax.scatter(
            rows[cost],
            rows["ndcg@10"],
            s=size,
            marker=look.marker,
            facecolor=colour,
            edgecolor=ring,
            linewidth=1.6 if role == "dense" and face == "white" else 0.6,
            zorder=depth,
        )
    safe = data[data["safe"]]
    ax.scatter(
        safe[cost], safe["ndcg@10"], s=RING, marker="o", facecolor="none", edgecolor="black", linewidth=0.9, zorder=6
    )


def _rims(ax: Axes, safe: pd.DataFrame, cost: str) -> np.ndarray:
    """(n, 2) points on the rings around the safe points, in data coordinates."""
    turn = np.linspace(0, 2 * np.pi, 12, endpoint=False)
    radius = np.sqrt(RING / np.pi) * ax.figure.dpi / 72
    centres = ax.transData.transform(safe[[cost, "ndcg@10"]].to_numpy(float).reshape(-1, 2))
    rims = centres[:, None] + radius * np.column_stack([np.cos(turn), np.sin(turn)])
    return ax.transData.inverted().transform(rims.reshape(-1, 2))


def _front(ax: Axes, rows: pd.DataFrame, family: str, cost: str) -> np.ndarray:
    """Draw a family's front as steps; returns points along it."""
    rows = rows.sort_values(cost)
    x, y = rows[cost].to_numpy(float), rows["ndcg@10"].to_numpy(float)
    x, y = np.append(x, ax.get_xlim()[1]), np.append(y, y[-1])
    line = "-" if family == "cf" else (0, (5, 1.5)) if family == "deep" else ":"
    ax.step(x, y, where="post", color=style.FAMILIES.get(family, style.GREY), lw=1.3, ls=line, alpha=0.8, zorder=2.5)
    return along(np.repeat(x, 2)[1:], np.repeat(y, 2)[:-1], steps=40)


def _axes(ax: Axes, data: pd.DataFrame, cost: str, floor: float, named: bool) -> None:
    low, high = np.nanmin([data["ndcg@10"].min(), floor]), data["ndcg@10"].max()
    span = (high - low) or 0.1  # of a single point
    ax.set_ylim(low - 0.06 * span, high + (0.24 if named else 0.06) * span)
    cost_axis(ax, data[cost], human if cost == "bytes_disk" else "{:g}".format, beyond=2.5)
    ax.set_xlabel(COSTS[cost])
    ax.set_ylabel("test nDCG@10")
    ax.spines["right"].set_visible(False)


def _floor(ax: Axes, floor: float, hidden: int) -> None:
    """The popularity recommender's quality as a line: below it a model is of no use."""
    if np.isnan(floor):
        return
    ax.axhline(floor, color=style.GREY, lw=0.8, ls=(0, (1, 1.5)), zorder=1)
    note = f"popularity ({hidden} point{'s' * (hidden > 1)} below it not shown)" if hidden else "popularity"
    ax.annotate(
        note,
        (1, floor),
        (-3, 2),
        xycoords=("axes fraction", "data"),
        textcoords="offset points",
        ha="right",
        va="bottom",
        fontsize=7,
        color=style.GREY,
    )


def _words(data: pd.DataFrame, cost: str) -> list[Words]:
    words = []
    for row in data[data["safe"] & data["best"]].to_dict("records"):
        gain = 1 / row[RATIOS[cost]]
        bought = f", {gain:.{0 if gain >= 10 else 1}f}× {_GAIN[cost]}" if np.isfinite(gain) and gain >= 1.05 else ""
        text = f"{label(row['model'])}, {row['label']}\n{100 * row['kept']:.3g} % kept{bought}"
        words.append(Words(text, style.FAMILIES.get(row["family"], style.GREY), [(row[cost], row["ndcg@10"])]))
    for row in data[data["role"] == "dense"].to_dict("records"):
        words.append(
            Words(label(row["model"]), style.FAMILIES.get(row["family"], style.GREY), [(row[cost], row["ndcg@10"])])
        )
    return words


def _handles(looks: dict[str, style.Look], data: pd.DataFrame) -> list[Line2D]:
    def dot(look: style.Look, text: str, **changes) -> Line2D:
        face = "white" if look.fill == "none" else look.colour
        return Line2D(
            [],
            [],
            **{"ls": "", "marker": look.marker, "color": look.colour, "markerfacecolor": face, "label": text} | changes,
        )

    handles = [dot(look, label(name)) for name, look in looks.items()]
    example = style.Look(style.GREY, "o")
    shown: dict[str, tuple[str, dict[str, Any]]] = {
        "dense": ("dense", {"markersize": 6.5, "markeredgecolor": "black"}),
        "smaller-dense": ("smaller dense", {"markeredgecolor": "black"}),
        "random": ("random removal", {"color": style.PALE, "markerfacecolor": style.PALE}),
    }
    handles += [
        dot(example, text, **changes) for role, (text, changes) in shown.items() if (data["role"] == role).any()
    ]
    handles.append(
        Line2D(
            [],
            [],
            ls="",
            marker="o",
            color="black",
            markerfacecolor="none",
            markersize=7,
            label="cheapest safe",
        )
    )
    for family, line in (("cf", "-"), ("deep", (0, (5, 1.5)))):
        if (data["family"] == family).any():
            handles.append(
                Line2D([], [], color=style.FAMILIES[family], lw=1.3, ls=line, alpha=0.8, label=f"{label(family)} front")
            )
    return handles
