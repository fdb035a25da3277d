"""The points of a trade-off curve: quality relative to the dense model against the share kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from recprune.errors import NothingToDrawError, ReportError
from recprune.report.evidence.methods import METHOD, Method, apart, labels_of, methods_in_order, models_in_order
from recprune.report.evidence.study import StudyEvidence

SIDES = {"parameters": "share of parameters kept", "samples": "share of training interactions kept"}
DRAWN_CONTROLS = {"parameters": ("random", "smaller-dense"), "samples": ("random",)}  # drawn in every panel
LOWEST = 0.7  # who loses more than 30 % has lost; the space is better spent near 1


def curves(
    study: StudyEvidence, side: str, models: Sequence[str] | None = None, units: Sequence[str] | None = None
) -> pd.DataFrame:
    """The points of a trade-off figure, one row each: of all models and units, or of those given.

    role   "dense", "pruned", or the control that it is: "random", "smaller-dense", "zero-reset"
    x      where the point stands: the share kept; left of all others where nothing is kept (a zero reset)
    ratio, lo, hi   mean over seeds of pruned / dense test nDCG@10, and its two-sided 95 % interval
    below  the point lies under the axis of the figure and is drawn as a caret at its foot
    Raises ReportError for an unknown side, or no pruned rows.
    """
    if side not in SIDES:
        raise ReportError(f"side {side!r} is unknown; known: {', '.join(SIDES)}")
    table = study.paired
    dense = table[table["role"] == "dense"].drop_duplicates("model")
    mine = table[(table["side"] == side) | ((table["side"] == "control") & (side == "parameters"))]
    if units is not None:
        mine = mine[mine["unit"].isin(units) | (mine["criterion"] == "smaller-dense")]
    # controls are drawn beside what was pruned; rows of controls alone (a notebook's) are drawn for themselves
    subject = mine[mine["side"] == side] if (mine["side"] == side).any() else mine
    pruned = [name for name in models_in_order(table) if (subject["model"] == name).any()]
    absent = [name for name in models or () if name not in pruned]
    if absent or not pruned:
        raise (ReportError if absent else NothingToDrawError)(
            f"no {side} were pruned in {absent[0] if absent else study.heading}; "
            f"there are rows of: {', '.join(pruned) or 'other sides only'}"
        )
    both = pd.concat([dense, mine])
    data = pd.concat([both[both["model"] == name] for name in models or pruned], ignore_index=True)
    return _drawn(data, dense.set_index("model")["test_ndcg@10"])


def _drawn(data: pd.DataFrame, levels: pd.Series) -> pd.DataFrame:
    """Curve points as the figure has them; levels: the dense models'."""
    data["role"] = apart(data["role"], "random", "smaller-dense", "zero-reset")
    at_dense, share = data["role"] == "dense", data["kept"]
    ratios = {
        short: data[name].mask(at_dense, 1.0)
        for short, name in (("ratio", "test_ratio"), ("lo", "test_ratio_lo"), ("hi", "test_ratio_hi"))
    }
    drawn = data[["dataset", "protocol", "model", "family", "role", *METHOD, "kept", "seeds"]].assign(
        label=labels_of(data),
        x=share.where(share > 0, share[share > 0].min() / 2),
        **ratios,
        below=ratios["ratio"] < foot(data["role"], ratios["ratio"]),
    )
    drawn["ndcg@10"] = data["test_ndcg@10"]
    drawn["dense_ndcg@10"] = data["model"].map(levels)
    return drawn


def foot(role: pd.Series, ratio: pd.Series) -> float:
    """Where the axis starts: all real methods and smaller dense models are seen down to LOWEST, the other
    controls may leave it."""
    seen = ratio[~role.isin(["random", "zero-reset"])]
    return float(np.clip(seen.min() - 0.02, LOWEST, 0.9))


def series(data: pd.DataFrame) -> Iterator[tuple[Method, pd.DataFrame]]:
    """(method, points) of each line of one model; a line starts at the dense model, from which every method sets out.

    A zero reset is no path from there, and a method that measured "all kept" has its own start.
    """
    dense = data[data["role"] == "dense"]
    rest = data[data["role"] != "dense"]
    for method in methods_in_order(rest):
        rows = rest[(rest[METHOD] == list(method)).all(axis=1)]
        joins = method.criterion != "zero-reset" and not (rows["kept"] == 1).any()
        yield method, pd.concat([rows, dense] if joins else [rows]).sort_values("x", kind="stable")
