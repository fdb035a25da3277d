"""Does a pruned model live: quality from window to window, however it takes them in."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from recprune.errors import NothingToDrawError
from recprune.report.evidence.frames import each
from recprune.report.evidence.labels import label
from recprune.report.evidence.methods import models_in_order
from recprune.report.evidence.study import StudyEvidence
from recprune.report.figures.drawing import style
from recprune.report.figures.drawing.panels import legend_columns
from recprune.report.figures.drawing.registry import figure
from recprune.report.figures.drawing.style import BLUE, GREY, ORANGE, RED, TEAL, Look

TIMES = {"dynamic": "in the order of time", "shuffled": "times shuffled"}
DASHED, DOTTED = (0, (4, 1.5)), (0, (1, 1.2))
#: (side, way) -> its name and look; dense hollow and dashed, pruned filled
LOOKS = {
    ("control", "popularity"): ("popularity", Look(GREY, "x", DOTTED)),
    ("dense", "frozen"): ("dense, frozen", Look(RED, "o", DASHED, "none")),
    ("dense", "values"): ("dense, values", Look(BLUE, "s", DASHED, "none")),
    ("dense", "anew"): ("dense, anew", Look("black", "D", DASHED, "none")),
    ("parameters", "frozen"): ("pruned, frozen", Look(RED, "o")),
    ("parameters", "values"): ("pruned, values", Look(BLUE, "s")),
    ("parameters", "support"): ("pruned, support", Look(TEAL, "^")),
    ("parameters", "anew"): ("pruned, anew", Look(ORANGE, "D")),
}


def caption(study: StudyEvidence, data: pd.DataFrame) -> str:
    shares = data.loc[data["side"] == "parameters"].groupby("model", sort=False)["kept"].min()
    kept = ", ".join(f"{label(str(model))} {share:.0%}" for model, share in shares.items())
    return (
        f"Models that live on after half of the log of {study.heading}: nDCG@10 of the users of each window who had a "
        "history, mean over seeds, CF models first, then deep ones. A line is a way to take the windows in: frozen, "
        "values on a fixed support, support chosen again, trained and pruned anew; dashed and hollow: the dense model. "
        f"Weights kept: {kept}. Where the times are shuffled, nothing changes from window to window but how much is "
        "known."
    )


@figure("windows", caption=caption)
def windows(study: StudyEvidence) -> tuple[Figure, pd.DataFrame]:
    """nDCG@10 of warm users against the window, a column per model, a row in the order of time and one shuffled.

    Returns the figure and what is drawn: of each model its smallest share kept. Raises NothingToDrawError where no
    model was followed through windows.
    """
    data = _points(study)
    names, times = models_in_order(data), [one for one in TIMES if (data["times"] == one).any()]
    there = set(zip(data["side"], data["recovery"], strict=True))
    handles = [Line2D([], [], **look.line_style(), label=name) for arm, (name, look) in LOOKS.items() if arm in there]
    with style.paper():
        across = legend_columns(handles, style.DOUBLE)
        picture = style.new_figure(style.DOUBLE, 1.6 * len(times) + 0.4 + 0.15 * -(-len(handles) // across))
        axes = picture.subplots(len(times), len(names), sharex=True, sharey="col", squeeze=False)
        for row, one in enumerate(times):
            for column, name in enumerate(names):
                _panel(axes[row, column], data[(data["times"] == one) & (data["model"] == name)])
            axes[row, 0].set_ylabel(f"nDCG@10,\n{TIMES[one]}")
        for column, name in enumerate(names):
            axes[0, column].set_title(label(name))
            axes[-1, column].set_xlabel("window")
        picture.legend(handles=handles, loc="outside lower center", ncols=across, handlelength=2.8, columnspacing=1.2)
        style.settle(picture)
    return picture, data


def _points(study: StudyEvidence) -> pd.DataFrame:
    """One row per arm, order of times and window: the mean over seeds of warm users' nDCG@10."""
    rows = study.further
    rows = rows[(rows["kind"] == "window") & (rows["measure"] == "ndcg@10 warm")]
    if rows.empty:
        raise NothingToDrawError("no model was followed through windows of time: `make reproduce STUDY=windows` does")
    words = rows["at"].str.split()
    rows = rows.assign(times=words.str[0], window=words.str[-1].astype(int))
    smallest = rows[rows["side"] == "parameters"].groupby("model")["kept"].min()
    rows = rows[(rows["side"] != "parameters") | (rows["kept"] == rows["model"].map(smallest))]
    arm = ["model", "family", "times", "side", "kept", "recovery", "window"]
    return rows.groupby(arm)["value"].mean().reset_index()


def _panel(ax: Axes, data: pd.DataFrame) -> None:
    for side, of_side in each(data, "side"):
        for way, line in each(of_side, "recovery"):
            _, look = LOOKS[side, way]
            line = line.sort_values("window")
            ax.plot(line["window"], line["value"], **look.line_style())
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.grid(axis="y", color="#E6E6E6", lw=0.5)
    ax.set_axisbelow(True)
