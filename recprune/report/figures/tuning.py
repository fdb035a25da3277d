"""A search for hyper-parameters: every trial, the best so far, and the best of as many in any order."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from recprune.report.evidence.labels import label
from recprune.report.evidence.searches import Search
from recprune.report.figures.drawing import style
from recprune.report.figures.drawing.registry import figure

COLUMNS = 5  # panels side by side
LOWEST = 0.8  # of the best trial: trials below stand at the foot of their panel


def caption(search: Search, data: pd.DataFrame) -> str:
    return (
        f"Search for hyper-parameters on {search.dataset}, protocol {search.protocol}: validation nDCG@10 of every "
        "trial, in the order they ran; filled: trained to the end, hollow: stopped early, at the foot: below 80 % of "
        "the best. Black: the best so far. Blue: the best of as many trials in any order, its mean and 95 % of the "
        "orders (drawn without replacement; exact). Where blue is flat, more trials of this kind bring little; where "
        "black begins above it, the values before the search were good."
    )


@figure("tuning", caption=caption, of=Search)
def tuning(search: Search) -> tuple[Figure, pd.DataFrame]:
    """Validation nDCG@10 of each trial, a panel a model, with the best so far and `expected_best` of as many trials.

    Filled: trained to the end; hollow: stopped early. Returns the figure and the trials.
    """
    data = search.trials
    models = list(dict.fromkeys(data["model"]))
    n_rows = -(-len(models) // COLUMNS)
    with style.paper():
        picture = style.new_figure(style.DOUBLE, 0.35 + 1.15 * n_rows)
        axes = picture.subplots(n_rows, COLUMNS, sharex=True, squeeze=False).ravel()
        for ax, model in zip(axes, models, strict=False):
            _panel(ax, data[data["model"] == model])
            ax.set_title(label(model), pad=3)
        for place in range(len(models), len(axes)):
            axes[place].set_axis_off()
            axes[place - COLUMNS].tick_params(labelbottom=True)  # the lowest of its column now
        picture.supxlabel("trials", fontsize=8)
        picture.supylabel("validation nDCG@10", fontsize=8)
        style.settle(picture)
    return picture, data


def _panel(ax: Axes, rows: pd.DataFrame) -> None:
    top = rows["best"].iloc[-1]
    foot = max(LOWEST * top, rows["val_ndcg@10"].min() - 0.01 * top)
    score, trials = rows["val_ndcg@10"].clip(lower=foot), np.arange(1, len(rows) + 1)
    whole = rows["state"] == "complete"
    expected, lo, hi = (rows[name].clip(lower=foot) for name in ("expected", "lo", "hi"))
    ax.fill_between(trials, lo, hi, color=style.BLUE, alpha=0.18, lw=0)
    ax.plot(trials, expected, color=style.BLUE, lw=1)
    ax.plot(trials, rows["best"].clip(lower=foot), drawstyle="steps-post", color=style.BLACK, lw=1)
    for some, fill in ((whole, "full"), (~whole, "none")):
        ax.plot(trials[some], score[some], ls="", marker="o", ms=2.5, fillstyle=fill, mew=0.6, color=style.GREY)
    ax.annotate(f"{top:.4f}", (1, top), (0, 2), ax.get_yaxis_transform(), "offset points", ha="right", fontsize=7)
    ax.set_ylim(foot - 0.02 * (top - foot), top + 0.25 * (top - foot))
    ax.xaxis.set_major_locator(MaxNLocator(4, integer=True))
