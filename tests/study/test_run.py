"""Faults of a run: whatever happens, what is finished stays, what is half-done is gone, and the command goes on."""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from unittest.mock import ANY

import pytest

from recprune.study.execution.run import _left_behind
from recprune.study.identity import machine

pytestmark = pytest.mark.slow

COUNT = "open('../../../../../../../count', 'a').write('x')"  # in the project's folder: the run has one of its own
SAY_PID = "import os\nopen('../../../../../../../pid', 'w').write(str(os.getpid()))"
PRUNE = 'criterion = "magnitude"\nunit = "weight"\nkeep = [0.5]'
RUN = "synthetic/ratio/ease/dense"


def waits_for(name: str) -> str:
    """A cell that says it has begun, then waits for a file in the project's folder."""
    up = "../" * 7
    begin = f"import pathlib, time\npathlib.Path('{up}begun').touch()\n"
    return begin + f"while not pathlib.Path('{up}{name}').exists(): time.sleep(0.02)"


def until(condition, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "nothing happened"
        time.sleep(0.02)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_run_leaves_rows_notebook_provenance_and_stamp(project, rows_cell):
    project.family("10-dense", rows_cell)
    run = project.plan()[RUN]
    status, errors = project.run(RUN)
    assert status == 0, errors
    folder = project.folder / run.folder
    assert {p.name for p in folder.iterdir()} == {"cells.csv", "executed.ipynb", "run.json", Path(run.stamp).name}
    record = json.loads((folder / "run.json").read_text())
    assert record["key"] == run.key and record["rows"] == 2 and record["machine"] == machine()
    assert record["seconds"] > 0 and record["peak_rss_mb"] > 10
    assert "[ 1/1] 100 %  ease · dense · synthetic" in errors and "all runs are finished" in errors
    assert str(project.folder) not in (folder / "executed.ipynb").read_text(), "it names no machine's paths"
    assert not project.leftovers()


def test_no_home_and_a_foreign_kernel_in_it_change_nothing(project, rows_cell, tmp_path_factory):
    project.family("10-dense", f"import sys\nassert sys.prefix == {sys.prefix!r}", rows_cell)
    project.plan()
    home = tmp_path_factory.mktemp("home")
    spec = home / ".local/share/jupyter/kernels/python3"
    spec.mkdir(parents=True)
    foreign = {"argv": ["/nowhere/python", "-m", "x"], "display_name": "x", "language": "python"}
    (spec / "kernel.json").write_text(json.dumps(foreign))
    environment = {k: v for k, v in os.environ.items() if k != "HOME"}
    status, errors = project.run(RUN, env=environment | {"HOME": str(home)})
    assert status == 0, errors
    (project.folder / project.plan()[RUN].folder / "run.json").unlink()
    (project.folder / project.plan()[RUN].stamp).unlink()
    status, errors = project.run(RUN, env=environment)
    assert status == 0, errors


def test_one_thread_whatever_the_shell_says(project, rows_cell):
    project.family("10-dense", "import os\nassert os.environ['OMP_NUM_THREADS'] == '1'", rows_cell)
    project.plan()
    status, errors = project.run(RUN, env=os.environ | {"OMP_NUM_THREADS": "8"})
    assert status == 0, errors


def test_a_runs_device_is_the_studys_whatever_the_shell_says(project, rows_cell):
    project.family("10-dense", "import os\nassert os.environ['RECPRUNE_DEVICE'] == 'cpu'", rows_cell)
    project.plan()
    status, errors = project.run(RUN, env=os.environ | {"RECPRUNE_DEVICE": "cuda"})
    assert status == 0, errors


def test_the_last_words_of_a_kernel_that_died_are_shown(project):
    project.family("10-dense", "import os\nos.write(2, b'Fatal: bad luck\\n')\nos.abort()")
    project.plan()
    status, errors = project.run(RUN)
    assert status == 1 and "the kernel died" in errors and "Fatal: bad luck" in errors


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("raise ValueError('keep is 7')", "cell 3: ValueError: keep is 7"),
        ("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)", "cell 3: the kernel died"),
        ("import sys\nsys.exit(0)", "without writing its rows|SystemExit"),
        ("pass", "ended without writing its rows"),
        ("raise OSError(28, 'No space left on device')", "cell 3: OSError"),
    ],
    ids=["error", "killed", "exit-0", "no-rows", "full-disk-in-the-kernel"],
)
def test_a_run_that_does_not_finish_fails_and_shows_where(project, cell, message):
    import re

    project.family("10-dense", cell, "print('after')")
    run = project.plan()[RUN]
    status, errors = project.run(RUN)
    assert status == 1
    assert re.search(message, errors) and "10-dense.ipynb" in errors and "Traceback" not in errors, errors
    folder = project.folder / run.folder
    assert [p.name for p in folder.iterdir()] == ["failed.ipynb"]
    assert not project.leftovers()


def test_sys_exit_after_the_rows_is_no_success(project, rows_cell):
    """The rows are the last thing a notebook writes, so what follows them cannot be lost; what precedes them is."""
    project.family("10-dense", "import sys\nsys.exit(0)", rows_cell)
    project.plan()
    status, errors = project.run(RUN)
    assert status == 1, errors


def test_what_failed_is_done_again_and_the_others_stay(project, rows_cell):
    project.family("10-dense", rows_cell)
    project.family("21-prune", "raise SystemError('not yet')", extra=PRUNE)
    plan = project.plan()
    done = project.make()
    assert done.returncode != 0 and "not yet" in done.stderr
    assert plan[RUN].done is False and (project.folder / plan[RUN].stamp).exists()
    assert not (project.folder / "results/cells.csv").exists()
    before = (project.folder / plan[RUN].stamp).stat().st_mtime_ns
    project.notebook("21-prune", rows_cell)
    plan = project.plan()
    done = project.make()
    assert done.returncode == 0, done.stderr
    assert (project.folder / plan[RUN].stamp).stat().st_mtime_ns == before
    assert not list(project.folder.rglob("failed.ipynb"))
    assert len((project.folder / "results/cells.csv").read_text().splitlines()) == 1 + 2 + 2


def test_two_at_once_do_a_run_once(project, rows_cell):
    project.family("10-dense", COUNT, waits_for("go"), rows_cell)
    project.plan()
    first = project.start("run", "results/runs/plan.json", RUN)
    until((project.folder / "begun").exists)
    second = project.start("run", "results/runs/plan.json", RUN)
    assert "another make is at it" in second.stderr.readline()
    (project.folder / "go").touch()
    said = [process.communicate(timeout=120)[1] for process in (first, second)]
    assert (first.returncode, second.returncode) == (0, 0)
    assert "another make is at it" not in said[0]
    assert (project.folder / "count").read_text() == "x"


def test_sigkill_of_the_launcher_then_the_same_command(project, rows_cell):
    project.family("10-dense", COUNT, SAY_PID, waits_for("go"), rows_cell)
    project.plan()
    process = project.start("run", "results/runs/plan.json", RUN)
    until((project.folder / "begun").exists)
    process.kill()
    process.communicate()
    assert project.leftovers(), "a killed process cannot clean up after itself"
    kernel = int((project.folder / "pid").read_text())
    until(lambda: not alive(kernel))  # it sees that its parent is gone
    (project.folder / "go").touch()
    status, errors = project.run(RUN)
    assert status == 0, errors
    assert (project.folder / "count").read_text() == "xx"
    assert not project.leftovers()


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_it_takes_the_kernel_along_and_leaves_nothing(project, rows_cell, sign):
    project.family("10-dense", SAY_PID, waits_for("never"), rows_cell)
    run = project.plan()[RUN]
    process = project.start("run", "results/runs/plan.json", RUN)
    until((project.folder / "begun").exists)
    process.send_signal(sign)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 130 and "Traceback" not in errors, errors
    assert not project.leftovers() and not (project.folder / run.folder).exists()
    until(lambda: not alive(int((project.folder / "pid").read_text())))


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_while_the_kernel_starts_it_leaves_nothing(project, rows_cell, sign):
    project.family("10-dense", waits_for("never"), rows_cell)
    run = project.plan()[RUN]
    process = project.start("run", "results/runs/plan.json", RUN)
    assert "start" in process.stderr.readline()
    process.send_signal(sign)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 130 and "Traceback" not in errors, errors
    assert not project.leftovers() and not (project.folder / run.folder).exists()


def test_a_full_disk_is_said_and_nothing_is_left(project, rows_cell):
    """A limit on the size of files stands for the full disk: root may fill no file system of its own."""
    project.family("10-dense", "print('x' * 400_000)", rows_cell)
    run = project.plan()[RUN]
    limit = 200_000
    small = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    process = project.start("run", "results/runs/plan.json", RUN, preexec_fn=small)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 1 and "Traceback" not in errors, errors
    assert "is full" in errors
    assert not project.leftovers() and not (project.folder / run.stamp).exists()
    assert project.run(RUN)[0] == 0


def test_a_changed_notebook_is_run_again_and_its_old_stamp_goes(project, rows_cell):
    project.family("10-dense", COUNT, rows_cell)
    old = project.plan()[RUN]
    assert project.make().returncode == 0
    project.notebook("10-dense", COUNT, "x = 1", rows_cell)
    new = project.plan()[RUN]
    assert new.stamp != old.stamp
    assert project.make().returncode == 0
    assert (project.folder / new.stamp).exists() and not (project.folder / old.stamp).exists()
    assert (project.folder / "count").read_text() == "xx"


def test_a_notebook_changed_after_the_plan_is_not_run_under_the_old_key(project, rows_cell):
    project.family("10-dense", rows_cell)
    project.plan()
    project.notebook("10-dense", "x = 1", rows_cell)
    status, errors = project.run(RUN)
    assert status == 1 and "changed since the plan was made" in errors


def test_a_lost_stamp_is_put_back_without_running(project, rows_cell):
    project.family("10-dense", COUNT, rows_cell)
    run = project.plan()[RUN]
    assert project.run(RUN)[0] == 0
    (project.folder / run.stamp).unlink()  # as make does with the target when Ctrl-C comes just after the rename
    assert project.run(RUN)[0] == 0
    assert (project.folder / run.stamp).exists() and (project.folder / "count").read_text() == "x"


def test_many_kernels_start_at_once(project, rows_cell):
    keep = 'keep = [0.5]\nunit = "weight"\ncriterion = ["random", "magnitude", "magnitude-layer", "zero-reset"]'
    project.family("21-prune", rows_cell, extra=keep)
    project.plan()
    done = project.make(jobs=4)
    assert done.returncode == 0, done.stderr


def test_dense_models_are_where_the_notebook_is_told(project, rows_cell):
    project.family("10-dense", "open('model', 'w').write('weights')", rows_cell)
    see = "import pathlib\nassert pathlib.Path(dense, 'model').read_text() == 'weights'"
    project.family("21-prune", see, rows_cell, extra=PRUNE)
    project.plan()
    done = project.make()
    assert done.returncode == 0, done.stderr


def test_a_criterion_from_outside_the_package_is_known_in_the_kernel_and_in_the_key(project, rows_cell):
    rule = project.folder / "my_rule.py"
    rule.write_text(
        "from recprune.pruning import Criterion, register\n\nregister(Criterion(name='run-mine', label='Mine', "
        "kind='score', summary='', source='', units=('weight',), parameters=lambda *_: {}))\n"
    )
    project.study.write_text('extensions = ["my_rule.py"]\n' + project.study.read_text())
    sees = "from recprune.cells import Parameters\nassert Parameters.collect(globals()).criterion == 'run-mine'"
    project.family(
        "21-prune", sees, rows_cell, extra='criterion = "run-mine"\nunit = "weight"\nkeep = [0.5]\nneeds = "none"'
    )
    first = project.plan()["synthetic/ratio/ease/run-mine"]
    assert project.run(first.id) == (0, ANY)
    rule.write_text(rule.read_text() + "\n# a comment counts for nothing\n")
    assert project.plan()[first.id].key == first.key
    rule.write_text(rule.read_text().replace("{}", "{'weight': 1}"))
    assert project.plan()[first.id].key != first.key


def test_the_last_notebook_sees_the_gathered_rows(project, rows_cell):
    project.family("10-dense", rows_cell)
    see = "import csv, pathlib\nassert len(list(csv.DictReader(open(pathlib.Path(results, 'cells.csv'))))) == 2"
    end = "import pathlib\npathlib.Path(out, 'cells.csv').write_text('')"
    parameters = 'results = ""\nout = ""\nrun = ""'
    project.family("30-compare", see, end, extra='models = []\nneeds = "all"', parameters=parameters)
    project.plan()
    done = project.make()
    assert done.returncode == 0, done.stderr


def test_make_killed_three_times_gives_the_rows_of_an_undisturbed_one(project, rows_cell):
    """SIGKILL to everything at once, as when the plug is pulled."""
    names = '["random", "magnitude", "magnitude-layer"]'
    project.family("10-dense", COUNT, rows_cell)
    project.family("21-prune", rows_cell, extra=f'unit = "weight"\nkeep = [0.5]\ncriterion = {names}')
    project.plan()
    for seconds in (1.0, 3.0, 5.0):
        command = ["make", "-j2", "-f", "results/runs/plan.mk", f"PY={sys.executable}"]
        process = subprocess.Popen(command, cwd=project.folder, start_new_session=True, stderr=subprocess.DEVNULL)
        time.sleep(seconds)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    stamps = {path: path.stat().st_mtime_ns for path in project.folder.rglob("*.done")}
    done = project.make()
    assert done.returncode == 0, done.stderr
    assert all(path.stat().st_mtime_ns == before for path, before in stamps.items()), "finished runs were redone"
    disturbed = (project.folder / "results/cells.csv").read_bytes()
    shutil.rmtree(project.folder / "results")
    project.plan()
    assert project.make().returncode == 0
    assert (project.folder / "results/cells.csv").read_bytes() == disturbed
    assert not project.leftovers()


def test_the_overhead_of_a_trivial_run(project, rows_cell):
    """Kernel and launcher, without the imports of the notebook itself: below 5 s of processor time."""
    project.family("10-dense", rows_cell)
    project.plan()
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert project.run(RUN)[0] == 0
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 5


def test_make_is_what_decides_and_a_second_make_does_nothing(project, rows_cell):
    project.family("10-dense", COUNT, rows_cell)
    project.plan()
    assert project.make().returncode == 0
    rows = project.folder / "results/cells.csv"
    before = rows.stat().st_mtime_ns
    for path in project.folder.rglob("*"):
        os.utime(path)
    os.utime(rows, ns=(before, before))
    project.plan()
    assert project.make().returncode == 0
    assert (project.folder / "count").read_text() == "x"
    assert rows.stat().st_mtime_ns == before, "rows that would not change are not written again"


def test_a_run_never_clears_away_the_folder_of_one_with_a_longer_name(tmp_path):
    for name in (
        ".tmp-magnitude-17-",
        ".tmp-magnitude-17-before-",
        ".tmp-magnitude-layer-18-",
        ".tmp-magnitude-layer-18-before-",
    ):
        (tmp_path / name).mkdir()
    assert {path.name for path in _left_behind(tmp_path / "magnitude")} == {
        ".tmp-magnitude-17-",
        ".tmp-magnitude-17-before-",
    }
    assert len(_left_behind(tmp_path / "magnitude-layer")) == 2 and not _left_behind(tmp_path / "layer")
