"""Numbers that others published, from data/published.toml."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Annotated, Literal

import pandas as pd
from pydantic import AfterValidator

from recprune.cells.names import Protocol
from recprune.cells.rows import COLUMNS
from recprune.datasets.naming import name_of
from recprune.datasets.registry import ROOT
from recprune.errors import ReportError, StudyError
from recprune.typed import named, one_of, parse, read_toml

TRAIN, INFORMED, RETRAINED = "train", "train+validation", "trained on train+validation"
KEY = ["dataset", "protocol", "model", "input", "metric"]


def _check_text(text: str) -> str:
    if not text.strip():
        raise StudyError("is empty; a text is needed")
    return text


def _check_metric(metric: str) -> str:
    one_of("", f"test_{metric}", [column for column in COLUMNS if re.match(r"test_.*@\d+$", column)])
    return metric


def _check_value(value: float) -> float:
    if not 0 <= value <= 1:
        raise StudyError(f"{value!r}; a number from 0 to 1 is needed")
    return value


Text = Annotated[str, AfterValidator(_check_text)]


@dataclass(frozen=True, kw_only=True)
class Published:
    """One [[numbers]] entry of data/published.toml."""

    model: Text
    dataset: Text
    protocol: Protocol
    metric: Annotated[str, AfterValidator(_check_metric)]
    value: Annotated[float, AfterValidator(_check_value)]
    source: Text
    input: Literal["train", "train+validation", "trained on train+validation"] = "train"
    hyperparameters: str = ""


@dataclass(frozen=True, kw_only=True)
class _File:
    """The top level of data/published.toml."""

    numbers: tuple[Published, ...] = field(default=())


def published(path: Path = ROOT / "data" / "published.toml") -> pd.DataFrame:
    """The published numbers, one row each, in their order. Raises ReportError, naming the entry, for what is none."""
    try:
        tables = read_toml(path)
        with named(path):
            found = [vars(each) for each in parse(_File, tables).numbers]
    except StudyError as error:
        raise ReportError(str(error)) from None
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
