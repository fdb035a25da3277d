"""The benchmarks run, at a size that measures nothing."""

from __future__ import annotations

import importlib
import io
import subprocess
from contextlib import redirect_stdout

import numpy as np
import pandas as pd
import pytest

import recprune as rp
from bench import __main__ as everything
from bench import break_even, data_path, evaluator, forms, logs, serving, sizes, together, training
from bench.common import growth, take_turns
from bench.competitors import COMPETITORS


def test_calls_take_turns_after_a_turn_that_does_not_count():
    called = []
    turns = take_turns({"a": lambda: called.append("a"), "b": lambda: called.append("b")}, repeats=3)
    for seconds in turns:
        assert {name: len(times) for name, times in seconds.items()} == {"a": 3, "b": 3}
    assert all(set(called[turn : turn + 2]) == {"a", "b"} for turn in range(0, 8, 2))


def test_an_unknown_scale_is_refused(monkeypatch, capsys):
    monkeypatch.setattr(everything, "SCALE", "ful")
    with pytest.raises(SystemExit):
        everything.main([])
    assert "BENCH is 'ful'; full, tiny or nothing is accepted" in capsys.readouterr().err


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


@pytest.mark.slow
def test_processes_that_train_together_are_timed_beside_one(tmp_path):
    options = ["--dataset", "synthetic:150x90x4000", "--epochs", "3", "--models", "bpr"]
    together.main([*options, "--out", str(tmp_path)])
    rows = pd.read_csv(tmp_path / "together-synthetic-150x90x4000.csv")
    assert rows["processes"].tolist() == [1, 2] and (rows["epoch_s"] > 0).all()
    assert rows["val_ndcg@10"].nunique() == 1  # nothing in BPR is drawn for each sample


@pytest.fixture
def one_process(monkeypatch):
    """What a benchmark asks of processes of its own it asks of this one: twenty take a minute to start."""

    def here(module, *arguments, check=True):
        with redirect_stdout(io.StringIO()) as printed:
            importlib.import_module(module).main([*map(str, arguments)])
        return subprocess.CompletedProcess([], 0, printed.getvalue())

    monkeypatch.setattr(sizes, "in_own_process", here)
    monkeypatch.setattr(serving, "TINY", True)


@pytest.mark.slow
def test_every_form_is_made_read_and_served_at_every_size(tmp_path, one_process):
    sizes.main(["--sizes", "150", "--out", str(tmp_path)])
    rows = pd.read_csv(tmp_path / "sizes.csv").set_index(["step", "form"])
    assert rows.index.is_unique
    assert (rows[["n_items", "n_users", "interactions"]].to_numpy() == (150, 112, 3000)).all()
    ours = ("dense item-item", "sparse item-item", "dense factors")
    made = [f"{before}{form}{after}" for form in ours for before, after in (("", ""), ("pruned ", ""), ("", " int8"))]
    saved = {*made, "item-kNN", "implicit", "implicit factors"}
    as_float32 = {"dense item-item int8", "dense factors int8"}  # in memory, so that they are not served again
    for step in ("save", "load", "serve-1", "serve-128", "evaluate"):
        at = rows.loc[step]
        there = saved if step in ("save", "load") else saved - as_float32
        assert set(at.index) - {"numpy", "irspack"} == there
        assert (at.loc[sorted(there), ["seconds", "peak_mb", "bytes"]] > 0).all(axis=None)
    assert set(rows.loc["fit"].index) == {*ours, "item-kNN", "implicit", "implicit factors"}
    assert set(rows.loc["select"].index) == {"recprune", "numpy"}
    assert (rows.loc[rows["against"] == rows.index.get_level_values("form"), "ratio"] == 1).all()
    assert rows.loc[("serve-1", "dense factors"), "against"] == "implicit factors"
    assert rows.loc[("save", "sparse item-item int8"), "bytes"] < rows.loc[("save", "sparse item-item"), "bytes"] / 2
    assert "Peak memory" in (tmp_path / "sizes.md").read_text()


def test_what_does_not_fit_is_a_row_that_says_so(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(forms, "MEMORY", 1e5)
    logs.make(150, tmp_path)
    forms.main(["make", "dense item-item", str(tmp_path)])
    assert "3 matrices of 9e-05 GB would be held at once" in capsys.readouterr().out


def test_a_dense_matrix_is_left_out_where_arithmetic_says_so():
    assert [n for n in sizes.SIZES if not forms.too_large("fit", n)] == [1_000, 3_000, 10_000, 40_000]
    assert [n for n in sizes.SIZES if not forms.too_large("prune", n)] == [1_000, 3_000]
    assert forms.too_large("prune", 0) is forms.too_large("quantize", 0) is None


@pytest.mark.parametrize("kept", [1.0, 0.5])
def test_a_log_of_a_size_has_every_item_and_judges_a_sample(tmp_path, monkeypatch, kept):
    monkeypatch.setattr(logs, "SAMPLE", round(150 * kept))
    logs.make(200, tmp_path)
    split = logs.read(tmp_path)
    assert (split.n_users, split.n_items) == (150, 200)
    assert len(np.unique(split.test.user)) == logs.SAMPLE
    assert split.train.tocsr().multiply(split.test.tocsr()).nnz == 0


def test_a_log_of_a_data_set_s_shape_is_written_in_the_official_format(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(logs.SHAPES, "ml-20m", (60, 40, 900))
    logs.main(["ml-20m", str(tmp_path / "ml-20m")])
    log = rp.load(tmp_path / "ml-20m" / "ratings.csv")
    assert (log.n_users, log.n_items, log.nnz) == (60, 40, 900)
    with pytest.raises(SystemExit):
        logs.main(["ml-2m", str(tmp_path)])
    assert "a number of items, or one of ml-1m, ml-20m, is needed" in capsys.readouterr().err


def test_a_crossing_lies_between_the_sizes_where_the_ratio_passes_one():
    size = np.array([1000.0, 2000.0, 4000.0])
    assert break_even.crossing(size, size / 2500) == pytest.approx(2500)
    assert np.isnan(break_even.crossing(size, size / 500))
    assert break_even.in_words(size, size / 2500) == "dense is slower from 2,500 items on"
    assert "at every size" in break_even.in_words(size, size / 500)
    assert "does not stay" in break_even.in_words(size, 500 / size)


@pytest.mark.slow
def test_dense_and_sparse_take_turns(tmp_path):
    break_even.main(["--sizes", "100", "150", "--out", str(tmp_path)])
    rows = pd.read_csv(tmp_path / "break_even.csv")
    assert set(rows["form"]) == {"dense item-item", "sparse item-item", "numpy"} and (rows["seconds"] > 0).all()
    assert (rows.loc[rows["form"] == "sparse item-item", "ratio"] == 1).all()


def test_every_gradient_model_is_timed():
    assert {"bpr", "neumf", "mult-vae"} <= set(training.gradient_models())
