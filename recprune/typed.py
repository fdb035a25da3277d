"""A TOML table to a typed object: what is not understood is refused, by its place and with what is accepted.

    @dataclass(frozen=True, kw_only=True)
    class Budget:
        trials: int
        seconds: float = 60.0
        stop: Literal["early", "never"] = "early"

    parse(Budget, {"trials": "ten"}, "budget.default")
    -> StudyError: budget.default.trials: 'ten' is a str; an int is needed

Types are strict: a whole number is taken for a float and a list for a tuple, nothing else is converted. The fields may
be dataclasses themselves, and `Annotated[str, AfterValidator(check)]` with a check that raises StudyError.
"""

from __future__ import annotations

import difflib
import math
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    Strict,
    TypeAdapter,
    ValidationError,
    create_model,
)

from recprune.errors import StudyError

Kind = TypeVar("Kind")
STRICT = ConfigDict(strict=True, arbitrary_types_allowed=True)
LARGEST = 1 << 24  # bytes of a file of settings
#: pydantic's words for a wrong type -> ours
NEEDED = {"int": "int", "float": "float", "string": "str", "bool": "bool", "dict": "table"}


def read_toml(path: Path) -> dict[str, Any]:
    """The tables of a TOML file; a byte order mark before them is no fault.

    Raises StudyError, naming the file, where there is none, it is not TOML, or a number in it is none that can be
    counted with: not finite, or a whole one beyond 64 bits.
    """
    try:
        if path.stat().st_size > LARGEST:
            raise StudyError(f"{path}: {path.stat().st_size:,} bytes; settings of up to {LARGEST:,} are read")
        found = tomllib.loads(path.read_text("utf-8-sig"))
    except FileNotFoundError:
        raise StudyError(f"{path}: there is no such file") from None
    except OSError as error:
        raise StudyError(f"{path}: cannot be read: {error.strerror}; a file of settings is needed") from None
    except StudyError:
        raise
    except ValueError as error:  # of TOML, of its encoding, or of a number of thousands of digits
        raise StudyError(f"{path}: not TOML in UTF-8: {error}") from None
    except RecursionError:
        raise StudyError(f"{path}: not TOML that can be read: lists or tables are nested too deeply") from None
    with named(path):
        _countable("", found)
    return found


def _countable(where: str, found: Any) -> None:
    """Raises StudyError for a number anywhere inside that is not finite, or a whole one beyond 64 bits."""
    if isinstance(found, dict):
        for key, inner in found.items():
            _countable(f"{where}.{key}" if where else key, inner)
    elif isinstance(found, list):
        for i, inner in enumerate(found, 1):
            _countable(f"{where}[{i}]", inner)
    elif isinstance(found, float) and not math.isfinite(found):
        raise StudyError(f"{where}: {found}; a finite number is needed")
    elif isinstance(found, int) and not -(2**63) <= found < 2**63:
        raise StudyError(f"{where}: {shown(found)}; a whole number of 64 bits is needed")


@contextmanager
def named(path: str | Path, error: type[ValueError] = StudyError) -> Iterator[None]:
    """A context that puts the name of a file before what is refused inside, and raises it as `error`."""
    try:
        yield
    except StudyError as refused:
        raise error(f"{path}: {refused}") from None


def parse(kind: type[Kind], table: Any, where: str = "") -> Kind:
    """The object of the dataclass `kind` that a table describes. Raises StudyError that begins with the place."""
    return value(kind, table, where)


def values(kind: type, table: Any, where: str = "") -> dict[str, Any]:
    """The typed values of a table for the fields of the dataclass `kind`, defaults filled in; no object is made."""
    return _values(kind, _validated(_adapter(kind, as_object=False), table, where))


def value(kind: Any, found: Any, where: str) -> Any:
    """`found` as the type `kind`: int, tuple[float, ...], str | None, a dataclass. Raises StudyError."""
    return _validated(_adapter(kind), found, where)


def only_keys(where: str, table: Any, accepted: Iterable[str]) -> None:
    """Raises StudyError for what is no table, and for a table with another key than the accepted ones."""
    if not isinstance(table, Mapping):
        raise StudyError(_at(where, f"a table is needed, not {shown(table)}"))
    for key in table:
        if key not in accepted:
            names = ", ".join(sorted(accepted))
            raise StudyError(_at(where, f"unknown key {key!r}; accepted: {names}{near(key, accepted)}"))


def one_of(where: str, name: Any, accepted: Iterable[str]) -> None:
    """Raises StudyError, with the known names, for a name that is not among them."""
    if not isinstance(name, str) or name not in accepted:
        known = sorted(filter(None, accepted))
        raise StudyError(_at(where, f"{shown(name)} is unknown; known: {', '.join(known)}{near(name, known)}"))


def near(name: Any, accepted: Iterable[str]) -> str:
    """What is put behind the accepted names where one of them was probably meant: `; did you mean 'ease'?`."""
    close = difflib.get_close_matches(name, list(filter(None, accepted)), 1) if isinstance(name, str) else []
    return f"; did you mean {close[0]!r}?" if close else ""


def list_of(where: str, found: Any) -> list:
    """The list itself. Raises StudyError for what is none."""
    if not isinstance(found, list):
        raise StudyError(_at(where, f"{shown(found)} is not a list"))
    return found


def shown(found: Any) -> str:
    """A value as it is written in a message: not longer than a line."""
    try:
        text = repr(found)
    except ValueError:  # a whole number of thousands of digits
        return "a whole number of thousands of digits"
    return text if len(text) <= 80 else f"{text[:76]} ..."


def known_name(names: Callable[[], Iterable[str]], *also: str) -> AfterValidator:
    """An annotation of a str that refuses what is neither in `also` nor in `names()`, which is asked when needed."""

    def check(found: str) -> str:
        if found not in also:
            one_of("", found, {*names(), *also})
        return found

    return AfterValidator(check)


def _at(where: str, message: str) -> str:
    return f"{where}: {message}" if where else message


@cache
def _adapter(kind: Any, as_object: bool = True) -> TypeAdapter:
    if not is_dataclass(kind):
        return TypeAdapter(_strict(kind), config=STRICT)
    return TypeAdapter(_strict(kind) if as_object else _fields(kind))  # type: ignore[arg-type]


def _validated(adapter: TypeAdapter, found: Any, where: str) -> Any:
    try:
        return adapter.validate_python(found)
    except ValidationError as error:
        raise StudyError(_message(error, where)) from None


@cache
def _fields(kind: type) -> Any:
    """A pydantic model with the fields of a dataclass."""
    hints = get_type_hints(kind, include_extras=True)
    accepted = {f.name: (_strict(hints[f.name]), _default(f)) for f in fields(kind)}
    needed = [f.name for f in fields(kind) if f.default is MISSING and f.default_factory is MISSING]
    return Annotated[
        create_model(kind.__name__, __config__=STRICT, **accepted),  # type: ignore[call-overload]
        Strict(False),
        BeforeValidator(lambda table: _complete(table, accepted, needed)),
    ]


def _values(kind: Any, model: BaseModel) -> dict[str, Any]:
    return {f.name: getattr(model, f.name) for f in fields(kind)}


def _default(f: Any) -> Any:
    if f.default_factory is not MISSING:
        return Field(default_factory=f.default_factory)
    return ... if f.default is MISSING else f.default


def _complete(table: Any, accepted: Iterable[str], needed: list[str]) -> Any:
    only_keys("", table, accepted)
    for name in needed:
        if name not in table:
            raise StudyError(f"`{name}` is missing")
    return table


def _strict(hint: Any) -> Any:
    """A type hint as pydantic takes it here: lists for tuples, names for literals, tables for dataclasses."""
    origin, inner = get_origin(hint), get_args(hint)
    generic: Any = origin  # of types that are only known here
    if origin is Annotated:
        return Annotated[(_strict(inner[0]), *inner[1:])]
    if origin is Literal:
        return Annotated[str, known_name(lambda: inner)]
    if origin in (Union, UnionType):
        return Union[tuple(map(_strict, inner))]  # noqa: UP007
    if origin is tuple:
        many = generic[tuple(each if each is ... else _strict(each) for each in inner)]
        return Annotated[many, Strict(False)]
    if origin is dict:
        return generic[tuple(map(_strict, inner))]
    if isinstance(hint, type) and is_dataclass(hint):
        return Annotated[_fields(hint), AfterValidator(lambda model: hint(**_values(hint, model)))]
    return hint


def _message(error: ValidationError, where: str) -> str:
    """The first of what pydantic refused, in our words."""
    first = error.errors(include_url=False)[0]
    found, kind = first["input"], first["type"].partition("_")[0]
    location = first["loc"]
    if location and isinstance(location[-1], int) and not isinstance(found, Mapping):
        location = location[:-1]  # the message shows a plain value itself
    place = _place(where, location)
    if first["type"] == "value_error":
        return _at(place, str(first["ctx"]["error"]))
    if kind == "tuple":
        return _at(place, f"{shown(found)} is not a list{_in_brackets(found)}")
    if kind in NEEDED:
        return _at(place, f"{shown(found)} is {_a(type(found).__name__)}; {_a(NEEDED[kind])} is needed")
    return _at(place, f"{shown(found)}: {first['msg']}")


def _in_brackets(found: Any) -> str:
    """Of one plain value, the list that was probably meant."""
    return f"; [{shown(found)}] is one" if isinstance(found, (int, float)) and not isinstance(found, bool) else ""


def _a(noun: str) -> str:
    return f"an {noun}" if noun[0] in "aeiou" else f"a {noun}"


def _place(where: str, location: tuple[int | str, ...]) -> str:
    """The place in words: study.main.runs[3].keep; in a list it counts from 1."""
    for step in location:
        where += f"[{step + 1}]" if isinstance(step, int) else f".{step}" if where else step
    return where
