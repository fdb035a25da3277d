"""Files from outside the package that add models, criteria, figures and tables: each is imported once, by its path."""

from __future__ import annotations

import hashlib
import importlib.util
import sys
from collections.abc import Iterable
from pathlib import Path

from recprune.errors import StudyError


def load(paths: Iterable[str | Path]) -> None:
    """Import each file, unless that was done before. Raises StudyError, naming the file, where that cannot be done."""
    for path in map(Path, paths):
        name = "recprune_extension_" + hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:12]
        if name not in sys.modules:
            _import(path, name)


def _import(path: Path, name: str) -> None:
    if not path.is_file():
        raise StudyError(f"{path}: there is no such file; `extensions` of study.toml names it")
    found = importlib.util.spec_from_file_location(name, path)
    module = sys.modules[name] = importlib.util.module_from_spec(found)
    try:
        found.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        raise StudyError(f"{path}: {type(error).__name__}: {error}") from error
