"""How a criterion's importance scores are distributed, and where the cut falls."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from recprune.report.figures.drawing import style

FEW = 2000  # units that can be drawn one by one, sorted; more are binned
MANY = 1 << 22  # units of a tensor that are drawn at most


def importance(
    scores: dict[str, np.ndarray], criterion: str, unit: str, keep: float | None = None
) -> tuple[Figure, pd.DataFrame]:
    """Scores of the units, tensor by tensor: sorted where there are few, as histograms where there are many.

    scores  name of a tensor or dimension -> (n_units,), high = keep
    keep    share that stays: a dashed line at the score (or rank) of the cut, or None
    Of a tensor of more than MANY units as many are drawn; they stand for all of them.
    Returns the figure and a summary with a row for each tensor.
    """
    whole = {name: np.asarray(values).ravel() for name, values in scores.items()}
    flat = {name: _drawn(values).astype(np.float64) for name, values in whole.items()}
    everything = np.concatenate([values[values != 0] for values in flat.values()])
    cut = np.quantile(everything, 1 - keep) if keep and len(everything) else None
    with style.paper():
        picture = style.new_figure(4.6, 2.4)
        ax = picture.subplots()
        for (name, values), ls in zip(flat.items(), np.resize(["-", "--", ":", "-."], len(flat)), strict=True):
            if sum(map(len, flat.values())) <= FEW:
                ax.plot(np.arange(1, len(values) + 1), np.sort(values)[::-1], ls=ls, label=name)
            else:
                edges = np.linspace(min(0, everything.min(initial=0)), everything.max(initial=1e-12), 80)
                counts, _ = np.histogram(values[values != 0], edges)
                ax.stairs(counts * (len(whole[name]) / max(1, len(values))), edges, ls=ls, label=name)
        if sum(map(len, flat.values())) <= FEW:
            ax.set(xlabel=f"{unit}s, most important first", ylabel=f"score ({criterion})", ylim=(0, None))
            if cut is not None:
                ax.axhline(cut, color="black", ls="--", lw=0.8)
        else:
            ax.set(xlabel=f"score ({criterion})", ylabel=f"{unit}s", yscale="log")
            ax.yaxis.set_major_formatter(
                FuncFormatter(lambda count, _: f"{count:,.0f}")
            )  # the default writes mathematics
            if cut is not None:
                ax.axvline(cut, color="black", ls="--", lw=0.8)
        if len(flat) > 1:
            picture.legend(loc="outside right upper")
        style.settle(picture)
    summary = pd.DataFrame(
        {
            name: {
                f"{unit}s": len(values),
                "mean": values.mean(dtype=np.float64),
                "largest": values.max(initial=0),
            }
            | ({} if cut is None else {"above the cut": (values > cut).mean()})
            for name, values in whole.items()
        }
    ).T
    return picture, summary


def _drawn(values: np.ndarray) -> np.ndarray:
    """At most MANY of the values, at random: a dense matrix of a large catalogue has hundreds of millions."""
    if len(values) <= MANY:
        return values
    return values[np.random.default_rng(0).integers(0, len(values), MANY)]
