"""Numbers that others published, from data/published.toml."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, fields
from pathlib import Path

import pandas as pd

from recprune.datasets.naming import name_of
from recprune.datasets.registry import ROOT
from recprune.errors import ReportError

TRAIN, INFORMED = "train", "train+validation"
KEY = ["dataset", "protocol", "model", "input", "metric"]


@dataclass(frozen=True, kw_only=True)
class Published:
    """One [[numbers]] entry of data/published.toml."""

    model: str
    dataset: str
    protocol: str
    metric: str
    value: float
    source: str
    input: str = TRAIN
    hyperparameters: str = ""


def published(path: Path = ROOT / "data" / "published.toml") -> pd.DataFrame:
    """The published numbers, one row each, in their order. Raises ReportError, naming the entry, for what is none."""
    names = {f.name for f in fields(Published)}
    found = []
    for place, entry in enumerate(tomllib.loads(path.read_text("utf-8")).get("numbers", []), 1):
        if unknown := sorted(set(entry) - names):
            raise ReportError(
                f"{path}: numbers[{place}]: unknown key {unknown[0]!r}; accepted: {', '.join(sorted(names))}"
            )
        try:
            found.append(vars(Published(**entry)))
        except TypeError as error:
            raise ReportError(f"{path}: numbers[{place}]: {error}") from None
    frame = pd.DataFrame(found, columns=[f.name for f in fields(Published)])
    if frame.duplicated(KEY).any():
        raise ReportError(f"{path}: numbers[{int(frame.duplicated(KEY).argmax()) + 1}] is there twice")
    return frame.rename(columns={"value": "published", "hyperparameters": "published_hyperparameters"})


def published_of(dataset: str, protocol: str, metric: str, numbers: pd.DataFrame | None = None) -> dict[str, float]:
    """The numbers published for models on a data set (or a file of the same ratings), scored from training alone."""
    numbers = published() if numbers is None else numbers
    mine = numbers[
        (numbers[["dataset", "protocol", "metric", "input"]] == [name_of(dataset), protocol, metric, TRAIN]).all(axis=1)
    ]
    return dict(zip(mine["model"], mine["published"], strict=True))
