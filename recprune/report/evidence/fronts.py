"""Fronts: the points that nothing beats, by cost and quality, or by what a budget buys when validation chooses."""

from __future__ import annotations

import numpy as np
import pandas as pd

from recprune.errors import NothingToDrawError
from recprune.report.evidence.methods import (
    CURVE,
    FLOORS,
    METHOD,
    apart,
    by_model,
    controls,
    labels_of,
    models_in_order,
)

#: cost of a model -> the same relative to the dense one
RATIOS = {"bytes_disk": "bytes_ratio", "p50_ms": "p50_ratio"}


def best_dense(points: pd.DataFrame) -> pd.DataFrame:
    """The dense model of each family that is best on validation, floors apart: one curve point each, by family."""
    dense = points[(points["side"] == "dense") & points["val_ndcg@10"].notna() & ~points["model"].isin(FLOORS)]
    return dense.sort_values("val_ndcg@10", ascending=False, kind="stable").drop_duplicates("family")


def front_of_families(points: pd.DataFrame, cost: str, quality: str) -> pd.Series:
    """Whether no point of a point's family is both cheaper and better; never where its quality is not known."""
    on = pd.Series(False, points.index)
    for _, family in points.groupby("family"):
        ordered = family.sort_values([cost, quality], ascending=[True, False])
        before = ordered[quality].cummax().shift(fill_value=-np.inf)
        on[ordered.index[ordered[quality] > before]] = True
    return on


def pareto_points(points: pd.DataFrame, safe: pd.DataFrame, cost: str) -> tuple[pd.DataFrame, float, int]:
    """(points, nDCG@10 of the popularity recommender or NaN, how many models lie below that), of one study.

    points, safe  its curve points, dense models over the seeds of the others, and its safe points
    cost          one of RATIOS
    role          "dense", "smaller-dense", "random" (the controls that ask nothing) or "pruned"
    front         on the front of CF or of deep models, which validation chooses
    safe          the cheapest safe point of its model
    best          the dense model of each family that is best on validation, and its safe point
    Of the others there are hundreds, and the best of them on test would be the luckiest: they are left out.
    """
    popularity = points.loc[(points["model"] == "popularity") & (points["side"] == "dense"), "test_ndcg@10"]
    floor = float(popularity.iloc[0]) if len(popularity) else float("nan")
    drawn = (points["side"] != "samples") & ~points["model"].isin(FLOORS) & (points["criterion"] != "zero-reset")
    table = points[drawn]
    table = table[(table[cost] > 0) & table["test_ndcg@10"].notna()]
    if table.empty:
        raise NothingToDrawError(f"no recommender has {cost} and test nDCG@10: there is nothing to draw")
    hidden = int((table["test_ndcg@10"] < floor).sum())
    table = table[~(table["test_ndcg@10"] < floor)].reset_index(drop=True)
    data = table[["dataset", "protocol", "model", "family", *METHOD, "kept", "seeds", cost, RATIOS[cost]]].assign(
        role=apart(table["role"].replace("mask-shuffle", "random"), "random", "smaller-dense"),
        label=labels_of(table),
        front=front_of_families(table, cost, "val_ndcg@10") & table["family"].isin(["cf", "deep"]),
    )
    data = data.assign(**_named(table, safe, cost))
    data["ndcg@10"], data["val_ndcg@10"] = table["test_ndcg@10"], table["val_ndcg@10"]
    data = data[data["front"] | data["safe"] | (data["role"] == "dense")]
    order = models_in_order(table)
    return data.sort_values("model", key=by_model(order), kind="stable", ignore_index=True), floor, hidden


def _named(table: pd.DataFrame, safe: pd.DataFrame, cost: str) -> dict[str, np.ndarray]:
    """Which points are the cheapest safe one of their model, and which are best of their family or that model's."""
    safe = safe[(safe["side"] == "parameters") & ~safe["criterion"].isin(controls()) & safe["removed_99"].notna()]
    keys = ["model", *METHOD, "kept"]
    there = pd.MultiIndex.from_frame(table[keys]).isin(pd.MultiIndex.from_frame(safe[keys]))
    cheapest = table[there].sort_values(cost, kind="stable").drop_duplicates("model")
    dense = best_dense(table)
    best = [*dense.index, *cheapest.index[cheapest["model"].isin(dense["model"])]]
    return {"safe": table.index.isin(cheapest.index), "best": table.index.isin(best)}


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
