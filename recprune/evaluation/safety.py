"""Safe sparsity: the most that can be removed before the walk down from the dense model meets an unsafe point."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd


@dataclass(frozen=True)
class SafeSparsity:
    """The most that one method removes safely, and what the test part says of it.

    kept            share kept;  removed: 1 - kept
    val_lower       the validation bound that it was chosen by
    test_ratio      mean over seeds, with the interval test_lo, test_hi and the one-sided test_lower
    confirmed       test_lower reaches the floor too
    """

    kept: float
    removed: float
    val_lower: float
    test_ratio: float
    test_lo: float
    test_hi: float
    test_lower: float
    confirmed: bool


ONE_CURVE = ("dataset", "protocol", "model", "side", "unit", "criterion", "schedule", "recovery")


def safe_sparsity(curve: pd.DataFrame, floor: float = 0.99) -> SafeSparsity | None:
    """The smallest share kept whose quality is safe on validation, or None where none is.

    curve  the cells of one method on one model: `kept`, `val_ratio_lower`, `test_ratio` with `_lo`,
           `_hi`, `_lower`; one row per share, or one per share and seed (bounds are of the mean over
           seeds and repeat, `test_ratio` is averaged). Dense rows (kept = 1) may be among them.
    floor  what the one-sided 95 % lower bound of pruned / dense has to reach

    The path from the dense model down must be unbroken: the shares are walked from the largest kept,
    and the first whose `val_ratio_lower` is below the floor (or missing) ends the walk. A point that
    looks safe behind one that is not is more likely luck than safety; and the walk tests a fixed
    sequence, so it needs no correction for the number of shares (Maurer et al. 1995). The test part
    has no say in the choice.

    Raises ValueError for missing columns, or cells of more than one method.
    """
    needed = ["kept", "val_ratio_lower", "test_ratio", "test_ratio_lo", "test_ratio_hi", "test_ratio_lower"]
    if missing := [column for column in needed if column not in curve.columns]:
        raise ValueError(f"the curve has no column {', '.join(missing)}")
    pruned = curve[curve["kept"] < 1]
    mixed = [column for column in ONE_CURVE if column in pruned and pruned[column].nunique(dropna=False) > 1]
    if mixed:
        raise ValueError(f"cells of one method are needed; these differ in {', '.join(mixed)}")
    points = pruned.groupby("kept")[needed[1:]].agg(
        {"test_ratio": "mean", "test_ratio_hi": "max"}
        | {column: _worst for column in needed[1:] if column not in ("test_ratio", "test_ratio_hi")}
    )
    points = points.reset_index()
    safe = points[safe_walk(points) >= floor]
    if safe.empty:
        return None
    point = safe.sort_values("kept").iloc[0]
    return SafeSparsity(
        kept=float(point["kept"]),
        removed=1 - float(point["kept"]),
        val_lower=float(point["val_ratio_lower"]),
        test_ratio=float(point["test_ratio"]),
        test_lo=float(point["test_ratio_lo"]),
        test_hi=float(point["test_ratio_hi"]),
        test_lower=float(point["test_ratio_lower"]),
        confirmed=bool(point["test_ratio_lower"] >= floor),
    )


def safe_walk(points: pd.DataFrame) -> pd.Series:
    """The lowest validation bound that the walk of `safe_sparsity` has met when it is at each point, one row a point.

    points  `kept`, `val_ratio_lower`, and of ONE_CURVE the columns that there are: each curve is walked for itself,
            from the largest share kept. A missing bound ends a walk: from there on the lowest is -inf
    A point is safe at a floor where this reaches it.
    """
    down = points.sort_values("kept", ascending=False, kind="stable")
    bounds = down["val_ratio_lower"].fillna(float("-inf"))
    curves = [down[name] for name in ONE_CURVE if name in down]
    lowest = bounds.groupby(curves, dropna=False).cummin() if curves else bounds.cummin()
    return lowest.reindex(points.index)


def _worst(bounds: pd.Series) -> float:
    """The smallest bound, NaN if one is missing."""
    return bounds.min(skipna=False)
