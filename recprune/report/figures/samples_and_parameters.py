"""The data pruned, then the model: quality over the grid of both shares."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter

from recprune.errors import NothingToDrawError
from recprune.evaluation import safe_sparsity
from recprune.report.evidence.curves import LOWEST
from recprune.report.evidence.methods import models_in_order
from recprune.report.evidence.safe import FLOOR_LEVELS
from recprune.report.evidence.study import StudyEvidence
from recprune.report.figures.drawing import style
from recprune.report.figures.drawing.panels import SAFE, legend_columns, panel_title
from recprune.report.figures.drawing.registry import figure
from recprune.report.figures.drawing.style import SAFE_LINE
from recprune.report.figures.drawing.words import STRICT, means


def caption(study: StudyEvidence, data: pd.DataFrame) -> str:
    return (
        f"Does less training data change how prunable a model is? On {study.heading}, parameters were removed from "
        "models that were trained on all samples, or on fewer. Left: test nDCG@10; right: relative to the dense model "
        f"of the same samples. {means(data)} Solid line: dense; dotted: {STRICT:g} of it. Lines that coincide on the "
        "right mean that it does not."
    )


@figure("samples-and-parameters", caption=caption)
def both(study: StudyEvidence) -> tuple[Figure, pd.DataFrame]:
    """Test nDCG@10 against the share of parameters kept, one line for each share of the samples that stayed.

    One row of panels a model: the level on the left; on the right the ratio to the dense model trained on the
    same samples, with its 95 % interval. Lines that coincide on the right mean that how prunable a model is does
    not depend on how much data it was trained on.
    Returns the figure and its points (see `grid`). Raises NothingToDrawError when there is nothing to draw.
    """
    data = grid(study)
    names = models_in_order(data)
    shares = sorted(data["samples_kept"].unique(), reverse=True)
    colours = mpl.colormaps["viridis"](np.linspace(0.0, 0.85, len(shares)))
    with style.paper():
        picture = style.new_figure(style.DOUBLE, 2.1 * len(names) + 0.4)
        rows = picture.subplots(len(names), 2, squeeze=False)
        for axes, name in zip(rows, names, strict=True):
            mine = data[data["model"] == name]
            for share, colour, marker in zip(shares, colours, np.resize(list("osD^vP"), len(shares)), strict=False):
                line = mine[mine["samples_kept"] == share].sort_values("kept")
                looks = {"color": colour, "marker": marker, "label": f"{share:.0%} of the samples".replace("%", " %")}
                axes[0].plot(line["kept"], line["ndcg"], **looks)
                axes[1].plot(line["kept"], line["ratio"], **looks)
                axes[1].fill_between(line["kept"], line["lo"], line["hi"], color=colour, alpha=0.12, lw=0)
            axes[1].axhline(1, color="black", lw=0.8, zorder=1)
            axes[1].axhline(SAFE, **SAFE_LINE)
            axes[0].set(ylabel="test nDCG@10")
            axes[1].set(ylabel="… / dense, same samples", ylim=(np.fmax(LOWEST - 0.1, mine["lo"].min()), None))
            for ax in axes:
                panel_title(ax, name, mine["family"].iloc[0])
                ax.set(xscale="log", xlabel="share of parameters kept" if name == names[-1] else "")
                ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{100 * x:.3g} %"))
                ax.xaxis.set_minor_formatter(NullFormatter())
        handles = rows[0][0].get_legend_handles_labels()[0]
        across = legend_columns(handles, style.DOUBLE)
        picture.legend(handles=handles, loc="outside lower center", ncols=across)
        style.settle(picture)
    return picture, data


def grid(study: StudyEvidence) -> pd.DataFrame:
    """One row per model, share of samples and share of parameters: `ndcg` (mean over seeds of test nDCG@10), and
    `ratio`, `lo`, `hi` to the dense model of the same samples. Raises NothingToDrawError where no cells prune both."""
    rows = study.rows[study.rows["side"] == "both"]
    if rows.empty:
        raise NothingToDrawError("no cells prune both the samples and the model")
    names = {"test_ndcg@10": "ndcg", "test_ratio": "ratio", "test_ratio_lo": "lo", "test_ratio_hi": "hi"}
    keys = ["dataset", "protocol", "model", "family", "unit", "criterion", "recovery", "samples_kept", "kept"]
    found = rows.groupby(keys, sort=False)[list(names)].mean().rename(columns=names)
    return found.assign(seeds=rows.groupby(keys, sort=False)["seed"].nunique()).reset_index()


def safe_by_samples(study: StudyEvidence) -> pd.DataFrame:
    """For each model and share of the samples: the share of parameters that is removed safely, against the dense model
    of the same samples, at each floor of the non-inferiority rule; and the ratio on test at the stricter one."""
    rows = []
    for (model, share), part in study.rows[study.rows["side"] == "both"].groupby(["model", "samples_kept"], sort=False):
        found = {floor: safe_sparsity(part, floor) for floor in FLOOR_LEVELS}
        row = {"model": model, "samples kept": share}
        row |= {f"removed at {floor}": 0.0 if safe is None else safe.removed for floor, safe in found.items()}
        strict = found[FLOOR_LEVELS[0]]
        row |= {
            "test ratio": np.nan if strict is None else strict.test_ratio,
            "confirmed": bool(strict and strict.confirmed),
        }
        rows.append(row)
    return pd.DataFrame(rows)
