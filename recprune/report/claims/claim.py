"""The claims to be tested, and their tests, as claims.toml states them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator

from recprune.cells.further import KINDS, WITHOUT_ID
from recprune.cells.names import known
from recprune.cells.parameters import Seeds, Shares
from recprune.cells.rows import SIDES
from recprune.datasets.registry import ROOT
from recprune.errors import ReportError, StudyError
from recprune.evaluation.belonging import HISTORIES
from recprune.models.base import FAMILIES
from recprune.report.claims.measures import MEASURES, QUALITY
from recprune.typed import known_name, list_of, named, one_of, only_keys, parse, read_toml, shown, value

EXPECT = {QUALITY: ("higher", "not lower"), **dict.fromkeys(MEASURES, ("higher", "lower"))}
DENSE = {"side": "dense"}
WORTH = 0.01  # of the dense model's quality: less is too little to matter


def _columns(cells: dict[str, Any]) -> dict[str, Any]:
    for name, found in cells.items():
        one_of("", name, SELECT)
        many = found if isinstance(found, list) else [found]
        if not many:
            raise StudyError(f"{name}: [] has no value; one or more are needed")
        for each in many:
            SELECT[name](name, each)
    return cells


def _named(*known_names: Callable[[], Iterable[str]]) -> Callable[[str, Any], None]:
    return lambda where, found: one_of(where, found, [name for names in known_names for name in names()])


def _text(where: str, found: Any) -> None:
    value(Text, found, where)


def _ways() -> Iterable[str]:
    """The ways of taking a window of time in, which are the recoveries of its further rows."""
    return import_module("recprune.growth").WAYS  # when one is asked for: it brings torch


def _any_text(where: str, found: Any) -> None:
    value(str, found, where)


def _share(where: str, found: Any) -> None:
    if not 0 <= value(float, found, where) <= 1:
        raise StudyError(f"{where}: {found!r}; a share from 0 to 1 is needed")


def _seed(where: str, found: Any) -> None:
    value(Seeds, [found], where)


def _check_text(text: str) -> str:
    if not text.strip():
        raise StudyError("is empty; a text is needed")
    return text


def _check_number(number: int) -> int:
    if number < 1:
        raise StudyError(f"{number}; a whole number from 1 on is needed")
    return number


#: criteria that only the cells, or further rows, of controls have
CONTROLS = ("train-on", WITHOUT_ID)
#: column of cells.csv by which cells can be selected -> (place, value): raises StudyError for what cannot stand there
SELECT: dict[str, Callable[[str, Any], None]] = {
    "dataset": _text,
    "protocol": _named(lambda: known("protocol")),
    "model": _named(lambda: known("model")),
    "family": _named(lambda: FAMILIES),
    "side": _named(lambda: SIDES),
    "unit": _named(lambda: known("unit")),
    "criterion": _named(lambda: known("criterion"), lambda: CONTROLS),
    "schedule": _named(lambda: known("schedule")),
    "recovery": _named(lambda: known("recovery"), _ways),
    "history": _named(lambda: HISTORIES),
    "kept": _share,
    "samples_kept": _share,
    "seed": _seed,
    "values": _named(lambda: known("values")),
    "at": _any_text,
}
Text = Annotated[str, AfterValidator(_check_text)]
UNFIT = ("keep", "best", "relative_to", "unequal")  # what contrasts of further rows do not have


Cells = Annotated[dict[str, Any], AfterValidator(_columns)]  # column of cells.csv -> the value, or values, it must have


def _some(cells: dict[str, Any]) -> dict[str, Any]:
    if not cells:
        raise StudyError("no column is given; one or more that tell which cells are compared are needed")
    return cells


Kind = Annotated[str, known_name(lambda: KINDS, "")]


@dataclass(frozen=True, kw_only=True)
class Contrast:
    """Cells `a` against cells `b`; claims.toml says what each field means."""

    name: Text
    a: Annotated[Cells, AfterValidator(_some)]
    expect: str
    b: Cells = field(default_factory=dict)
    keep: Shares = ()
    best: Literal["", "method", "point"] = ""
    measure: Text = QUALITY
    kind: Kind = ""
    than: float | None = None
    relative_to: Cells = field(default_factory=dict)
    short: Text = ""
    identity: Text = ""
    unequal: Text = ""

    @property
    def bound(self) -> float:
        """What an effect lies beyond where it speaks for the claim."""
        return self.than if self.than is not None else -WORTH if self.expect == "not lower" else 0.0


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A sentence, what would make it true or false, and the contrasts that decide; none where nothing here can."""

    number: Annotated[int, AfterValidator(_check_number)]
    says: Text
    supported_if: Text
    refuted_if: Text
    notebooks: tuple[Text, ...] = ()
    contrasts: tuple[Contrast, ...] = ()


KEYS = set(Claim.__dataclass_fields__) - {"contrasts"} | {"contrast"}  # of a [[claim]] in the file


def read_claims(path: Path = ROOT / "claims.toml") -> tuple[Claim, ...]:
    """The claims of a file, by number. Raises ReportError that names the file, the claim and what is accepted."""
    try:
        tables = read_toml(path)
    except StudyError as error:
        raise ReportError(str(error)) from None
    with named(path, ReportError):
        only_keys("", tables, ["claim"])
        claims = [_claim(table, place) for place, table in enumerate(list_of("claim", tables.get("claim", [])), 1)]
        numbers = [claim.number for claim in claims]
        if twice := [number for number in numbers if numbers.count(number) > 1]:
            raise StudyError(f"claim {twice[0]}: two claims have the same number; each needs its own")
        _check_notebooks(claims, path.parent / "notebooks")
    return tuple(sorted(claims, key=lambda claim: claim.number))


def _check_notebooks(claims: list[Claim], folder: Path) -> None:
    """Raises StudyError for a notebook that is not among those beside the file, where there are any."""
    there = [path.stem for path in sorted(folder.glob("*.ipynb"))]
    for claim in claims if there else []:
        for name in claim.notebooks:
            one_of(f"claim {claim.number}.notebooks", name, there)


def _claim(table: Any, place: int) -> Claim:
    only_keys(f"claim[{place}]", table, KEYS)
    where = f"claim {shown(table.get('number', place))}"
    contrasts = [_contrast(each, where) for each in list_of(f"{where}: contrast", table.get("contrast", []))]
    names = [contrast.name for contrast in contrasts]
    if twice := [name for name in names if names.count(name) > 1]:
        raise StudyError(f"{where}: contrast {twice[0]!r} is there twice; each needs a name of its own")
    stated = parse(Claim, {name: value for name, value in table.items() if name != "contrast"}, where)
    return Claim(**vars(stated) | {"contrasts": tuple(contrasts)})


def _contrast(table: Any, where: str) -> Contrast:
    only_keys(f"{where}: contrast", table, Contrast.__dataclass_fields__)
    where = f"{where}: contrast {shown(table.get('name', '?'))}"
    contrast = parse(Contrast, {name: DENSE if value == "dense" else value for name, value in table.items()}, where)
    if contrast.kind:
        return _beside(contrast, where)
    if "at" in contrast.a | contrast.b:
        raise StudyError(f"{where}: `at` is a column of further rows, which a contrast with a `kind` compares")
    one_of(f"{where}: measure", contrast.measure, EXPECT)
    one_of(f"{where}: expect", contrast.expect, EXPECT[contrast.measure])
    if (contrast.measure == QUALITY) == (contrast.than is not None):
        raise StudyError(f"{where}: `than` goes with every measure but {QUALITY}")
    if (contrast.measure == QUALITY) != bool(contrast.b):
        raise StudyError(f"{where}: `b` goes with the measure {QUALITY} and with no other")
    if contrast.unequal and contrast.measure != QUALITY:
        raise StudyError(f"{where}: `unequal` goes with the measure {QUALITY} and with no other")
    return contrast


def _beside(contrast: Contrast, where: str) -> Contrast:
    """A contrast of further rows, checked: a number of `a` less that of `b`, higher or lower than 0 or `than`."""
    one_of(f"{where}: expect", contrast.expect, ("higher", "lower"))
    if not contrast.b:
        raise StudyError(f"{where}: `b` is missing: with a `kind`, what was found of a is held against b")
    if unfit := [name for name in UNFIT if getattr(contrast, name)]:
        raise StudyError(f"{where}: `{unfit[0]}` goes with cells, and a contrast with a `kind` compares further rows")
    return contrast
