"""Who pays: what the average over users hides of the long tail, and of users with few interactions."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from recprune.errors import NothingToDrawError
from recprune.report.evidence.labels import label
from recprune.report.evidence.methods import models_in_order
from recprune.report.evidence.payments import ENOUGH, LEVEL, payments
from recprune.report.evidence.study import StudyEvidence
from recprune.report.figures.drawing import style
from recprune.report.figures.drawing.panels import legend_columns
from recprune.report.figures.drawing.registry import figure
from recprune.report.figures.drawing.style import BLUE, GREY, WINE, Look
from recprune.report.figures.drawing.words import RULE, over

#: who is asked -> the axis, and the two ends of a group with their words and looks
GROUPS = {
    "items": (
        "recall@20 / dense",
        {
            "recall@20_items_low": ("long tail", Look(WINE, "v")),
            "recall@20_items_high": ("most popular", Look(BLUE, "^")),
        },
    ),
    "users": (
        "nDCG@10 / dense",
        {
            "ndcg@10_users_low": ("least active", Look(WINE, "v")),
            "ndcg@10_users_high": ("most active", Look(BLUE, "^")),
        },
    ),
}
WHO = {
    "items": "items, each with a third of all training interactions: many items in the long tail, few popular ones",
    "users": "users, a third each, by their number of training interactions",
}
SIDES = {"parameters": "parameters removed", "samples": "samples removed"}
MARKS = {"smaller-dense": ("s", "smaller dense"), "random": ("x", "random removal")}


def caption(study: StudyEvidence, data: pd.DataFrame, who: str, width: float) -> str:
    words = {measure: text for measure, (text, _) in GROUPS[who][1].items()}
    medians = data[data["role"] == "median"]
    kept = medians.groupby("measure")["value"].median()
    said = " and ".join(f"the {words[name]} {kept[name]:.2f}" for name in words if name in kept)
    overall = medians.drop_duplicates(["side", "model"])["overall"].median()
    return (
        f"Who pays for pruning, {who} on {study.heading}: where the average keeps {overall:.2f}, {said} (medians of "
        f"the models). Groups of {WHO[who]}. Of every rule its safe point at {LEVEL:g} counts "
        f"({RULE.format(f'{LEVEL:g}')}), as a share of the dense model's quality on test, {over(data)}, each seed "
        "against its own dense model. Marks and lines: median and quartiles of a model's rules; the black bar is their "
        "overall nDCG@10. Hollow squares and crosses: smaller dense models and random removal at their safe points; "
        "what lies beyond the axis is a small arrow. Groups in which a dense model reaches less than "
        f"{ENOUGH:g} are left out."
    )


@figure("who-pays-column", caption=caption, who="items", width=style.SINGLE)
@figure("who-pays-users", caption=caption, who="users", width=style.DOUBLE)
@figure("who-pays", caption=caption, who="items", width=style.DOUBLE)
def who_pays(study: StudyEvidence, who: str = "items", width: float = style.DOUBLE) -> tuple[Figure, pd.DataFrame]:
    """What both ends of the catalogue ("items"), or of the users, keep where the overall quality still looks safe: a
    panel for each side that was pruned, a row for each model.

    Of every rule its safe point at LEVEL counts (chosen on validation, as in the safe-sparsity table); marker and line
    are median and quartiles of a model's rules. Black: their median overall nDCG@10 relative to dense; who stands left
    of it pays. width: of the figure, in inches; in a single column the panels stand one above the other. Returns the
    figure and the `payments` of these groups. Raises NothingToDrawError where none was measured at a safe point.
    """
    x_label, groups = GROUPS[who]
    data = payments(study)
    data = data[data["measure"].isin(groups)].reset_index(drop=True)
    if data.empty:
        raise NothingToDrawError(f"no group of {who} was measured at a safe point")
    sides = [side for side in SIDES if (data["side"] == side).any()]
    models = models_in_order(data)
    ends, handles = _ends(data), _handles(data, groups)
    with style.paper():
        width = width if len(sides) > 1 else style.SINGLE
        rows = len(sides) if width <= style.SINGLE else 1
        across = legend_columns(handles, width)
        height = 0.45 + rows * (0.2 + 0.22 * max(len(models), 4)) + 0.15 * -(-len(handles) // across)
        picture = style.new_figure(width, height)
        axes = picture.subplots(rows, len(sides) // rows, sharex=True, sharey=True, squeeze=False).ravel()
        for ax, side in zip(axes, sides, strict=True):
            _panel(ax, data[data["side"] == side], groups, models, ends)
            ax.set_title(SIDES[side], color=GREY)
            ax.set_xlabel(x_label if rows == 1 or ax is axes[-1] else "")
        for ax in axes[:rows]:
            _name(ax, data, models)
        picture.legend(handles=handles, loc="outside lower center", ncols=across, handlelength=1.6, columnspacing=1.2)
        style.settle(picture)
    return picture, data


def _ends(data: pd.DataFrame) -> tuple[float, float]:
    """An axis that holds all medians and quartiles, 1, and most of the controls."""
    values = [*data["low"].dropna(), *data["high"].dropna(), *data["value"].quantile([0.05, 0.95]), 1.0]
    margin = 0.06 * (max(values) - min(values)) or 0.05
    return min(values) - margin, max(values) + margin


def _panel(ax: Axes, data: pd.DataFrame, groups: dict, models: list[str], ends: tuple[float, float]) -> None:
    ax.axvline(1, color="black", lw=0.8, zorder=1)
    for place, model in enumerate(models):
        if place % 2:
            ax.axhspan(place - 0.5, place + 0.5, color="#F4F4F4", lw=0, zorder=0)
        mine = data[data["model"] == model]
        overall = mine.loc[mine["role"] == "median", "overall"]
        if len(overall):
            bar: dict[str, Any] = {"color": "black", "lw": 2.2, "solid_capstyle": "butt", "zorder": 2}
            ax.plot([overall.median()] * 2, [place - 0.38, place + 0.38], **bar)
        else:
            words: dict[str, Any] = {"ha": "right", "va": "center", "fontsize": 6.5, "style": "italic", "color": GREY}
            ax.annotate("no safe point", (1, place), (-4, 0), textcoords="offset points", **words)
        for number, (name, (_, look)) in enumerate(groups.items()):
            _group(ax, mine[mine["measure"] == name], place + 0.34 * (number - 0.5), look, ends)
    ax.set(xlim=ends, ylim=(len(models) - 0.5, -0.5))
    ax.tick_params(axis="y", length=0)


def _group(ax: Axes, rows: pd.DataFrame, y: float, look: Look, ends: tuple[float, float]) -> None:
    for role, (mark, _) in MARKS.items():
        some = rows.loc[rows["role"] == role, "value"]
        for beyond, edge, arrow in ((some < ends[0], ends[0], "<"), (some > ends[1], ends[1], ">")):
            if beyond.any():
                ax.plot(edge, y, ls="", marker=arrow, ms=2.4, color=look.colour, clip_on=False, mew=0, zorder=2)
        some = some[some.between(*ends)]
        ax.plot(some, [y] * len(some), ls="", marker=mark, ms=3, color=look.colour, mew=0.6, fillstyle="none", zorder=3)
    medians = rows[rows["role"] == "median"]
    for low, high, value in zip(medians["low"], medians["high"], medians["value"], strict=True):
        ax.plot([low, high], [y, y], color=look.colour, lw=1.3, zorder=4)
        ax.plot(value, y, marker=look.marker, ms=4.6, color=look.colour, mec="white", mew=0.4, zorder=5)


def _name(ax: Axes, data: pd.DataFrame, models: list[str]) -> None:
    """The models' names, in the colours of their families."""
    families = dict(zip(data["model"], data["family"], strict=True))
    ax.set_yticks(range(len(models)), [label(model) for model in models])
    for tick, model in zip(ax.get_yticklabels(), models, strict=True):
        tick.set(color=style.FAMILIES.get(families[model], GREY), weight="bold")


def _handles(data: pd.DataFrame, groups: dict) -> list[Line2D]:
    handles = [
        Line2D([], [], color=look.colour, marker=look.marker, ms=4.6, lw=1.3, label=text)
        for text, look in groups.values()
    ]
    handles.append(Line2D([], [], ls="", color="black", marker="|", ms=8, mew=2.2, label="overall nDCG@10 / dense"))
    return handles + [
        Line2D([], [], color=GREY, ls="", marker=mark, ms=3, mew=0.6, fillstyle="none", label=text)
        for role, (mark, text) in MARKS.items()
        if (data["role"] == role).any()
    ]
