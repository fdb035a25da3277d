"""CF against deep: what the best rule of each model retains at each budget, the rule chosen on validation."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from recprune.errors import NothingToDrawError
from recprune.report.evidence.curves import LOWEST
from recprune.report.evidence.frames import each
from recprune.report.evidence.fronts import front_of_budgets
from recprune.report.evidence.labels import label
from recprune.report.evidence.methods import METHOD, by_model, is_kind, labels_of, models_in_order
from recprune.report.evidence.study import StudyEvidence
from recprune.report.figures.drawing import style
from recprune.report.figures.drawing.panels import SAFE, legend_columns, measured, safe_words, share_axis
from recprune.report.figures.drawing.placement import Words, along, place
from recprune.report.figures.drawing.registry import figure
from recprune.report.figures.drawing.style import SAFE_LINE, model_looks
from recprune.report.figures.drawing.words import STRICT, means

PANELS = {"parameters": "parameters kept, at most", "samples": "interactions kept, at most"}
DASHED = (0, (3, 1.5))


def caption(study: StudyEvidence, data: pd.DataFrame, width: float) -> str:
    both_families = {"cf", "deep"} <= set(data["family"])
    who = (
        "CF (filled marks, solid lines) against deep recommenders (hollow, dashed)"
        if both_families
        else "The best rule of each model"
    )
    return (
        f"{who} on {study.heading}: what is retained of the dense model's nDCG@10 at each budget. At every budget a "
        "model shows the point, of all rules, schedules and recoveries that keep no more, that is best on validation; "
        "test nDCG@10 is drawn. Parameters are counted as non-zeros relative to the dense model; on fewer interactions "
        f"models are trained anew, for what is trained on from the dense model has seen them all. {means(data)} Pale: "
        f"random removal and smaller dense models, chosen alike; dotted: {STRICT:g} of dense."
    )


@figure("best-column", caption=caption, width=style.SINGLE)
@figure("best", caption=caption, width=style.DOUBLE)
def best(study: StudyEvidence, width: float = style.DOUBLE) -> tuple[Figure, pd.DataFrame]:
    """Test nDCG@10 relative to dense against the budget, one panel for parameters and one for samples, all models in
    each.

    At each budget a model shows the point, of all rules, schedules and recoveries that keep no more, that is best on
    validation; the band is its 95 % interval on test. Random removal and the smaller dense models stand behind, pale.
    width: of the figure, in inches; in a single column the panels stand one above the other. Returns the figure and
    `best_points`. Raises NothingToDrawError where there are not two models to compare.
    """
    data = best_points(study)
    sides = [side for side in PANELS if (data["side"] == side).any()]
    looks = model_looks(data)
    with style.paper():
        width = width if len(sides) > 1 else style.SINGLE
        rows = len(sides) if width <= style.SINGLE else 1
        handles = _handles(looks, data)
        across = legend_columns(handles, width)
        picture = style.new_figure(width, 0.4 + 2.5 * rows + 0.15 * -(-len(handles) // across))
        axes = picture.subplots(rows, len(sides) // rows, sharey=True, squeeze=False).ravel()
        for ax, side in zip(axes, sides, strict=True):
            _panel(ax, data[data["side"] == side], looks)
            ax.set_xlabel(PANELS[side])
            ax.set_ylabel("test nDCG@10 / dense" if rows > 1 or ax is axes[0] else "")
        axes[0].set_ylim(LOWEST - 0.01, max(1.02, data["hi"].fillna(data["ratio"]).max()) + 0.01)
        picture.legend(handles=handles, loc="outside lower center", ncols=across, handlelength=2.2, columnspacing=1.2)
        style.settle(picture)
        for ax, side in zip(axes, sides, strict=True):
            _name(ax, data[data["side"] == side], looks)
    return picture, data


def best_points(study: StudyEvidence) -> pd.DataFrame:
    """One row per point drawn: the corners of the steps.

    side  the panel;  role  "best", "random" or "smaller-dense"
    x     where the step begins: the share of the training interactions, or of the dense model's non-zero parameters.
          That is not `kept` where whole rows, neurons or splits were counted
    val_ratio  what it was chosen by;  ratio, lo, hi  on test
    """
    table = study.pruned[study.pruned["family"].isin(["cf", "deep"])].copy()
    nonzeros = table["rel_nonzeros"].round(6).where(table["side"] != "samples", table["kept"])
    table["x"] = nonzeros.fillna(table["kept"]).mask(table["side"] == "dense", 1.0)
    table = table[table["x"] > 0]  # without a weight left a model ranks nothing, and has no place on a logarithmic axis
    parts = [_corners(*each) for side in PANELS for each in _roles(table, side)]
    if not parts or pd.concat(parts)["model"].nunique() < 2:
        raise NothingToDrawError("fewer than two models were pruned by a rule: there is nothing to compare")
    data = pd.concat(parts, ignore_index=True)
    at = data["from_dense"]
    drawn = data[["dataset", "protocol", "model", "family", "side", "role", *METHOD, "kept", "x", "seeds"]].assign(
        label=labels_of(data).mask(at, "dense"),
        val_ratio=data["rel_val_ndcg@10"],
        ratio=data["test_ratio"].mask(at, 1.0),
        lo=data["test_ratio_lo"].mask(at, 1.0),
        hi=data["test_ratio_hi"].mask(at, 1.0),
    )
    return drawn.sort_values(["side", "role", "model", "x"], key=by_model(models_in_order(drawn)), ignore_index=True)


def _roles(table: pd.DataFrame, side: str) -> Iterator[tuple[str, str, pd.DataFrame, pd.DataFrame]]:
    """(side, role, its points, the dense models that it sets out from) of one panel."""
    pruned = table[table["side"] == side]
    if side == "samples":  # what was trained on from the dense model knows the samples that went: it needed them all
        pruned = pruned[pruned["recovery"].str.startswith("retrain")]
    there = pruned.loc[~is_kind(pruned, "control"), "model"]
    dense = table[(table["side"] == "dense") & table["model"].isin(there)]
    roles = {"best": pruned[~is_kind(pruned, "control")], "random": pruned[pruned["criterion"] == "random"]}
    if side == "parameters":
        roles["smaller-dense"] = table[table["criterion"] == "smaller-dense"]
    for role, rows in roles.items():
        rows = rows[rows["model"].isin(there)]
        if len(rows):
            yield side, role, rows, dense[dense["model"].isin(rows["model"])]


def _corners(side: str, role: str, rows: pd.DataFrame, dense: pd.DataFrame) -> pd.DataFrame:
    """Where the steps of a panel turn."""
    steps = front_of_budgets(pd.concat([rows, dense]), "x")
    return steps.assign(side=side, role=role, from_dense=steps["side"] == "dense")


def _panel(ax: Axes, data: pd.DataFrame, looks: dict[str, style.Look]) -> None:
    ax.axhline(1, color="black", lw=0.8, zorder=1)
    ax.axhline(SAFE, **SAFE_LINE)
    for role, line in (("random", "-"), ("smaller-dense", DASHED)):
        for _, rows in data[data["role"] == role].groupby("model", sort=False):
            ax.plot(*_steps(rows, "ratio"), color="#CCCCCC", lw=0.6, ls=line, zorder=1.5)
    for model, rows in each(data[data["role"] == "best"], "model"):
        look = looks[model]
        x, y = _steps(rows, "ratio")
        ax.fill_between(x, _steps(rows, "lo")[1], _steps(rows, "hi")[1], color=look.colour, alpha=0.13, lw=0, zorder=2)
        ax.plot(x, y, color=look.colour, lw=1.2, ls="-" if look.fill == "full" else DASHED, zorder=4)
        ax.plot(
            rows["x"],
            rows["ratio"],
            ls="",
            marker=look.marker,
            color=look.colour,
            zorder=5,
            markerfacecolor="white" if look.fill == "none" else look.colour,
        )
    share_axis(ax, data["x"].min())
    ax.grid(axis="y", color="#E6E6E6", lw=0.5)
    ax.set_axisbelow(True)


def _steps(rows: pd.DataFrame, column: str) -> tuple[np.ndarray, np.ndarray]:
    """A budget buys what the last corner offered, up to everything."""
    x, y = np.append(rows["x"], 1.0), rows[column].to_numpy(float)
    return np.repeat(x, 2)[1:-1], np.repeat(y, 2)


def _name(ax: Axes, data: pd.DataFrame, looks: dict[str, style.Look]) -> None:
    """The model's name where its steps begin or leave the panel."""
    words, drawn = [], []
    low, high = ax.get_ylim()
    for model, rows in each(data[data["role"] == "best"], "model"):
        drawn.append(along(*_steps(rows, "ratio")))
        seen = rows[rows["ratio"].between(low, high)]
        if len(seen):
            words.append(Words(label(model), looks[model].colour, [*zip(seen["x"], seen["ratio"], strict=True)][:4]))
    covered = np.vstack(drawn)
    place(ax, words, covered[(covered[:, 1] >= low) & (covered[:, 1] <= high)])


def _handles(looks: dict[str, style.Look], data: pd.DataFrame) -> list[Line2D | Patch]:
    best_of = [model for model in looks if ((data["model"] == model) & (data["role"] == "best")).any()]
    handles: list[Line2D | Patch] = [
        Line2D(
            [],
            [],
            color=looks[name].colour,
            marker=looks[name].marker,
            lw=1.2,
            label=label(name),
            ls="-" if looks[name].fill == "full" else DASHED,
            markerfacecolor="white" if looks[name].fill == "none" else looks[name].colour,
        )
        for name in best_of
    ]
    pale = {"random": ("-", "random removal"), "smaller-dense": (DASHED, "smaller dense")}
    handles += [
        Line2D([], [], color="#CCCCCC", lw=0.9, ls=line, label=text)
        for role, (line, text) in pale.items()
        if (data["role"] == role).any()
    ]
    handles += [
        Line2D([], [], color="black", lw=0.8, label="dense"),
        Line2D([], [], **SAFE_LINE, label=safe_words()),
        Patch(color=style.BLUE, alpha=0.18, lw=0, label=measured(data)),
    ]
    return handles
