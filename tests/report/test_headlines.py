"""From a headline to its number: commands that exist, with the numbers and the spread of the rows."""

import shlex

import pytest

from recprune.__main__ import main as run
from recprune.cells.rows import read_rows
from recprune.datasets.registry import ROOT
from recprune.report.evidence import StudyEvidence
from recprune.report.headlines import POINTS, _settings, pruned_again
from recprune.study.load import load_study
from recprune.typed import read_toml


@pytest.fixture(scope="module")
def main():
    """The committed rows of the main study."""
    return read_rows(ROOT / "results" / "cells.csv")


@pytest.fixture(scope="module")
def single(main):
    """The headlines that the command `prune` makes."""
    return list(pruned_again(StudyEvidence.of(main)))


def test_each_point_is_the_row_of_its_seed_with_the_spread_of_all(main, single):
    assert len(single) == len(POINTS)
    for again, where in zip(single, POINTS, strict=True):
        rows = main[main["history"] == "full"]
        for name, value in where.items():
            rows = rows[rows[name].round(6) == value] if name == "kept" else rows[rows[name] == value]
        assert len(rows) == 5
        assert again.expected == rows.loc[rows["seed"] == 0, "test_ratio"].item()
        assert again.tolerance == pytest.approx(max(rows["test_ratio"].std(), 0.002))
        assert f"± {again.tolerance:.4f} |" in again.line()


def test_its_command_has_the_hyper_parameters_of_its_rows(single):
    chosen = load_study(ROOT / "study.toml", "main").hyperparameters.of("ml-100k", "ease")
    words = shlex.split(single[0].command)
    assert words[:5] == [".venv/bin/python", "-m", "recprune", "prune", "ml-100k"]
    assert f"l2={chosen['l2']}" in words and words[words.index("--keep") + 1] == "0.1"


def test_defaults_are_not_repeated_and_words_are_as_the_command_takes_them():
    values = {"user_id": False, "hidden": [8], "dropout": 0.3}
    assert "user_id=false" not in _settings("dlrm", values | {"user_id": True})
    given = dict(pair.split("=") for pair in _settings("dlrm", values))
    assert given["dropout"] == "0.3" and given["hidden"] == "[8]"


def test_the_page_names_studies_that_exist_and_every_dense_model_that_was_measured(main):
    page = (ROOT / "docs" / "expected-values.md").read_text("utf-8")
    studies = read_toml(ROOT / "study.toml")["study"]
    lines = [line for line in page.splitlines() if "`make reproduce" in line and "MODELS=" in line]
    for line in lines:
        words = shlex.split(line.split("`")[1])
        given = dict(word.split("=") for word in words[2:])
        assert given.get("STUDY", "main") in studies
    dense = main[(main["side"] == "dense") & ~main["model"].isin(["popularity", "random"])]
    for model in dense["model"].unique():
        assert any(f"`make reproduce MODELS={model}`" in line and "dense: test nDCG@10" in line for line in lines)


@pytest.mark.network
def test_the_first_command_says_what_is_expected(single, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert run(shlex.split(single[0].command)[3:]) == 0
    line = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("nDCG@10 on test"))
    assert float(line.split()[-1]) == pytest.approx(single[0].expected, abs=single[0].tolerance)
