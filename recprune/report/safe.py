"""How much each method removes safely from each model, and what that buys."""

from __future__ import annotations

import pandas as pd

from recprune.evaluation.significance import safe_sparsity
from recprune.report.cells import CURVE, FLOORS, METHOD, canonical, method_of, methods_in_order, models_in_order, points
from recprune.report.style import Method, method_label

FLOOR_LEVELS = (0.99, 0.95)
PRUNED = ("parameters", "samples")


def safe_points(cells: pd.DataFrame) -> pd.DataFrame:
    """One row per model, side and method, in the order readers see them: the largest share
    removed that is safe at each of FLOOR_LEVELS.

    The rule is `recprune.evaluation.safe_sparsity`: chosen on validation, confirmed on test.
    removed_99, removed_95   share removed, NaN where nothing is safe
    kept, val_lower, test_ratio, test_lo, test_hi, confirmed, bytes_ratio, p50_ratio, bytes_disk, p50_ms, test_ndcg@10
                             of the 0.99 point; NaN (False) where there is none
    kept_95, val_lower_95, test_ratio_95, test_lo_95, test_hi_95, confirmed_95
                             the same of the 0.95 point
    The smaller dense model is a row too (side "control"): what a method should beat.
    """
    table = points(canonical(cells))
    wanted = table["side"].isin(PRUNED) | (table["criterion"] == "smaller-dense")
    table = table[wanted & ~table["model"].isin(FLOORS)]
    rows = [dict(zip(CURVE, key, strict=True)) | _row(curve) for key, curve in table.groupby(CURVE, sort=False)]
    kinds = {name: bool if isinstance(value, bool) else float for name, value in _EMPTY.items()}
    frame = pd.DataFrame(rows, columns=[*CURVE, "label", *_EMPTY]).astype(kinds)
    models, methods = models_in_order(frame), methods_in_order(frame)
    place = [
        (models.index(row["model"]), row["side"] == "samples", methods.index(method_of(row)))
        for _, row in frame.iterrows()
    ]
    return frame.iloc[sorted(range(len(frame)), key=place.__getitem__)].reset_index(drop=True)


_NAN = float("nan")
_CHOSEN = {"kept": _NAN, "val_lower": _NAN, "test_ratio": _NAN, "test_lo": _NAN, "test_hi": _NAN, "confirmed": False}
_THERE = ("bytes_ratio", "p50_ratio", "bytes_disk", "p50_ms", "test_ndcg@10")
_EMPTY = (
    {"removed_99": _NAN, "removed_95": _NAN}
    | _CHOSEN
    | dict.fromkeys(_THERE, _NAN)
    | {f"{name}_95": value for name, value in _CHOSEN.items()}
)


def _row(curve: pd.DataFrame) -> dict:
    row = _EMPTY | {"label": method_label(Method(*curve[METHOD].iloc[0]))}
    strict, loose = (safe_sparsity(curve, floor) for floor in FLOOR_LEVELS)
    if loose:
        row |= {"removed_95": loose.removed} | {f"{name}_95": getattr(loose, name) for name in _CHOSEN}
    if strict:
        point = curve[curve["kept"] == strict.kept].iloc[0]
        row |= {"removed_99": strict.removed} | {name: getattr(strict, name) for name in _CHOSEN}
        row |= {name: point[name] for name in _THERE}
    return row
