"""Snakemake at work on a plan: on a cluster by a profile, on this machine without one.

It gets the runs that wait for no rows, then, when these are gathered, the last ones. What is finished is known by the
stamps alone, so make goes on where Snakemake stopped, and the other way round.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from recprune.errors import StudyError
from recprune.files import write_atomically
from recprune.study.cluster import jobs, together
from recprune.study.cost import Memory
from recprune.study.execution.interrupt import undone
from recprune.study.execution.parent import die_with_parent
from recprune.study.plan import Plan

ENGINES = ("make", "snakemake")
PROFILES = Path("profiles")
PATIENCE = 60.0  # seconds in which Snakemake can take its jobs off the cluster
#: no clock, record or lock of Snakemake's decides: stamps are whole or not there, and runs lock their own folders
OURS = ("--nolock", "--keep-going", "--ignore-incomplete", "--drop-metadata", "--rerun-triggers", "input")
#: within a group, not over the cluster: its runs go one after the other, on one core
ONE_BY_ONE = ("--resources", "slot=1", "--set-resource-scopes", "slot=local")


def check(engine: str, profile: str) -> None:
    """Raises StudyError for an engine or profile that is not there, naming those that are."""
    if engine not in ENGINES:
        raise StudyError(f"ENGINE: {engine!r}; known: {', '.join(ENGINES)}")
    if engine == "make":
        if profile:
            raise StudyError(f"PROFILE: {profile!r} is for ENGINE=snakemake; make has LAUNCH, a prefix of every run")
        return
    if find_spec("snakemake") is None:
        raise StudyError(
            "ENGINE: snakemake is not installed: .venv/bin/python -m pip install -e '.[cluster]' -c constraints.txt"
        )
    folder_of(profile)


def folder_of(profile: str) -> Path | None:
    """The folder of a profile: a name in profiles/ or a path; None for "". Raises StudyError where there is none."""
    if not profile:
        return None
    for folder in (PROFILES / profile, Path(profile)):
        if (folder / "config.yaml").is_file():
            return folder
    known = sorted(path.parent.name for path in PROFILES.glob("*/config.yaml"))
    raise StudyError(f"PROFILE: {profile!r}; known: {', '.join(known)}, or a folder that holds a config.yaml")


def carry_out(path: Path, profile: str, at_once: int, memory: Memory) -> int:
    """Have Snakemake bring all stamps of the plan `path` into being, and gather the rows. Returns its exit status."""
    from recprune.study.rows.gather import gather

    check("snakemake", profile)
    plan = Plan.load(path)
    for last in (False, True):
        found = jobs([run for run in plan.runs if run.last == last], plan, memory)
        if any(job["wanted"] for job in found.values()):
            listed = path.with_name(f"{path.stem}-{'last' if last else 'first'}.jobs.json")
            write_atomically(listed, json.dumps(found, indent=1))
            if status := _walk(command(path, listed, found, profile, at_once)):
                return status
        if not last:
            gathered, rows = gather(plan)
            print(f"{gathered}: {rows} rows", file=sys.stderr)
    return 0


def command(path: Path, listed: Path, found: dict[str, dict], profile: str, at_once: int) -> list[str]:
    """What calls Snakemake for the jobs in the file `listed`, at most `at_once` at a time."""
    folder = folder_of(profile)
    groups = [f"{name}={number}" for name, number in together(found, at_once).items()]
    return [
        *(sys.executable, "-m", "snakemake", "--snakefile", "Snakefile"),
        *("--config", f"jobs={listed}", f"plan={path}", f"python={os.path.relpath(sys.executable)}"),
        *(*OURS, *ONE_BY_ONE),
        *(["--group-components", *groups] if groups else []),
        *("--jobs", str(at_once), "--cores", str(at_once)),
        *(["--profile", str(folder)] if folder else []),
    ]


def _walk(command: list[str]) -> int:
    """Exit status of Snakemake, which takes its jobs off the cluster when this process is interrupted."""
    process = subprocess.Popen(command, start_new_session=True, preexec_fn=die_with_parent)
    with undone(partial(_end, process)):
        return process.wait()


def _end(process: subprocess.Popen) -> None:
    process.send_signal(signal.SIGINT)  # SIGTERM would wait for all that runs
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
