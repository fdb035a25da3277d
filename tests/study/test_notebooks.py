"""Every notebook can be run by the launcher, holds no outputs, and is in a study or is left out on purpose."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path

import pytest
from papermill import inspect_notebook

from recprune.cells.parameters import Parameters
from recprune.study.identity import Notebook
from recprune.study.plan import ALWAYS, _passed

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def notebook(request):
    return request.param


def test_its_parameters_are_those_of_the_study(notebook):
    declared = Notebook.read(notebook).declared
    assert set(declared) <= {f.name for f in fields(Parameters)}
    assert set(ALWAYS) <= set(declared)
    assert set(declared) == set(inspect_notebook(str(notebook))), "papermill sees other parameters than python does"


def test_its_defaults_are_valid(notebook):
    code = [c for c in json.loads(notebook.read_text())["cells"] if "parameters" in c["metadata"].get("tags", [])]
    values: dict = {}
    exec("".join(code[0]["source"]), values)
    p = Parameters.collect(values)
    assert (p.out, p.run) == ("", ""), "opened by hand, a notebook shows and writes nothing"


def test_it_is_stripped(notebook):
    for cell in json.loads(notebook.read_text())["cells"]:
        assert not cell.get("outputs") and not cell.get("execution_count")


def test_its_last_call_writes_the_rows(notebook):
    code = [c for c in json.loads(notebook.read_text())["cells"] if c["cell_type"] == "code"]
    assert any("finish(" in "".join(cell["source"]) for cell in code)


def test_the_studies_can_be_planned():
    import tomllib

    from recprune.study.load import load_study

    path, there = ROOT / "study.toml", {path.stem: Notebook.read(path) for path in NOTEBOOKS}
    for name in tomllib.loads(path.read_text())["study"]:
        runs = load_study(path, name).runs()
        assert {run.notebook for run in runs} <= set(there)
        for run in runs:  # raises where a notebook lacks what the study sets
            _passed(run, there[run.notebook])
