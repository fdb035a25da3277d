"""The claims to be tested, and their tests, as claims.toml states them."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any

from recprune.cells.rows import COLUMNS
from recprune.datasets.registry import ROOT
from recprune.errors import ReportError
from recprune.report.claims.measures import MEASURES, QUALITY

EXPECT = {QUALITY: ("higher", "not lower"), **dict.fromkeys(MEASURES, ("higher", "lower"))}
Cells = dict[str, Any]  # column of cells.csv -> the value, or values, it must have


@dataclass(frozen=True, kw_only=True)
class Contrast:
    """Cells `a` against cells `b`; claims.toml says what each field means."""

    name: str
    a: Cells
    expect: str
    b: Cells = field(default_factory=dict)
    keep: tuple[float, ...] = ()
    best: str = ""  # "", "method" or "point"
    measure: str = QUALITY
    than: float | None = None
    relative_to: Cells = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A sentence, what would make it true or false, and the contrasts that decide; none where nothing here can."""

    number: int
    says: str
    supported_if: str
    refuted_if: str
    notebooks: tuple[str, ...] = ()
    contrasts: tuple[Contrast, ...] = ()


def read_claims(path: Path = ROOT / "claims.toml") -> tuple[Claim, ...]:
    """The claims of a file, by number. Raises ReportError that names the file, the claim and what is accepted."""
    try:
        tables = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise ReportError(f"{path}: there is no such file") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ReportError(f"{path}: not TOML: {error}") from None
    _known(f"{path}", tables, ["claim"])
    claims = [
        _claim(table, f"{path}: claim {table.get('number', place)}")
        for place, table in enumerate(tables.get("claim", []), 1)
    ]
    numbers = [claim.number for claim in claims]
    if len(set(numbers)) < len(numbers):
        raise ReportError(f"{path}: two claims have the same number")
    return tuple(sorted(claims, key=lambda claim: claim.number))


def _claim(table: dict, where: str) -> Claim:
    contrasts = tuple(_contrast(each, where) for each in table.pop("contrast", []))
    return Claim(**_values(Claim, table, where) | {"contrasts": contrasts})


def _contrast(table: dict, where: str) -> Contrast:
    where = f"{where}: contrast {table.get('name', '?')!r}"
    contrast = Contrast(**_values(Contrast, table, where))
    _one_of(f"{where}: measure", contrast.measure, EXPECT)
    _one_of(f"{where}: expect", contrast.expect, EXPECT[contrast.measure])
    _one_of(f"{where}: best", contrast.best, ("", "method", "point"))
    if (contrast.measure == QUALITY) == (contrast.than is not None):
        raise ReportError(f"{where}: `than` goes with every measure but {QUALITY}")
    if (contrast.measure == QUALITY) != bool(contrast.b):
        raise ReportError(f"{where}: `b` goes with the measure {QUALITY} and with no other")
    for cells in (contrast.a, contrast.b, contrast.relative_to):
        _known(where, cells, COLUMNS)
    return contrast


def _values(kind: type, table: dict, where: str) -> dict:
    accepted = {f.name: f for f in fields(kind)}
    _known(where, table, accepted)
    missing = [
        name
        for name, f in accepted.items()
        if f.default is MISSING and f.default_factory is MISSING and name not in table
    ]
    if missing:
        raise ReportError(f"{where}: `{missing[0]}` is missing")
    return {name: _plain(name, value) for name, value in table.items()}


def _plain(name: str, value: Any) -> Any:
    if name in ("a", "b"):
        return {"side": "dense"} if value == "dense" else dict(value)
    return tuple(value) if isinstance(value, list) else value


def _known(where: str, table: dict, accepted: Iterable[str]) -> None:
    for key in table:
        _one_of(where, key, accepted)


def _one_of(where: str, value: str, accepted: Iterable[str]) -> None:
    if value not in accepted:
        raise ReportError(f"{where}: {value!r} is unknown; known: {', '.join(filter(None, accepted))}")
