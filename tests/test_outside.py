"""A model, a criterion, a figure and a table from outside the package, a file each: from study.toml to the page."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from extension_texts import FIGURE, MODEL, TABLE

from recprune.study.plan import Plan

ROOT = Path(__file__).resolve().parents[1]
LOG = "synthetic:60x40x1500"
FILES = {
    "my_model.py": MODEL,
    "my_rule.py": '''
import recprune
from recprune.pruning import Criterion, units


def score(model, unit, train, seed):
    """Name -> (n_units,) sum of the absolute entries of each unit."""
    return {name: value.abs().sum(dim=1) for name, value in units.values(model, unit).items()}


recprune.pruning.register(
    Criterion(
        name="taxicab",
        label="taxicab norm",
        kind="score",
        summary="sum of absolute entries",
        source="a test",
        units=("factor",),
        parameters=score,
    )
)
''',
    "my_figure.py": FIGURE,
    "my_table.py": TABLE,
    "study.toml": f"""
extensions = ["my_model.py", "my_rule.py", "my_figure.py", "my_table.py"]

[study.main]
dataset = "{LOG}"
protocol = "ratio"
core = 0
seeds = [0]
models = ["popularity", "pure-svd"]

[[study.main.runs]]
notebook = "10-dense"
method = "dense"

[[study.main.runs]]
notebook = "22-prune-structure"
method = "factor"
models = ["pure-svd"]
unit = "factor"
criterion = ["random", "taxicab"]
schedule = "one-shot"
recoveries = ["none"]
keep = [0.5, 0.25]
""",
}


@pytest.fixture(scope="module")
def outside(tmp_path_factory):
    """A folder of one's own with these files, in which the study was planned, run and reported."""
    folder = tmp_path_factory.mktemp("outside")
    for name, text in FILES.items():
        (folder / name).write_text(text)
    shutil.copytree(ROOT / "docs", folder / "docs", ignore=shutil.ignore_patterns("_build"))
    environment = os.environ | {"OMP_NUM_THREADS": "1", "MPLCONFIGDIR": str(folder / "matplotlib")}

    def call(*words):
        subprocess.run([str(word) for word in words], cwd=folder, env=environment, check=True, timeout=600)

    python = (sys.executable, "-m")
    call(*python, "recprune.study", "plan", "--notebooks", ROOT / "notebooks", "--out", "plan.mk")
    call("make", "-s", "-f", "plan.mk", f"PY={sys.executable}")
    call(*python, "recprune.report", "all")
    call(*python, "recprune.report", "docs-parts")
    return folder


@pytest.mark.slow
class TestFromOutside:
    def test_they_are_in_the_plan(self, outside):
        runs = {run.id.partition("/ratio/")[2] for run in Plan.load(outside / "plan.json").runs}
        assert {"pure-svd/dense", "pure-svd/factor-taxicab"} <= runs

    def test_their_cells_are_measured(self, outside):
        rows = pd.read_csv(outside / "results" / "cells.csv")
        assert set(rows.loc[rows["criterion"] == "taxicab", "model"]) == {"pure-svd"}
        assert set(rows.loc[rows["criterion"] == "taxicab", "kept"]) == {0.5, 0.25}
        dense = rows[(rows["model"] == "pure-svd") & (rows["side"] == "dense")]
        assert (dense["family"] == "cf").all() and (dense["test_ndcg@10"] > 0).all()

    def test_they_are_in_the_matrix_of_the_docs(self, outside):
        lines = (outside / "docs" / "methods.md").read_text("utf-8").splitlines()
        head = next(line for line in lines if "criterion |" in line and "item-kNN" in line)
        assert "PureSVD" in head
        assert any(line.split("|")[2].strip() == "taxicab" for line in lines if line.count("|") > 3)

    def test_they_are_in_a_figure(self, outside):
        (folder,) = (outside / "results" / "figures").glob("synthetic*/")
        drawn = pd.read_csv(folder / "tradeoff-structure.csv")
        assert set(drawn.loc[drawn["criterion"] == "taxicab", "model"]) == {"pure-svd"}
        assert (folder / "weights.pdf").exists() and (folder / "weights.png").exists()

    def test_they_are_on_the_page(self, outside):
        page = (outside / "results" / "report" / "index.html").read_text("utf-8")
        for words in ("PureSVD", "taxicab norm", "What dense models of synthetic", "What dense models weigh, a table"):
            assert words in page, words
