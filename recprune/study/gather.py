"""The rows of a plan's runs in one file, and beside it where each of them comes from."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd

from recprune.cells.rows import canonical, empty, read_rows, to_csv
from recprune.cells.users import FILE, read_per_user, write_per_user
from recprune.datasets.naming import name_of
from recprune.errors import StudyError
from recprune.files import write_atomically
from recprune.study.plan import Plan, Planned

PROVENANCE = (
    *("run", "dataset", "protocol", "model", "method", "seeds", "rows", "notebook", "parameters"),
    *("notebook_sha256", "library_sha256", "data", "environment", "cores", "cpu", "system"),
    *("seconds", "peak_rss_mb", "finished"),
)


def gather(plan: Plan) -> tuple[Path, int]:
    """The path and number of the gathered rows: the plan's cells.csv, with per_user.parquet and provenance.csv beside.

    Rows of a data set and protocol that the plan does not hold stay as they are. A file that would
    not change is not touched. Raises StudyError when a run is missing, or two runs measured one cell.
    """
    runs = [run for run in plan.runs if not run.last]
    missing = [run.id for run in runs if not run.done]
    if missing:
        raise StudyError(f"{len(missing)} of {len(runs)} runs are not finished: {', '.join(missing)}")
    replaced = {(dataset, protocol) for dataset, protocol, *_ in (run.id.split("/") for run in runs)}
    folder = Path(plan.results)
    others = _others(read_rows, folder / "cells.csv", replaced, empty())
    rows = pd.concat([others, *(read_rows(Path(run.folder, "cells.csv")) for run in runs)])
    rows = canonical(rows, str(folder / "cells.csv"))
    origin = pd.DataFrame([_provenance(run) for run in runs], columns=list(PROVENANCE)).astype(str)
    others = _others(_read_text, folder / "provenance.csv", replaced, origin[:0])
    origin = pd.concat([others, origin]).sort_values(["dataset", "protocol", "model", "method"])
    _write_if_changed(folder / "provenance.csv", origin.to_csv(index=False, lineterminator="\n"))
    _write_if_changed(folder / "cells.csv", to_csv(rows))
    _gather_users(runs, folder, replaced)
    return folder / "cells.csv", len(rows)


def _gather_users(runs: list[Planned], folder: Path, replaced: set[tuple[str, str]]) -> None:
    found = [_others(lambda path: read_per_user(path.parent), folder / FILE, replaced, empty())]
    found += [read_per_user(run.folder) for run in runs]
    if known := [frame for frame in found if len(frame)]:
        users = pd.concat(known)
        write_per_user(folder, users)


def _others(read, path: Path, replaced: set[tuple[str, str]], nothing: pd.DataFrame) -> pd.DataFrame:
    """Rows of an earlier file whose data set and protocol are not among `replaced`."""
    if not path.exists():
        return nothing
    before = read(path)
    return before[[pair not in replaced for pair in zip(before["dataset"], before["protocol"], strict=True)]]


def _read_text(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, dtype=str, keep_default_na=False)


def _provenance(run: Planned) -> dict:
    """One row of provenance.csv, from the run's own record."""
    record = json.loads(Path(run.folder, "run.json").read_text("utf-8"))
    dataset, protocol, model, method = run.id.split("/")
    sources = record["sources"]
    parameters = record["parameters"] | {"dataset": name_of(record["parameters"].get("dataset", dataset))}
    return {
        "run": record["key"][:12],
        "dataset": dataset,
        "protocol": protocol,
        "model": model,
        "method": method,
        "seeds": " ".join(map(str, parameters.get("seeds", []))),
        "rows": record["rows"],
        "notebook": Path(record["notebook"]).name,
        "parameters": json.dumps(parameters, sort_keys=True),
        "notebook_sha256": sources["notebook"],
        "library_sha256": sources["library"],
        "data": sources["data"],
        "environment": " ".join(f"{name}={version}" for name, version in sources["environment"].items()),
        **record["machine"],
        "seconds": record["seconds"],
        "peak_rss_mb": record["peak_rss_mb"],
        "finished": record["finished"],
    }


def _write_if_changed(path: Path, text: str) -> None:
    if not path.exists() or path.read_text("utf-8") != text:
        write_atomically(path, text)
