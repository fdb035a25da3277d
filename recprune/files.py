"""Files that are either whole or not there."""

from __future__ import annotations

import fcntl
import glob
import hashlib
import json
import os
import secrets
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout


def write_atomically(path: str | os.PathLike, content: str | bytes) -> Path:
    """Write `content` to `path` so that no reader, and no power cut, ever sees half of it.

    The bytes go to a temporary file in the same folder, are flushed to the disk, and only then take
    the name. Raises OSError (a full disk, a read-only folder) and leaves nothing behind.
    """
    path = Path(path)
    data = content.encode() if isinstance(content, str) else content
    path.parent.mkdir(parents=True, exist_ok=True)
    remove_abandoned(path.parent, f".{glob.escape(path.name)}-*")
    while True:
        temporary = unused(path)
        try:
            with open(temporary, "xb") as file:
                if not held(file.fileno(), temporary):  # taken for abandoned at once, and removed
                    continue
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
                os.replace(temporary, path)
            break
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    sync_folder(path.parent)
    return path


def as_json(table: dict[str, Any]) -> str:
    """The text of a JSON file: keys in order, a line each, so that the same table is the same bytes."""
    return json.dumps(table, indent=1, sort_keys=True) + "\n"


def unused(path: Path) -> Path:
    """A hidden name beside `path` that nothing has: what is made there is readable as the umask says.

    (What `tempfile` makes is its owner's alone, and stays that when it is renamed.)
    """
    return path.with_name(f".{path.name}-{secrets.token_hex(6)}")


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """A context that gives a new, empty folder, which takes the place of `path` at the end: whole, or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    folder = unused(path)
    before = folder.with_name(f"{folder.name}-before")
    try:
        folder.mkdir()
        yield folder
        if path.exists():
            path.rename(before)
        try:
            folder.rename(path)
        except BaseException:
            if before.exists():
                before.rename(path)
            raise
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    shutil.rmtree(before, ignore_errors=True)


def held(handle: int, path: Path) -> bool:
    """Lock what was just made at `path`, as long as this process lives, so that nobody takes it for abandoned.

    False where somebody did so before it was locked.
    """
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks: there nobody removes anything
        return True
    return path.exists()


def remove_abandoned(folder: Path, pattern: str) -> None:
    """Remove the files and folders of that pattern whose makers were killed: nobody holds their lock."""
    for path in folder.glob(pattern):
        with suppress(OSError):  # somebody's, or another user's, or gone
            handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(path) if path.is_dir() else path.unlink()
            finally:
                os.close(handle)


def sync_folder(folder: Path) -> None:
    """Make renames inside `folder` survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_tree(folder: Path) -> None:
    """Flush every file below `folder` to the disk, then the folders themselves."""
    for parent, _, names in os.walk(folder):
        for name in names:
            handle = os.open(os.path.join(parent, name), os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)
        sync_folder(Path(parent))


def sha256_of(path: str | os.PathLike) -> str:
    """sha256 of a file's bytes."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def alone(lock: Path, waiting: str) -> Iterator[None]:
    """Hold a lock file; where another process has it, say `waiting` on stderr and wait."""
    held = FileLock(lock)
    try:
        held.acquire(timeout=0)
    except Timeout:
        print(waiting, file=sys.stderr, flush=True)
        held.acquire()
    try:
        yield
    finally:
        held.release()
