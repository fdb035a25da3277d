"""An interruption undoes what was begun and ends the process, wherever it strikes."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

BEGIN = """
import os, signal, sys
from recprune.study.execution import interrupt
interrupt.listen()
def strike(): os.kill(os.getpid(), signal.{sign})
"""


def ended(code: str, sign: str = "SIGINT", **options) -> tuple[int, str, str]:
    """Exit status, stdout and stderr of a process that interrupts itself."""
    source = BEGIN.format(sign=sign) + code
    default = lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)
    options = {"preexec_fn": default, "capture_output": True, "text": True, "timeout": 60} | options
    done = subprocess.run([sys.executable, "-c", source], **options)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("sign", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_the_last_that_was_begun_is_undone_first_and_nothing_follows(sign):
    code = """
with interrupt.undone(lambda: print("outer", flush=True)), interrupt.undone(lambda: print("inner", flush=True)):
    try:
        strike()
    finally:
        print("clean-up that the next signal could strike")
"""
    assert ended(code, sign) == (
        130,
        "inner\nouter\n",
        "interrupted: what is finished stays; the same command goes on\n",
    )


def test_what_is_ended_needs_no_undoing():
    code = """
with interrupt.undone(lambda: print("undone")):
    pass
try:
    strike()
except KeyboardInterrupt:
    print("as ever")
    strike()
    print("the second strikes nobody")
"""
    assert ended(code) == (0, "as ever\nthe second strikes nobody\n", "")


def test_it_waits_for_what_is_whole_or_not_at_all():
    code = """
with interrupt.undone(lambda: print("undone", flush=True)):
    with interrupt.held_back():
        strike()
        print("whole", flush=True)
    print("never")
"""
    status, output, _ = ended(code)
    assert (status, output) == (130, "whole\nundone\n")


def test_a_place_where_exceptions_are_only_printed_does_not_swallow_it():
    code = """
class Late:
    def __del__(self):
        strike()
        sum(range(10))
late = Late()
del late
print("goes on as if nothing had been")
"""
    status, output, errors = ended(code)
    assert (status, output) == (130, "") and "Traceback" not in errors


def test_what_fails_to_undo_keeps_nothing_from_being_undone():
    code = """
with interrupt.undone(lambda: print("undone", flush=True)), interrupt.undone(lambda: 1 / 0):
    strike()
"""
    status, output, errors = ended(code)
    assert (status, output) == (130, "undone\n") and "Traceback" not in errors


def test_who_ignores_it_goes_on_ignoring_it():
    ignored = lambda: signal.signal(signal.SIGINT, signal.SIG_IGN)  # as nohup, or a shell's background
    assert ended("strike()\nprint('on')", preexec_fn=ignored) == (0, "on\n", "")
