"""Ctrl-C, SIGTERM and SIGHUP: what was begun is undone, one sentence is said, and the process ends with status 130.

An exception that strikes in the midst of other people's code does not always arrive: asyncio keeps it for later, a
finalizer prints it and goes on, and a second one strikes the clean-up of the first. So where somebody has said what
is to be undone, the handler undoes it itself and ends the process there and then, as SIGKILL would, which every
file here survives. Elsewhere KeyboardInterrupt is raised, once.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

SAID = "interrupted: what is finished stays; the same command goes on"
STATUS = 130
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)  # the terminal's, how schedulers end a job, a lost terminal

_to_undo: list[Callable[[], None]] = []
_held: list[bool] = []  # one entry for each `held_back` that is open: did a signal come meanwhile?


def listen() -> None:
    """Take over the signals, unless who started the process had them ignored, as nohup does."""
    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, arrived)
    sys.unraisablehook = _unraisable


def forget() -> None:
    """Be as a process that has not taken over anything, as a fork that goes its own way has to."""
    _to_undo.clear()
    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
    sys.unraisablehook = sys.__unraisablehook__


def stop_listening() -> None:
    """Ignore the signals from here on: the work is done, or is being given up already."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)


@contextmanager
def undone(undo: Callable[[], None]) -> Iterator[None]:
    """A part of the work that an interruption ends by calling `undo`; the last one entered is undone first."""
    _to_undo.append(undo)
    try:
        yield
    finally:
        _to_undo.remove(undo)


@contextmanager
def held_back() -> Iterator[None]:
    """A part of the work that an interruption waits for: short, and whole or not at all."""
    _held.append(False)
    try:
        yield
    finally:
        if _held.pop():
            arrived()


def arrived(*_) -> None:
    """What a signal does: undo and leave, later where it is held back, or raise KeyboardInterrupt."""
    if _held:
        _held[-1] = True
        return
    stop_listening()
    if _to_undo:
        _leave()
    raise KeyboardInterrupt


def _leave() -> None:
    for undo in reversed(_to_undo):
        with suppress(Exception):
            undo()
    with suppress(OSError):  # no print: the interrupted code may be inside one
        os.write(2, f"{SAID}\n".encode())
    os._exit(STATUS)


def _unraisable(what) -> None:
    """Where Python can only print an exception and go on, an interruption would be lost: it ends the process."""
    if issubclass(what.exc_type, KeyboardInterrupt):
        _leave()
    sys.__unraisablehook__(what)
