"""Quality against cost: every model, dense and pruned, and the front of each family."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from recprune.errors import NothingToDrawError, ReportError
from recprune.report import style
from recprune.report.cells import (
    CONTROLS,
    FLOORS,
    METHOD,
    RANDOM,
    canonical,
    method_of,
    models_in_order,
    paired,
    points,
)
from recprune.report.labels import Words, along, place
from recprune.report.safe import safe_points
from recprune.report.style import label, method_label, model_look
from recprune.report.table import human
from recprune.report.tradeoff import legend_columns

COSTS = {"bytes_disk": "bytes on disk", "p50_ms": "milliseconds to recommend for one user (median)"}
_RATIO = {"bytes_disk": "bytes_ratio", "p50_ms": "p50_ratio"}
_GAIN = {"bytes_disk": "smaller", "p50_ms": "faster"}
RING = 70  # square points: the size of the ring around a safe point


def pareto(
    cells: pd.DataFrame, cost: str = "bytes_disk", found: pd.DataFrame | None = None
) -> tuple[Figure, pd.DataFrame]:
    """Test nDCG@10 against `cost` ("bytes_disk" or "p50_ms"), one point per model and share kept, means over seeds.

    The steps are the front of each family: no point of the family is both cheaper and better. A ring marks
    the cheapest point of a model, controls apart, whose loss is safe (chosen on validation); that of each family's best dense
    model, best on validation too, is named. Sample pruning is left out: it changes what a model learns
    from, not its size. Points worse than the popularity recommender are counted in a note, not drawn.
    `found` are the `safe_points`, where they are known.
    Returns the figure and the points drawn. Raises ReportError when no row has the cost.
    """
    if cost not in COSTS:
        raise ReportError(f"cost {cost!r} is unknown; known: {', '.join(COSTS)}")
    data, floor, hidden = pareto_points(cells, cost, found)
    with style.paper():
        looks = {
            name: model_look(name, family)
            for name, family in data[["model", "family"]].drop_duplicates().itertuples(index=False)
        }
        handles = _handles(looks, data)
        across = legend_columns([handle.get_label() for handle in handles], style.DOUBLE)
        figure = style.new_figure(style.DOUBLE, 3.4 + 0.15 * -(-len(handles) // across))
        ax = figure.subplots()
        for name, look in looks.items():
            _model(ax, data[data["model"] == name], look, cost)
        _axes(ax, data, cost, floor)
        _floor(ax, floor, hidden)
        fronts = [_front(ax, rows, family, cost) for family, rows in data[data["front"]].groupby("family", sort=False)]
        figure.legend(handles=handles, loc="outside lower center", ncols=across, handlelength=1.8, columnspacing=1.2)
        style.settle(figure)
        obstacles = np.vstack([data[[cost, "ndcg@10"]].to_numpy(float), *fronts, _rims(ax, data[data["safe"]], cost)])
        place(ax, _words(data, cost), obstacles)
    return figure, data


def pareto_points(cells: pd.DataFrame, cost: str, found: pd.DataFrame | None = None) -> tuple[pd.DataFrame, float, int]:
    """(points, nDCG@10 of the popularity recommender or NaN, how many points lie below that).

    role    "dense", "smaller-dense", "random" (the controls that ask nothing) or "pruned"
    front   on the front of its family;  safe: the cheapest safe point of its model
    best    the dense model of each family that is best on validation, and its safe point
    """
    rows = paired(canonical(cells))
    if len(rows[["dataset", "protocol"]].drop_duplicates()) > 1:
        raise ReportError("rows of several data sets or protocols: draw one at a time")
    table = points(rows)
    floor = table.loc[(table["model"] == "popularity") & (table["side"] == "dense"), "test_ndcg@10"]
    floor = float(floor.iloc[0]) if len(floor) else float("nan")
    table = table[(table["side"] != "samples") & ~table["model"].isin(FLOORS) & (table["criterion"] != "zero-reset")]
    table = table[(table[cost] > 0) & table["test_ndcg@10"].notna()]
    if table.empty:
        raise NothingToDrawError(f"no recommender has {cost} and test nDCG@10: there is nothing to draw")
    hidden = int((table["test_ndcg@10"] < floor).sum())
    table = table[~(table["test_ndcg@10"] < floor)].reset_index(drop=True)
    order = models_in_order(table)
    data = table[["dataset", "protocol", "model", "family", *METHOD, "kept", "seeds", cost, _RATIO[cost]]].assign(
        role=np.select(
            [table["side"] == "dense", table["criterion"] == "smaller-dense", table["criterion"].isin(RANDOM)],
            ["dense", "smaller-dense", "random"],
            "pruned",
        ),
        label=["dense" if row["side"] == "dense" else method_label(method_of(row)) for _, row in table.iterrows()],
        front=False,
        safe=False,
        best=False,
    )
    data["ndcg@10"], data["val_ndcg@10"] = table["test_ndcg@10"], table["val_ndcg@10"]
    for _, family in data.groupby("family"):
        ordered = family.sort_values([cost, "ndcg@10"], ascending=[True, False])
        before = ordered["ndcg@10"].cummax().shift(fill_value=-np.inf)
        data.loc[ordered.index[ordered["ndcg@10"] > before], "front"] = True
    _mark_safe(data, safe_points(rows) if found is None else found, cost)
    return (
        data.sort_values("model", key=lambda names: names.map(order.index), kind="stable", ignore_index=True),
        floor,
        hidden,
    )


def _mark_safe(data: pd.DataFrame, found: pd.DataFrame, cost: str) -> None:
    found = found[(found["side"] == "parameters") & ~found["criterion"].isin(CONTROLS) & found["removed_99"].notna()]
    keys = ["model", *METHOD, "kept"]
    safe = set(found[keys].itertuples(index=False, name=None))
    candidates = data[[key in safe for key in data[keys].itertuples(index=False, name=None)]]
    cheapest = candidates.sort_values(cost, kind="stable").drop_duplicates("model")
    data.loc[cheapest.index, "safe"] = True
    dense = (
        data[data["role"] == "dense"]
        .sort_values("val_ndcg@10", ascending=False, kind="stable")
        .drop_duplicates("family")
    )
    data.loc[dense.index, "best"] = True
    data.loc[cheapest.index[cheapest["model"].isin(dense["model"])], "best"] = True


def _model(ax: Axes, data: pd.DataFrame, look: style.Look, cost: str) -> None:
    face = "white" if look.fill == "none" else look.colour
    front = data["front"]
    for role, rows, size, edge, depth in (
        ("random", data[(data["role"] == "random")], 6, style.PALE, 2),
        ("pruned", data[(data["role"] == "pruned") & ~front], 8, look.colour, 3),
        ("front", data[(data["role"] == "pruned") & front], 18, look.colour, 4),
        ("smaller-dense", data[data["role"] == "smaller-dense"], 15, "black", 4),
        ("dense", data[data["role"] == "dense"], 46, "black", 5),
    ):
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
            alpha=0.55 if role in ("random", "pruned") else None,
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


def _axes(ax: Axes, data: pd.DataFrame, cost: str, floor: float) -> None:
    low, high = np.nanmin([data["ndcg@10"].min(), floor]), data["ndcg@10"].max()
    ax.set_ylim(low - 0.06 * (high - low), high + 0.24 * (high - low))
    ax.set_xscale("log")
    ax.set_xlim(data[cost].min() / 1.6, data[cost].max() * 2.5)
    wide = data[cost].max() > 50 * data[cost].min()
    ax.xaxis.set_major_locator(LogLocator(subs=(1,) if wide else (1, 2, 5)))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: human(value) if cost == "bytes_disk" else f"{value:g}"))
    ax.xaxis.set_minor_formatter(NullFormatter())
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
        gain = 1 / row[_RATIO[cost]]
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
    shown = {
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
            label="cheapest safe (≥ 99 %)",
        )
    )
    for family, line in (("cf", "-"), ("deep", (0, (5, 1.5)))):
        if (data["family"] == family).any():
            handles.append(
                Line2D([], [], color=style.FAMILIES[family], lw=1.3, ls=line, alpha=0.8, label=f"{label(family)} front")
            )
    return handles
