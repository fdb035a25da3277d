"""A log that no run could use is refused once, when the plan is made."""

from __future__ import annotations

import subprocess
import sys

import pytest

from recprune.datasets import synthetic
from recprune.interactions import Interactions


@pytest.fixture
def plan(project, rows_cell):
    """`plan(log)`: the exit status of the command that plans, and what it says on stderr."""
    columns = (
        'columns = {}\nmin_rating = None\ncore = None\ndataset = ""\nout = ""\nrun = ""\nmodel = ""\nprotocol = ""'
    )
    project.family("10-dense", rows_cell, parameters=columns)

    def planned(log) -> tuple[int, str]:
        command = [sys.executable, "-m", "recprune.study", "plan", f"--dataset={log}", "--out=results/runs/plan.mk"]
        done = subprocess.run(command, cwd=project.folder, capture_output=True, text=True)
        return done.returncode, done.stderr

    return planned


def written(log: Interactions, path, separator: str = ",") -> None:
    lines = (f"u{u}{separator}i{i}{separator}{r:g}" for u, i, r in zip(log.user, log.item, log.rating, strict=True))
    path.write_text("\n".join([separator.join(("user", "item", "rating")), *lines]) + "\n")


def test_a_good_log_is_read_once_and_a_bad_one_refused_before_any_run(plan, tmp_path):
    log = tmp_path / "shop.csv"
    written(synthetic(n_users=60, n_items=40, n_interactions=1500, seed=1), log)
    assert plan(log)[0] == 0
    marks = sorted((tmp_path / "results/runs/.usable").iterdir())
    assert len(marks) == 1, "one log under one protocol, whatever runs there are"
    before = marks[0].stat().st_mtime_ns
    assert plan(log)[0] == 0 and marks[0].stat().st_mtime_ns == before
    log.write_text(log.read_text() + "u1,i1,many\n")
    status, said = plan(log)
    assert status == 1 and "error: " in said and "many" in said and "Traceback" not in said, said
    assert len(list((tmp_path / "results/runs/.usable").iterdir())) == 1


def test_a_log_that_is_too_small_for_a_protocol_is_found_there_too(plan, tmp_path):
    log = tmp_path / "tiny.csv"
    log.write_text("user,item,rating\n" + "".join(f"{u},{i},5\n" for u in range(3) for i in range(3)))
    status, said = plan(log)
    assert status == 1 and said.count("error: protocol ratio: tiny") == 1 and "leave none of 9 interactions" in said, (
        said
    )


def test_a_file_that_only_has_the_name_of_a_registered_data_set_is_refused(plan, tmp_path):
    """Its rows would stand among that one's."""
    log = tmp_path / "ml-1m-ratings.csv"
    written(synthetic(n_users=60, n_items=40, n_interactions=1500, seed=1), log)
    status, said = plan(log)
    assert status == 1
    assert "ml-1m-ratings.csv: is called as ml-1m is, and is another log (ml-1m: 1,500 interactions, where" in said
