"""A TOML table as typed values: what is not understood is refused, by its place."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

from recprune.errors import StudyError


def read_toml(path: Path) -> dict:
    """The tables of a TOML file. Raises StudyError, naming the file, where there is none or it is not TOML."""
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise StudyError(f"{path}: there is no such file") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise StudyError(f"{path}: not TOML: {error}") from None


def typed_values(where: str, table: dict, kind: type, leave_out: set[str] = frozenset()) -> dict[str, Any]:
    """The typed values of a table for the dataclass `kind`, defaults filled in."""
    accepted = [f for f in fields(kind) if f.name not in leave_out]
    only_keys(where, table, {f.name for f in accepted})
    hints, values = get_type_hints(kind), {}
    for f in accepted:
        if f.name in table:
            values[f.name] = typed(table[f.name], hints[f.name], f"{where}.{f.name}")
        elif f.default is not MISSING:
            values[f.name] = f.default
        elif f.default_factory is not MISSING:
            values[f.name] = f.default_factory()
        else:
            raise StudyError(f"{where}: `{f.name}` is missing")
    return values


def only_keys(where: str, table: Any, accepted: Iterable[str]) -> None:
    if not isinstance(table, dict):
        raise StudyError(f"{where}: a table is needed, not {table!r}")
    for key in table:
        if key not in accepted:
            raise StudyError(f"{where}: unknown key {key!r}; accepted: {', '.join(sorted(accepted))}")


def one_of(where: str, value: str, accepted: Iterable[str]) -> None:
    if value not in accepted:
        raise StudyError(f"{where}: {value!r} is unknown; known: {', '.join(sorted(filter(None, accepted)))}")


def typed(value: Any, kind: Any, where: str) -> Any:
    """`value` as `kind`; a whole number is taken for a float, nothing else is converted."""
    if get_origin(kind) is tuple:
        if not isinstance(value, (list, tuple)):
            raise StudyError(f"{where}: {value!r} is not a list")
        inner = get_args(kind)[0]
        return tuple(typed(element, inner, where) for element in value)
    if type(None) in get_args(kind):
        return None if value is None else typed(value, get_args(kind)[0], where)
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise StudyError(f"{where}: {value!r} is a {type(value).__name__}; a {kind.__name__} is needed")
    return value
