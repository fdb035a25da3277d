"""Who pays: what the average over users hides of the long tail, of quiet and busy users, and of the lists
themselves."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from recprune.report.evidence.labels import label
from recprune.report.evidence.methods import models_in_order
from recprune.report.evidence.payments import ENOUGH, LEVEL, payments
from recprune.report.evidence.study import StudyEvidence
from recprune.report.figures.drawing import style
from recprune.report.figures.drawing.registry import figure
from recprune.report.figures.drawing.style import BLUE, GREY, ORANGE, PURPLE, TEAL, WINE, Look
from recprune.report.figures.drawing.words import RULE, over

#: columns of panels: the axis, and each group or measure with its words and look
COLUMNS = {
    "items": (
        "recall@20 / dense,\nby popularity of the item",
        {
            "recall@20_items_low": ("long tail", Look(WINE, "v")),
            "recall@20_items_mid": ("middle", Look(ORANGE, "s")),
            "recall@20_items_high": ("most popular", Look(BLUE, "^")),
        },
    ),
    "users": (
        "nDCG@10 / dense,\nby activity of the user",
        {
            "ndcg@10_users_low": ("least active", Look(WINE, "v")),
            "ndcg@10_users_mid": ("middle", Look(ORANGE, "s")),
            "ndcg@10_users_high": ("most active", Look(BLUE, "^")),
        },
    ),
    "lists": (
        "coverage@20 / dense,\noverlap with the dense top 20",
        {
            "coverage@20": ("coverage", Look(TEAL, "D")),
            "jaccard@20": ("overlap (Jaccard)", Look(PURPLE, "o")),
        },
    ),
}
SIDES = {"parameters": "parameters removed", "samples": "samples removed"}
MARKS = {"smaller-dense": ("s", "smaller dense"), "random": ("x", "random")}


def caption(study: StudyEvidence, data: pd.DataFrame) -> str:
    return (
        f"Who pays for pruning, on {study.heading}. Of every rule its safe point at {LEVEL:g} is drawn "
        f"({RULE.format(f'{LEVEL:g}')}): a dot, as a share of the dense model's quality on test, {over(data)}, each "
        "seed against its own dense model. Large marks and bars: median and quartiles over a model's rules. The black "
        "bar is their overall nDCG@10: groups left of it lose more than the average tells. Users: thirds by their "
        "number of training interactions. Items: by theirs, each group with a third of all interactions, so that the "
        "long tail holds many items and the most popular are few. Right: items that occur in any top 20, relative to "
        "dense, and the mean Jaccard overlap of each user's top 20 with the dense model's. Hollow squares and "
        "crosses: safe points of smaller dense models and of random removal; triangles lie beyond the axis. Groups in "
        f"which a dense model reaches less than {ENOUGH:g} are left out."
    )


@figure("who-pays", caption=caption)
def who_pays(study: StudyEvidence) -> tuple[Figure, pd.DataFrame]:
    """Each group's share of its dense quality where the overall one still looks safe: models in rows, groups in
    columns.

    Of every rule, its safe point at LEVEL (chosen on validation, as in the safe-sparsity table): a faint dot. Marker
    and bar: median and quartiles of a model's rules. Black: their median overall nDCG@10 relative to dense; groups
    left of it pay. Returns the figure and `payments`. Raises NothingToDrawError where no group was measured at a safe
    point.
    """
    data = payments(study)
    sides = [side for side in SIDES if (data["side"] == side).any()]
    columns = [name for name in COLUMNS if (data["column"] == name).any()]
    models = {side: models_in_order(data[data["side"] == side]) for side in sides}
    heights = [max(len(models[side]), 4) for side in sides]  # the side's name needs that much
    with style.paper():
        picture = style.new_figure(style.DOUBLE, 0.95 + 0.27 * sum(heights) + 0.1 * len(sides))
        grid = picture.subplots(len(sides), len(columns), sharex="col", squeeze=False, height_ratios=heights)
        for axes, side in zip(grid, sides, strict=True):
            for ax, column in zip(axes, columns, strict=True):
                _panel(
                    ax,
                    data[(data["side"] == side) & (data["column"] == column)],
                    column,
                    models[side],
                    _ends(data, column),
                )
                ax.tick_params(labelleft=ax is axes[0], labelbottom=side == sides[-1])
            axes[0].set_ylabel(SIDES[side], style="italic", color=GREY)
        for axes, column in zip(grid.T, columns, strict=True):
            axes[-1].set_xlabel(COLUMNS[column][0])
            axes[0].legend(
                handles=_groups(column),
                loc="lower center",
                bbox_to_anchor=(0.5, 1),
                borderaxespad=0.2,
                ncols=3,
                handlelength=0.8,
                handletextpad=0.4,
                columnspacing=0.8,
            )
        picture.legend(handles=_others(data), loc="outside lower center", ncols=5, handlelength=1.6, columnspacing=1.2)
        style.settle(picture)
    return picture, data


def _ends(data: pd.DataFrame, column: str) -> tuple[float, float]:
    """An axis that holds all medians and quartiles, 1, and most of the points."""
    mine = data[data["column"] == column]
    values = [*mine["low"].dropna(), *mine["high"].dropna(), *mine["value"].quantile([0.05, 0.95]), 1.0]
    margin = 0.06 * (max(values) - min(values)) or 0.05
    return min(values) - margin, max(values) + margin


def _panel(ax: Axes, data: pd.DataFrame, column: str, models: list[str], ends: tuple[float, float]) -> None:
    ax.axvline(1, color="black", lw=0.8, zorder=1)
    measures = COLUMNS[column][1]
    for place, model in enumerate(models):
        mine = data[data["model"] == model]
        overall = mine.loc[mine["role"] == "median", "overall"]
        if len(overall):
            ax.plot(
                [overall.median()] * 2,
                [place - 0.42, place + 0.42],
                color="black",
                lw=2.2,
                solid_capstyle="butt",
                zorder=2,
            )
        for number, (name, (_, look)) in enumerate(measures.items()):
            y = place + 0.28 * (number - (len(measures) - 1) / 2)
            _group(ax, mine[mine["measure"] == name], y, look, ends)
        if place % 2:
            ax.axhspan(place - 0.5, place + 0.5, color="#F4F4F4", lw=0, zorder=0)
    families = dict(zip(data["model"], data["family"], strict=True))
    ax.set_yticks(range(len(models)), [label(model) for model in models])
    for tick, model in zip(ax.get_yticklabels(), models, strict=True):
        tick.set(color=style.FAMILIES.get(families.get(model, ""), GREY), weight="bold")
    ax.set(xlim=ends, ylim=(len(models) - 0.5, -0.5))
    ax.tick_params(axis="y", length=0)


def _group(ax: Axes, rows: pd.DataFrame, y: float, look: Look, ends: tuple[float, float]) -> None:
    for role, marker, size, alpha in (
        ("rule", ".", 2.2, 0.35),
        *((role, mark, 3.0, 1.0) for role, (mark, _) in MARKS.items()),
    ):
        some = rows.loc[rows["role"] == role, "value"]
        for beyond, edge, arrow in ((some < ends[0], ends[0], "<"), (some > ends[1], ends[1], ">")):
            if beyond.any():
                ax.plot(edge, y, ls="", marker=arrow, ms=2.4, color=look.colour, clip_on=False, mew=0, zorder=2)
        some = some[some.between(*ends)]
        ax.plot(
            some,
            [y] * len(some),
            ls="",
            marker=marker,
            ms=size,
            color=look.colour,
            alpha=alpha,
            mew=0.6,
            fillstyle="full" if role == "rule" else "none",
            zorder=3,
        )
    medians = rows[rows["role"] == "median"]
    for low, high, value in zip(medians["low"], medians["high"], medians["value"], strict=True):
        ax.plot([low, high], [y, y], color=look.colour, lw=1.3, zorder=4)
        ax.plot(value, y, marker=look.marker, ms=4.2, color=look.colour, mec="white", mew=0.4, zorder=5)


def _groups(column: str) -> list[Line2D]:
    return [
        Line2D([], [], ls="", color=look.colour, marker=look.marker, label=text)
        for text, look in COLUMNS[column][1].values()
    ]


def _others(data: pd.DataFrame) -> list[Line2D]:
    handles = [
        Line2D([], [], ls="", color="black", marker="|", ms=8, mew=2.2, label="overall nDCG@10 / dense"),
        Line2D([], [], color=GREY, marker="h", ms=4.2, lw=1.3, label="median and quartiles of the rules"),
        Line2D([], [], color=GREY, ls="", marker=".", ms=2.2, label="one rule"),
    ]
    return handles + [
        Line2D([], [], color=GREY, ls="", marker=mark, ms=3, mew=0.6, fillstyle="none", label=text)
        for role, (mark, text) in MARKS.items()
        if (data["role"] == role).any()
    ]
