"""What can go, at a glance: each model, what to do with it, and what it then takes and keeps."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from recprune.cells.rows import AS_TRAINED
from recprune.errors import NothingToDrawError
from recprune.report.evidence.cells import QUALITY
from recprune.report.evidence.labels import label
from recprune.report.evidence.methods import FLOORS, METHOD, models_in_order
from recprune.report.evidence.safe import is_headline
from recprune.report.evidence.size.formats import format_points, smallest_safe, state_label
from recprune.report.evidence.study import StudyEvidence
from recprune.report.figures.drawing import style
from recprune.report.figures.drawing.registry import figure
from recprune.report.figures.drawing.style import FAMILIES, GREY
from recprune.report.figures.drawing.words import over
from recprune.report.tables.layout.formats import human, interval

NOTHING = "nothing is shown to go safely"
ROW = 0.37  # inches
DOTS = 240  # an inch: the README shows it at the head
#: column of the data before and after -> the head of its panel, and how a value is written
COSTS = {
    "bytes": ("bytes on disk", human),
    "ms": ("milliseconds for one user", "{:.2f}".format),
}
WIDTHS = (2.45, 1.85, 1.45, 1.15)  # of the words, the two costs and the quality, in inches


def caption(study: StudyEvidence, data: pd.DataFrame) -> str:
    return (
        f"What can go on {study.heading}: of each model the smallest form on disk that keeps 0.99 of its dense model's "
        "nDCG@10, rounded, trained smaller or pruned in its parameters (share removed of the method's units), in any "
        "value format. It is chosen on validation, where bounds hold for all methods and formats of a model at once, "
        "and shown where test confirms it. Hollow: the dense model in float32; filled: what stays. Milliseconds are "
        "the dense model's median, and that times the ratio measured in turns with it; they are of the machine and the "
        "moment. Right, test nDCG@10 relative to the dense model, with its 95 % interval over users and seeds, and "
        f"from what to what; popularity, which needs no model, below. {over(data).capitalize()}."
    )


@figure("what-stays", caption=caption)
def what_stays(study: StudyEvidence) -> tuple[Figure, pd.DataFrame]:
    """Each model, a row: what to do with it; bytes and milliseconds before and after; what it keeps of its quality.

    Returns the figure and `kept_forms`. Raises NothingToDrawError where there is one value format alone.
    """
    data = kept_forms(study)
    rows = len(data) + 1
    with style.paper():
        picture = style.new_figure(style.DOUBLE, ROW * rows + 0.3)
        picture.set_dpi(DOTS)
        axes = picture.subplots(1, 4, sharey=True, width_ratios=WIDTHS)
        axes[0].set_ylim(rows - 0.45, -1.0)
        for ax in axes:
            ax.set_axis_off()
        _words(axes[0], data)
        for ax, cost in zip(axes[1:3], COSTS, strict=True):
            _cost(ax, data, cost)
        _quality(axes[3], data, study)
        style.settle(picture)
        _rules(picture, axes[0], rows)
    return picture, data


def kept_forms(study: StudyEvidence) -> pd.DataFrame:
    """One row per model but the floors: its dense form as trained, and the smallest safe one that test confirms.

    role, values, kept, label  of that form: "dense" where it is only rounded, "pruned" or "smaller-dense"; all missing
                               where none is safe, and so are its numbers
    bytes_before, bytes_after  on disk;  ms_before, ms_after  milliseconds, the second from the ratio to the first
    ratio, lo, hi              test nDCG@10 / dense;  ndcg_before, ndcg_after  themselves
    """
    table = study.once(format_points)
    dense = table[(table["role"] == "dense") & (table["values"] == AS_TRAINED)].set_index("model")
    if dense.empty:
        raise NothingToDrawError(f"{study.heading}: no dense model was measured in {AS_TRAINED}")
    safe = smallest_safe(table).set_index("model")
    safe = safe[is_headline(safe)].reindex(dense.index)
    forms = dense[["dataset", "protocol", "family", "seeds"]].assign(
        **{name: safe[name] for name in ("role", "values", *METHOD, "kept")},
        label=[NOTHING if pd.isna(form["role"]) else _todo(form) for _, form in safe.iterrows()],
        bytes_before=dense["bytes_disk"],
        bytes_after=safe["bytes_disk"],
        ms_before=dense["p50_ms"],
        ms_after=dense["p50_ms"] * safe["p50_ratio"],
        **dict(zip(("ratio", "lo", "hi"), (safe[f"test_ratio{end}"] for end in ("", "_lo", "_hi")), strict=True)),
        ndcg_before=dense[QUALITY],
        ndcg_after=safe[QUALITY],
    )
    order = models_in_order(forms.reset_index())
    return forms.loc[order].reset_index()


def _todo(form: pd.Series) -> str:
    """What to do to a dense model, in words."""
    if form["role"] == "dense":
        return "nothing" if form["values"] == AS_TRAINED else f"round to {form['values']}"
    rounded = "" if form["values"] == AS_TRAINED else f", {form['values']}"
    trained = state_label(form).replace(label("smaller-dense"), "train smaller", 1)
    return (f"prune by {trained}" if form["role"] == "pruned" else trained) + rounded


def _words(ax: Axes, data: pd.DataFrame) -> None:
    ax.set_xlim(0, 1)
    _head(ax, "model, and what to do", "left")
    for row, (_, form) in enumerate(data.iterrows()):
        colour, kind = FAMILIES.get(form["family"], GREY), {"cf": " (CF)", "deep": " (deep)"}.get(form["family"], "")
        _text(ax, 0.0, row - 0.17, label(form["model"]) + kind, color=colour, weight="bold", size=8)
        _text(ax, 0.0, row + 0.2, form["label"], color="#404040")
    _text(ax, 0.0, len(data) - 0.17, label(FLOORS[0]), color=GREY, weight="bold", size=8)
    _text(ax, 0.0, len(data) + 0.2, "the level below which nothing is of use", color="#404040")


def _cost(ax: Axes, data: pd.DataFrame, cost: str) -> None:
    """Before and after in words, and below these as two joined dots."""
    head, write = COSTS[cost]
    _head(ax, head)
    ax.set_xscale("log")
    values = data[[f"{cost}_before", f"{cost}_after"]].to_numpy(float)
    known = values[values > 0]
    if len(known):
        ax.set_xlim(known.min() / 1.4, known.max() * 1.4)
    for row, (family, (before, after)) in enumerate(zip(data["family"], values, strict=True)):
        colour = FAMILIES.get(family, GREY)
        ax.plot([before, after], [row + 0.2, row + 0.2], color=colour, lw=2, alpha=0.4, zorder=2)
        ax.plot(before, row + 0.2, "o", ms=4.5, mfc="white", mec=colour, zorder=3)
        ax.plot(after, row + 0.2, "o", ms=4.5, color=colour, zorder=4)
        words = " → ".join(write(value) for value in (before, after) if pd.notna(value))
        less = f"  (÷ {before / after:.3g})" if cost == "bytes" and before > after else ""
        _text(ax, 0.5, row - 0.17, words + less, ha="center", color="black")


def _quality(ax: Axes, data: pd.DataFrame, study: StudyEvidence) -> None:
    ax.set_xlim(0, 1)
    _head(ax, "nDCG@10 / dense", "right")
    for row, (_, form) in enumerate(data.iterrows()):
        changed = pd.notna(form["ratio"])
        level = f"{form['ndcg_before']:.4f}" + (f" → {form['ndcg_after']:.4f}" if changed else "")
        _text(ax, 1.0, row - 0.17, interval(form["ratio"], form["lo"], form["hi"]) if changed else "", ha="right")
        _text(ax, 1.0, row + 0.2, level, color="#404040", ha="right")
    floor = study.dense.loc[study.dense["model"] == FLOORS[0], QUALITY]
    _text(ax, 1.0, len(data) + 0.2, f"{floor.iloc[0]:.4f}" if len(floor) else "not measured", color=GREY, ha="right")


def _rules(picture: Figure, ax: Axes, rows: int) -> None:
    """A thin line above each row, across all panels."""
    for row in range(rows):
        _, y = picture.transFigure.inverted().transform(ax.transData.transform((0, row - 0.5)))
        picture.add_artist(Line2D([0.005, 0.995], [y, y], color="#DDDDDD", lw=0.6, zorder=0))


def _head(ax: Axes, words: str, side: str = "center") -> None:
    _text(ax, {"left": 0.0, "center": 0.5, "right": 1.0}[side], -0.75, words, ha=side, color="black", weight="bold")


def _text(ax: Axes, x: float, y: float, words: str, size: float = 7, ha: str = "left", **look) -> None:
    """Words at a place across the panel (0 to 1) in a row, wherever its axis is."""
    ax.text(x, y, words, transform=ax.get_yaxis_transform(), size=size, ha=ha, va="center_baseline", **look)
