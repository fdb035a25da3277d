"""A process that ends with the one that started it, where the system can see to that or looking does."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
from threading import Thread

EVERY = 0.25  # seconds between two looks
SET_DEATH_SIGNAL, SET_SUBREAPER = 1, 36  # prctl of Linux


def end_with_parent() -> None:
    """From here on SIGTERM comes to this process when its parent dies, if it is make that started it."""
    if "MAKELEVEL" in os.environ:
        die_with_parent()
        Thread(target=_watch, args=(os.getppid(),), daemon=True).start()


def die_with_parent() -> None:
    """SIGTERM comes to this process when its parent dies, on Linux."""
    _prctl(SET_DEATH_SIGNAL, signal.SIGTERM)


def take_in_orphans() -> None:
    """What a killed descendant leaves behind becomes a child of this process, on Linux."""
    _prctl(SET_SUBREAPER, 1)


def _watch(parent: int) -> None:
    """Where the system does not say that the parent died, looking does."""
    while os.getppid() == parent:
        time.sleep(EVERY)
    os.kill(os.getpid(), signal.SIGTERM)


def _prctl(option: int, value: int) -> None:
    """Set what only Linux has."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, int(value), 0, 0, 0)
