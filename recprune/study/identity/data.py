"""The identity of data: what stands for a data set in a run's key, and the digest of plain values."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

from recprune.datasets.naming import content_of
from recprune.errors import StudyError


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
        return f"name:{dataset}:{known()[dataset].checksum}"
    if content := content_of(dataset):
        return f"sha256:{content}"
    return f"name:{dataset}"


def locate(dataset: str) -> str:
    """A data set as runs can find it from any folder: a name as it is, a path made absolute.

    Raises StudyError for what is neither a registered name, nor synthetic, nor a path that exists.
    """
    from recprune.datasets.registry import known

    if dataset in known() or dataset.partition(":")[0] == "synthetic":
        return dataset
    if any(end in dataset for end in "\n\r\0"):
        raise StudyError(f"DATASET: {dataset!r} is no path of one line; rename the file")
    path = Path(dataset)
    path = path if path.exists() else Path(os.path.expanduser(dataset))
    if not path.exists():
        names = ", ".join([*known(), "synthetic"])
        raise StudyError(f"DATASET: {dataset!r} is neither a file or folder nor a known name; known: {names}")
    return str(path.resolve())
