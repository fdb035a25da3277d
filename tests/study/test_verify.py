"""Gathering rows, and holding them against others: exactly, or within the seed spread."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from recprune.cells import Parameters, finish
from recprune.cells.further import FILE, write_further
from recprune.cells.rows import PER_USER, TIMING, canonical, read_rows, write_rows
from recprune.cells.users import VALUES, read_per_user
from recprune.errors import StudyError
from recprune.study.__main__ import main
from recprune.study.rows.gather import gather
from recprune.study.rows.verify import CHECKED, NothingCommitted, compare, verify

PRUNE = 'criterion = "magnitude"\nunit = "weight"\nkeep = [0.5]'


def curve(offset=0.0, kept=(1.0, 0.5, 0.1), seeds=5, spread=0.01, side="parameters", dataset="d", noise=1.0):
    """Rows of one curve whose metrics spread over the seeds."""
    rng = np.random.default_rng(7)
    cell = {"dataset": dataset, "protocol": "ratio", "model": "ease", "family": "cf", "side": side, "unit": "weight"}
    cell |= {"criterion": "magnitude", "schedule": "one-shot", "recovery": "none", "run": "a"}
    rows = [cell | {"kept": share, "seed": seed} for share in kept for seed in range(seeds)]
    frame = pd.DataFrame(rows)
    for column in CHECKED:
        frame[column] = 0.3 + offset + spread * rng.standard_normal(len(frame))
    for column in TIMING:
        frame[column] = noise
    return canonical(frame)


@pytest.fixture
def files(tmp_path):
    def write(first, second):
        return write_rows(tmp_path / "a" / "cells.csv", first), write_rows(tmp_path / "b" / "cells.csv", second)

    return write


def test_compare_overlooks_the_clocks_and_nothing_else(files, capsys):
    assert compare(*files(curve(), curve(noise=2.0))) == 0
    other = curve()
    other.loc[3, "test_ndcg@10"] += 1e-6  # the last digit that a file has
    assert compare(*files(curve(), other)) == 1
    assert "test_ndcg@10: " in capsys.readouterr().err
    assert compare(*files(curve(), curve(kept=(1.0, 0.5)))) == 1
    assert "only in" in capsys.readouterr().err
    assert compare(*files(curve(), curve().assign(run="b"))) == 1
    other = curve()
    other["val_ndcg@10"] = np.nan
    assert compare(*files(curve(), other)) == 1
    assert compare(*files(other, other)) == 0


def test_verify_allows_what_the_seeds_explain(files, capsys):
    fresh, expected = files(curve(offset=0.004), curve())  # standard error of a difference: 0.006
    assert verify(fresh, str(expected)) == 0
    assert "all 12 means" in capsys.readouterr().out
    fresh, expected = files(curve(offset=0.1), curve())
    assert verify(fresh, str(expected)) == 1
    out = capsys.readouterr().out
    assert "12 of 12 means differ" in out and "d ratio ease cf parameters weight magnitude" in out


def test_verify_shows_the_worst_first(files, capsys):
    fresh = curve()
    fresh.loc[fresh["kept"] == 0.5, "test_ndcg@10"] += 0.1
    fresh.loc[fresh["kept"] == 0.1, "val_recall@20"] += 0.3
    first, second = files(fresh, curve())
    assert verify(first, str(second)) == 1
    lines = capsys.readouterr().out.splitlines()
    assert "2 of 12" in lines[0] and "val_recall@20" in lines[2] and "test_ndcg@10" in lines[3]


def test_verify_misses_what_is_not_there(files, capsys):
    fresh, expected = files(curve(kept=(1.0, 0.5)), curve())
    assert verify(fresh, str(expected)) == 1
    assert "lacks d ratio ease cf parameters weight magnitude one-shot none float32 full 0.1" in capsys.readouterr().out
    unmeasured = curve()
    unmeasured["test_ndcg@10"] = np.nan
    fresh, expected = files(unmeasured, curve())
    assert verify(fresh, str(expected)) == 1


def test_verify_with_one_seed_uses_the_absolute_tolerance(files):
    fresh, expected = files(curve(0.001, seeds=1), curve(seeds=1))
    assert verify(fresh, str(expected)) == 0
    fresh, expected = files(curve(0.01, seeds=1), curve(seeds=1))
    assert verify(fresh, str(expected)) == 1


def test_verify_compares_the_seeds_that_both_have(files):
    more = curve(seeds=5)
    more.loc[more["seed"] >= 3, ["test_ndcg@10", "val_ndcg@10"]] += 0.5
    less = more[more["seed"] < 3]
    for first, second in ((more, less), (less, more)):
        fresh, expected = files(first, second)
        assert verify(fresh, str(expected)) == 0
    fresh, expected = files(more.assign(seed=more["seed"] + 5), less)
    assert verify(fresh, str(expected)) == 1, "no seed in common: all count"


def test_verify_meets_controls_whose_share_moved(files):
    fresh = curve(side="control", kept=(0.5, 0.1))
    fresh["kept"] += 0.003
    first, second = files(fresh, curve(side="control", kept=(0.5, 0.1)))
    assert verify(first, str(second)) == 0


def commit(folder):
    """A repository in the folder, with all that is there in its last commit."""
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "rows"]):
        subprocess.run(["git", "-c", "user.name=t", "-c", "user.email=t@example.org", *command], cwd=folder, check=True)


def test_verify_against_the_last_commit(tmp_path, capsys):
    path = write_rows(tmp_path / "results" / "cells.csv", curve())
    with pytest.raises(NothingCommitted, match="verify needs a git checkout"):
        verify(path)
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    with pytest.raises(NothingCommitted):
        verify(path)
    commit(tmp_path)
    write_rows(path, curve(offset=0.001))
    assert verify(path) == 0
    write_rows(path, curve(offset=0.1))
    assert verify(path) == 1


def test_verify_holds_the_rows_of_large_studies_too(tmp_path, capsys):
    results = tmp_path / "results"
    write_rows(results, curve())
    large = write_rows(results / "larger" / "large", curve(dataset="large"))
    commit(tmp_path)
    command = ["verify", f"--results={results}"]
    assert main(command) == 0
    assert capsys.readouterr().out.count("agree with the committed rows") == 2
    write_rows(large, curve(dataset="large", offset=0.1))
    assert main(command) == 1
    assert f"{large}: 12 of 12 means differ" in capsys.readouterr().out
    write_rows(results / "larger" / "new", curve(dataset="new"))
    write_rows(large, curve(dataset="large"))
    assert main([*command, "--if-committed"]) == 0
    assert "not verified: " in capsys.readouterr().err
    assert main(command) == 1
    assert "larger/new/cells.csv: no committed rows to compare with" in capsys.readouterr().err


def test_gather_collects_sorts_keeps_others_and_is_stable(project, rows_cell, monkeypatch):
    project.family("10-dense", rows_cell)
    project.family("21-prune", rows_cell, extra=PRUNE)
    plan = project.finished()
    monkeypatch.chdir(project.folder)
    path, count = gather(plan)
    assert (path, count) == (Path("results/cells.csv"), 4)
    before = path.read_bytes(), Path("results/provenance.csv").read_bytes()
    write_rows(path, pd.concat([read_rows(path), curve(dataset="other")]))
    assert gather(plan)[1] == 4 + 15, "rows of another data set stay"
    path.unlink()
    gather(plan)
    assert (path.read_bytes(), Path("results/provenance.csv").read_bytes()) == before
    origin = pd.read_csv("results/provenance.csv", dtype=str)
    assert set(read_rows(path)["run"]) == set(origin["run"])
    assert str(project.folder) not in Path("results/provenance.csv").read_text()


def test_gather_names_the_runs_that_are_missing(project, rows_cell, monkeypatch):
    project.family("10-dense", rows_cell)
    project.family("21-prune", rows_cell, extra=PRUNE)
    plan = project.finished()
    monkeypatch.chdir(project.folder)
    Path(plan["synthetic/ratio/ease/magnitude"].stamp).unlink()
    with pytest.raises(StudyError, match="1 of 2 runs are not finished: synthetic/ratio/ease/magnitude"):
        gather(plan)
    assert not Path("results/cells.csv").exists()


def test_gather_brings_the_values_of_users_and_calls_a_known_file_by_its_data_sets_name(
    project, rows_cell, monkeypatch
):
    project.family("10-dense", rows_cell)
    plan = project.finished()
    monkeypatch.chdir(project.folder)
    for run in plan.runs:
        cells = read_rows(Path(run.folder) / "cells.csv")
        p = Parameters(dataset="/logs/ml-1m-ratings.csv.gz", out=run.folder)
        finish(p, cells.assign(**{PER_USER: [[0.25, 0.5]] * len(cells)}))
        project.record(run)
    gather(plan)
    rows, users = read_rows("results/cells.csv"), read_per_user("results")
    assert set(rows["dataset"]) == set(users["dataset"]) == {"ml-1m"}
    assert [list(values) for values in users[VALUES]] == [[0.25, 0.5]] * len(rows)


def audits(auc=0.7, seconds=1.0, seeds=3):
    """Further rows: an AUC and a count of each seed, and the seconds that a clock saw."""
    whose = {"dataset": "d", "protocol": "ratio", "kind": "window", "model": "ease", "family": "cf", "side": "dense"}
    measured = {"auc": auc, "values": 40_000, "update_s": seconds}
    return pd.DataFrame(
        [
            whose | {"seed": seed, "measure": measure, "value": value * (1 + 0.01 * (seed - 1))}
            for seed in range(seeds)
            for measure, value in measured.items()
        ]
    )


def test_verify_holds_further_rows_and_no_clocks(tmp_path, capsys):
    results = tmp_path / "results"
    write_rows(results, curve())
    write_further(results, audits())
    commit(tmp_path)
    command = ["verify", f"--results={results}"]
    write_further(results, audits(auc=0.704, seconds=9.0))
    assert main(command) == 0
    assert f"{results / FILE}: all 2 means (value) agree" in capsys.readouterr().out
    write_further(results, audits(auc=0.75))
    assert main(command) == 1
    out = capsys.readouterr().out
    assert f"{results / FILE}: 1 of 2 means differ" in out and "auc" in out and "all 12 means" in out


def test_verify_holds_rows_of_a_kind(tmp_path):
    cells, beside = write_rows(tmp_path, curve()), write_further(tmp_path, audits())
    with pytest.raises(StudyError, match="one has cells, the other further rows"):
        verify(cells, str(beside))
