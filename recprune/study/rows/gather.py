"""The rows of a plan's runs in one file, and beside it where each of them comes from."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from recprune.cells import further
from recprune.cells.rows import canonical, empty, read_rows, to_csv
from recprune.cells.users import FILE, read_per_user, write_per_user
from recprune.errors import StudyError
from recprune.files import write_atomically
from recprune.study.plan import Plan, Planned
from recprune.study.record import forget_damaged, read_record
from recprune.study.rows.sample import sampled

Pair = tuple[str, str]  # data set and protocol

PROVENANCE = (
    *("run", "dataset", "protocol", "model", "method", "seeds", "rows", "notebook", "parameters"),
    *("notebook_sha256", "library_sha256", "data", "environment", "cores", "cpu", "system"),
    *("seconds", "peak_rss_mb", "finished"),
)


def gather(plan: Plan) -> tuple[Path, int]:
    """The path and number of the gathered rows: the plan's cells.csv; beside it per_user.parquet, provenance.csv and,
    where runs left such rows, further.csv.gz.

    Rows of a data set and protocol that the plan does not hold stay as they are. A file that would
    not change is not touched. Of a data set of many users, the values of a sample are kept (`study.rows.sample`): here,
    where the cells of all seeds meet, and not in the runs. Raises StudyError when a run is missing, or two
    runs measured one cell.
    """
    runs = [run for run in plan.runs if not run.last]
    missing = [run.id for run in runs if not run.done]
    if missing:
        raise StudyError(f"{len(missing)} of {len(runs)} runs are not finished: {', '.join(missing)}")
    if damaged := forget_damaged(runs):
        raise StudyError("; ".join(damaged) + " by the same command")
    pairs = {(dataset, protocol) for dataset, protocol, *_ in (run.id.split("/") for run in runs)}
    folder = Path(plan.results)
    before = Before.read(folder, pairs)
    origin = pd.DataFrame([_provenance(run) for run in runs], columns=list(PROVENANCE)).astype(str)
    rows = pd.concat([before.cells, *(read_rows(Path(run.folder, "cells.csv")) for run in runs)])
    rows = canonical(rows, str(folder / "cells.csv"))
    origin = pd.concat([before.provenance, origin]).sort_values(["dataset", "protocol", "model", "method"])
    users = [before.users, *(read_per_user(run.folder) for run in runs)]
    _write_if_changed(folder / "provenance.csv", origin.to_csv(index=False, lineterminator="\n"))
    _write_if_changed(folder / "cells.csv", to_csv(rows))
    if known := [frame for frame in users if len(frame)]:
        write_per_user(folder, sampled(pd.concat(known)))
    beside = [before.further, *(further.read_further(run.folder) for run in runs)]
    if known := [frame for frame in beside if len(frame)]:
        further.write_further(folder, pd.concat(known))
    else:  # what an earlier plan left of these data sets
        Path(folder, further.FILE).unlink(missing_ok=True)
    return folder / "cells.csv", len(rows)


@dataclass(frozen=True)
class Before:
    """What was gathered before, of data sets and protocols that are not gathered now: it stays as it is."""

    cells: pd.DataFrame
    provenance: pd.DataFrame
    users: pd.DataFrame
    further: pd.DataFrame

    @classmethod
    def read(cls, folder: Path, gathered: set[Pair]) -> Before:
        """The earlier files of a folder, less what is gathered now.

        One that cannot be read is made again, which is said, unless it held what none of the runs has: what it held,
        the other files tell. Raises StudyError then.
        """
        readers = {
            "cells.csv": (read_rows, empty()),
            "provenance.csv": (_read_text, pd.DataFrame(columns=list(PROVENANCE))),
            FILE: (lambda path: read_per_user(path.parent), empty()),
            further.FILE: (lambda path: further.read_further(path.parent), further.no_further_rows()),
        }
        found, unreadable = {}, {}
        for name, (read, nothing) in readers.items():
            found[name] = nothing
            try:
                if (folder / name).exists():
                    found[name] = read(folder / name)
            except StudyError as error:
                unreadable[folder / name] = str(error)
        others = {name: frame.loc[[pair not in gathered for pair in _pairs(frame)]] for name, frame in found.items()}
        _refuse_losses(others, unreadable)
        told = any(len(frame) for frame in found.values())
        for path, problem in unreadable.items():
            aside = "" if told else f"; what was there is {path.replace(path.with_name(f'{path.name}.unreadable'))}"
            print(f"{problem}; it is made again from the runs{aside}", file=sys.stderr)
        return cls(*others.values())


def _pairs(frame: pd.DataFrame) -> Iterator[Pair]:
    return zip(frame["dataset"], frame["protocol"], strict=True)


def _refuse_losses(others: dict[str, pd.DataFrame], unreadable: dict[Path, str]) -> None:
    """Raises StudyError where an unreadable file, or a cut one, held rows that no run here can give again."""
    kept = sorted({"/".join(pair) for frame in others.values() for pair in _pairs(frame)})
    if unreadable and kept:
        problem = next(iter(unreadable.values()))
        raise StudyError(
            f"{problem}; it held rows of {', '.join(kept)}, of which no run is here: bring it back"
            f" (git checkout -- {next(iter(unreadable))}), or remove it to do without them"
        )
    there, expected = Counter(_pairs(others["cells.csv"])), Counter[Pair]()
    runs = others["provenance.csv"]
    for pair, rows in zip(_pairs(runs), runs["rows"], strict=True):
        expected[pair] += int(rows)
    if lost := sorted("/".join(pair) for pair in expected if there[pair] < expected[pair]):
        raise StudyError(
            f"cells.csv: fewer rows of {', '.join(lost)} than provenance.csv has, and none of these runs is here:"
            " bring the file back (git checkout), or remove both to do without them"
        )


def _read_text(path: Path) -> pd.DataFrame:
    try:
        found = pd.read_csv(path, dtype=str, keep_default_na=False)
    except (ValueError, OSError) as error:  # pandas' own errors, and of decoding, are ValueErrors
        raise StudyError(f"{path}: not a file of provenance: {str(error).strip()}") from None
    if missing := [name for name in PROVENANCE if name not in found]:
        raise StudyError(f"{path}: not a file of provenance: column {missing[0]!r} is missing")
    wrong = ~(found["rows"].str.fullmatch(r"\d+") & found["run"].str.fullmatch("[0-9a-f]{12}"))
    if wrong.any():
        raise StudyError(f"{path}: not a file of provenance: row {int(wrong.to_numpy().argmax()) + 1} is none of a run")
    return found


def _provenance(run: Planned) -> dict:
    """One row of provenance.csv, from the run's own record."""
    record = read_record(Path(run.folder))
    dataset, protocol, model, method = run.id.split("/")
    sources = record["sources"]
    parameters = record["parameters"] | {"dataset": dataset}  # a path says nothing elsewhere
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
    if not path.exists() or path.read_bytes() != text.encode():
        write_atomically(path, text)
