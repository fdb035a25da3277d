"""How much each method removes safely from each model, and what that buys."""

from __future__ import annotations

import pandas as pd

from recprune.evaluation.significance import SafeSparsity, safe_sparsity
from recprune.report.cells import CURVE, FLOORS, METHOD, canonical, method_of, methods_in_order, models_in_order, points
from recprune.report.style import Method, method_label

FLOOR_LEVELS = (0.99, 0.95)
PRUNED = ("parameters", "samples")


def safe_points(cells: pd.DataFrame) -> pd.DataFrame:
    """One row per model, side and method, in the order readers see them: the largest share
    removed that is safe at each of FLOOR_LEVELS.

    The rule is `recprune.evaluation.safe_sparsity`: chosen on validation, confirmed on test.
    removed_99, removed_95   share removed, NaN where nothing is safe
    kept, test_ratio, test_lo, test_hi, confirmed, bytes_ratio, p50_ratio, bytes_disk, p50_ms, test_ndcg@10
                             of the 0.99 point; NaN (False) where there is none
    The smaller dense model is a row too (side "control"): what a method should beat.
    """
    table = points(canonical(cells))
    wanted = table["side"].isin(PRUNED) | (table["criterion"] == "smaller-dense")
    table = table[wanted & ~table["model"].isin(FLOORS)]
    rows = [dict(zip(CURVE, key, strict=True)) | _row(curve) for key, curve in table.groupby(CURVE, sort=False)]
    frame = pd.DataFrame(rows, columns=[*CURVE, "label", *_EMPTY]).astype({"removed_99": float, "removed_95": float})
    models, methods = models_in_order(frame), methods_in_order(frame)
    place = [
        (models.index(row["model"]), row["side"] == "samples", methods.index(method_of(row)))
        for _, row in frame.iterrows()
    ]
    return frame.iloc[sorted(range(len(frame)), key=place.__getitem__)].reset_index(drop=True)


_EMPTY = {
    "removed_99": float("nan"), "removed_95": float("nan"), "kept": float("nan"), "test_ratio": float("nan"),
    "test_lo": float("nan"), "test_hi": float("nan"), "confirmed": False, "bytes_ratio": float("nan"),
    "p50_ratio": float("nan"), "bytes_disk": float("nan"), "p50_ms": float("nan"), "test_ndcg@10": float("nan"),
}  # fmt: skip


def _row(curve: pd.DataFrame) -> dict:
    row = _EMPTY | {"label": method_label(Method(*curve[METHOD].iloc[0]))}
    strict, loose = (safe_sparsity(curve, floor) for floor in FLOOR_LEVELS)
    if loose:
        row["removed_95"] = loose.removed
    return row | _found(curve, strict) if strict else row


def _found(curve: pd.DataFrame, safe: SafeSparsity) -> dict:
    point = curve[curve["kept"] == safe.kept].iloc[0]
    there = {name: point[name] for name in ("bytes_ratio", "p50_ratio", "bytes_disk", "p50_ms", "test_ndcg@10")}
    return there | {
        "removed_99": safe.removed, "kept": safe.kept, "test_ratio": safe.test_ratio, "test_lo": safe.test_lo,
        "test_hi": safe.test_hi, "confirmed": safe.confirmed,
    }  # fmt: skip
