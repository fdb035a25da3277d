"""The identity of data: what stands for a data set in a run's key, and the digest of plain values."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from recprune.errors import StudyError
from recprune.files import sha256_of


def digest(value: Any) -> str:
    """The sha256 of plain values (str, numbers, lists, dicts), independent of the order of keys."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def data_identity(dataset: str) -> str:
    """The text that stands for a data set in a run's key.

    A registered name: the name with the checksum that its download must have. A file: sha256 of its
    bytes. A folder: of its files' names and bytes. Synthetic data: the name, which holds its size and seed.
    """
    from recprune.datasets.registry import known

    if dataset in known():
        return f"name:{dataset}:{known()[dataset].md5 or known()[dataset].url}"
    path = Path(dataset)
    if path.is_file():
        return f"sha256:{sha256_of(path)}"
    if path.is_dir():
        files = sorted(p for p in path.rglob("*") if p.is_file())
        return f"sha256:{digest([[p.relative_to(path).as_posix(), sha256_of(p)] for p in files])}"
    return f"name:{dataset}"


def locate(dataset: str) -> str:
    """A data set as runs can find it from any folder: a name as it is, a path made absolute.

    Raises StudyError for what is neither a registered name, nor synthetic, nor a path that exists.
    """
    from recprune.datasets.registry import known

    if dataset in known() or dataset.partition(":")[0] == "synthetic":
        return dataset
    path = Path(dataset).expanduser()
    if not path.exists():
        names = ", ".join([*known(), "synthetic"])
        raise StudyError(f"DATASET: {dataset!r} is neither a file or folder nor a known name; known: {names}")
    return str(path.resolve())
