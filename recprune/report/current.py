"""python -m recprune.report.current: figures, tables and page are made of the rows, unless they are of these already.

What they are of is known by content: the files of the results folder and of its runs, what a user may edit, the code of
the package, the versions of what draws. A stamp in the report's folder has the sums of all that, and of every file that
was written. Nothing heavy is imported before it is known that there is something to do.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tomllib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from recprune.files import sha256_of, write_atomically
from recprune.study.execution import interrupt
from recprune.study.execution.parent import end_with_parent

PACKAGE = Path(__file__).parents[1]
EDITED = ("claims.toml", "articles.toml", "tuning.toml", "data")  # of the repository, beside the study file
PACKAGES = ("matplotlib", "pandas", "numpy", "scipy", "plotly", "jinja2", "nbconvert", "pillow", "tabulate")
#: folders of results that are made of the rows, or are another command's
MADE = ("figures", "tables", "report", "paper", "runs", "quick", "part", "own")
USERS = "per_user.parquet"  # read, and then left with less: see `claims.compared.keep_compared`
STAMP, KEPT = "made.json", "kept"  # in the report's folder


class Current:
    """What the report of a results folder is of, and the stamp that says so."""

    def __init__(self, results: Path, config: Path):
        self.results, self.config, self.folder = results, config, results / "report"

    def is_current(self) -> bool:
        """Whether all files are there, as they were written of what is there now. Values of users that were gathered
        again are left with what the report left of them."""
        stamp = _read(self.folder / STAMP)
        made_of, left, written = (stamp.get(name) for name in ("of", "left", "written"))
        if not (isinstance(made_of, dict) and isinstance(left, dict) and isinstance(written, dict) and written):
            return False
        now = self.inputs()
        if set(now) != set(made_of) or any(now[path] not in (made_of[path], left.get(path)) for path in now):
            return False
        if any(_sum(Path(path)) != expected for path, expected in written.items()):
            return False
        for number, path in enumerate(sorted(left)):
            if now[path] != left[path]:
                with suppress(OSError):
                    shutil.copyfile(self.folder / KEPT / str(number), path)
                if _sum(Path(path)) != left[path]:
                    return False
        return True

    def inputs(self) -> dict[str, str]:
        """Path, or name of a package -> sum, or version."""
        files = [*_below(self.results, MADE), *_records(self.results), *_below(PACKAGE, ("__pycache__",))]
        beside = self.config.parent
        for path in (self.config, *(beside / name for name in EDITED), *_extensions(self.config)):
            files += _below(path, ("cache",)) if path.is_dir() else [path]
        return {str(path): _sum(path) for path in files} | {name: _version(name) for name in PACKAGES}

    def keep(self, before: dict[str, str]) -> None:
        """Write the stamp: what was just written is of `before`, unless something else changed in the meantime."""
        after = self.inputs()
        changed = {path for path in before | after if before.get(path) != after.get(path)}
        if any(Path(path).name != USERS for path in changed):
            return
        left = {path: total for path, total in after.items() if Path(path).name == USERS}
        for number, path in enumerate(sorted(left)):
            (self.folder / KEPT).mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, self.folder / KEPT / str(number))
        folders = (self.results / "figures", self.results / "tables", self.folder)
        paths = [path for folder in folders for path in _below(folder, (KEPT, STAMP))]
        stamp = {"of": before, "left": left, "written": {str(path): _sum(path) for path in paths}}
        write_atomically(self.folder / STAMP, json.dumps(stamp, indent=0))


def _below(folder: Path, apart: Iterable[str]) -> Iterator[Path]:
    """The files below a folder but hidden ones, without those in (or called as) some that stand directly in it."""
    for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
        parts = path.relative_to(folder).parts
        hidden = any(part.startswith(".") or part == "__pycache__" for part in parts)
        if path.is_file() and parts[0] not in apart and not hidden:
            yield path


def _records(results: Path) -> list[Path]:
    """The records of the executed runs, which have the sums of all their files: the page shows their notebooks."""
    places = [results, *list(results.absolute().parents)[:3]]
    runs = next((place / "runs" for place in places if (place / "runs").is_dir()), None)
    return [] if runs is None else sorted(runs.rglob("run.json"))


def _extensions(config: Path) -> list[Path]:
    with suppress(OSError, ValueError, TypeError):
        return [config.parent / name for name in tomllib.loads(config.read_text("utf-8-sig")).get("extensions", [])]
    return []


def _sum(path: Path) -> str:
    """The sum of a file; "" where there is none that can be read."""
    try:
        return sha256_of(path)
    except OSError:
        return ""


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "missing"


def _read(path: Path) -> dict:
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def main(arguments: list[str] | None = None) -> int:
    """0 when all is there, else what `recprune.report` ends with. The last line says what to open."""
    parser = argparse.ArgumentParser(prog="python -m recprune.report.current", description=__doc__.partition("\n")[0])
    parser.add_argument("--results", type=Path, default=Path("results"), help="the folder with cells.csv")
    parser.add_argument("--config", type=Path, default=Path("study.toml"), help="the file that describes the studies")
    parser.add_argument("--dataset", default="", help="the rows' data set, where it is a file")
    options = parser.parse_args(arguments)
    current = Current(options.results, options.config)
    if current.is_current():
        print("figures, tables and page are of these rows already")
    elif status := _make(current, options):
        return status
    print(f"open {options.results / 'report' / 'index.html'}")
    return 0


def _make(current: Current, options: argparse.Namespace) -> int:
    print("counting the data, then figures, tables and page: seconds for a few rows, minutes for many", flush=True)
    from recprune.report.__main__ import main as report

    common = [f"--results={options.results}", f"--config={options.config}"]
    if status := report(["data-sets", *common, f"--dataset={options.dataset}"]):
        return status
    before = current.inputs()
    if status := report(["all", *common]):
        return status
    current.keep(before)
    return 0


if __name__ == "__main__":
    interrupt.listen()
    end_with_parent()
    sys.exit(main())
