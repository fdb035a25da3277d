"""Can the study's own logs be used? Asked once, before any run: a bad log would be refused by every run in turn."""

from __future__ import annotations

from pathlib import Path

from recprune.datasets.naming import registered
from recprune.errors import DataError
from recprune.files import write_atomically
from recprune.study.identity import Library, digest
from recprune.study.plan import Plan, Planned

CODE = "from recprune.datasets import load\nfrom recprune.splits import split"  # what the verdict is about
OPTIONS = ("columns", "protocol", "min_rating", "core")


def check_logs(plan: Plan, runs: Path) -> None:
    """Load every log of a plan that is a file or folder, once, and split it as the runs do. Raises DataError.

    That a log of this content can be used is kept below `runs`, so that planning again costs nothing.
    """
    library = None
    wanted: dict[str, dict[str, Planned]] = {}
    for run in plan.runs:
        if run.sources["data"].startswith("sha256:") and "dataset" in run.parameters and not run.done:
            library = library or Library().hash(CODE)
            asked = [run.sources["data"], library, [run.parameters.get(name) for name in OPTIONS]]
            marker = digest([*asked, min(run.parameters.get("seeds", [0]))])
            if not (runs / ".usable" / marker).exists():
                wanted.setdefault(run.parameters["dataset"], {}).setdefault(marker, run)
    for dataset, asked_by in wanted.items():
        _check(dataset, asked_by)
        for marker in asked_by:
            write_atomically(runs / ".usable" / marker, "")


def _check(dataset: str, asked_by: dict[str, Planned]) -> None:
    from recprune.datasets import known, load
    from recprune.splits import split

    log = load(dataset, **next(iter(asked_by.values())).parameters.get("columns", {}))
    if name := registered(dataset):  # its rows would go among those of the data set
        try:
            known()[name].check(log)
        except DataError as error:
            raise DataError(f"{dataset}: is called as {name} is, and is another log ({error}); rename it") from None
    for run in asked_by.values():
        given = {name: run.parameters.get(name) for name in ("min_rating", "core")}
        protocol, seed = run.parameters.get("protocol", "ratio"), min(run.parameters.get("seeds", [0]))
        try:
            split(log, protocol, seed, **given)
        except DataError as error:
            raise DataError(f"protocol {protocol}: {error}") from None
