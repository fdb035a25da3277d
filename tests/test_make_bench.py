"""The benchmarks run, at a size that measures nothing."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from bench import data_path, evaluator, training
from bench.common import growth, take_turns
from bench.competitors import COMPETITORS


def test_calls_take_turns_after_a_turn_that_does_not_count():
    called = []
    seconds = take_turns({"a": lambda: called.append("a"), "b": lambda: called.append("b")}, repeats=3)
    assert {name: len(times) for name, times in seconds.items()} == {"a": 3, "b": 3}
    assert all(set(called[turn : turn + 2]) == {"a", "b"} for turn in range(0, 8, 2))


def test_growth_is_the_exponent():
    size = np.array([1.0, 2.0, 4.0, 8.0])
    assert growth(size, 3 * size) == pytest.approx(1)
    assert growth(size, size**1.5) == pytest.approx(1.5)
    assert np.isnan(growth(size[:1], size[:1]))


@pytest.mark.slow
def test_evaluators_agree_and_a_missing_one_is_a_row(tmp_path, monkeypatch):
    def absent(*_):
        raise ImportError("No module named 'absent'")

    monkeypatch.setitem(COMPETITORS, "absent", absent)
    evaluator.main(["--sizes", "tiny", "--repeats", "1", "--out", str(tmp_path)])
    rows = pd.read_csv(tmp_path / "evaluator.csv").set_index("evaluator")
    assert set(rows.index) == {"recprune", *COMPETITORS}
    assert (rows.loc[["recprune", "implicit"], "off"] < 1e-9).all()
    assert rows.loc["absent", "note"].str.contains("not available: ImportError").all()
    assert "thread(s)" in (tmp_path / "evaluator.md").read_text()


@pytest.mark.slow
def test_the_data_path_is_timed_step_by_step_and_leaves_no_log_behind(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(data_path.tempfile, "tempdir", None)  # TMPDIR is read anew
    data_path.main(["--millions", "0.02", "--repeats", "1", "--out", str(tmp_path / "out")])
    rows = pd.read_csv(tmp_path / "out" / "data_path.csv")
    assert set(rows["step"]) == set(data_path.STEPS)
    assert set(rows["million_rows"]) == {0.02}
    assert (rows["peak_mb"] > 50).all()
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


@pytest.mark.slow
def test_training_is_timed_by_the_epoch(tmp_path):
    options = ["--dataset", "synthetic:150x90x4000", "--epochs", "3", "--repeats", "1", "--no-converge"]
    training.main([*options, "--models", "bpr", "--out", str(tmp_path)])
    rows = pd.read_csv(tmp_path / "training-synthetic-150x90x4000.csv")
    assert rows["model"].tolist() == ["bpr"] and (rows["epoch_s"] > 0).all() and (rows["times_now"] == 1).all()


def test_every_gradient_model_is_timed():
    assert {"bpr", "neumf", "mult-vae"} <= set(training.gradient_models())
