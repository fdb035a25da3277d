"""Payments: what groups of users and items, and the lists, keep of the dense model where the average looks safe."""

from __future__ import annotations

import numpy as np
import pandas as pd

from recprune.errors import NothingToDrawError
from recprune.report.evidence.methods import METHOD, by_model, is_kind, models_in_order
from recprune.report.evidence.safe import FLOOR_LEVELS, PRUNED, safe_ends
from recprune.report.evidence.study import StudyEvidence

LEVEL = FLOOR_LEVELS[-1]  # the looser one: where enough was lost to ask whose loss it is
ENOUGH = 0.01  # dense level below which a ratio says nothing
#: who or what is asked -> the measures of it
MEASURES = {
    "items": ("recall@20_items_low", "recall@20_items_mid", "recall@20_items_high"),
    "users": ("ndcg@10_users_low", "ndcg@10_users_mid", "ndcg@10_users_high"),
    "lists": ("coverage@20", "jaccard@20"),
}
OVERLAP = "jaccard@20"  # stands for itself: it is relative to the dense model already
_COLUMNS = ["dataset", "protocol", "model", "family", "column", "measure", "side", "role", *METHOD]
_COLUMNS += ["kept", "seeds", "overall", "value", "low", "high", "rules"]


def payments(study: StudyEvidence) -> pd.DataFrame:
    """One row per safe point and measure, and one for their median.

    column, measure  what is asked (MEASURES), and the group or measure of it;  side  what was removed
    role     "rule", "random", "smaller-dense": a safe point; "median" of a model's rules
    overall  mean over seeds of test nDCG@10 / that of the dense model of the same seed
    value    the same of the measure (the overlap stands for itself);  low, high  quartiles, of a median
    rules    how many rules a median is over
    No group in which a dense model has less than ENOUGH. Raises NothingToDrawError where no group was measured.
    """
    table = study.pruned
    level = table[table["side"] == "dense"].drop_duplicates("model").set_index("model")
    ends, parts = _safe_ends(table), []
    for column, measures in MEASURES.items():
        for name in measures:
            value = ends[f"test_{name}" if name == OVERLAP else f"rel_test_{name}"]
            enough = ends["model"].map(level[f"test_{name}"]) >= ENOUGH
            found = ends.assign(column=column, measure=name, value=value)[enough | (name == OVERLAP)]
            found = found.dropna(subset="value")
            parts += [found, _medians(found[found["role"] == "rule"])]
    data = pd.concat(parts, ignore_index=True)
    if data.empty:
        raise NothingToDrawError("no group of users or items was measured at a safe point")
    keys = ["column", "side", "model", "measure", "role", *METHOD]
    data = data.sort_values(keys, kind="stable", ignore_index=True, key=by_model(models_in_order(data)))
    return data[_COLUMNS]


def _safe_ends(table: pd.DataFrame) -> pd.DataFrame:
    """The safe point of each rule and control at LEVEL, of models and sides of which a rule has one."""
    ends = safe_ends(table[table["side"].isin(PRUNED) | (table["criterion"] == "smaller-dense")], LEVEL)
    known = [is_kind(ends, "control"), ends["criterion"] == "smaller-dense"]
    role = np.select(known, ["random", "smaller-dense"], "rule")
    side = ends["side"].replace("control", "parameters")
    ends = ends.assign(role=role, side=side, overall=ends["rel_test_ndcg@10"])
    pairs = pd.MultiIndex.from_frame(ends[["model", "side"]])
    return ends[pairs.isin(pairs[role == "rule"])]


def _medians(rules: pd.DataFrame) -> pd.DataFrame:
    """Median and quartiles of a model's rules."""
    groups = rules.groupby(["dataset", "protocol", "model", "family", "column", "measure", "side"])
    value = groups["value"]
    found = {
        "overall": groups["overall"].median(),
        "value": value.median(),
        "low": value.quantile(0.25),
        "high": value.quantile(0.75),
        "rules": value.size(),
        "seeds": groups["seeds"].max(),
    }
    return pd.DataFrame(found).reset_index().assign(role="median")
