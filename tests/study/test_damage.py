"""What a run or a gathering left, and what became of it since: the damaged is made again and said, nothing is lost."""

from __future__ import annotations

import itertools
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from recprune.cells.rows import read_rows, write_rows
from recprune.cells.users import VALUES, read_per_user, write_per_user
from recprune.errors import StudyError
from recprune.study import doctor
from recprune.study.__main__ import main
from recprune.study.plan import Plan
from recprune.study.record import damage, forget_damaged
from recprune.study.rows.gather import gather

RUN = "synthetic/ratio/ease/dense"


@pytest.fixture
def plan(project, rows_cell, monkeypatch) -> Plan:
    """A plan of one run that is finished, gathered beside rows of another data set that has no runs here."""
    project.family("10-dense", rows_cell)
    monkeypatch.chdir(project.folder)
    plan = project.finished()
    folder = Path(plan[RUN].folder)
    (folder / "models").mkdir()
    (folder / "models/weights.safetensors").write_bytes(bytes(range(256)))
    (folder / "executed.ipynb").write_text("{}")
    write_per_user(folder, read_rows(folder / "cells.csv").assign(**{VALUES: [[0.1], [0.2]]}))
    project.record(plan[RUN])
    others = read_rows(folder / "cells.csv").assign(dataset="other")
    write_rows("results/cells.csv", others)
    write_per_user("results", others.assign(**{VALUES: [[0.5], [0.6]]}))
    gather(plan)
    return plan


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))


def empty(path: Path) -> None:
    path.write_bytes(b"")


def noise(path: Path) -> None:
    path.write_bytes(bytes(range(256)) * 40)


FILES = ("cells.csv", "per_user.parquet", "run.json", "executed.ipynb", "models/weights.safetensors")


HARMS: tuple[Callable[[Path], None], ...] = (cut, flip, empty, noise, Path.unlink)


def test_a_stamp_counts_only_while_all_files_are_as_the_run_left_them(plan):
    run = plan[RUN]
    folder, stamp = Path(run.folder), Path(run.stamp)
    assert damage(folder, run.key, stamp) == "" and forget_damaged(plan.runs) == []
    shutil.copytree(folder, "whole")
    for name, harm in itertools.product((*FILES, stamp.name), HARMS):
        shutil.rmtree(folder)
        shutil.copytree("whole", folder)
        harm(folder / name)
        lines = forget_damaged(plan.runs)
        assert not run.done
        if (name, harm) == (stamp.name, Path.unlink):
            assert lines == [] and damage(folder, run.key) == "", "a lost stamp is put back when make asks for the run"
        else:
            said = "run.json" if name == stamp.name else name
            (line,) = lines
            assert line.startswith(f"{RUN}: {said} ") and line.endswith("since the run was finished; it is made again")


def test_clocks_count_for_nothing(plan):
    run = plan[RUN]
    copy = Path("copy")
    shutil.copytree(run.folder, copy)  # with new times
    assert damage(copy, run.key, copy / Path(run.stamp).name) == ""
    rows = Path(run.folder, "cells.csv")
    before = rows.stat()
    flip(rows)
    os.utime(rows, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert forget_damaged(plan.runs), "the same size and time, another content"


def test_gather_takes_no_damaged_rows(plan):
    flip(Path(plan[RUN].folder, "cells.csv"))
    before = Path("results/cells.csv").read_bytes()
    with pytest.raises(StudyError, match=rf"{RUN}: cells.csv changed .* made again by the same command"):
        gather(plan)
    assert Path("results/cells.csv").read_bytes() == before and not plan[RUN].done


def test_the_plan_says_what_is_made_again(plan, capsys):
    cut(Path(plan[RUN].folder, "run.json"))
    assert main(["plan", "--out", "results/runs/plan.mk"]) == 0
    said = capsys.readouterr().err
    assert f"{RUN}: run.json became unreadable since the run was finished; it is made again\n" in said
    assert "main: 1 runs, 0 finished" in said


GATHERED = ("cells.csv", "per_user.parquet", "provenance.csv")


def test_a_gathered_file_that_only_had_what_the_runs_have_heals(plan, capsys):
    for name in GATHERED:
        Path("results", name).unlink()
    gather(plan)
    for name, harm in itertools.product(GATHERED, HARMS):
        path = Path("results", name)
        whole = path.read_bytes()
        harm(path)
        capsys.readouterr()
        gather(plan)
        assert path.read_bytes() == whole, (name, harm)
        if harm in (empty, noise):  # half of a table may be one
            said = capsys.readouterr().err
            assert f"results/{name}: not a file of " in said and said.count("\n") == 1, said
        assert sorted(path.name for path in Path("results").iterdir() if path.is_file()) == sorted(GATHERED)


@pytest.mark.parametrize("harm", [empty, noise])
def test_rows_that_no_run_here_can_give_again_are_not_lost_in_silence(plan, harm):
    for name in ("cells.csv", "per_user.parquet"):
        whole = Path("results", name).read_bytes()
        harm(Path("results", name))
        with pytest.raises(StudyError, match=f"results/{name}: .*other/ratio.* no run is here: bring it back"):
            gather(plan)
        Path("results", name).write_bytes(whole)
    gather(plan)
    assert set(read_rows("results/cells.csv")["dataset"]) == {"other", "synthetic"}
    assert set(read_per_user("results")["dataset"]) == {"other", "synthetic"}


def test_a_table_that_was_cut_at_the_end_of_a_line_is_noticed(plan):
    provenance = pd.read_csv("results/provenance.csv", dtype=str, keep_default_na=False)
    more = provenance.assign(dataset="other", rows="3")
    pd.concat([provenance, more]).to_csv("results/provenance.csv", index=False)
    with pytest.raises(StudyError, match="fewer rows of other/ratio than provenance.csv has"):
        gather(plan)


def test_what_nothing_tells_of_is_set_aside(plan, capsys):
    for name in ("cells.csv", "per_user.parquet", "provenance.csv"):
        noise(Path("results", name))
    gather(plan)
    assert capsys.readouterr().err.count("what was there is results/") == 3
    assert len(list(Path("results").glob("*.unreadable"))) == 3
    assert len(read_rows("results/cells.csv")) == 2


def test_the_record_names_every_file(plan):
    record = json.loads(Path(plan[RUN].folder, "run.json").read_text())
    assert set(record["files"]) == {"cells.csv", "per_user.parquet", "executed.ipynb", "models/weights.safetensors"}


def test_doctor_tells_of_damaged_runs_and_of_what_a_killed_one_left(plan, monkeypatch):
    monkeypatch.setattr(doctor, "ROOT", Path.cwd())
    assert list(doctor._runs()) == [("runs", "1 finished", "")]
    flip(Path(plan[RUN].folder, "cells.csv"))
    Path(plan[RUN].folder).with_name(".tmp-dense-1-").mkdir()
    damaged, left = doctor._runs()
    assert damaged[1] == f"1 finished, 1 damaged: main/{RUN}: cells.csv changed" and "makes them again" in damaged[2]
    assert left[0] == "leftovers" and ".tmp-dense-1-" in left[1]
