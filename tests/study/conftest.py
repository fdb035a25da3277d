"""A tiny project in a temporary folder: a study, notebooks that take no time, and the commands that run them."""

from __future__ import annotations

import functools
import os
import signal
import subprocess
import sys
from pathlib import Path

import nbformat
import pandas as pd
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from recprune.cells.rows import canonical, to_csv, write_rows
from recprune.study.choice import Choice
from recprune.study.makefile import write_plan
from recprune.study.plan import Plan, Planned
from recprune.study.record import write_record

PARAMETERS = """
dataset = "synthetic"
protocol = "ratio"
model = ""
method = ""
unit = ""
criterion = "none"
keep = []
seeds = [0]
out = ""
dense = ""
run = ""
"""

# what `finish` does, without the imports that take two seconds
WRITE = """
import csv, pathlib
header = {header!r}.split(",")
with open(pathlib.Path(out, "cells.csv"), "w", newline="") as file:
    rows = csv.DictWriter(file, header, lineterminator="\\n")
    rows.writeheader()
    for share in keep or [1.0]:
        for seed in seeds:
            cell = dict(dataset=dataset, protocol=protocol, model=model, family="cf", unit=unit, criterion=criterion)
            rows.writerow(cell | dict(side="parameters" if keep else "dense", kept=share, seed=seed, run=run))
"""
HEADER = to_csv(
    canonical(
        pd.DataFrame(
            columns=[
                "dataset",
                "protocol",
                "model",
                "family",
                "side",
                "unit",
                "criterion",
                "schedule",
                "recovery",
                "kept",
                "seed",
            ]
        )
    )
).strip()
ROWS = WRITE.format(header=HEADER)

STUDY = """
[study.main]
dataset = "synthetic"
protocol = "ratio"
seeds = [0, 1]
models = ["ease"]
"""


class Project:
    """A study in `folder`; notebooks are added with their cells, runs with the family's TOML."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.study = folder / "study.toml"
        self.study.write_text(STUDY)

    def notebook(self, name: str, *cells: str, parameters: str = PARAMETERS, tags=("parameters",)) -> Path:
        (self.folder / "notebooks").mkdir(exist_ok=True)
        first = new_code_cell(parameters.strip(), metadata={"tags": list(tags)})
        notebook = new_notebook(cells=[new_markdown_cell(f"# {name}"), first, *map(new_code_cell, cells)])
        notebook.metadata["kernelspec"] = {"name": "authors-own", "display_name": "elsewhere", "language": "python"}
        path = self.folder / "notebooks" / f"{name}.ipynb"
        nbformat.write(notebook, path)
        return path

    def family(self, notebook: str, *cells: str, extra: str = "", **changes) -> None:
        """A notebook, and an entry in study.toml that runs it."""
        self.notebook(notebook, *cells, **changes)
        with self.study.open("a") as file:
            file.write(f'[[study.main.runs]]\nnotebook = "{notebook}"\n{extra}\n')

    @property
    def makefile(self) -> Path:
        return self.folder / "results" / "runs" / "plan.mk"

    def plan(self, **options) -> Plan:
        """The plan, written as `python -m recprune.study plan` writes it."""
        here = os.getcwd()
        os.chdir(self.folder)
        try:
            return write_plan(Choice(**options), Path("results/runs/plan.mk"), jobs=2)
        finally:
            os.chdir(here)

    def finished(self, **options) -> Plan:
        """The plan, with rows for each run as if it had been executed."""
        plan = self.plan(**options)
        for run in plan.runs:
            p = run.parameters
            cell = {"dataset": "synthetic", "protocol": "ratio", "model": "ease", "family": "cf", "kept": 0.5}
            cell |= {"side": "parameters" if p["keep"] else "dense", "unit": p["unit"], "criterion": p["criterion"]}
            cell |= {"schedule": "", "recovery": "", "run": run.key[:12]}
            write_rows(self.folder / run.folder, pd.DataFrame([cell | {"seed": seed} for seed in p["seeds"]]))
            self.record(run)
        return plan

    def record(self, run: Planned) -> None:
        """The record and the stamp of what is in a run's folder."""
        folder = self.folder / run.folder
        about = vars(run) | {"rows": 2, "machine": {"cores": 2, "cpu": "x", "system": "y"}}
        for old in (folder / "run.json", folder / Path(run.stamp).name):
            old.unlink(missing_ok=True)
        write_record(folder, old.name, about | {"seconds": 1.0, "peak_rss_mb": 2.0, "finished": "now"})

    def start(self, *command: str, **options) -> subprocess.Popen:
        # as from a terminal: what a shell starts in the background inherits a Ctrl-C that is ignored
        interruptible = functools.partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        options = {"cwd": self.folder, "preexec_fn": interruptible} | pipes | options
        return subprocess.Popen([sys.executable, "-m", "recprune.study", *command], **options)

    def run(self, id: str, **options) -> tuple[int, str]:
        """Exit status and stderr of one run."""
        process = self.start("run", "results/runs/plan.json", id, **options)
        _, errors = process.communicate(timeout=120)
        return process.returncode, errors

    def make(self, jobs: int = 2) -> subprocess.CompletedProcess:
        command = ["make", "-k", f"-j{jobs}", "-f", "results/runs/plan.mk", f"PY={sys.executable}"]
        return subprocess.run(command, cwd=self.folder, capture_output=True, text=True, timeout=300)

    def leftovers(self) -> list[Path]:
        """Temporary folders that should not be there any more."""
        return list(self.folder.rglob(".tmp-*"))


@pytest.fixture
def project(tmp_path) -> Project:
    return Project(tmp_path)


@pytest.fixture(scope="session")
def project_in() -> type[Project]:
    """Makes a project in a folder that several tests share."""
    return Project


@pytest.fixture(scope="session")
def rows_cell() -> str:
    """Source of a cell that writes the run's rows."""
    return ROWS
