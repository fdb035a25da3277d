"""What models give away of their training data, beside their quality: one point a model and method, over seeds."""

from __future__ import annotations

import numpy as np
import pandas as pd

from recprune.cells.further import WITHOUT_ID
from recprune.errors import NothingToDrawError
from recprune.report.evidence.methods import by_model, models_in_order

WHOSE = ["model", "family", "side", "unit", "criterion", "schedule", "recovery", "values", "kept"]
#: `at` of the rows -> what the columns of that way to ask begin with
WAYS = {"": "", "as served": "served_", "beside dense": "beside_", "retrainings": "retrained_"}
USEFUL = 0.95  # share of the dense quality down to which a smaller model is what readers look at first
#: role of a point -> in words
ROLES = {
    "dense": "dense",
    "format": "quantized",
    "parameters": "pruned",
    "random": "pruned at random",
    "samples": "samples pruned",
    "smaller": "smaller dense",
    "id": "without user ids",
}


def leaks(further: pd.DataFrame, users: bool = False) -> pd.DataFrame:
    """One row per audited model and method: `role` (a key of ROLES), `ratio` (test nDCG@10 / dense), and of each way to
    ask (WAYS) `auc`, `tpr_at_1_fpr` and `auc_gain` over that of the dense model, each with _lo and _hi.

    further  rows of `recprune.cells.further`; those of another kind do not matter
    users    the audits under `strong`, whose members are users; else the others, whose members are interactions
    Raises NothingToDrawError where nothing was audited.
    """
    asked = (further["kind"] == "membership") & further["at"].isin(WAYS)
    if "protocol" in further:  # in a notebook's own rows there is one protocol
        asked &= (further["protocol"] == "strong") == users
    rows = further[asked]
    if rows.empty:
        raise NothingToDrawError("no model was audited for membership")
    rows = rows.assign(kept=_shares(rows))
    means = over_seeds(rows, [*WHOSE, "at", "measure"])
    means["column"] = means["at"].map(WAYS) + means["measure"]
    wide = means.pivot(index=WHOSE, columns="column", values=["value", "lo", "hi"])
    ends = {"value": "", "lo": "_lo", "hi": "_hi"}
    wide.columns = [pair[1] + ends[pair[0]] for pair in wide.columns.to_flat_index()]
    measures = [f"{way}{measure}" for way in WAYS.values() for measure in ("auc", "tpr_at_1_fpr", "auc_gain")]
    columns = ["ratio", *(name + end for name in measures for end in ends.values())]
    wide = wide.reindex(columns=columns).reset_index()
    wide.insert(0, "role", [_role(*row) for row in wide[["side", "criterion", "values"]].itertuples(index=False)])
    place = {role: position for position, role in enumerate(ROLES)}
    key = by_model(models_in_order(wide))
    wide = wide.sort_values(
        ["model", "role", "criterion", "recovery", "kept"],
        key=lambda column: (
            column.map(place) if column.name == "role" else -column if column.name == "kept" else key(column)
        ),
        kind="stable",
        ignore_index=True,
    )
    return wide


def _shares(rows: pd.DataFrame) -> pd.Series:
    """`kept`; of smaller dense models, whose share follows from their shape and the seed's log, the seeds' mean."""
    small = rows[rows["criterion"] == "smaller-dense"]
    whose = [small[name] for name in (*WHOSE, "at", "measure") if name != "kept"]
    rank = small.groupby([*whose, small["seed"]])["kept"].rank()
    mean = small.groupby([*whose, rank])["kept"].transform("mean")
    return rows["kept"].where(rows["criterion"] != "smaller-dense", mean.reindex(rows.index))


def shown(points: pd.DataFrame) -> pd.DataFrame:
    """Of each model's methods the point with the least kept that is still USEFUL; where none is, the one with most."""
    method = ["model", "role", "criterion", "recovery", "values"]
    useful = points["ratio"] >= USEFUL
    rank = np.where(useful, points["kept"], 2 + (1 - points["kept"]))
    first = pd.Series(rank, points.index).groupby([points[name] for name in method], sort=False).idxmin()
    return points.loc[sorted(first)]


def over_seeds(rows: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """The mean `value` of each group over seeds, with `lo` and `hi` of its 95 % interval.

    Variance: the mean of the seeds' variances over users, as if the same users' chance were the same in all of them,
    and the variance among seeds / their number. It errs to the wide side: an audit's errors have no covariances.
    """
    groups = rows.assign(square=rows["error"].astype(float) ** 2).groupby(keys, sort=False)
    found = groups.agg(value=("value", "mean"), own=("value", "var"), n=("value", "size"), square=("square", "mean"))
    width = 1.96 * np.sqrt(found["square"] + (found["own"] / found["n"]).fillna(0.0))
    return (
        found.assign(lo=found["value"] - width, hi=found["value"] + width).drop(columns=["own", "square"]).reset_index()
    )


def _role(side: str, criterion: str, values: str) -> str:
    if side == "dense":
        return "dense" if values == "float32" else "format"
    if side == "control":
        return "id" if criterion == WITHOUT_ID else "smaller"
    return "random" if side == "parameters" and criterion == "random" else side
