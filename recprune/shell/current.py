"""python -m recprune.shell.current: is all that `make quick` or `make reproduce` would do done already?

It is known by content: the rows and what is made of them, the runs, the data, the notebooks, what a user may edit, the
code of the package, the versions of what draws. A stamp for each choice of a study and its data has the sums of all
that, as it was when the report was finished. Nothing heavy is imported before it is known that something is to do.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
import tomllib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from recprune.files import sha256_of, write_atomically
from recprune.study.execution import interrupt
from recprune.study.execution.parent import end_with_parent

PACKAGE = Path(__file__).resolve().parents[1]
EDITED = ("claims.toml", "articles.toml", "tuning.toml", "data", "notebooks")  # beside the study file
PACKAGES = ("torch", "implicit", "matplotlib", "pandas", "numpy", "scipy", "jinja2", "nbconvert", "pillow")
DEVICE = "RECPRUNE_DEVICE"  # a run may take another by it
OTHERS = ("quick", "part", "own")  # folders of results with rows of their own
USERS = "per_user.parquet"  # gathered, and then left with less: see `claims.compared.keep_compared`
CHOICE = ("study", "dataset", "columns", "models", "only")


class Current:
    """What the work of a choice is of, and the stamp that says so.

    results  the folder of all results; the stamp is among its runs
    config   the file that describes the studies; what belongs to it lies beside it
    """

    def __init__(self, results: Path, config: Path, choice: dict[str, str]):
        self.results, self.config, self.choice = results, config, choice
        text = json.dumps([str(config), *sorted(choice.items())])
        self.stamp = results / "runs" / f".made-{hashlib.sha256(text.encode()).hexdigest()[:12]}.json"

    def page(self) -> Path | None:
        """The page of the choice, where it and all else is as it was when its report was finished; else None."""
        stamp = _read(self.stamp)
        reported, sums = stamp.get("reported"), stamp.get("sums")
        if not isinstance(reported, str) or not isinstance(sums, dict) or self.sums(Path(reported)) != sums:
            return None
        page = Path(reported, "report", "index.html")
        return page if page.exists() else None

    def sums(self, reported: Path) -> dict[str, str]:
        """Path, or name of what is no file -> its sum, or version."""
        beside = self.config.parent
        whole = reported == self.results
        places = [self.results] if whole else [reported, self.results / "runs", self.results / "tuning"]
        files = [path for place in places for path in _below(place, OTHERS if whole else ())]
        files += [*_below(PACKAGE, ()), *_extensions(self.config)]
        for path in (self.config, *(beside / name for name in EDITED), Path(self.choice.get("dataset") or "-")):
            files += _below(path, ("cache",)) if path.is_dir() else [path]
        about = {name: _version(name) for name in PACKAGES} | {DEVICE: os.environ.get(DEVICE, "")}
        return {str(path): _sum(path) for path in files} | about

    def keep(self, reported: Path, before: dict[str, str]) -> None:
        """Write the stamp of a report that was just made, unless what it is of, `before`, changed in the meantime."""
        after = self.sums(reported)
        made = tuple(str(reported / folder) + os.sep for folder in ("figures", "tables", "report"))
        changed = {path for path in before | after if before.get(path) != after.get(path)}
        if all(path.startswith(made) or Path(path).name == USERS for path in changed):
            write_atomically(self.stamp, json.dumps({"reported": str(reported), "sums": after}, indent=0))


def _below(folder: Path, apart: Iterable[str]) -> Iterator[Path]:
    """The files below a folder, but hidden ones, plans, and those in some folders that stand directly in it."""
    for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
        parts = path.relative_to(folder).parts
        hidden = any(part.startswith(".") or part == "__pycache__" for part in parts)
        plan = path.name.startswith(("plan-", "tune-"))
        if path.is_file() and parts[0] not in apart and not hidden and not plan:
            yield path


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
    """Without --make: 0 where there is nothing to do, else 1. With it: 0 when the report is there, else what
    `recprune.report` ends with; the last line says what to open."""
    parser = argparse.ArgumentParser(prog="python -m recprune.shell.current", description=__doc__.partition("\n")[0])
    parser.add_argument("--make", action="store_true", help="make the report where it is not of what is there")
    parser.add_argument("--results", type=Path, default=Path("results"), help="the folder of all results")
    parser.add_argument("--config", type=Path, default=Path("study.toml"), help="the file that describes the studies")
    for name in CHOICE:
        parser.add_argument(f"--{name}", default="main" if name == "study" else "", help="as of recprune.study runs")
    options = parser.parse_args(arguments)
    current = Current(options.results, options.config, {name: getattr(options, name) for name in CHOICE})
    page = current.page()
    if not options.make:
        return int(page is None)
    if page:
        print("nothing to do: runs, rows, figures, tables and page are of what is here")
    else:
        from recprune.study.choice import Choice

        models = tuple(options.models.replace(",", " ").split())
        given = {"config": options.config, "results": options.results, **current.choice, "models": models}
        reported = Choice(**given).place().reported
        if status := _report(current, reported, options):
            return status
        page = reported / "report" / "index.html"
    print(f"open {page}")
    return 0


def _report(current: Current, reported: Path, options: argparse.Namespace) -> int:
    print("counting the data, then figures, tables and page: seconds for a few rows, minutes for many", flush=True)
    from recprune.report.__main__ import main as report

    common = [f"--results={reported}", f"--config={options.config}"]
    if status := report(["data-sets", *common, f"--dataset={options.dataset}"]):
        return status
    before = current.sums(reported)
    if status := report(["all", *common]):
        return status
    current.keep(reported, before)
    return 0


if __name__ == "__main__":
    interrupt.listen()
    end_with_parent()
    sys.exit(main())
