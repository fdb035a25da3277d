"""make at work on a plan: it ends with whoever asked for it, and nothing that it started outlives it.

make hands on SIGTERM to what it started itself, and nothing else; a shell between them hands on nothing, and who is
killed has no say. So one process stands between the make that was typed and the make that walks through the plan. It
sees the first one die, ends the second, and takes in what a killed process leaves behind.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import psutil

from recprune.study.execution import warm
from recprune.study.execution.ask import told
from recprune.study.execution.interrupt import undone
from recprune.study.execution.parent import EVERY, die_with_parent, take_in_orphans

PATIENCE = 20.0  # seconds that what is asked to end may take: a run flushes its rows to the disk
# make's own: of the first make's flags and job server, nothing is for the second
NOT_HANDED_ON = ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "GNUMAKEFLAGS", "MAKEFILES")


def carry_out(plan: Path, jobs: int) -> int:
    """Walk through a plan with `make -k -j<jobs>`. Returns its exit status, when nothing of it is left.

    The environment's MAKE_PROGRAM is the make to take, LAUNCH the prefix of every run.
    """
    take_in_orphans()
    environment = {name: value for name, value in os.environ.items() if name not in NOT_HANDED_ON}
    command = [os.environ.get("MAKE_PROGRAM") or "make", "--no-print-directory", "-k", f"-j{jobs}", "-f", str(plan)]
    command.append(f"PY={os.path.relpath(sys.executable)}")
    ours: list[subprocess.Popen] = []
    server = [sys.executable, "-m", "recprune.study", "serve"]
    with undone(lambda: _end(ours)), warm.ready(server, environment, ours) as handle:
        passed = [] if handle is None else [handle]
        make = subprocess.Popen(command, env=environment | told(handle), pass_fds=passed, preexec_fn=die_with_parent)
        ours.append(make)
        while make.poll() is None:
            time.sleep(EVERY)
            _end_orphans(ours)
        _end(ours)
    return make.returncode


def _end(ours: list[subprocess.Popen]) -> None:
    """Ask make and all that are left of it to end; what has not ended when PATIENCE is over is killed."""
    for process in ours:
        if process.poll() is None:
            process.terminate()
    end = time.monotonic() + PATIENCE
    while left := psutil.Process().children():
        for child in _not(ours, left):
            _signal(child, signal.SIGTERM)
        psutil.wait_procs(left, timeout=EVERY)
        if time.monotonic() > end:
            for child in psutil.Process().children(recursive=True):
                _signal(child, signal.SIGKILL)
            return


def _end_orphans(ours: list[subprocess.Popen]) -> None:
    """End what became this process's child because its own parent was killed."""
    orphans = _not(ours, psutil.Process().children())
    for child in orphans:
        _signal(child, signal.SIGTERM)
    psutil.wait_procs(orphans, timeout=0)


def _not(ours: list[subprocess.Popen], children: list[psutil.Process]) -> list[psutil.Process]:
    mine = {process.pid for process in ours}
    return [child for child in children if child.pid not in mine]


def _signal(process: psutil.Process, number: int) -> None:
    with suppress(psutil.Error):  # it is gone
        process.send_signal(number)
