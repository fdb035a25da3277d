"""A data set's name: decided here, for its rows, its runs' folders and its figures alike."""

from __future__ import annotations

import re
from pathlib import Path

from recprune.datasets.registry import known


def name_of(dataset: str) -> str:
    """The name of a data set that was given by a registered name or by a path, such that it can be a folder.

    The registered name, also where a file is known to hold that data set, else the stem of the path:
    `/logs/ml-1m-ratings.csv.gz` is `ml-1m`, `/logs/my shop.csv` is `my-shop`. Nothing is left in it that make, a
    shell or a file system would read as more than a letter.
    """
    return registered(dataset) or _stem(dataset)


def registered(dataset: str) -> str | None:
    """The registered data set whose ratings a file of this name holds (`aliases` in data/registry.toml), or None."""
    return next((entry.name for entry in known().values() if _stem(dataset) in entry.aliases), None)


def _stem(dataset: str) -> str:
    name = re.sub(r"(\.(csv|tsv|dat|data|inter|txt|parquet|gz))+$", "", Path(dataset).name, flags=re.I)
    return re.sub(r"[^\w.-]+", "-", name).strip("-.") or "log"
