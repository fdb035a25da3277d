"""Safe points: how much each method removes safely from each model, and what that buys."""

from __future__ import annotations

import pandas as pd

from recprune.evaluation.intervals import lower_among
from recprune.evaluation.safety import safe_walk
from recprune.report.evidence.cells import QUALITY
from recprune.report.evidence.labels import label
from recprune.report.evidence.methods import (
    CURVE,
    FLOORS,
    controls,
    labels_of,
    method_of,
    methods_in_order,
    models_in_order,
)
from recprune.report.evidence.points import NOT_ABOVE, UNKNOWN

FLOOR_LEVELS = (0.99, 0.95)
PRUNED = ("parameters", "samples")
#: column of a safe point -> column of the curve point
_CHOSEN = {
    "kept": "kept",
    "val_lower": "val_ratio_lower",
    "test_ratio": "test_ratio",
    "test_lo": "test_ratio_lo",
    "test_hi": "test_ratio_hi",
}
COVERAGE = "test_coverage@20"
_THERE = ("bytes_ratio", "p50_ratio", "bytes_disk", "p50_ms", QUALITY, COVERAGE)
#: column of a safe point -> column of its dense model
_DENSE = {"dense_ndcg@10": QUALITY, "dense_coverage@20": COVERAGE, "popularity": "popularity"}
_NUMBERS = [
    "removed_99",
    "removed_95",
    *_CHOSEN,
    "confirmed",
    *_THERE,
    *(f"{name}_95" for name in _CHOSEN),
    "confirmed_95",
    *_DENSE,
    "counts",
    "counts_95",
]


def safe_points(points: pd.DataFrame) -> pd.DataFrame:
    """One row per model, side and method of curve points, in the order readers see them: the largest share
    removed that is safe at each of FLOOR_LEVELS.

    The rule is `recprune.evaluation.safe_sparsity`: chosen on validation, confirmed on test.
    removed_99, removed_95   share removed, NaN where nothing is safe
    kept, val_lower, test_ratio, test_lo, test_hi, confirmed, bytes_ratio, p50_ratio, bytes_disk, p50_ms, test_ndcg@10,
    test_coverage@20         of the 0.99 point; NaN (False) where there is none
    kept_95, val_lower_95, test_ratio_95, test_lo_95, test_hi_95, confirmed_95
                             the same of the 0.95 point
    dense_ndcg@10, dense_coverage@20, popularity
                             test quality of the dense model, and popularity's over the same seeds; NaN: not measured
    counts, counts_95        whether neither the dense model nor the 0.99 (0.95) point falls short of popularity: what
                             is safe otherwise is no headline. Where popularity was not measured, nobody knows
    The smaller dense model is a row too (side "control"): what a method should beat. Loops whose model
    `knows_what_went` are none.
    """
    wanted = points["side"].isin(PRUNED) | (points["criterion"] == "smaller-dense")
    table = points[wanted & ~points["model"].isin(FLOORS) & ~knows_what_went(points)]
    curves = table[CURVE].drop_duplicates(ignore_index=True)
    strict, loose = (_ends(table, floor) for floor in FLOOR_LEVELS)
    at_95 = {name: f"{name}_95" for name in (*_CHOSEN, "confirmed", "standing")}
    loose = loose.drop(columns=list(_THERE)).rename(columns=at_95)
    found = (
        curves.assign(label=labels_of(curves)).merge(strict, how="left", on=CURVE).merge(loose, how="left", on=CURVE)
    )
    dense = points[points["side"] == "dense"].drop_duplicates("model").set_index("model")
    found = found.assign(**{name: found["model"].map(dense[column]) for name, column in _DENSE.items()})
    above = found["model"].map(dense["standing"]).ne(NOT_ABOVE)
    found = found.assign(**{f"counts{end}": above & found[f"standing{end}"].ne(NOT_ABOVE) for end in ("", "_95")})
    found = found.assign(removed_99=1 - found["kept"], removed_95=1 - found["kept_95"])[[*CURVE, "label", *_NUMBERS]]
    kinds = {name: bool if name.startswith(("confirmed", "counts")) else float for name in _NUMBERS}
    found = found.assign(**{name: found[name].eq(True) for name, kind in kinds.items() if kind is bool}).astype(kinds)
    return in_order(found)


def knows_what_went(points: pd.DataFrame) -> pd.Series:
    """Which points are of models that were trained on the samples before these were pruned, and trained on after: what
    went has left its trace, and where early stopping goes back to the start, all of it. Nothing was done without it."""
    return (points["side"] == "samples") & (points["recovery"] == "fine-tune")


def together(points: pd.DataFrame) -> pd.DataFrame:
    """Curve points whose `val_ratio_lower` hold for all methods of a model at once: what a choice among them needs.

    The best of many looks safe by chance, and test, which is of the same people and trained models, shares that chance.
    So each bound is that of its method among all that were measured (Bonferroni, see `lower_among`): of a model's
    parameters, or of its samples, in as many value formats as the points have. Controls do not count in that number,
    but are held to the same bound; their rivals, dense models and smaller dense ones, count for themselves.
    """
    ruled = ~points["criterion"].isin(controls()) | (points["criterion"] == "smaller-dense")
    ruled &= ~knows_what_went(points)
    curves = points.loc[ruled, [*CURVE, "values"]].drop_duplicates()
    among = curves.groupby(["model", "side"]).size().reindex(pd.MultiIndex.from_frame(points[["model", "side"]]))
    estimate, lower, hi = (points[name].astype(float) for name in ("val_ratio", "val_ratio_lower", "val_ratio_hi"))
    return points.assign(val_ratio_lower=lower_among(estimate, lower, hi, among.fillna(1).to_numpy()))


def is_headline(points: pd.DataFrame, end: str = "") -> pd.Series:
    """Which of the points that validation chose may be called a result: test confirms them, and popularity is no match.

    points  with columns `confirmed` and `counts` (and `end` behind their names). All others are shown, and marked
    """
    return points[f"confirmed{end}"].eq(True) & points[f"counts{end}"].eq(True)


def in_order(safe: pd.DataFrame) -> pd.DataFrame:
    """Safe points by model, what was removed, and method."""
    models, methods = models_in_order(safe), methods_in_order(safe)
    place = [
        (models.index(row["model"]), row["side"] == "samples", methods.index(method_of(row)))
        for _, row in safe.iterrows()
    ]
    return safe.iloc[sorted(range(len(safe)), key=place.__getitem__)].reset_index(drop=True)


def _ends(table: pd.DataFrame, floor: float) -> pd.DataFrame:
    """The safe end of each curve that has one, and whether test confirms it."""
    ends = safe_ends(table, floor)
    columns = {short: ends[name] for short, name in _CHOSEN.items()}
    there = {name: ends[name] for name in _THERE}
    return ends[CURVE].assign(
        **columns, confirmed=ends["test_ratio_lower"] >= floor, standing=ends["standing"], **there
    )


def safe_ends(points: pd.DataFrame, floor: float) -> pd.DataFrame:
    """Each method's safe point among curve points: the least that is kept before `val_ratio_lower` falls below `floor`;
    none of a method that is never safe."""
    pruned = points[points["kept"] < 1].sort_values("kept", ascending=False, kind="stable")
    return pruned[safe_walk(pruned) >= floor].drop_duplicates(CURVE, keep="last").sort_index()


def best_of_rules(safe: pd.DataFrame) -> pd.DataFrame:
    """One row of `safe_points` per model and rule: its best schedule and recovery on validation, by the share removed
    at the stricter level, then at the looser one; of equals the plainest.

    `removed from` is "parameters" or "samples".
    """
    part = safe["side"].replace("control", "parameters")
    plain = {"rounds": ~safe["schedule"].isin(["", "one-shot"]), "recovered": ~safe["recovery"].isin(["", "none"])}
    keys = ["removed_99", "removed_95", "rounds", "recovered", "schedule", "recovery"]
    rank = safe.assign(**{"removed from": part}, **plain).fillna({"removed_99": -1.0, "removed_95": -1.0})
    rank = rank.sort_values(keys, ascending=[False, False, True, True, True, True], kind="stable")
    first = rank.drop_duplicates(["removed from", "model", "unit", "criterion"]).index
    return safe.loc[safe.index.isin(first)].assign(**{"removed from": part})


def warning(dense: pd.DataFrame) -> str:
    """A sentence, a space before it, on the dense models (curve points) not shown to beat popularity, or "".

    A pruned model that keeps all of the quality of a useless one is as useless.
    """
    below = dense[(dense["standing"] == NOT_ABOVE) & ~dense["model"].isin(FLOORS)]
    if below.empty:
        return ""
    names = [f"{label(model)} ({quality:.4f})" for model, quality in zip(below["model"], below[QUALITY], strict=True)]
    floor = " to ".join(dict.fromkeys(f"{end:.4f}" for end in (below["popularity"].min(), below["popularity"].max())))
    return (
        f" Warning: {', '.join(names)} {'is' if len(names) == 1 else 'are'} not shown to beat popularity ({floor}; "
        "test nDCG@10, same seeds; the lower end of a model's 95 % interval has to): what is safe to remove from such "
        "a model is no headline (†)."
    )


def unmeasured(dense: pd.DataFrame) -> str:
    """The same where popularity was not measured with the seeds of any of the models, which then nobody can tell."""
    models = dense[~dense["model"].isin(FLOORS)]
    if models.empty or (models["standing"] != UNKNOWN).any():
        return ""
    return " Popularity was not measured with these seeds: whether the dense models beat it is not known."
