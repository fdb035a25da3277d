"""make at work on a plan: it ends with whoever asked for it, and nothing that it started outlives it.

make hands on SIGTERM to what it started itself, and nothing else; a shell between them hands on nothing, and who is
killed has no say. So one process stands between the make that was typed and the make that walks through the plan. It
sees the first one die, ends the second, and takes in what a killed process leaves behind.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from threading import Thread

import psutil

from recprune.study.execution.interrupt import undone

PATIENCE = 20.0  # seconds that what is asked to end may take: a run flushes its rows to the disk
EVERY = 0.25  # seconds between two looks
# make's own: of the first make's flags and job server, nothing is for the second
NOT_HANDED_ON = ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "GNUMAKEFLAGS", "MAKEFILES")
SET_DEATH_SIGNAL, SET_SUBREAPER = 1, 36  # prctl of Linux


def end_with_parent() -> None:
    """From here on SIGTERM comes to this process when its parent dies, if it is make that started it."""
    if "MAKELEVEL" in os.environ:
        _prctl(SET_DEATH_SIGNAL, signal.SIGTERM)
        Thread(target=_watch, args=(os.getppid(),), daemon=True).start()


def carry_out(plan: Path, jobs: int) -> int:
    """Walk through a plan with `make -k -j<jobs>`. Returns its exit status, when nothing of it is left.

    The environment's MAKE_PROGRAM is the make to take, LAUNCH the prefix of every run.
    """
    _prctl(SET_SUBREAPER, 1)  # orphans become children of this process
    environment = {name: value for name, value in os.environ.items() if name not in NOT_HANDED_ON}
    command = [os.environ.get("MAKE_PROGRAM") or "make", "--no-print-directory", "-k", f"-j{jobs}", "-f", str(plan)]
    command.append(f"PY={os.path.relpath(sys.executable)}")
    make: list[subprocess.Popen] = []
    with undone(lambda: _end(make)):
        make.append(subprocess.Popen(command, env=environment, preexec_fn=_dies_with_us))
        while make[0].poll() is None:
            time.sleep(EVERY)
            _end_orphans(make[0].pid)
        _end(make)
    return make[0].returncode


def _end(make: list[subprocess.Popen]) -> None:
    """Ask make and all that are left of it to end; what has not ended when PATIENCE is over is killed."""
    for process in make:
        if process.poll() is None:
            process.terminate()
    end = time.monotonic() + PATIENCE
    while left := psutil.Process().children():
        for child in left:
            if not make or child.pid != make[0].pid:
                _signal(child, signal.SIGTERM)
        psutil.wait_procs(left, timeout=EVERY)
        if time.monotonic() > end:
            for child in psutil.Process().children(recursive=True):
                _signal(child, signal.SIGKILL)
            return


def _end_orphans(make: int) -> None:
    """End what became this process's child because its own parent was killed."""
    orphans = [child for child in psutil.Process().children() if child.pid != make]
    for child in orphans:
        _signal(child, signal.SIGTERM)
    psutil.wait_procs(orphans, timeout=0)


def _signal(process: psutil.Process, number: int) -> None:
    with suppress(psutil.Error):  # it is gone
        process.send_signal(number)


def _dies_with_us() -> None:
    _prctl(SET_DEATH_SIGNAL, signal.SIGTERM)


def _watch(parent: int) -> None:
    """Where the system does not say that the parent died, looking does."""
    while os.getppid() == parent:
        time.sleep(EVERY)
    os.kill(os.getpid(), signal.SIGTERM)


def _prctl(option: int, value: int) -> None:
    """Set what only Linux has."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, int(value), 0, 0, 0)
