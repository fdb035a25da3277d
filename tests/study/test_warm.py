"""Runs that are forks of one process: as if each had started afresh, and none sees another one."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from unittest.mock import ANY

import matplotlib
import psutil
import pytest

from recprune.study.execution import warm
from recprune.study.execution.ask import told

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="elsewhere every run starts afresh"),
]
PATIENCE = 60.0  # seconds, on a busy machine, for what takes two
SERVE = """
import pathlib, sys
from recprune.study.__main__ import main
from recprune.study.execution import warm
warm.PACKAGE, warm.IMPORTS = pathlib.Path({package!r}), {imports}
sys.exit(warm.serve(int(sys.argv[1]), main))
"""
FEW = ("papermill", "ipykernel.kernelapp")  # enough for what uses nothing
HOW = """
import pathlib, sys
top = pathlib.Path(*['..'] * 7)
_ = (top / 'how').write_text(str('papermill' in sys.modules))
"""
HOLDS = """
import os, pathlib, time
top = pathlib.Path(*['..'] * 7)
(top / '.pid').write_text(str(os.getpid()))
(top / '.pid').rename(top / 'pid')
while not (top / 'go').exists():
    time.sleep(0.02)
"""
# what a process has from who started it, and what imports leave behind
STATE = """
import os, pathlib, random, signal, sys, threading
import torch
own = {"JPY_PARENT_PID", "JPY_SESSION_NAME", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"}
own |= {"IPYTHONDIR", "RECPRUNE_WARM", "PYDEVD_USE_FRAME_EVAL"}  # the last says that a debugger was imported
print(sorted((name, value) for name, value in os.environ.items() if name not in own))
print(sys.path, sys.argv[:2], pathlib.Path.cwd().parent, hash("a"), sys.stdin.readable())
print({each.name: str(signal.getsignal(each)) for each in signal.Signals if each.name not in ("SIGKILL", "SIGSTOP")})
print(os.getsid(0) == os.getpgid(0) == os.getpid(), sorted(thread.name for thread in threading.enumerate()))
print(os.readlink("/proc/self/fd/1") == os.readlink("/proc/self/fd/2"), sys.modules["__main__"].__dict__ is globals())
print(torch.get_num_threads())
"""
FIGURE = "from matplotlib import pyplot as plt\nplt.plot([3, 1, 2])\nNone"
TABLE = "import pandas as pd\npd.DataFrame({'a': [1.5, 2.5]})"


@pytest.fixture
def serving(project, monkeypatch):
    """Starts a warm process in the project's folder. Returns it, and the options of a process that may ask it."""
    started = []

    def start(package: Path = warm.PACKAGE, imports: tuple = FEW) -> tuple[subprocess.Popen, dict]:
        monkeypatch.chdir(project.folder)
        processes: list[subprocess.Popen] = []
        command = [sys.executable, "-c", SERVE.format(package=str(package), imports=imports)]
        context = warm.ready(command, dict(os.environ), processes)
        handle = context.__enter__()
        started.append((context, processes[0]))
        return processes[0], {"env": os.environ | told(handle), "pass_fds": [handle]}

    yield start
    for context, process in started:
        context.__exit__(None, None, None)  # nobody can ask any more
        process.wait(PATIENCE)


def until(there) -> None:
    end = time.monotonic() + PATIENCE
    while not there():
        assert time.monotonic() < end
        time.sleep(0.02)


def executed(project, run) -> list:
    """What the cells of an executed notebook showed."""
    notebook = json.loads((project.folder / run.folder / "executed.ipynb").read_text())
    return [cell["outputs"] for cell in notebook["cells"] if cell["cell_type"] == "code"]


def family(project, name: str, *cells: str) -> str:
    """A family of one run. Returns its id."""
    project.family(name, *cells, extra=f'unit = "weight"\nkeep = [0.5]\ncriterion = "random"\nmethod = "{name}"')
    return f"synthetic/ratio/ease/{name}"


def alive(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def test_a_fork_shows_and_leaves_what_a_kernel_that_starts_afresh_does(project, rows_cell, serving, monkeypatch):
    id = family(project, "21-prune", HOW, STATE, FIGURE, TABLE, rows_cell)
    run = project.plan()[id]
    folder = project.folder / run.folder
    how, left = [], []
    monkeypatch.setenv("MPLCONFIGDIR", matplotlib.get_cachedir())
    for options in ({"env": dict(os.environ)}, serving(imports=warm.IMPORTS)[1]):
        status, errors = project.run(id, **options)
        assert status == 0, errors
        how.append((project.folder / "how").read_text())
        left.append((executed(project, run), (folder / "cells.csv").read_bytes()))
        (folder / "run.json").unlink()
        (folder / Path(run.stamp).name).unlink()
    assert how == ["False", "True"]
    assert left[0] == left[1]


def test_what_a_run_changes_no_other_run_sees(project, rows_cell, serving):
    change = "import os, recprune.cells\nos.environ['MINE'] = recprune.cells.mine = 'x'\nos.chdir('/')"
    first = family(project, "20-first", rows_cell, change)
    sees = "import os, recprune.cells\nassert 'MINE' not in os.environ and not hasattr(recprune.cells, 'mine')"
    second = family(project, "21-second", HOW, sees, rows_cell)
    project.plan()
    options = serving()[1]
    assert [project.run(id, **options) for id in (first, second)] == [(0, ANY), (0, ANY)]
    assert (project.folder / "how").read_text() == "True"


def test_no_two_runs_draw_the_same_random_numbers(project, rows_cell, serving):
    draw = "import pathlib, random\nimport numpy, torch\ntop = pathlib.Path(*['..'] * 7)\n"
    draw += "with (top / 'drawn').open('a') as file:\n    "
    draw += "print(random.random(), numpy.random.rand(), float(torch.rand(1)), file=file)"
    ids = [family(project, name, draw, rows_cell) for name in ("20-first", "21-second")]
    project.plan()
    options = serving(imports=warm.IMPORTS)[1]
    assert [project.run(id, **options) for id in ids] == [(0, ANY), (0, ANY)]
    first, second = (project.folder / "drawn").read_text().splitlines()
    assert not set(first.split()) & set(second.split())


def test_a_kernel_that_is_killed_takes_nobody_along(project, rows_cell, serving, capfd):
    killed = family(project, "20-killed", HOW, "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)")
    held = family(project, "21-held", HOLDS, rows_cell)
    project.plan()
    options = serving()[1]
    other = project.start("run", "results/runs/plan.json", held, **options)
    until((project.folder / "pid").exists)
    assert project.run(killed, **options)[0] == 1
    assert "cell 4: the kernel died" in capfd.readouterr().err
    assert (project.folder / "how").read_text() == "True"
    (project.folder / "go").touch()
    assert other.wait(PATIENCE) == 0


@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_run_ends_with_who_asked_for_it(project, rows_cell, serving, sign):
    id = family(project, "21-held", HOLDS, rows_cell)
    project.plan()
    options = serving()[1]
    asking = project.start("run", "results/runs/plan.json", id, **options)
    until((project.folder / "pid").exists)
    kernel = psutil.Process(int((project.folder / "pid").read_text()))
    run = kernel.parent()
    asking.send_signal(sign)
    asking.wait(PATIENCE)
    until(lambda: not alive(kernel.pid) and not alive(run.pid))
    assert not project.leftovers()
    assert asking.returncode == (-9 if sign == signal.SIGKILL else 130)
    (project.folder / "go").touch()
    assert project.run(id, **options) == (0, ANY)


def test_a_run_that_is_killed_says_so_and_the_next_one_does_it(project, rows_cell, serving):
    id = family(project, "21-held", HOLDS, rows_cell)
    project.plan()
    options = serving()[1]
    asking = project.start("run", "results/runs/plan.json", id, **options)
    until((project.folder / "pid").exists)
    kernel = psutil.Process(int((project.folder / "pid").read_text()))
    kernel.parent().kill()
    assert "the run was killed" in asking.communicate(timeout=PATIENCE)[1] and asking.returncode == 1
    until(lambda: not alive(kernel.pid))
    (project.folder / "go").touch()
    assert project.run(id, **options) == (0, ANY)
    assert not project.leftovers()


def test_where_files_of_the_package_changed_a_run_starts_afresh(project, rows_cell, serving):
    first, second = family(project, "20-first", HOW, rows_cell), family(project, "21-second", HOW, rows_cell)
    project.plan()
    package = project.folder / "package"
    package.mkdir()
    (package / "code.py").write_text("x = 1")
    options = serving(package)[1]
    how = []
    for id in (first, second):
        assert project.run(id, **options) == (0, ANY)
        how.append((project.folder / "how").read_text())
        (package / "code.py").write_text("x = 2.5")
    assert how == ["True", "False"]


def test_where_the_warm_process_is_gone_a_run_starts_afresh(project, rows_cell, serving):
    id = family(project, "21-prune", HOW, rows_cell)
    project.plan()
    process, options = serving()
    process.kill()
    process.wait()
    assert project.run(id, **options) == (0, ANY)
    assert (project.folder / "how").read_text() == "False"


def test_it_ends_when_nobody_can_ask(serving):
    assert serving()[0].poll() is None  # the fixture waits for its end


@pytest.mark.parametrize("name, value", [("LAUNCH", "nice"), (warm.AFRESH, "1")])
def test_no_process_is_warm_where_runs_are_to_start_afresh(name, value):
    processes: list[subprocess.Popen] = []
    with warm.ready(["false"], {name: value}, processes) as handle:
        assert handle is None and not processes and told(handle) == {}
