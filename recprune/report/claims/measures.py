"""What a contrast can compare: the quality of every user, or one number of a cell beside its dense model's."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

QUALITY = "quality"

#: measures that are ratios of two positive numbers: their seeds are averaged in logarithms, as twice and half are alike
RATIOS = ("bytes / dense", "milliseconds / dense")


def _gap(rows: pd.DataFrame) -> pd.Series:
    """Overfitting: how much better a model ranks what it was trained on than what it was not."""
    return rows["train_ndcg@10"] - rows["test_ndcg@10"]


def _time(rows: pd.DataFrame) -> pd.Series:
    """The time of a model to the dense one's, timed in turns; to what the dense model took against itself in the same
    turns (`p50_self`), where that was measured: the place in the turn is no merit."""
    return rows["p50_ratio"] / rows["p50_self"].fillna(1.0)


#: name -> (cells, the dense cells of the same models and seeds) -> one number a cell
MEASURES: dict[str, Callable[[pd.DataFrame, pd.DataFrame], pd.Series]] = {
    "bytes / dense": lambda rows, dense: rows["bytes_disk"] / dense["bytes_disk"],
    "multiply-adds / dense": lambda rows, dense: rows["macs"] / dense["macs"],
    "milliseconds / dense": lambda rows, dense: _time(rows),
    "gap / dense": lambda rows, dense: _gap(rows) / _gap(dense),
    "share of zeros": lambda rows, dense: 1 - rows["nonzeros"] / dense["nonzeros"],
}
