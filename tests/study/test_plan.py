"""The plan: what a run's key depends on, what waits for what, and what is refused before anything starts."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from papermill import inspect_notebook

from recprune.datasets.naming import name_of
from recprune.errors import StudyError
from recprune.study.identity import Notebook, data_identity, locate
from recprune.study.plan import Plan
from recprune.study.progress import duration, finished_line, remaining

DENSE = "synthetic/ratio/ease/dense"
PRUNED = "synthetic/ratio/ease/magnitude"
PRUNE = 'criterion = "magnitude"\nunit = "weight"\nkeep = [0.5]'


@pytest.fixture
def two(project, rows_cell):
    """A study of a dense run and one that prunes its model."""
    project.family("10-dense", rows_cell)
    project.family("21-prune", rows_cell, extra=PRUNE)
    return project


def keys(project, **options) -> dict[str, str]:
    return {run.id: run.key for run in project.plan(**options).runs}


def test_a_device_that_is_not_the_cpu_counts(two):
    before, text = keys(two), two.study.read_text()
    two.study.write_text(text.replace("[study.main]\n", '[study.main]\ndevice = "cpu"\n', 1))
    assert keys(two) == before
    two.study.write_text(text.replace("[study.main]\n", '[study.main]\ndevice = "cuda"\n', 1))
    after = two.plan()
    assert not {run.key for run in after.runs} & set(before.values())
    assert {run.device for run in after.runs} == {"cuda"}


def test_clocks_copies_prose_and_outputs_change_no_key(two):
    before = keys(two)
    for path in two.folder.rglob("*"):
        os.utime(path, (0, 0))
    assert keys(two) == before
    notebook = two.folder / "notebooks/10-dense.ipynb"
    notebook.write_text(notebook.read_text().replace("# 10-dense", "# the dense models"))
    assert keys(two) == before


def test_code_of_the_dense_notebook_changes_its_key_and_that_of_what_needs_it(two, rows_cell):
    before = keys(two)
    two.notebook("10-dense", "x = 1", rows_cell)
    after = keys(two)
    assert after[DENSE] != before[DENSE] and after[PRUNED] != before[PRUNED]
    two.notebook("10-dense", rows_cell)
    two.notebook("21-prune", "x = 1", rows_cell)
    after = keys(two)
    assert after[DENSE] == before[DENSE] and after[PRUNED] != before[PRUNED]


def test_parameters_change_the_key_of_the_runs_they_belong_to(two):
    before = keys(two)
    two.study.write_text(two.study.read_text().replace("keep = [0.5]", "keep = [0.4]"))
    after = keys(two)
    assert after[DENSE] == before[DENSE] and after[PRUNED] != before[PRUNED]


def test_a_logs_bytes_count_and_its_place_does_not(two, tmp_path):
    log = tmp_path / "log.csv"
    log.write_text("user,item\n1,2\n")
    first = keys(two, dataset=str(log))
    assert all(re.match(r"log-[0-9a-f]{6}/", id) for id in first)
    (tmp_path / "elsewhere").mkdir()
    other = shutil.copy(log, tmp_path / "elsewhere/log.csv")
    assert keys(two, dataset=str(other)) == first
    log.write_text("user,item\n1,3\n")
    assert keys(two, dataset=str(log)) != first


def test_two_logs_of_one_name_share_nothing_and_an_edited_log_nothing_with_what_it_was(two, tmp_path):
    for folder, text in (("a", "user,item\n1,2\n"), ("b", "user,item\n1,3\n"), ("c", "user,item\n1,2\n")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "ratings.csv").write_text(text)
    a, b, moved = (str(tmp_path / folder / "ratings.csv") for folder in "abc")
    first, second, third = (two.plan(dataset=path) for path in (a, b, moved))
    assert first.results != second.results and not {r.id for r in first.runs} & {r.id for r in second.runs}
    assert (third.results, [run.stamp for run in third.runs]) == (first.results, [run.stamp for run in first.runs])
    Path(a).write_text("user,item\n1,3\n")
    assert two.plan(dataset=a).results == second.results, "the content is what decides"


@pytest.mark.parametrize("name", ["ml-100k", "part", "own", "quick", "cells", "tuned", "main", "x" * 200])
def test_a_log_that_is_called_like_something_else_is_not_taken_for_it(two, tmp_path, name):
    log = tmp_path / f"{name}.csv"
    log.write_text("user,item\n1,2\n")
    plan = two.plan(dataset=str(log))
    assert re.fullmatch(rf"results/own/{name[:60]}-[0-9a-f]{{6}}", plan.results)


@pytest.mark.parametrize("text", ["two\nlines.csv", "zero\0.csv", "~nobody-at-all/x.csv"])
def test_what_is_no_path_is_said(text):
    with pytest.raises(StudyError, match="DATASET: "):
        locate(text)


def test_identity_of_data(tmp_path):
    assert data_identity("ml-100k") == "name:ml-100k:0e33842e24a9c977be4e0107933c0723"
    assert data_identity("synthetic:10x10x50") == "name:synthetic:10x10x50"
    (tmp_path / "ratings.csv").write_text("a")
    before = data_identity(str(tmp_path))
    (tmp_path / "movies.csv").write_text("b")
    assert data_identity(str(tmp_path)) != before
    with pytest.raises(StudyError, match="neither a file or folder nor a known name; known: .*ml-100k.*synthetic"):
        locate(str(tmp_path / "nowhere.csv"))
    assert locate("ml-100k") == "ml-100k"


def test_dense_before_pruned_and_the_longest_chain_first(two):
    plan = two.plan()
    assert [run.id for run in plan.runs] == [DENSE, PRUNED]
    assert plan[PRUNED].needs == (DENSE,)
    text = two.makefile.read_text()
    assert f"{plan[PRUNED].stamp}: | {plan[DENSE].stamp}\n" in text
    assert f"{plan[DENSE].stamp}:\n" in text
    assert Plan.load(two.makefile.with_suffix(".json")) == plan


def test_costs_are_those_of_the_rows_here_until_the_run_has_its_own(two):
    guessed = two.plan()[PRUNED].seconds
    provenance = two.folder / "results" / "provenance.csv"
    provenance.write_text(
        f"dataset,model,method,seeds,seconds\nother,ease,magnitude,0 1,50\n{DENSE.split('/')[0]},ease,dense,0 1,8.0\n"
    )
    plan = two.plan()
    seeds = len(plan[PRUNED].parameters["seeds"])
    assert (plan[DENSE].seconds, plan[PRUNED].seconds) == (4.0 * seeds, 25.0 * seeds)
    assert {run.key for run in plan.runs} == set(keys(two).values())
    provenance.write_text("dataset,model\nother,ease\n")
    assert two.plan()[PRUNED].seconds == guessed


def test_the_fragment_is_understood_by_make_and_asks_for_each_run_once(two):
    plan = two.plan()
    command = ["make", "-n", "-j4", "-f", "results/runs/plan.mk", "PY=python", "LAUNCH=srun -n1"]
    done = subprocess.run(command, cwd=two.folder, capture_output=True, text=True, check=True)
    for run in plan.runs:
        assert done.stdout.count(f"srun -n1 python -m recprune.study run results/runs/plan.json {run.id}\n") == 1


def test_only_dense(two):
    plan = two.plan(only="dense")
    assert [run.id for run in plan.runs] == [DENSE]
    assert plan.results == "results/part", "some rows never take the place of all"
    assert [run.id for run in two.plan(only="magnitude").runs] == [DENSE, PRUNED]
    with pytest.raises(StudyError, match="no run has the method 'nothing'"):
        two.plan(only="nothing")


SEVERAL = """
[study.main]
dataset = "synthetic"
protocols = ["ratio", "strong", "loo"]
seeds = [0, 1]
models = ["ease", "neumf"]
"""

FOUR_MODELS = """
[study.main]
dataset = "synthetic"
protocol = "ratio"
seeds = [0]
models = ["mult-vae", "ease", "ials", "bpr"]
"""
LONG = "synthetic/ratio/mult-vae/magnitude"
# In place of a run: its stamp. The dense models but Mult-VAE's, which is the first, end when a third one was started:
# by then make has seen the end of the first, however slow the machine is.
STAND_IN = """#!{python}
import pathlib, sys, time
id = sys.argv[-1]
if id in {stamps!r}:
    if id.endswith("/dense"):
        started = pathlib.Path("started")
        started.mkdir(exist_ok=True)
        (started / id.split("/")[2]).touch()
        while "mult-vae" not in id and len(list(started.iterdir())) < 3:
            time.sleep(0.01)
    stamp = pathlib.Path({stamps!r}[id])
    stamp.parent.mkdir(parents=True, exist_ok=True)
    stamp.touch()
"""


def test_make_starts_the_longest_run_as_soon_as_what_it_needs_is_there(project, rows_cell):
    project.study.write_text(FOUR_MODELS)
    project.family("10-dense", rows_cell)
    project.family("21-prune", rows_cell, extra=PRUNE)
    lines = ["dataset,model,method,seeds,seconds"]
    for model in ("mult-vae", "ease", "ials", "bpr"):
        lines += [f"synthetic,{model},dense,0,1", f"synthetic,{model},magnitude,0,{50 if model == 'mult-vae' else 5}"]
    (project.folder / "results").mkdir(exist_ok=True)
    (project.folder / "results" / "provenance.csv").write_text("\n".join(lines))
    stamps = {run.id: run.stamp for run in project.plan().runs}
    stand_in = project.folder / "stand-in"
    stand_in.write_text(STAND_IN.format(python=sys.executable, stamps=stamps))
    stand_in.chmod(0o755)
    command = ["make", "-j2", "--trace", "-f", "results/runs/plan.mk", f"PY={stand_in}"]
    done = subprocess.run(command, cwd=project.folder, capture_output=True, text=True, check=True, timeout=300)
    traced = re.findall(r"target '(\S+\.done)'", done.stdout)  # as make starts them, whoever says so first
    started = [id for id in map({stamp: id for id, stamp in stamps.items()}.get, traced) if id]
    assert sorted(started) == sorted(stamps)
    assert next(id for id in started if id.endswith("/magnitude")) == LONG, started


LAST = 'models = []\nneeds = "study"\nmethod = "protocols"'
LOOKS_BACK = 'results = ""\nout = ""\nrun = ""'


@pytest.fixture
def several(project, rows_cell):
    """Three protocols, and a notebook that looks at the rows of all of them."""
    project.study.write_text(SEVERAL)
    project.family("10-dense", rows_cell)
    project.family("11-protocols", rows_cell, extra=LAST, parameters=LOOKS_BACK)
    return project


def test_what_a_protocol_does_not_allow_is_left_out_and_said(several):
    plan = several.plan()
    ids = {run.id for run in plan.runs}
    assert "synthetic/strong/ease/dense" in ids and "synthetic/strong/neumf/dense" not in ids
    assert {"synthetic/ratio/neumf/dense", "synthetic/loo/neumf/dense"} <= ids
    assert plan.left_out == ("strong: without neumf: users are held out of training, and cannot be folded in",)
    assert Plan.load(several.makefile.with_suffix(".json")) == plan


def test_the_last_notebook_waits_for_all_protocols(several):
    plan = several.plan()
    last = plan["synthetic/ratio/all/protocols"]
    assert last.last and set(last.needs) == {run.id for run in plan.runs} - {last.id}
    assert f"{last.stamp}: | rows\n" in several.makefile.read_text()


def test_a_log_without_times_has_no_protocol_that_orders_it(several, tmp_path):
    log = tmp_path / "log.csv"
    log.write_text("user,item,rating\n1,2,5\n")
    plan = several.plan(dataset=str(log))
    assert not any("/loo/" in run.id for run in plan.runs)
    assert "loo: without ease, neumf: the protocol needs times, and the log has none" in plan.left_out
    timed = tmp_path / "timed.csv"
    timed.write_text("user,item,rating,when\n1,2,5,100\n")
    assert not any("/loo/" in run.id for run in several.plan(dataset=str(timed)).runs), "nobody said which column it is"
    assert any("/loo/" in run.id for run in several.plan(dataset=str(timed), columns="timestamp=when").runs)


def test_a_log_without_times_has_no_windows(project, rows_cell, tmp_path):
    project.family("10-dense", rows_cell)
    project.family("34-windows", rows_cell, extra='needs = "none"')
    log = tmp_path / "log.csv"
    log.write_text("user,item,rating\n1,2,5\n")
    assert {Path(run.notebook).stem for run in project.plan().runs} == {"10-dense", "34-windows"}
    plan = project.plan(dataset=str(log))
    assert {Path(run.notebook).stem for run in plan.runs} == {"10-dense"}
    assert "ratio: without ease: windows of time need times, and the log has none" in plan.left_out


def test_a_log_without_a_published_split_has_no_protocol_that_takes_it(several, tmp_path):
    text = several.study.read_text()
    several.study.write_text(text.replace('"strong", "loo"', '"given"'))
    said = "given: without ease, neumf: the protocol needs a published split, and the log has none"
    for dataset in ("synthetic", "ml-1m"):
        plan = several.plan(dataset=dataset)
        assert plan.left_out == (said,) and not any("/given/" in run.id for run in plan.runs)
    (tmp_path / "places").mkdir()
    (tmp_path / "places" / "train.txt").write_text("0 1 2 3\n")
    (tmp_path / "places" / "test.txt").write_text("0 4\n")
    for dataset in ("gowalla", str(tmp_path / "places")):
        plan = several.plan(dataset=dataset)
        assert plan.left_out == () and any("/given/" in run.id for run in plan.runs)
    several.study.write_text(text.replace("neumf", "sasrec"))
    assert several.plan(dataset="gowalla").left_out == (
        "ratio: without sasrec: the model needs times, and the log has none",
        "strong: without sasrec: the model needs times, and the log has none",
        "loo: without ease, sasrec: the protocol needs times, and the log has none",
    )


def test_where_rows_go(two, tmp_path):
    (tmp_path / "my log.csv").write_text("user,item\n")
    assert two.plan().results == "results"
    assert two.plan(dataset="synthetic").results == "results"
    assert two.plan(models=("ease",)).results == "results/part"
    assert re.fullmatch(r"results/own/my-log-[0-9a-f]{6}", two.plan(dataset=str(tmp_path / "my log.csv")).results)
    assert two.plan(dataset="ml-1m").results == "results/own/ml-1m"


def test_where_rows_of_other_studies_go(two, tmp_path):
    two.study.write_text(
        two.study.read_text().replace("study.main", "study.reference").replace('"synthetic"', '"ml-1m"')
    )
    for name in ("ml-1m-ratings.csv", "ml-1m.csv"):
        (tmp_path / name).write_text("user,item\n")
    same, other = str(tmp_path / "ml-1m-ratings.csv"), str(tmp_path / "ml-1m.csv")
    assert two.plan(study="reference").results == "results/reference"
    assert two.plan(study="reference", dataset=same).results == "results/reference", (
        "a file that holds the same ratings"
    )
    assert two.plan(study="reference", dataset=other).results == f"results/own/{name_of(other)}/reference"
    assert name_of(other).startswith("ml-1m-")
    assert two.plan(study="reference", models=("ease",)).results == "results/part/reference"
    two.study.write_text(two.study.read_text().replace("[study.reference]", '[study.reference]\nbeside = "main"'))
    assert two.plan(study="reference", dataset=same).results == "results", "beside the rows of main"
    two.study.write_text(two.study.read_text().replace('beside = "main"', 'beside = "larger"'))
    assert two.plan(study="reference", dataset=same).results == "results/larger/reference", "a file of their own"
    assert two.plan(study="reference", models=("ease",)).results == "results/part/larger/reference"
    assert two.plan(study="reference", dataset=other).results == f"results/own/{name_of(other)}/reference"
    two.study.write_text(two.study.read_text().replace('beside = "larger"', 'beside = "other"'))
    with pytest.raises(StudyError, match="beside: 'other'"):
        two.plan(study="reference")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"parameters": 'out = ""\nrun = ""\nmodle = ""'}, "unknown parameter 'modle'; known: .*model"),
        ({"parameters": 'run = ""'}, "lacks 'out'"),
        ({"parameters": 'out = ""'}, "lacks 'run'"),
        ({"parameters": 'out = ""\nrun = ""\nmodel = ""'}, "lacks 'unit', which .* sets to 'weight'"),
        (
            {"extra": f'{PRUNE}\nvalues = ["float32", "int8"]'},
            r"lacks 'values', which .* sets to \['float32', 'int8'\]",
        ),
        ({"tags": ()}, "0 cells are tagged `parameters`"),
        ({"parameters": "out = "}, "the parameters cell: line 1"),
    ],
    ids=["unknown", "no-out", "no-run", "undeclared", "undeclared-values", "no-tag", "syntax"],
)
def test_a_notebook_that_could_ignore_a_parameter_is_refused(project, rows_cell, change, message):
    project.family("21-prune", rows_cell, **{"extra": PRUNE} | change)
    with pytest.raises(StudyError, match=r"21-prune\.ipynb: .*" + message):
        project.plan()


def test_a_missing_notebook_is_said(project):
    with project.study.open("a") as file:
        file.write('[[study.main.runs]]\nnotebook = "12-dense"\n')
    with pytest.raises(StudyError, match=r"12-dense\.ipynb: there is no such notebook"):
        project.plan()


def test_a_notebook_that_is_none(project, rows_cell):
    project.family("10-dense", rows_cell)
    (project.folder / "notebooks/10-dense.ipynb").write_text("{")
    with pytest.raises(StudyError, match="not a notebook"):
        project.plan()


def test_the_declared_parameters_are_those_papermill_sees(project):
    path = project.notebook("10-dense", "x = 1")
    first = Notebook.read(path)
    assert set(first.declared) == set(inspect_notebook(str(path)))
    assert first.sha256 != Notebook.read(project.notebook("10-dense", "x = 2")).sha256


def test_the_command_says_what_is_wrong_and_fails(project):
    command = [sys.executable, "-m", "recprune.study", "plan", "--study", "fast", "--out", "results/runs/plan.mk"]
    done = subprocess.run(command, cwd=project.folder, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr == "error: study.toml: study: 'fast' is unknown; known: main\n"


def test_time_left_follows_what_the_finished_runs_took(two):
    plan = replace(two.plan(), jobs=1)
    dense, pruned = plan[DENSE], plan[PRUNED]
    assert remaining(plan) == pytest.approx(dense.seconds + pruned.seconds)
    runs = tuple(
        replace(run, folder=str(two.folder / run.folder), stamp=str(two.folder / run.stamp)) for run in plan.runs
    )
    plan = replace(plan, runs=runs)
    Path(plan[DENSE].folder).mkdir(parents=True)
    Path(plan[DENSE].folder, "run.json").write_text('{"seconds": %f}' % (3 * dense.seconds))
    Path(plan[DENSE].stamp).touch()
    assert remaining(plan) == pytest.approx(3 * pruned.seconds)
    line = finished_line(plan, plan[DENSE])
    assert line.startswith("[ 1/2]  50 %  ease · dense · synthetic") and line.endswith(" left")


def test_durations():
    assert [duration(s) for s in (8.14, 42.4, 59.97, 200, 7500)] == [
        "8.1 s",
        "42 s",
        "1 min 0 s",
        "3 min 20 s",
        "2 h 5 min",
    ]
