"""What "which should I use?" chooses from: the candidates of each study and what ranks them, from validation alone."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from recprune.cells.names import AS_TRAINED
from recprune.evaluation.safety import safe_walk
from recprune.report.evidence.frames import each, where_lowest
from recprune.report.evidence.methods import CURVE, FLOORS, controls
from recprune.report.evidence.points import paired
from recprune.report.evidence.safe import together
from recprune.report.evidence.study import StudyEvidence

SIZES = ("dense", "parameters")  # sides whose points answer a question about size; the smaller dense model is one more
PARTS = {"val": "val_ndcg@10", "test": "test_ndcg@10"}


def ranked(studies: Sequence[StudyEvidence]) -> pd.DataFrame:
    """The curve points of all studies in every value format (see `StudyEvidence.paired_formats`) with what they are
    ranked by. Adds

    study       number of the study, in the order given
    level       validation nDCG@10 relative to the study's best dense model on validation, over the point's own seeds
    own         lower bound, on validation, of nDCG@10 relative to the point's own dense model: the lowest one-sided
                95 % bound from here up the curve, so that, as in safe sparsity, nothing unsafe lies before it; bounds
                hold for all methods and formats of a model at once (`safe.together`); each
                format has a curve of its own, and all are relative to the dense model as trained
    best        the same, relative to the best dense model on validation: `own` times the ratio of the two dense models'
                means. That ratio is taken as it was measured; its own uncertainty is not in the bound
    test_own, test_best   this point's own bounds on test, which have no say in any choice
    sized, data           whether it is a candidate where size is asked for; where less training data is: formats
                          change no data
    """
    return pd.concat([_study(study).assign(study=place) for place, study in enumerate(studies)], ignore_index=True)


def best_dense(dense: pd.DataFrame) -> str:
    """The model that is best on validation as trained, of the points of dense models; "" where there are none."""
    known = dense[dense["val_ndcg@10"].notna() & (dense["values"] == AS_TRAINED)].sort_values("model")
    return "" if known.empty else str(where_lowest(known, -known["val_ndcg@10"])["model"])


def _study(study: StudyEvidence) -> pd.DataFrame:
    table = together(study.paired_formats)
    levels = _levels(paired(study.formats), table)
    lowest = pd.concat([safe_walk(rows) for _, rows in each(table, "values")])
    own = lowest.where(lowest > float("-inf"))
    known = table["val_ndcg@10"].notna() & (table["bytes_disk"] > 0) & (table["model"] != FLOORS[1])
    smaller = (table["side"] == "control") & (table["criterion"] == "smaller-dense")
    # what was trained on, not anew, still knows the interactions that went: it needed them all
    anew = (table["side"] == "samples") & table["recovery"].str.startswith("retrain")
    return table.assign(
        level=table["val_ndcg@10"] / levels["val_best"],
        own=own,
        best=own * levels["val_own"] / levels["val_best"],
        test_own=table["test_ratio_lower"],
        test_best=table["test_ratio_lower"] * levels["test_own"] / levels["test_best"],
        sized=known & (smaller | table["side"].isin(SIZES) & ~table["criterion"].isin(controls())),
        data=known & ((table["side"] == "dense") | anew) & (table["values"] == AS_TRAINED),
    )


def _levels(cells: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    """The mean nDCG@10 of each point's own and of the best dense model, over the seeds of its curve."""
    dense = cells[(cells["side"] == "dense") & (cells["values"] == AS_TRAINED)]
    dense = dense.pivot_table(index="seed", columns="model", values=list(PARTS.values()))
    reference = best_dense(table[table["side"] == "dense"])
    found = {}
    for key, curve in cells.groupby(CURVE, sort=False):
        seeds, mine = sorted(set(curve["seed"])), str(curve["model"].iloc[0])
        found[key] = {
            f"{part}_{whose}": _mean(dense, column, model, seeds)
            for part, column in PARTS.items()
            for whose, model in (("own", mine), ("best", reference))
        }
    return pd.DataFrame([found[key] for key in table[CURVE].itertuples(index=False, name=None)], index=table.index)


def _mean(dense: pd.DataFrame, column: str, model: str, seeds: list[int]) -> float:
    """The mean over those of the seeds that the dense model has, over all of its own where it has none of them."""
    if (column, model) not in dense:
        return float("nan")
    values = dense[column, model].dropna()
    shared = values[values.index.isin(seeds)]
    return float((shared if len(shared) else values).mean())
