"""Fewer samples: training seconds saved against quality kept."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, MaxNLocator

from recprune.errors import NothingToDrawError
from recprune.report.evidence.curves import LOWEST
from recprune.report.evidence.fronts import front_of_budgets
from recprune.report.evidence.methods import CURVE, METHOD, by_model, is_kind, labels_of, models_in_order
from recprune.report.evidence.study import StudyEvidence
from recprune.report.figures.drawing import style
from recprune.report.figures.drawing.panels import SAFE, measured, model_panels, panel_title, safe_words
from recprune.report.figures.drawing.placement import Words, along, place
from recprune.report.figures.drawing.registry import figure
from recprune.report.figures.drawing.style import BLUE, GREY, PALE, SAFE_LINE, Look, model_look
from recprune.report.figures.drawing.words import means

COSTLY = "costly"  # takes longer than the dense training
ROLES = {
    "other": ("other rules", Look(PALE, ".", "")),
    "random": ("random", Look(GREY, "x", (0, (1, 1.2)))),
    "front": ("best for its time, on validation", Look(BLUE, "o")),
}


def caption(study: StudyEvidence, data: pd.DataFrame) -> str:
    return (
        f"What fewer training samples save, and cost, on {study.heading}: test nDCG@10 relative to dense against the "
        "share of the dense training seconds that is saved. A dot is a rule at one share of the samples; its seconds "
        "are those of scoring and training, and, where rounds or fine-tuning set out from it, those of the dense "
        "model. The line passes through the points that beat every cheaper one on validation, with the share of the "
        f"samples kept beside them. {means(data)} What costs more than it saves, as many scores do beside a closed "
        f"form, is counted in the panel and not drawn, and so is what retains less than {LOWEST:g}. Times are of the "
        "machine that measured them."
    )


@figure("time-saved", caption=caption)
def time_saved(study: StudyEvidence) -> tuple[Figure, pd.DataFrame]:
    """Test nDCG@10 relative to dense against the share of the dense training time that is saved, a panel per model.

    A point is a rule at a share of the samples; the line passes through those that beat every cheaper one on
    validation, the share kept beside them. Seconds are those of `evidence.points.seconds`: scoring counts, and so does
    the dense model that rounds and fine-tuning set out from, so that those can save nothing. Returns the figure and
    `time_points`. Raises NothingToDrawError where no samples were pruned, or no clock ran.
    """
    data = time_points(study)
    names = models_in_order(data)

    def draw(ax: Axes, name: str, rightmost: bool) -> None:
        _panel(ax, data[data["model"] == name])

    with style.paper():
        picture, axes = model_panels(names, _handles(data), 1.62, "training time saved", draw)
        axes[0].set(
            xlim=(-0.03, 1.0),
            ylim=(LOWEST - 0.02, np.nanmax(data.loc[data["role"] != COSTLY, ["ratio", "hi"]].to_numpy(float)) + 0.02),
        )
        axes[0].xaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:.0f} %"))
        axes[0].xaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
        style.settle(picture)
        for ax, name in zip(axes, names, strict=False):
            _shares(ax, data[data["model"] == name])
    return picture, data


def time_points(study: StudyEvidence) -> pd.DataFrame:
    """One row per point that is drawn or, where it saves nothing, counted.

    role   "front", "random", "other", "costly", or "dense", which takes part in the choice of the front as others do
    saved  1 - seconds / seconds of the dense training, mean over seeds, each against its own dense model; negative
           where pruning costs more than it saves;  ratio, lo, hi  on test
    """
    table = study.pruned
    there = table.loc[(table["side"] == "samples") & ~is_kind(table, "control"), "model"]
    data = table[table["side"].isin(["dense", "samples"]) & table["model"].isin(there)].copy()
    data["saved"] = 1 - data["rel_seconds"]
    data = data[data["saved"].notna() & data["test_ratio"].ge(LOWEST).where(data["side"] != "dense", True)]
    if not (data["side"] == "samples").any():
        raise NothingToDrawError("no samples were pruned by a rule, or no clock ran: there is no time to save")
    random = is_kind(data, "control") & (data["side"] == "samples")
    best = front_of_budgets(data[~random], "rel_seconds").set_index([*CURVE, "kept"]).index
    at = data["side"] == "dense"
    data["role"] = np.select(
        [at, data["saved"] < 0, random, pd.MultiIndex.from_frame(data[[*CURVE, "kept"]]).isin(best)],
        ["dense", COSTLY, "random", "front"],
        "other",
    )
    drawn = data[["dataset", "protocol", "model", "family", "role", *METHOD, "kept", "seeds", "saved"]].assign(
        label=labels_of(data),
        ratio=data["test_ratio"].mask(at, 1.0),
        lo=data["test_ratio_lo"].mask(at, 1.0),
        hi=data["test_ratio_hi"].mask(at, 1.0),
    )
    by = ["model", "role", "saved", *METHOD, "kept"]
    return drawn.sort_values(by, key=by_model(models_in_order(drawn)), ignore_index=True)


def _panel(ax: Axes, data: pd.DataFrame) -> None:
    ax.axhline(1, color="black", lw=0.8, zorder=1)
    ax.axhline(SAFE, **SAFE_LINE)
    for role, (_, look) in ROLES.items():
        rows = data[data["role"] == role]
        look = model_look(*data[["model", "family"]].iloc[0]) if role == "front" else look
        if role == "random":
            for _, line in rows.groupby(METHOD, sort=True):
                line = line.sort_values("kept")
                ax.plot(line["saved"], line["ratio"], **look.line_style(), zorder=3)
        elif role == "front":
            path = pd.concat([rows, data[data["role"] == "dense"]]).sort_values("saved", kind="stable")
            ax.fill_between(path["saved"], path["lo"], path["hi"], color=look.colour, alpha=0.18, lw=0, zorder=2)
            ax.plot(path["saved"], path["ratio"], **look.line_style(), zorder=4)
        else:
            ax.plot(rows["saved"], rows["ratio"], **look.line_style(), zorder=2)
    if costly := int((data["role"] == COSTLY).sum()):
        words = f"{costly} point{'s cost' if costly > 1 else ' costs'} more"
        ax.annotate(words, (0, 0), (4, 4), "axes fraction", "offset points", fontsize=6.5, style="italic", color=GREY)
    panel_title(ax, data["model"].iloc[0], data["family"].iloc[0])
    ax.grid(axis="y", color="#E6E6E6", lw=0.5)
    ax.set_axisbelow(True)


def _shares(ax: Axes, data: pd.DataFrame) -> None:
    """The share of the samples kept beside each point of the front."""
    rows = data[data["role"] == "front"]
    shares = zip(rows["kept"], rows["saved"], rows["ratio"], strict=True)
    words = [Words(f"{100 * kept:.3g} %", "black", [(saved, ratio)]) for kept, saved, ratio in shares]
    path = pd.concat([rows, data[data["role"] == "dense"]]).sort_values("saved", kind="stable")
    obstacles = [along(path["saved"], path["ratio"], log=False), data[["saved", "ratio"]].to_numpy(float)]
    left, right = ax.get_xlim()
    obstacles += [along([left, right], [level, level], log=False, steps=60) for level in (1, SAFE)]
    place(ax, words, np.vstack(obstacles), size=6, far=False)


def _handles(data: pd.DataFrame) -> list[Line2D | Patch]:
    handles: list[Line2D | Patch] = [
        Line2D([], [], **look.line_style(), label=text)
        for role, (text, look) in ROLES.items()
        if (data["role"] == role).any()
    ]
    return [
        *handles,
        Line2D([], [], color="black", lw=0.8, label="dense"),
        Line2D([], [], **SAFE_LINE, label=safe_words()),
        Patch(color=BLUE, alpha=0.18, lw=0, label=measured(data)),
    ]
