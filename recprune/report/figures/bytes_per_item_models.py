"""Quality against bytes per item: each model at its best, beside what others published on the same data."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, NullFormatter

from recprune.cells.rows import AS_TRAINED
from recprune.datasets.naming import name_of
from recprune.errors import NothingToDrawError
from recprune.report.evidence.curves import LOWEST
from recprune.report.evidence.frames import each
from recprune.report.evidence.labels import label
from recprune.report.evidence.methods import METHOD, by_model, models_in_order
from recprune.report.evidence.points import QUALITIES
from recprune.report.evidence.size.formats import format_points, model_fronts
from recprune.report.evidence.study import StudyEvidence
from recprune.report.figures.bytes_per_item import items_of
from recprune.report.figures.drawing import style
from recprune.report.figures.drawing.panels import cost_axis, legend_columns
from recprune.report.figures.drawing.placement import Words, along, place
from recprune.report.figures.drawing.registry import figure
from recprune.report.figures.drawing.style import GREY, Look, model_looks
from recprune.report.figures.drawing.words import over
from recprune.report.tables.layout.formats import human
from recprune.report.tables.published import RETRAINED, TRAIN, published
from recprune.report.tables.published_sizes import sizes_of

DASHED = (0, (3, 1.5))
CLOSE = 0.04  # of the axis: names of levels that are closer would stand on each other
#: of what others published: curves in the order of their file
OTHERS = tuple(Look(GREY, marker, (0, (1, 1.2))) for marker in ("x", "+", "1", "2", "3", "4"))


def caption(study: StudyEvidence, data: pd.DataFrame) -> str:
    ours, published = data[data["role"].isin(["dense", "pruned"])], data[data["role"] == "published"]
    others = ""
    if len(published):
        words = []
        if published["bytes_per_item"].notna().any():
            words.append("dotted lines: published at these bytes per item, on splits of their authors")
        if published["bytes_per_item"].isna().any():
            too = ", trained on the validation part too" if published["retrained"].eq(True).any() else ""
            words.append(f"names at the right: dense models as others published them, of any size{too}")
        others = f" Grey is not ours; {'; '.join(words)}."
    return (
        f"Quality by bytes per item on {study.heading}: mean test {label(data['metric'].iloc[0])} "
        f"({over(ours)}) against bytes on disk per item, of {items_of(study):,} items. Each line is a model at its "
        "best: of all rules, shares and value formats the points that beat every smaller one on validation. "
        f"Large: the dense model in float32.{others} Points that retain less than {LOWEST:g} of dense nDCG@10 are not "
        "drawn."
    )


@figure("bytes-per-item-models", caption=caption)
def bytes_per_item_models(study: StudyEvidence) -> tuple[Figure, pd.DataFrame]:
    """Test quality against bytes on disk per item, a line a model, with published points on the same data.

    The metric is nDCG@10, or what others published on the data. Returns the figure and `model_points`. Raises
    NothingToDrawError where there is one value format alone, or where the items of the data were not counted.
    """
    data = model_points(study)
    ours = data[data["role"].isin(["dense", "pruned"])]
    looks = model_looks(ours)
    curves = data[(data["role"] == "published") & data["bytes_per_item"].notna()]
    names = list(dict.fromkeys(curves["label"]))
    others = {name: OTHERS[number % len(OTHERS)] for number, name in enumerate(names)}
    with style.paper():
        handles = _handles(looks, others)
        across = legend_columns(handles, style.DOUBLE)
        picture = style.new_figure(style.DOUBLE, 3.2 + 0.15 * -(-len(handles) // across))
        ax = picture.subplots()
        for model, rows in each(ours, "model"):
            _model(ax, rows, looks[model])
        for name, rows in each(curves, "label"):
            ax.plot(rows["bytes_per_item"], rows["quality"], **others[name].line_style(), zorder=2)
        _axes(ax, data)
        picture.legend(handles=handles, loc="outside lower center", ncols=across, handlelength=2.4, columnspacing=1.2)
        style.settle(picture)
        _words(ax, data, looks)
    return picture, data


def model_points(study: StudyEvidence) -> pd.DataFrame:
    """One row per point that is drawn.

    role     "pruned" or "dense": on the front of its model, in its format; "dense" is also drawn, in float32, where
             it is not on the front (`front` says); "published", by others, some also trained on the validation part
             (`retrained` says)
    quality  test quality, in `metric`;  bytes_per_item  NaN of dense models that others published, whatever their size
    """
    items, metric, published = items_of(study), *_published(study)
    table, front = study.once(format_points), study.once(model_fronts)
    dense = table[(table["role"] == "dense") & (table["values"] == AS_TRAINED)]
    front = front[front["test_ratio"] >= LOWEST]
    if front.empty:
        raise NothingToDrawError(f"no model of {study.heading} stands beside its dense one in float32")
    ours = pd.concat([front.assign(front=True), dense.assign(front=False)], ignore_index=True)
    ours = ours.drop_duplicates(["model", "role", "values", *METHOD, "kept"], ignore_index=True)
    columns = ["dataset", "protocol", "model", "family", "role", "front", "values", *METHOD, "label", "kept", "seeds"]
    drawn = ours[[*columns, "bytes_disk"]].assign(
        bytes_per_item=ours["bytes_disk"] / items, metric=metric, quality=ours[f"test_{metric}"]
    )
    drawn = drawn.sort_values(
        ["model", "bytes_disk"], key=by_model(models_in_order(drawn)), kind="stable", ignore_index=True
    )
    return pd.concat([drawn, published.assign(role="published", metric=metric)], ignore_index=True)


def _published(study: StudyEvidence) -> tuple[str, pd.DataFrame]:
    """(the metric to draw, what others published in it): label, bytes_per_item, quality, retrained."""
    sizes, dense = sizes_of(study.dataset, study.protocol), _published_dense(study)
    there = set(dense["metric"] if sizes.empty else sizes["metric"])
    metric = next((name for name in QUALITIES if name in there), QUALITIES[0])
    mine = sizes[sizes["metric"] == metric]
    curves = pd.DataFrame(
        {
            "label": [f"{label(model)}, {form}" for model, form in zip(mine["model"], mine["form"], strict=True)],
            "bytes_per_item": mine["bytes_per_item"].to_numpy(),
            "quality": mine["value"].to_numpy(),
            "retrained": False,
        }
    )
    return metric, pd.concat([curves, dense[dense["metric"] == metric].drop(columns="metric")], ignore_index=True)


def _published_dense(study: StudyEvidence) -> pd.DataFrame:
    """Dense models that others published, scored from what they were trained on: metric, label, bytes_per_item (NaN),
    quality, and whether they were trained on the validation part too (`retrained`)."""
    numbers = published()
    alike = (numbers["dataset"] == name_of(study.dataset)) & (numbers["protocol"] == study.protocol)
    mine = numbers[alike & numbers["input"].isin([TRAIN, RETRAINED])].drop_duplicates(["model", "metric"])
    return mine[["metric"]].assign(
        label=mine["model"].map(label),
        bytes_per_item=np.nan,
        quality=mine["published"],
        retrained=mine["input"] == RETRAINED,
    )


def _model(ax: Axes, rows: pd.DataFrame, look: style.Look) -> None:
    """The front of a model, and its dense form large."""
    face = "white" if look.fill == "none" else look.colour
    front = rows[rows["front"]].sort_values("bytes_disk")
    line = "-" if look.fill == "full" else DASHED
    ax.plot(front["bytes_per_item"], front["quality"], color=look.colour, ls=line, lw=1.1, zorder=3)
    for part, size, depth in ((front, 13, 4), (_large(rows), 46, 5)):
        edge = look.colour if face == "white" or part is front else "black"
        shape: dict[str, Any] = {"marker": look.marker, "facecolor": face, "edgecolor": edge}
        ax.scatter(part["bytes_per_item"], part["quality"], s=size, linewidth=0.8, zorder=depth, **shape)


def _large(ours: pd.DataFrame) -> pd.DataFrame:
    """The dense models as they were trained."""
    return ours[(ours["role"] == "dense") & (ours["values"] == AS_TRAINED)]


def _axes(ax: Axes, data: pd.DataFrame) -> None:
    low, high = data["quality"].min(), data["quality"].max()
    ax.set_ylim(low - 0.06 * (high - low), high + 0.1 * (high - low))
    cost_axis(ax, data["bytes_per_item"].dropna(), human, beyond=2.5)  # room for names
    ax.set(xlabel="bytes on disk per item", ylabel=f"test {label(data['metric'].iloc[0])}")
    ax.grid(axis="y", color="#E6E6E6", lw=0.5)
    ax.set_axisbelow(True)
    _levels(ax, data[(data["role"] == "published") & data["bytes_per_item"].isna()])


def _levels(ax: Axes, levels: pd.DataFrame) -> None:
    """A tick at the right for each dense model that others published; close ones share their line of names."""
    if levels.empty:
        return
    low, high = ax.get_ylim()
    levels = levels.sort_values("quality", ascending=False, kind="stable")
    apart = levels["quality"].diff().abs() > CLOSE * (high - low)
    beside = ax.secondary_yaxis("right")
    beside.yaxis.set_major_locator(FixedLocator(levels["quality"].tolist()))
    beside.yaxis.set_major_formatter(NullFormatter())
    beside.tick_params(color=GREY)
    for _, rows in levels.groupby(apart.cumsum()):
        names = ", ".join(rows["label"])
        at: dict[str, Any] = {"xycoords": ("axes fraction", "data"), "textcoords": "offset points", "va": "center"}
        ax.annotate(names, (1, rows["quality"].mean()), (5, 0), fontsize=7, color=GREY, **at)


def _words(ax: Axes, data: pd.DataFrame, looks: dict[str, style.Look]) -> None:
    """The name of each model beside its dense form."""
    dense = _large(data)[["model", "bytes_per_item", "quality"]].itertuples(index=False, name=None)
    words = [Words(label(model), looks[model].colour, [(size, quality)]) for model, size, quality in dense]
    drawn = data[data["bytes_per_item"].notna()]
    lines = each(drawn.assign(line=drawn["model"].fillna(drawn["label"])), "line")
    place(ax, words, np.vstack([along(rows["bytes_per_item"], rows["quality"]) for _, rows in lines]))


def _handles(looks: dict[str, style.Look], others: dict[str, Look]) -> list[Line2D]:
    handles = [
        Line2D(
            [],
            [],
            color=look.colour,
            marker=look.marker,
            ls="-" if look.fill == "full" else DASHED,
            markerfacecolor="white" if look.fill == "none" else look.colour,
            label=label(name),
        )
        for name, look in looks.items()
    ]
    return handles + [Line2D([], [], **look.line_style(), label=name) for name, look in others.items()]
