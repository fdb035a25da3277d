"""What "which should I use?" chooses from: the candidates of each study and the bounds that rank them, from validation alone."""

from __future__ import annotations

import pandas as pd

from recprune.report.cells import CONTROLS, CURVE, FLOORS, canonical, paired, points, studies

SIZES = ("dense", "parameters")  # sides whose points answer a question about size; the smaller dense model is one more
PARTS = {"val": "val_ndcg@10", "test": "test_ndcg@10"}


def ranked(cells: pd.DataFrame) -> pd.DataFrame:
    """The curve points of every study (see `cells.points`) with what they are ranked by. Adds

    study       number of the study, in the order of `cells.studies`
    level       validation nDCG@10 relative to the study's best dense model on validation, over the point's own seeds
    own         lower bound, on validation, of nDCG@10 relative to the point's own dense model: the lowest one-sided 95 %
                bound from here up the curve, so that, as in safe sparsity, nothing unsafe lies before it
    best        the same, relative to the best dense model on validation: `own` times the ratio of the two dense models'
                means. That ratio is taken as it was measured; its own uncertainty is not in the bound
    test_own, test_best   this point's own bounds on test, which have no say in any choice
    sized, data           whether it is a candidate where size is asked for; where less training data is
    """
    tables = [_study(rows).assign(study=number) for number, (_, rows) in enumerate(studies(canonical(cells)))]
    return pd.concat(tables, ignore_index=True)


def best_dense(cells: pd.DataFrame) -> str:
    """The model whose dense form is best on validation; "" where no dense model was measured."""
    dense = cells[(cells["side"] == "dense") & cells["val_ndcg@10"].notna()]
    if dense.empty:
        return ""
    means = dense.groupby("model")["val_ndcg@10"].mean().sort_index()
    return str(means.idxmax())


def _study(cells: pd.DataFrame) -> pd.DataFrame:
    cells = paired(cells)
    table = points(cells)
    levels = _levels(cells, table)
    table["level"] = table["val_ndcg@10"] / levels["val_best"]
    # down each curve, the lowest bound so far; a missing one ends the walk
    down = table.sort_values("kept", ascending=False, kind="stable")
    lowest = (
        down.assign(bound=down["val_ratio_lower"].fillna(float("-inf"))).groupby(CURVE, sort=False)["bound"].cummin()
    )
    table["own"] = lowest.where(lowest > float("-inf"))
    table["best"] = table["own"] * levels["val_own"] / levels["val_best"]
    table["test_own"] = table["test_ratio_lower"]
    table["test_best"] = table["test_ratio_lower"] * levels["test_own"] / levels["test_best"]
    known = table["val_ndcg@10"].notna() & (table["bytes_disk"] > 0) & (table["model"] != FLOORS[1])
    smaller = (table["side"] == "control") & (table["criterion"] == "smaller-dense")
    table["sized"] = known & (smaller | table["side"].isin(SIZES) & ~table["criterion"].isin(CONTROLS))
    # what was trained on, not anew, still knows the interactions that went: it needed them all
    anew = (table["side"] == "samples") & table["recovery"].str.startswith("retrain")
    table["data"] = known & ((table["side"] == "dense") | anew)
    return table


def _levels(cells: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    """For each point, the mean validation and test nDCG@10 of its own and of the best dense model, over the seeds of its curve."""
    dense = cells[cells["side"] == "dense"].pivot_table(index="seed", columns="model", values=list(PARTS.values()))
    reference = best_dense(cells)
    found = {}
    for key, curve in cells.groupby(CURVE, sort=False):
        seeds = sorted(set(curve["seed"]))
        found[key] = {
            f"{part}_{whose}": _mean(dense, column, model, seeds)
            for part, column in PARTS.items()
            for whose, model in (("own", key[CURVE.index("model")]), ("best", reference))
        }
    return pd.DataFrame([found[key] for key in table[CURVE].itertuples(index=False, name=None)], index=table.index)


def _mean(dense: pd.DataFrame, column: str, model: str, seeds: list[int]) -> float:
    """Mean over those of the seeds that the dense model has, over all of its own where it has none of them."""
    if (column, model) not in dense:
        return float("nan")
    values = dense[column, model].dropna()
    shared = values[values.index.isin(seeds)]
    return float((shared if len(shared) else values).mean())
