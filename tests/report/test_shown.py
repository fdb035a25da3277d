"""Notebooks that compare go on where there is nothing to compare."""

from __future__ import annotations

from pathlib import Path

import pytest

from recprune.cells.rows import read_rows, write_rows
from recprune.study.identity import Notebook

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("name", "results"),
    [("30-compare", "results"), ("31-claims", "results"), ("11-protocols", "results/protocols")],
)
def test_a_notebook_that_compares_has_nothing_against_one_model_alone(name, results, tmp_path, monkeypatch):
    rows = read_rows(ROOT / results / "cells.csv")
    write_rows(tmp_path, rows[(rows["model"] == "popularity") & (rows["dataset"] == "ml-100k")])
    code = [
        source for source, tags in Notebook.read(ROOT / f"notebooks/{name}.ipynb").cells if "parameters" not in tags
    ]
    code = [cell for cell in code if "Bench(" not in cell]  # what splits the data needs them
    variables = {"dataset": "ml-100k", "protocol": "ratio", "seeds": [0], "results": str(tmp_path)}
    monkeypatch.chdir(ROOT)
    for cell in code:
        exec(cell, variables)
    assert [path.name for path in tmp_path.iterdir()] == ["cells.csv"], "without `out` nothing is written"
