"""The plan of a study as a makefile: one stamp a run. Prerequisites are order-only: they order, they never date."""

from __future__ import annotations

import re
from dataclasses import astuple
from pathlib import Path

from recprune.errors import StudyError
from recprune.files import write_atomically
from recprune.study.choice import Choice
from recprune.study.identity import digest
from recprune.study.plan import Plan, make_plan


def fragment(plan: Plan, path: Path) -> str:
    """The plan as a makefile: `make -f FRAGMENT PY=... LAUNCH=...` brings every stamp into being.

    Raises StudyError for a name in which make or a shell would read more than letters.
    """
    for name in (str(path), *(run.stamp for run in plan.runs)):
        if found := re.search(r"[^\w./-]", name):
            raise StudyError(f"{name}: {found[0]!r} in a run's name; letters, digits, `-`, `_` and `.` are accepted")
    program = "$(LAUNCH) $(PY) -m recprune.study"
    first = [run for run in plan.runs if not run.last]
    last = [run for run in plan.runs if run.last]
    lines = [
        "# Made by `python -m recprune.study plan`; the next plan overwrites it.",
        "PY ?= python3",
        ".DELETE_ON_ERROR:",
        ".SECONDARY:",
        ".PHONY: all rows",
        f"all: rows {' '.join(run.stamp for run in last)}",
        "\t@:",
        f"rows: | {' '.join(run.stamp for run in first)}",
        f"\t@$(PY) -m recprune.study gather {path}",
    ]
    for run in plan.runs:
        before = ["rows"] if run.last else [plan[need].stamp for need in run.needs]
        lines += [f"{run.stamp}: | {' '.join(before)}".rstrip(" |"), f"\t@{program} run {path} {run.id}"]
    return "\n".join(lines) + "\n"


def path_for(choice: Choice, *more: str, kind: str = "plan") -> Path:
    """The makefile of a choice: another one for every choice, such that no two commands meet in it."""
    asked = digest([str(value) for value in (*astuple(choice), *more)])
    return choice.results / "runs" / f"{kind}-{asked[:12]}.mk"


def write_plan(choice: Choice, out: Path, *, notebooks: Path = Path("notebooks"), jobs: int = 1) -> Plan:
    """The plan of a choice, written as the makefile `out`, and beside it as .json."""
    plan = make_plan(
        choice.load(),
        results=choice.place().rows,
        runs=choice.results / "runs",
        notebooks=notebooks,
        jobs=max(1, jobs),
        only=choice.only or None,
        provenance=choice.results / "provenance.csv",
    )
    path = out.with_suffix(".json")
    plan.save(path)
    write_atomically(out, fragment(plan, path))
    return plan
