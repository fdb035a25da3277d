"""What `make tune` searched and found: a figure and a table of each search, from results/tuning alone."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from recprune.report import style
from recprune.report.figures import Drawing
from recprune.report.style import label
from recprune.report.table import Table

COLUMNS = 5  # panels side by side
LOWEST = 0.8  # of the best trial: trials below stand at the foot of their panel


def searches(results: Path) -> Iterator[tuple[str, Path]]:
    """(name, folder) of every search there is: <results>/tuning/<data set>/<protocol>."""
    for path in sorted(Path(results).glob("tuning/*/*/tuned.toml")):
        yield f"{path.parent.parent.name}-{path.parent.name}", path.parent


def tuning_drawings(results: Path) -> Iterator[Drawing]:
    """The figure of every search there is."""
    for name, folder in searches(results):
        caption = (
            f"Search for hyper-parameters on {folder.parent.name}, protocol {folder.name}: validation nDCG@10 of every trial "
            "against the processor seconds spent; filled: trained to the end, hollow: stopped early, at the foot: below 80 % of the best; the line is the best so far."
        )
        yield Drawing(f"tuning-{name}", caption, *tuning_figure(folder))


def tuning_tables(results: Path) -> Iterator[Table]:
    """The table of every search there is."""
    for name, folder in searches(results):
        yield tuning_table(name, folder)


def trials(folder: Path) -> pd.DataFrame:
    """Every trial of a folder's searches, one row each, models in the order of tuned.toml.

    seconds  of processor time since the search began
    best     highest validation nDCG@10 up to this trial
    """
    frames = []
    for model in tomllib.loads((folder / "tuned.toml").read_text("utf-8")):
        rows = pd.read_csv(folder / f"{model}.csv", usecols=["trial", "state", "val_ndcg@10", "seconds"])
        rows["seconds"] = rows["seconds"].cumsum()
        frames.append(rows.assign(model=model, best=rows["val_ndcg@10"].fillna(-np.inf).cummax()))
    return pd.concat(frames, ignore_index=True)[["model", "trial", "state", "seconds", "val_ndcg@10", "best"]]


def tuning_figure(folder: Path) -> tuple[Figure, pd.DataFrame]:
    """Validation nDCG@10 of each trial against the processor seconds spent, a panel a model; the line is the best so far.

    Filled: trained to the end; hollow: stopped early. Returns the figure and `trials`.
    """
    data = trials(folder)
    models = list(dict.fromkeys(data["model"]))
    n_rows = -(-len(models) // COLUMNS)
    with style.paper():
        figure = style.new_figure(style.DOUBLE, 0.35 + 1.15 * n_rows)
        axes = figure.subplots(n_rows, COLUMNS, sharex=True, squeeze=False).ravel()
        for ax, model in zip(axes, models, strict=False):
            _panel(ax, data[data["model"] == model])
            ax.set_title(label(model), pad=3)
        for place in range(len(models), len(axes)):
            axes[place].set_axis_off()
            axes[place - COLUMNS].tick_params(labelbottom=True)  # the lowest of its column now
        figure.supxlabel("processor seconds", fontsize=8)
        figure.supylabel("validation nDCG@10", fontsize=8)
        style.settle(figure)
    return figure, data


def _panel(ax: Axes, rows: pd.DataFrame) -> None:
    top = rows["best"].iloc[-1]
    foot = max(LOWEST * top, rows["val_ndcg@10"].min() - 0.01 * top)
    score = rows["val_ndcg@10"].clip(lower=foot)
    whole = rows["state"] == "complete"
    ax.plot(rows["seconds"], rows["best"].clip(lower=foot), drawstyle="steps-post", color=style.BLACK, lw=1)
    for some, fill in ((whole, "full"), (~whole, "none")):
        ax.plot(
            rows.loc[some, "seconds"], score[some], ls="", marker="o", ms=2.5, fillstyle=fill, mew=0.6, color=style.GREY
        )
    ax.annotate(
        f"{top:.4f}", (rows["seconds"].iloc[-1], top), (0, 2), textcoords="offset points", ha="right", fontsize=7
    )
    ax.set_ylim(foot - 0.02 * (top - foot), top + 0.25 * (top - foot))
    ax.set_xscale("log")
    ax.xaxis.set_major_formatter("{x:g}")
    ax.xaxis.set_minor_formatter("")


def tuning_table(name: str, folder: Path) -> Table:
    """One row a model: what was searched, what was chosen, validation nDCG@10 of the first and the best trial, and the cost."""
    rows = []
    for model, table in tomllib.loads((folder / "tuned.toml").read_text("utf-8")).items():
        search = table["search"]
        chosen = {axis.partition("[")[0]: None for axis in search["space"]}
        rows.append(
            {
                "model": model,
                "chosen": ", ".join(f"{key} {_short(table[key])}" for key in chosen if key in table),
                "searched": "; ".join(f"{axis} {text}" for axis, text in search["space"].items()),
                "first": search["first_val_ndcg@10"],
                "best": search["val_ndcg@10"],
                "trials": search["trials"],
                "seconds": search["seconds"],
            }
        )
    frame = pd.DataFrame(rows)
    budget = f"{search['trials_budget']} trials or {search['seconds_budget']:g} s of processor time"
    text = frame.assign(
        model=frame["model"].map(label),
        seconds=frame["seconds"].map("{:.0f}".format),
        trials=frame["trials"].astype(str),
        **{column: frame[column].map(lambda v: f"{v:.4f}") for column in ("first", "best")},
    )
    caption = (
        f"Hyper-parameters chosen by validation nDCG@10 on {folder.parent.name}, protocol {folder.name}, split seed 0: "
        f"ranges searched, score of the first trial (the values without a search) and of the best. Budget of every model: {budget}."
    )
    return Table(f"tuning-{name}", caption, frame, text, pd.DataFrame(False, text.index, text.columns))


def _short(value) -> str:
    if isinstance(value, float):
        return f"{value:.3g}"
    return "-".join(map(str, value)) if isinstance(value, list) else str(value)
