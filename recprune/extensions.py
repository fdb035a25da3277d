"""Files from outside of the package that register more: models, criteria, figures, tables.

Importing such a file is all it takes: what it registers stands beside what is built in.
"""

from __future__ import annotations

import hashlib
import importlib.util
import sys
import traceback
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType

from recprune.errors import StudyError


def load(paths: Iterable[str | Path]) -> list[ModuleType]:
    """The modules of these files, each imported once, however often and by whatever path it is asked for.

    Raises StudyError, naming the file, where there is none or it cannot be imported.
    """
    return [_module(resolved(path)) for path in paths]


def resolved(path: str | Path) -> Path:
    """The absolute path. Raises StudyError for what cannot be one."""
    try:
        return Path(path).expanduser().resolve()
    except (ValueError, RuntimeError, OSError) as error:  # a NUL in it, no such user, a circle of links
        raise StudyError(f"extensions: {str(path)!r} is no path: {error}") from None


def _module(path: Path) -> ModuleType:
    name = module_name(path)
    if name in sys.modules:
        return sys.modules[name]
    if not path.is_file():
        raise StudyError(f"{path}: there is no such file; `extensions` lists files of Python code")
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise StudyError(f"{path}: not a file of Python code; its name ends in .py")
    module = sys.modules[name] = importlib.util.module_from_spec(spec)  # dataclasses look their module up by name
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:  # a file that ends the process is no module
        del sys.modules[name]
        said = f"{type(error).__name__}: {' '.join(str(error).split())}"
        raise StudyError(f"{path}{_line(path, error)}: cannot be imported: {said}") from error
    return module


def _line(path: Path, error: BaseException) -> str:
    """Where in the file it went wrong, `: line 3`; nothing where that is not known."""
    if isinstance(error, SyntaxError) and error.filename == str(path):
        return f": line {error.lineno}"
    frames = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    return f": line {frames[-1]}" if frames else ""


def module_name(path: Path) -> str:
    """What the module of a file is called: the same in every process, and another one for another file."""
    return f"recprune_extension_{path.stem}_{hashlib.sha256(str(path).encode()).hexdigest()[:8]}"
