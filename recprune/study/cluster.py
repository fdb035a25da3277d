"""What a cluster engine must know of a plan: for each run its stamp, what it waits for, its memory and its minutes."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path

from recprune.study.cost import Memory, memory_of
from recprune.study.plan import Plan, Planned

SHORT = 60.0  # seconds: runs up to this are put together into one job of the cluster
TOGETHER = 8  # runs in such a job, at most
SLACK = 3.0  # times a run's estimated seconds: another processor, a cold disk
STARTING = 5  # minutes beside them
LAUNCHER = 500.0  # MB that the process beside the kernel holds
SPARE = 1.25  # times the peak that a kernel had
UNKNOWN = 4000.0  # MB of a kernel of which nothing is known


def jobs(runs: Iterable[Planned], plan: Plan, memory: Memory) -> dict[str, dict]:
    """{stamp: {id, needs, group, mb, minutes, wanted}} of runs of a plan; `wanted` are those that are not finished.

    A run waits for the stamps of what it needs, as in the makefile. The last runs wait for the gathered rows, and so
    for nothing here: they are handed over when these are there. Short runs of one floor share a group's name.
    """
    stamps = {run.id: run.stamp for run in plan.runs}
    return {
        run.stamp: {
            "id": run.id,
            "needs": [] if run.last else [stamps[need] for need in run.needs],
            "group": group_of(run),
            "mb": megabytes(run, memory),
            "minutes": math.ceil(SLACK * run.seconds / 60) + STARTING,
            "wanted": not run.done,
        }
        for run in runs
    }


def group_of(run: Planned) -> str:
    """The name that runs put together share: of their floor where they are short, else one of the run's own."""
    floor = "last" if run.last else "then" if run.needs else "first"
    return floor if run.seconds <= SHORT else f"{floor}-{run.key[:12]}"


def together(found: dict[str, dict], at_once: int) -> dict[str, int]:
    """{group: runs in one job} of the short runs: no more than leave work for every place on the cluster."""
    names = [job["group"] for job in found.values() if job["wanted"]]
    return {
        name: min(TOGETHER, math.ceil(names.count(name) / at_once))
        for name in ("first", "then", "last")
        if name in names
    }


def megabytes(run: Planned, memory: Memory) -> int:
    """MB to ask for: the peak of such a run, or the largest of its data set where there was none, and some beside."""
    dataset, _, model, method = run.id.split("/")
    peak = next((memory[of] for of in ((dataset, model, method), (dataset, "", "")) if of in memory), UNKNOWN)
    return math.ceil(SPARE * peak + LAUNCHER)


def memory_below(results: Path) -> Memory:
    """The peaks of all runs whose rows are shown in a results folder."""
    from recprune.study.rows.places import places

    return memory_of(folder / "provenance.csv" for folder in places(results))
