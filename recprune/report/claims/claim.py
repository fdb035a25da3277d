"""The claims to be tested, and their tests, as claims.toml states them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator

from recprune.cells.rows import COLUMNS
from recprune.datasets.registry import ROOT
from recprune.errors import ReportError, StudyError
from recprune.report.claims.measures import MEASURES, QUALITY
from recprune.typed import known_name, named, one_of, only_keys, parse, read_toml

EXPECT = {QUALITY: ("higher", "not lower"), **dict.fromkeys(MEASURES, ("higher", "lower"))}
DENSE = {"side": "dense"}


def _columns(cells: dict[str, Any]) -> dict[str, Any]:
    for name in cells:
        one_of("", name, COLUMNS)
    return cells


Cells = Annotated[dict[str, Any], AfterValidator(_columns)]  # column of cells.csv -> the value, or values, it must have

Measure = Annotated[str, known_name(lambda: EXPECT)]


@dataclass(frozen=True, kw_only=True)
class Contrast:
    """Cells `a` against cells `b`; claims.toml says what each field means."""

    name: str
    a: Cells
    expect: str
    b: Cells = field(default_factory=dict)
    keep: tuple[float, ...] = ()
    best: Literal["", "method", "point"] = ""
    measure: Measure = QUALITY
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
        tables = read_toml(path)
    except StudyError as error:
        raise ReportError(str(error)) from None
    with named(path, ReportError):
        only_keys("", tables, ["claim"])
        claims = [_claim(table, place) for place, table in enumerate(tables.get("claim", []), 1)]
        numbers = [claim.number for claim in claims]
        if len(set(numbers)) < len(numbers):
            raise StudyError("two claims have the same number")
    return tuple(sorted(claims, key=lambda claim: claim.number))


def _claim(table: dict[str, Any], place: int) -> Claim:
    where = f"claim {table.get('number', place)}"
    contrasts = [_contrast(each, where) for each in table.get("contrast", [])]
    stated = parse(Claim, {name: value for name, value in table.items() if name != "contrast"}, where)
    return Claim(**vars(stated) | {"contrasts": tuple(contrasts)})


def _contrast(table: dict[str, Any], where: str) -> Contrast:
    where = f"{where}: contrast {table.get('name', '?')!r}"
    contrast = parse(Contrast, {name: DENSE if value == "dense" else value for name, value in table.items()}, where)
    one_of(f"{where}: expect", contrast.expect, EXPECT[contrast.measure])
    if (contrast.measure == QUALITY) == (contrast.than is not None):
        raise StudyError(f"{where}: `than` goes with every measure but {QUALITY}")
    if (contrast.measure == QUALITY) != bool(contrast.b):
        raise StudyError(f"{where}: `b` goes with the measure {QUALITY} and with no other")
    return contrast
