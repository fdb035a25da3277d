"""The record of a finished run: run.json, with the sum of every file that the run left, and a stamp with its own sum.

A stamp counts only while all of that is as the run left it: a file that was cut off, edited or lost asks for the run
to be made again, as a changed notebook does.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from recprune.files import sha256_of

if TYPE_CHECKING:
    from recprune.study.plan import Planned

RECORD = "run.json"


def write_record(folder: Path, stamp: str, about: dict) -> None:
    """Write what is said of a run, the sums of the files that are in its folder, and, last, the stamp."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    sums = {path.relative_to(folder).as_posix(): sha256_of(path) for path in paths}
    (folder / RECORD).write_text(json.dumps(about | {"files": sums}, indent=1), "utf-8")
    write_stamp(folder / stamp)


def write_stamp(stamp: Path) -> None:
    """Write the stamp of a record that is beside it."""
    stamp.write_text(sha256_of(stamp.with_name(RECORD)) + "\n", "ascii")


def read_record(folder: Path) -> dict:
    """The record of a run; empty where there is none that can be read."""
    try:
        found = json.loads((folder / RECORD).read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def damage(folder: Path, key: str, stamp: Path | None = None) -> str:
    """What is not as the run of this key left it: a file's name and its fault; "" where all of it is.

    With `stamp`, also whether this is the record's; without one, the record is taken as it is.
    """
    record = read_record(folder)
    if record.get("key") != key or not isinstance(record.get("files"), dict) or "cells.csv" not in record["files"]:
        return f"{RECORD} became unreadable" if (folder / RECORD).exists() else f"{RECORD} went missing"
    if stamp is not None and stamp.read_bytes() != f"{sha256_of(folder / RECORD)}\n".encode():
        return f"{RECORD} changed"
    for name, expected in record["files"].items():
        path = folder / name
        if not path.is_file():
            return f"{name} went missing"
        if sha256_of(path) != expected:
            return f"{name} changed"
    return ""


def damage_of(stamp: Path) -> str:
    """The same of a stamp, whichever run it is of."""
    return damage(stamp.parent, read_record(stamp.parent).get("key", ""), stamp)


def forget_damaged(runs: Iterable[Planned]) -> list[str]:
    """Take the stamps of damaged runs away, so that they are made again. Returns a line for each."""
    lines = []
    for run in runs:
        folder = Path(run.folder)
        if not run.done:
            continue
        try:
            with FileLock(lock_of(folder), timeout=0):
                found = damage(folder, run.key, Path(run.stamp)) if run.done else ""
                if found:
                    Path(run.stamp).unlink()
                    lines.append(f"{run.id}: {found} since the run was finished; it is made again")
        except Timeout:  # another make is at it
            pass
    return lines


def lock_of(folder: Path) -> Path:
    """The lock file of a run's folder, beside it."""
    return folder.parent / f".{folder.name}.lock"
