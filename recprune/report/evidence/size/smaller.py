"""The control of every size: is a pruned model better than one trained smaller, at equal bytes and value format?"""

from __future__ import annotations

import numpy as np
import pandas as pd

from recprune.report.evidence.frames import each
from recprune.report.evidence.fronts import front_of_budgets
from recprune.report.evidence.size.formats import format_points, in_format_order
from recprune.report.evidence.study import StudyEvidence

#: of a point of either side
SHOWN = ["label", "kept", "bytes_disk", "test_ratio", "test_ratio_lo", "test_ratio_hi"]
EQUAL = 1.01  # times the bytes: headers differ
WINS, LOSES, LEVEL = "pruned", "smaller", "level"


def beside_smaller(study: StudyEvidence) -> pd.DataFrame:
    """One row per model, value format and size of a smaller dense model: that, and what was pruned to its size.

    Of smaller models of all kinds (shapes, taught or not, with item tables alone) those that beat every smaller one on
    validation; beside each the pruned point that is best on validation among those with at most as many bytes in the
    same format. Columns of SHOWN, those of the pruned with `_pruned` behind; gain with lo and hi, pruned less smaller,
    its 95 % interval as if the two were independent, which is wider than the truth; wins, WINS, LOSES or LEVEL. Sizes
    to which nothing was pruned are left out.
    """
    table = study.once(format_points)
    found = []
    for _, rows in each(table, "values"):
        for _, mine in each(rows, "model"):
            pruned = mine[mine["role"] == "pruned"].sort_values("val_ndcg@10", ascending=False, kind="stable")
            smaller = front_of_budgets(mine[mine["role"] == "smaller-dense"], "bytes_disk")
            for _, small in smaller.iloc[::-1].iterrows():  # the largest first
                rival = pruned[pruned["bytes_disk"] <= EQUAL * small["bytes_disk"]].head(1)
                found += [small.to_dict() | _behind(rival.iloc[0])] if len(rival) else []
    columns = ["dataset", "protocol", "model", "family", "values", *SHOWN, *(f"{name}_pruned" for name in SHOWN)]
    both = pd.DataFrame(found, columns=columns)
    gain = both["test_ratio_pruned"] - both["test_ratio"]
    width, width_pruned = (both[f"test_ratio_hi{end}"] - both[f"test_ratio_lo{end}"] for end in ("", "_pruned"))
    half = np.hypot(width, width_pruned) / 2
    wins = np.select([gain - half > 0, gain + half < 0], [WINS, LOSES], LEVEL)
    return in_format_order(both.assign(gain=gain, lo=gain - half, hi=gain + half, wins=wins))


def _behind(point: pd.Series) -> dict:
    return {f"{name}_pruned": point[name] for name in SHOWN}
