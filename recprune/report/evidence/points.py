"""Curve points: what was measured at each share kept, averaged over seeds, beside the dense model of the same seed."""

from __future__ import annotations

import numpy as np
import pandas as pd

from recprune.cells.rows import AS_TRAINED, GROUPS, TEXT
from recprune.report.evidence.cells import NEEDED, QUALITY
from recprune.report.evidence.methods import CURVE, FLOORS, METHOD, by_model, models_in_order, role

LEVEL = ["test_ndcg@10_lo", "test_ndcg@10_hi"]  # the interval of a level; not every file has it
#: quality of groups of users and items, and of lists
GROUPED = [
    *(f"test_recall@20_items_{group}" for group in GROUPS),
    *(f"test_ndcg@10_users_{group}" for group in GROUPS),
    "test_jaccard@20",
]
#: what a bound on validation is made of, beside itself; not every file has it
VALIDATED = ["val_ratio", "val_ratio_hi"]
WEIGHED = ["nonzeros", "bytes_memory", "macs", "users_per_s"]
#: what others publish, and so what is known of test
QUALITIES = ("ndcg@10", "ndcg@20", "ndcg@100")
#: columns of which `rel_<column>` is known: the mean over seeds of its share of the dense model's
SHARED = ["val_ndcg@10", "nonzeros", "seconds", "test_ndcg@10", "test_coverage@20", *GROUPED[:-1]]
#: how a point's quality stands to popularity's
ABOVE, NOT_ABOVE, UNKNOWN = "above", "not above", "not measured"
ONE_MODEL = ["dataset", "protocol", "model", "seed"]
#: what the cells of one curve point have in common
POINT = [*CURVE, "values", "kept"]


def points(rows: pd.DataFrame) -> pd.DataFrame:
    """One row per curve point of canonical rows: every number averaged over seeds; without cells that prune samples and
    model. In each value format a point is one of its own.

    role            what the point is (`methods.role`)
    seeds           how many there are; `<column>_sd` the standard deviation over them, NaN for one
    popularity      mean test nDCG@10 of the popularity recommender over the same seeds, NaN unless each has one
    standing        ABOVE where the lower end of the interval of test nDCG@10 over users (the mean, where a row has no
                    interval) lies above that mean, whose own uncertainty is not in it; else NOT_ABOVE, or UNKNOWN
    rel_<column>    of the columns in SHARED, the mean of their share of the dense model's of the same seed, as it was
                    trained; a seed without one, or whose dense model has nothing of it, is left out
    Ordered by model (CF, deep, other), then side, method, share kept and format.
    """
    rows = rows[rows["side"] != "both"].reset_index(drop=True)  # a grid is no curve
    rows = beside_dense(rows.assign(seconds=seconds(rows), popularity=_popularity(rows)), SHARED)
    numbers = [column for column in NEEDED if column not in TEXT and column not in ("kept", "seed")]
    numbers = list(
        dict.fromkeys(
            [
                *numbers,
                *LEVEL,
                *VALIDATED,
                *GROUPED,
                *WEIGHED,
                *(f"test_{metric}" for metric in QUALITIES),
                *(f"rel_{column}" for column in SHARED),
            ]
        )
    )
    frame = rows[[*POINT, "seed", *numbers, "popularity"]].astype(dict.fromkeys(("kept", *numbers), "float64"))
    frame["kept"] = _levels(frame)
    groups = frame.groupby(POINT, dropna=False, sort=True)
    spread = groups[numbers].std().add_suffix("_sd")
    table = pd.concat([groups["seed"].nunique().rename("seeds"), groups[numbers].mean(), spread], axis=1).reset_index()
    known = groups["popularity"].count().to_numpy() == table["seeds"]
    table["popularity"] = groups["popularity"].mean().where(known.to_numpy()).to_numpy()
    table["standing"] = _standing(table)
    table["role"] = [role(*pair) for pair in zip(table["side"], table["criterion"], strict=True)]
    return in_order(table)


def in_order(table: pd.DataFrame) -> pd.DataFrame:
    """Curve points by model, side, method and share kept."""
    keys = ["dataset", "protocol", "model", "side", *METHOD, "kept", "values"]
    return table.sort_values(keys, key=by_model(models_in_order(table)), kind="stable", ignore_index=True)


def paired(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows in which dense models have the seeds of the others: what sets a mean of theirs beside one of the pruned."""
    others = rows.loc[rows["side"] != "dense", "seed"]
    return rows if others.empty else rows[(rows["side"] != "dense") | rows["seed"].isin(others)]


def beside_dense(rows: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """`rows` with `rel_<column>` for each column: its share of that of the dense model of the same seed."""
    dense, place = _dense_of(rows)
    shares = {}
    for column in columns:
        level = dense[column].astype(float).reindex(place).to_numpy()
        shares[f"rel_{column}"] = rows[column].astype(float).to_numpy() / np.where(level > 0, level, np.nan)
    return rows.assign(**shares)


def seconds(rows: pd.DataFrame) -> pd.Series:
    """What a row cost: scoring and training, and the dense model's training where that is where it set out from
    (rounds start at the trained model, and so does fine-tuning)."""
    spent = rows["train_s"] + rows["score_s"].fillna(0.0)
    dense, place = _dense_of(rows)
    level = dense["train_s"].reindex(place).to_numpy()
    onwards = ~rows["schedule"].isin(["", "one-shot"]) | (rows["recovery"] == "fine-tune")
    return spent + np.where(onwards & (rows["side"] != "dense"), level, 0.0)


def _dense_of(rows: pd.DataFrame) -> tuple[pd.DataFrame, pd.MultiIndex]:
    """Dense rows as trained, by model and seed, and for each row which of them is its own."""
    dense = (
        rows[(rows["side"] == "dense") & (rows["values"] == AS_TRAINED)].drop_duplicates(ONE_MODEL).set_index(ONE_MODEL)
    )
    return dense, pd.MultiIndex.from_frame(rows[ONE_MODEL])


def _popularity(rows: pd.DataFrame) -> np.ndarray:
    """(len(rows),) test nDCG@10 of the popularity recommender on each row's data set, protocol and seed, or NaN."""
    same = [name for name in ONE_MODEL if name != "model"]
    of_floor = (rows["model"] == FLOORS[0]) & (rows["side"] == "dense") & (rows["values"] == AS_TRAINED)
    floor = rows[of_floor].drop_duplicates(same).set_index(same)
    return floor[QUALITY].astype(float).reindex(pd.MultiIndex.from_frame(rows[same])).to_numpy()


def _standing(points: pd.DataFrame) -> np.ndarray:
    least = points[LEVEL[0]].where(points[LEVEL[0]].notna(), points[QUALITY])
    known = least.notna() & points["popularity"].notna()
    return np.select([~known, least > points["popularity"]], [UNKNOWN, ABOVE], NOT_ABOVE)


def _levels(frame: pd.DataFrame) -> pd.Series:
    """Shares kept that were counted rather than asked for (a smaller dense model's) may differ a little between
    seeds: where each seed of a curve has as many points, the n-th of each seed are one point, at their mean share."""
    curve = [*CURVE, "values"]
    of_seed = frame.groupby([*curve, "seed"])["kept"]
    size, place = of_seed.transform("size"), of_seed.rank(method="first")
    curves = size.groupby([frame[name] for name in curve])
    whole = curves.transform("min") == curves.transform("max")
    mean = frame["kept"].groupby([*(frame[name] for name in curve), place]).transform("mean")
    return mean.where(whole, frame["kept"]).map(lambda share: float(f"{share:.6g}"))
