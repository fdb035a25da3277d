"""What a run costs: the seconds that it took before, or a guess that only has to sort runs roughly."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from pathlib import Path

from recprune.cells.names import registered
from recprune.study.grid import Run

ROUNDS = 4  # of recovery between two shares of a schedule in rounds: a guess
OF_A_FIT = {"none": 0.1, "refit": 0.5, "fine-tune": 0.3, "": 1.0}  # what a recovery costs, as a share of a training

Times = dict[tuple[str, str, str], float]  # (data set, model, method) -> seconds a seed
Memory = dict[tuple[str, str, str], float]  # (data set, model, method) -> MB at the peak


def times_of(provenance: Path | None) -> Times:
    """(data set, model, method) -> seconds a seed that a run took whose rows are here; "" for any data set."""
    found: Times = {}
    if provenance is None:
        return found
    try:
        with provenance.open(newline="") as file:
            for row in csv.DictReader(file):
                seconds = float(row["seconds"]) / max(1, len(row["seeds"].split()))
                for dataset in (row["dataset"], ""):
                    found.setdefault((dataset, row["model"], row["method"]), seconds)
    except (OSError, ValueError, KeyError, TypeError):
        pass  # no such file, or not a whole one: it is for estimates only
    return found


def memory_of(files: Iterable[Path]) -> Memory:
    """(data set, model, method) -> MB that the kernel of such a run held at its peak, by files of provenance.

    (data set, "", "") is the largest of the data set. A file that is not there, or not whole, tells nothing.
    """
    found: Memory = {}
    for path in files:
        try:
            with path.open(newline="") as file:
                for row in csv.DictReader(file):
                    for of in ((row["dataset"], row["model"], row["method"]), (row["dataset"], "", "")):
                        found[of] = max(found.get(of, 0.0), float(row["peak_rss_mb"]))
        except (OSError, ValueError, KeyError, TypeError):
            pass
    return found


def seconds_of(run: Run, folder: Path, times: Times) -> float:
    """The seconds that the run took last time, or took where the rows come from, else a guess."""
    if (taken := seconds_taken(folder)) is not None:
        return taken
    dataset, _, model, method = run.id.split("/")
    for of in (dataset, ""):
        if (of, model, method) in times:
            return len(run.parameters.seeds) * times[of, model, method]
    p = run.parameters
    fits = sum(OF_A_FIT.get(recovery, 1.0) for recovery in p.recoveries or (p.recovery,))
    fits *= max(1, len(p.keep)) * max(1, len(p.samples)) * (1 if p.schedule in ("", "one-shot") else ROUNDS)
    return 4.0 + len(p.seeds) * _seconds_of_a_fit(p.model) * fits


def seconds_taken(folder: Path, since: float = 0.0) -> float | None:
    """The seconds that the run of a folder took, when it finished after `since`; None where it did not."""
    try:
        path = folder / "run.json"
        return float(json.loads(path.read_text())["seconds"]) if path.stat().st_mtime >= since else None
    except (OSError, ValueError, KeyError):
        return None


def _seconds_of_a_fit(model: str) -> float:
    return registered("model")[model].seconds_a_fit if model else 1.0
