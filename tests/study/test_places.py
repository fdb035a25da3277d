"""The rows of large studies: gathered in files of their own, shown with all others; the values of a sample of users."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recprune.cells.further import FILE as FURTHER
from recprune.cells.further import read_further, write_further
from recprune.cells.rows import read_rows, write_rows
from recprune.cells.users import VALUES
from recprune.study.__main__ import main
from recprune.study.rows.gather import gather
from recprune.study.rows.places import places
from recprune.study.rows.sample import MANY_USERS, SAMPLE, sampled


@pytest.fixture
def large(project, rows_cell, monkeypatch):
    """A project whose study goes beside the larger ones."""
    project.study.write_text(
        project.study.read_text().replace("[study.main]", '[study.large]\nbeside = "larger"').replace("main", "large")
    )
    project.notebook("10-dense", rows_cell)
    with project.study.open("a") as file:
        file.write('runs = [{ notebook = "10-dense" }]\n')
    monkeypatch.chdir(project.folder)
    return project


def test_rows_go_to_a_file_of_their_own_and_the_results_folder_shows_them(large, capsys):
    plan = large.finished(study="large")
    assert str(gather(plan)[0]) == "results/larger/large/cells.csv"
    assert len(read_rows("results/larger/large/cells.csv")) == 2
    for models, shown in (((), "results"), (("--models=ease",), "results/part")):
        assert main(["where", "--study=large", *models]) == 0
        assert capsys.readouterr().out.strip() == shown


def test_a_folder_shows_its_own_rows_and_the_larger_ones_by_name(tmp_path):
    assert places(tmp_path) == [tmp_path], "where nothing is, nothing else is looked for"
    for name in ("larger/b", "larger/a", "larger/empty"):
        (tmp_path / name).mkdir(parents=True)
    for name in ("larger/b", "larger/a"):
        (tmp_path / name / "cells.csv").touch()
    assert places(tmp_path) == [tmp_path / "larger/a", tmp_path / "larger/b"]
    (tmp_path / "cells.csv").touch()
    assert places(tmp_path) == [tmp_path, tmp_path / "larger/a", tmp_path / "larger/b"]


def values_of(arrays, dataset="d", protocol="given"):
    """A frame of the values of users; that of cell i is of seed i."""
    return pd.DataFrame({"dataset": dataset, "protocol": protocol, "seed": range(len(arrays)), VALUES: arrays})


def test_few_users_are_all_kept():
    frame = values_of([np.arange(MANY_USERS, dtype=np.float32)] * 2)
    pd.testing.assert_frame_equal(sampled(frame), frame)
    assert len(sampled(frame[:0])) == 0


def test_of_many_users_the_same_are_kept_in_every_cell():
    n = MANY_USERS + 1
    people = np.arange(n, dtype=np.float32)
    few = values_of([people[:10]], dataset="other")
    kept = sampled(pd.concat([values_of([people, people, people[:-7]]), few]))
    first, second, shorter, other = kept[VALUES]
    assert len(first) == SAMPLE and (np.diff(first) > 0).all() and set(first) <= set(people)
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(shorter, np.where(first < n - 7, first, np.nan), "who is not in the split")
    np.testing.assert_array_equal(other, people[:10])
    pd.testing.assert_frame_equal(sampled(kept), kept)
    assert abs(first.mean() / people.mean() - 1) < 0.05, "neither the first nor the last"


@given(st.sets(st.integers(0, MANY_USERS), min_size=1, max_size=40), st.sets(st.integers(0, MANY_USERS), max_size=40))
def test_only_users_that_have_something_to_find_are_drawn_and_seeds_stay_lined_up(one, other):
    people = np.arange(MANY_USERS + 1, dtype=np.float32)
    arrays = [np.where(np.isin(people, list(known)), people, np.nan) for known in (one, other)]
    kept = sampled(values_of(arrays))[VALUES]
    everyone = sorted(one | other)
    for values, known in zip(kept, (one, other), strict=True):
        np.testing.assert_array_equal(values, [user if user in known else np.nan for user in everyone])


def audit_of(dataset, value=0.5):
    """One row of an audit."""
    whose = {"dataset": dataset, "protocol": "ratio", "kind": "membership", "model": "ease", "family": "cf"}
    return pd.DataFrame([whose | {"side": "dense", "seed": 0, "measure": "auc", "value": value}])


def test_rows_beside_the_cells_are_gathered_and_those_of_other_data_sets_stay(project, rows_cell, monkeypatch):
    project.family("10-dense", rows_cell)
    monkeypatch.chdir(project.folder)
    plan = project.finished()
    (run,) = (run for run in plan.runs if not run.last)
    own = read_rows(Path(run.folder, "cells.csv"))["dataset"].iloc[0]
    Path("results").mkdir(exist_ok=True)
    write_further("results", pd.concat([audit_of("other"), audit_of(own, 0.1)]))
    write_rows("results/cells.csv", read_rows(Path(run.folder, "cells.csv")).assign(dataset="other"))
    write_further(run.folder, audit_of(own, 0.9))
    project.record(run)
    gather(plan)
    assert read_further("results")[["dataset", "value"]].values.tolist() == sorted([["other", 0.5], [own, 0.9]])
    Path(run.folder, FURTHER).unlink()
    project.record(run)
    gather(plan)
    assert read_further("results")["dataset"].tolist() == ["other"]
