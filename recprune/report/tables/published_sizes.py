"""Quality against bytes per item that others published, from data/published-sizes.toml."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from recprune.datasets.naming import name_of
from recprune.datasets.registry import ROOT
from recprune.errors import ReportError, StudyError
from recprune.report.tables.published import Published, Text
from recprune.typed import named, parse, read_toml


@dataclass(frozen=True, kw_only=True)
class Curve(Published):
    """One [[curves]] entry of data/published-sizes.toml; `value` is that of the dense model."""

    form: Text
    bytes_per_item: tuple[float, ...]
    values: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class _File:
    """The top level of data/published-sizes.toml."""

    curves: tuple[Curve, ...] = field(default=())


def published_sizes(path: Path = ROOT / "data" / "published-sizes.toml") -> list[Curve]:
    """The published curves, in their order. Raises ReportError, naming the entry, for what is none."""
    try:
        tables = read_toml(path)
        with named(path):
            curves = list(parse(_File, tables).curves)
    except StudyError as error:
        raise ReportError(str(error)) from None
    for number, curve in enumerate(curves, start=1):
        place = f"{path}: curves[{number}]"
        if len(curve.values) != len(curve.bytes_per_item) or not curve.values:
            many = f"{len(curve.values)} values at {len(curve.bytes_per_item)} bytes_per_item"
            raise ReportError(f"{place}: {many}; as many of one as of the other, and at least one, are needed")
        if min(curve.bytes_per_item) <= 0:
            raise ReportError(f"{place}.bytes_per_item: {min(curve.bytes_per_item):g}; numbers above 0 are needed")
        if not 0 <= min(curve.values) <= max(curve.values) <= 1:
            raise ReportError(f"{place}.values: numbers from 0 to 1 are needed")
    return curves


def sizes_of(dataset: str, protocol: str, curves: list[Curve] | None = None) -> pd.DataFrame:
    """The points published on a data set under a protocol, one a row: model, form, metric, bytes_per_item, value."""
    columns = ["model", "form", "metric", "bytes_per_item", "value"]
    found = [
        (curve.model, curve.form, curve.metric, size, value)
        for curve in (published_sizes() if curves is None else curves)
        if (curve.dataset, curve.protocol) == (name_of(dataset), protocol)
        for size, value in zip(curve.bytes_per_item, curve.values, strict=True)
    ]
    return pd.DataFrame(found, columns=columns)
