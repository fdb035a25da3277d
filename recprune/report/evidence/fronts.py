"""Fronts: the points that nothing beats, by cost and quality, or by what a budget buys when validation chooses."""

from __future__ import annotations

import numpy as np
import pandas as pd

from recprune.report.evidence.methods import CURVE, FLOORS, by_model, models_in_order


def best_dense(points: pd.DataFrame) -> pd.DataFrame:
    """The dense model of each family that is best on validation, floors apart: one curve point each, by family."""
    dense = points[(points["side"] == "dense") & points["val_ndcg@10"].notna() & ~points["model"].isin(FLOORS)]
    return dense.sort_values("val_ndcg@10", ascending=False, kind="stable").drop_duplicates("family")


def front_of_families(points: pd.DataFrame, cost: str, quality: str) -> pd.Series:
    """Whether no point of a point's family is both cheaper and better."""
    on = pd.Series(False, points.index)
    for _, family in points.groupby("family"):
        ordered = family.sort_values([cost, quality], ascending=[True, False])
        before = ordered[quality].cummax().shift(fill_value=-np.inf)
        on[ordered.index[ordered[quality] > before]] = True
    return on


def chosen(points: pd.DataFrame, share: str = "kept") -> pd.DataFrame:
    """The best of the curve points of each model at each `share`, by mean validation nDCG@10 relative to dense."""
    keys = ["model", share, "rel_val_ndcg@10", *CURVE]
    ordered = points[points["rel_val_ndcg@10"].notna()].sort_values(
        keys, ascending=[column != "rel_val_ndcg@10" for column in keys], kind="stable"
    )
    best = ordered.drop_duplicates(["model", share])
    return best.sort_values("model", key=by_model(models_in_order(points)), kind="stable", ignore_index=True)


def front_of_budgets(points: pd.DataFrame, share: str = "kept") -> pd.DataFrame:
    """What a budget buys: those of `chosen` that beat every point of their model that keeps less, on validation."""
    best = chosen(points, share)
    before = best.groupby("model")["rel_val_ndcg@10"].transform(lambda value: value.cummax().shift(fill_value=-np.inf))
    return best[best["rel_val_ndcg@10"] > before].reset_index(drop=True)
