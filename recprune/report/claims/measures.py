"""What a contrast can compare: the quality of every user, or one number of a cell beside its dense model's."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

QUALITY = "quality"


def _gap(rows: pd.DataFrame) -> pd.Series:
    """Overfitting: how much better a model ranks what it was trained on than what it was not."""
    return rows["train_ndcg@10"] - rows["test_ndcg@10"]


#: name -> (cells, the dense cells of the same models and seeds) -> one number a cell
MEASURES: dict[str, Callable[[pd.DataFrame, pd.DataFrame], pd.Series]] = {
    "bytes / dense": lambda rows, dense: rows["bytes_disk"] / dense["bytes_disk"],
    "multiply-adds / dense": lambda rows, dense: rows["macs"] / dense["macs"],
    "milliseconds / dense": lambda rows, dense: rows["p50_ratio"],  # measured in turns with the dense model
    "gap / dense": lambda rows, dense: _gap(rows) / _gap(dense),
    "share of zeros": lambda rows, dense: 1 - rows["nonzeros"] / dense["nonzeros"],
}
