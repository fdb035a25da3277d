"""What a cluster engine is told of a plan: make's prerequisites, memory from the rows, groups of short runs."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recprune.errors import StudyError
from recprune.study.__main__ import main
from recprune.study.cluster import SHORT, TOGETHER, UNKNOWN, jobs, megabytes, memory_below, together
from recprune.study.cost import memory_of
from recprune.study.execution import snakemake
from recprune.study.makefile import fragment

PRUNE = 'criterion = "magnitude"\nunit = "weight"\nkeep = [0.5]'


@pytest.fixture
def plan(project, rows_cell):
    project.family("10-dense", rows_cell)
    project.family("21-prune-weights", rows_cell, extra=PRUNE)
    project.family("30-compare", rows_cell)
    return project.plan()


def test_a_run_waits_for_what_it_waits_for_in_the_makefile(plan):
    text = fragment(plan, Path("plan.json"))
    found = jobs(plan.runs, plan, {})
    assert set(found) == {run.stamp for run in plan.runs}
    for stamp, job in found.items():
        before = re.search(rf"^{re.escape(stamp)}:(?: \|)?(.*)$", text, re.M)[1].split()
        assert job["needs"] == [name for name in before if name != "rows"]
        assert job["wanted"] and job["group"] == ("last" if "rows" in before else "then" if before else "first")


def test_long_runs_have_a_group_of_their_own(plan):
    runs = [replace(run, seconds=SHORT + 1) for run in plan.runs]
    found = jobs(runs, plan, {})
    assert len({job["group"] for job in found.values()}) == len(runs) and together(found, 1) == {}


@given(number=st.integers(1, 60), at_once=st.integers(1, 30))
def test_short_runs_leave_no_place_on_the_cluster_idle(number, at_once):
    found = {str(n): {"group": "first", "wanted": True} for n in range(number)}
    (size,) = together(found, at_once).values()
    assert 1 <= size <= TOGETHER and (size == 1 or number > (size - 1) * at_once)


def test_memory_is_that_of_such_a_run_or_the_largest_of_its_data_set(plan, tmp_path):
    head = "dataset,model,method,peak_rss_mb\n"
    (tmp_path / "provenance.csv").write_text(f"{head}synthetic,ease,dense,400\nsynthetic,ials,dense,900\n")
    (tmp_path / "cells.csv").touch()
    memory = memory_below(tmp_path)
    dense = plan["synthetic/ratio/ease/dense"]
    other = next(run for run in plan.runs if run.needs and not run.last)
    assert memory[("synthetic", "ease", "dense")] == 400 and memory[("synthetic", "", "")] == 900
    assert megabytes(dense, memory) == 1.25 * 400 + 500 and megabytes(other, memory) == 1.25 * 900 + 500
    assert megabytes(dense, {}) > UNKNOWN
    assert memory_of([tmp_path / "none.csv"]) == {}


@pytest.mark.parametrize(
    ("engine", "profile", "said"),
    [
        ("slurm", "", "ENGINE: 'slurm'; known: make, snakemake"),
        ("make", "slurm", "PROFILE: 'slurm' is for ENGINE=snakemake"),
        ("snakemake", "slum", "PROFILE: 'slum'; known: kubernetes, slurm, or a folder that holds a config.yaml"),
    ],
)
def test_an_engine_or_profile_that_is_not_there(engine, profile, said, capsys, monkeypatch):
    monkeypatch.setattr(snakemake, "find_spec", lambda name: object())
    assert main(["runs", f"--engine={engine}", f"--profile={profile}"]) == 1
    assert said in capsys.readouterr().err


def test_without_snakemake_what_to_install_is_said(monkeypatch):
    monkeypatch.setattr(snakemake, "find_spec", lambda name: None)
    with pytest.raises(StudyError, match=r"pip install -e '\.\[cluster\]' -c constraints\.txt"):
        snakemake.check("snakemake", "")


def test_snakemake_is_told_the_file_the_profile_and_that_clocks_do_not_count(plan, monkeypatch):
    found = jobs(plan.runs, plan, {})
    said = snakemake.command(Path("p.json"), Path("p.jobs.json"), found, "slurm", 3)
    assert said[said.index("--profile") + 1] == "profiles/slurm"
    assert said[said.index("--rerun-triggers") + 1] == "input" and {"--nolock", "--ignore-incomplete"} <= set(said)
    assert "jobs=p.jobs.json" in said and said[said.index("--jobs") + 1] == "3"
    json.dumps(found)  # it is written so
