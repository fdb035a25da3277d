"""Which models have a say: those that rank well enough, on data of the kind that they are made for."""

from __future__ import annotations

import pandas as pd

from recprune.models import REGISTRY
from recprune.report.evidence.cells import QUALITY
from recprune.report.evidence.methods import FLOORS
from recprune.report.evidence.points import NOT_ABOVE, UNKNOWN, points

#: A dense model counts where its test nDCG@10 is at least this much above popularity's (mean over the same seeds), and
#: the lower end of its 95 % interval above it: what pruning does to a model that has learned next to nothing but which
#: items are popular says little of its kind
MARGIN = 0.1
#: protocols that test on what came last, by which alone a model of sequences can be judged
IN_TIME = ("loo", "temporal")


def left_out(rows: pd.DataFrame) -> dict[str, str]:
    """Model -> why it does not count, in words, for each that does not.

    rows  of one data set and protocol. Where popularity was not measured, nobody knows who beats it, and all count
    """
    dense = points(rows[rows["side"] == "dense"])
    reasons = {row["model"]: _weak(row) for _, row in dense.iterrows()}
    protocol = set(rows["protocol"])
    for model in rows["model"].unique():
        if model in REGISTRY and REGISTRY[model].needs_times and not protocol <= set(IN_TIME):
            reasons[model] = "a model of sequences, tested on interactions drawn at random"
    return {model: why for model, why in reasons.items() if why and model not in FLOORS}


def _weak(dense: pd.Series) -> str:
    if dense["standing"] == UNKNOWN:
        return ""
    lead = dense[QUALITY] / dense["popularity"] - 1
    if dense["standing"] != NOT_ABOVE and lead >= MARGIN:
        return ""
    return f"dense, {100 * lead:+.0f} % to popularity"
