"""A data set's name: decided here, for its rows, its runs' folders and its figures alike."""

from __future__ import annotations

import hashlib
import json
import os
import re
from fnmatch import fnmatch
from functools import lru_cache
from pathlib import Path

from recprune.datasets.layouts import BESIDE, LAYOUTS
from recprune.datasets.registry import Entry, known
from recprune.files import sha256_of

LONGEST = 60  # letters of a file's name that a name has: with its hash it is a folder's in every file system


def name_of(dataset: str) -> str:
    """The name of a data set that was given by a registered name or by a path, such that it can be a folder.

    The registered name, also where a file or folder is known to hold that data set. Else, of a file or folder, the
    stem of its path and six digits of its content's hash: `/logs/my shop.csv` is `my-shop-3fa9c1`. So two logs of one
    file name never share rows, nor does a log with what it was before it was edited, nor one that is called like a
    registered data set with that; a log that is moved or copied keeps its name. Of what is nowhere, it is the stem: so
    a name's name is itself. Nothing is left in it that make, a shell or a file system would read as more than a letter.
    """
    name = registered(dataset)
    if name is None:
        name = _stem(dataset)
        content = content_of(dataset)
        name = f"{name[:LONGEST]}-{content[:6]}" if content else name
    return name


def without_hash(name: str) -> str:
    """A log's name as a settings file may have it, for this content of the file and any other."""
    return re.sub(r"-[0-9a-f]{6}$", "", name)


def _stem(dataset: str) -> str:
    name = re.sub(r"(\.(csv|tsv|dat|data|inter|txt|parquet|gz))+$", "", Path(dataset).name, flags=re.I)
    return re.sub(r"[^\w.-]+", "-", name).strip("-.") or "log"


def registered(dataset: str) -> str | None:
    """The registered data set of this name, or whose ratings a file of this name holds (`aliases`), or whose own
    files are those of a folder, byte for byte; or None.
    """
    if dataset in known():
        return dataset
    stem, folder = _stem(dataset), Path(os.path.expanduser(dataset))
    return next((entry.name for entry in known().values() if stem in entry.aliases or _is_copy(folder, entry)), None)


def _is_copy(folder: Path, entry: Entry) -> bool:
    """Whether a folder holds the files of a data set that comes as single files."""
    sums = entry.singles.files if entry.singles else {}
    try:
        return bool(sums) and folder.is_dir() and all(_sha256(folder / name) == sums[name] for name in sums)
    except (OSError, ValueError):  # no name of a file, or none that can be read
        return False


def content_of(dataset: str) -> str:
    """The sha256 of a file's bytes, or of the names and bytes of a folder's log and what is beside it; else "".

    `synthetic` is a name, also beside a folder that is called the same: `./synthetic` is the folder. A file that has
    the size and the times that it had when this process read it is not read again.
    """
    if dataset.partition(":")[0] == "synthetic":
        return ""
    try:
        path = Path(os.path.expanduser(dataset))
        if path.is_dir():
            files = sorted(each for each in path.iterdir() if each.is_file() and _is_of_a_log(each.name))
            parts = [[each.name, _sha256(each)] for each in files]
            text = json.dumps(parts, separators=(",", ":"), ensure_ascii=False)
            return hashlib.sha256(text.encode()).hexdigest() if files else ""
        return _sha256(path) if path.is_file() else ""
    except (OSError, ValueError):  # no name of a file, or none that can be read: who loads it says so
        return ""


def _is_of_a_log(name: str) -> bool:
    return any(fnmatch(name, pattern) for pattern in (*LAYOUTS, *BESIDE))


def _sha256(path: Path) -> str:
    state = path.stat()
    return _sha256_in_state(os.path.abspath(path), (state.st_ino, state.st_size, state.st_mtime_ns, state.st_ctime_ns))


@lru_cache(maxsize=1 << 16)
def _sha256_in_state(path: str, state: tuple[int, ...]) -> str:
    return sha256_of(path)
