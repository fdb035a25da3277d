"""Measures of pruned models as shares of the dense model's, and which rule validation would choose."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from recprune.errors import ReportError
from recprune.report.cells import CURVE, FLOORS, canonical, models_in_order, points

KEYS = ["dataset", "protocol", "model", "seed"]


def relative(cells: pd.DataFrame, columns: Sequence[str], also: Sequence[str] = ()) -> pd.DataFrame:
    """`points` of one study with `rel_<column>` for each column: the mean over seeds of its share of the dense model's;
    `also` are columns averaged as they are.

    Each row is divided by the dense model of its own seed; a seed without one, or whose dense model has nothing of it,
    is left out. `rel_seconds` is known beside the columns: seconds of scoring and training, see `seconds`.
    Raises ReportError for rows of several data sets or protocols.
    """
    rows = canonical(cells)
    if len(rows[["dataset", "protocol"]].drop_duplicates()) > 1:
        raise ReportError("rows of several data sets or protocols: draw one at a time")
    rows = rows[~rows["model"].isin(FLOORS)].reset_index(drop=True)
    if "seconds" in columns:
        rows = rows.assign(seconds=seconds(rows))
    dense = rows[rows["side"] == "dense"].drop_duplicates(KEYS).set_index(KEYS)
    place = pd.MultiIndex.from_frame(rows[KEYS])
    names = {f"rel_{column}": column for column in columns}
    for name, column in names.items():
        level = dense[column].astype(float).reindex(place).to_numpy()
        rows[name] = rows[column].astype(float).to_numpy() / np.where(level > 0, level, np.nan)
    return points(rows, also=[*names, *also])


def seconds(rows: pd.DataFrame) -> pd.Series:
    """What a row cost: scoring and training, and the dense model's training where that is where it set out from
    (rounds start at the trained model, and so does fine-tuning)."""
    spent = rows["train_s"] + rows["score_s"].fillna(0.0)
    dense = rows[rows["side"] == "dense"].drop_duplicates(KEYS).set_index(KEYS)["train_s"]
    level = dense.reindex(pd.MultiIndex.from_frame(rows[KEYS])).to_numpy()
    onwards = ~rows["schedule"].isin(["", "one-shot"]) | (rows["recovery"] == "fine-tune")
    return spent + np.where(onwards & (rows["side"] != "dense"), level, 0.0)


def safe_ends(table: pd.DataFrame, floor: float) -> pd.DataFrame:
    """Of curve points, each method's safe point: the least that is kept before `val_ratio_lower` falls below `floor`
    (the rule of `recprune.evaluation.safe_sparsity`, on points averaged over seeds); none of a method that is never safe."""
    pruned = table[table["kept"] < 1].sort_values("kept", ascending=False, kind="stable")
    safe = (pruned["val_ratio_lower"] >= floor).groupby([pruned[name] for name in CURVE]).cummin()
    return pruned[safe.astype(bool)].drop_duplicates(CURVE, keep="last").sort_index()


def chosen(table: pd.DataFrame, share: str = "kept") -> pd.DataFrame:
    """Of the curve points given, the best of each model at each `share`, by mean validation nDCG@10 relative to dense."""
    keys = ["model", share, "rel_val_ndcg@10", *CURVE]
    ordered = table[table["rel_val_ndcg@10"].notna()].sort_values(
        keys, ascending=[column != "rel_val_ndcg@10" for column in keys], kind="stable"
    )
    best = ordered.drop_duplicates(["model", share])
    order = models_in_order(table)
    return best.sort_values("model", key=lambda names: names.map(order.index), kind="stable").reset_index(drop=True)


def front(table: pd.DataFrame, share: str = "kept") -> pd.DataFrame:
    """What a budget buys: of `chosen`, the points that beat every point of their model that keeps less, on validation."""
    best = chosen(table, share)
    before = best.groupby("model")["rel_val_ndcg@10"].transform(lambda value: value.cummax().shift(fill_value=-np.inf))
    return best[best["rel_val_ndcg@10"] > before].reset_index(drop=True)
