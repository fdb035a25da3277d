"""Asking the warm process (see `warm`) for a run, without an import that takes time."""

from __future__ import annotations

import json
import os
import socket
import stat
import sys
from contextlib import suppress
from functools import partial
from pathlib import Path

from recprune.study.execution import interrupt

ASK = "RECPRUNE_WARM"  # the handle of the socket and its inode, which no other file has
ACCEPTED = b"."


def asked(plan: Path, id: str) -> int | None:
    """The exit status of a run that the warm process forked; None where there was nobody to ask."""
    found = _whom_to_ask()
    if found is None:
        return None
    ours, its = socket.socketpair()
    with found, ours:
        with its, suppress(OSError):
            socket.send_fds(found, [json.dumps([str(plan), id]).encode()], [its.fileno()])
        with suppress(OSError):
            if ours.recv(1) == ACCEPTED:
                with interrupt.undone(partial(_let_go, ours)):
                    status = ours.recv(1)
                if not status:
                    print(f"error: {id}: the run was killed; was the machine out of memory?", file=sys.stderr)
                return status[0] if status else 1
    return None


def told(handle: int | None) -> dict[str, str]:
    """What the environment of those who may ask has beside the rest."""
    return {} if handle is None else {ASK: f"{handle}:{os.fstat(handle).st_ino}"}


def _let_go(connection: socket.socket) -> None:
    """Have the run end, and wait until it has."""
    connection.shutdown(socket.SHUT_WR)
    while connection.recv(1):
        pass


def _whom_to_ask() -> socket.socket | None:
    """The socket that the environment tells of, if this process has inherited it."""
    handle, _, inode = os.environ.get(ASK, "").partition(":")
    with suppress(ValueError, OSError):
        found = os.fstat(int(handle))
        if stat.S_ISSOCK(found.st_mode) and found.st_ino == int(inode):
            return socket.socket(fileno=int(handle))
    return None
