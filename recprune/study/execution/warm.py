"""One process for each make, in which everything is imported once: every run is a fork of it, and so is its kernel.

A run that starts afresh imports for seconds before it does anything: the launcher papermill, the kernel torch, pandas
and the library. What make starts for a run asks this process to fork one instead, and waits for its status. Nothing is
shared after the fork, and nothing happens in this process but imports and forks, so no run sees another one.

Who may ask has inherited one end of a pair of sockets, whose handle the environment tells (`ask.ASK`). When all of
them have ended, so does this process: it outlives no make. A run ends when who asked for it does. Who finds nobody to
ask, a process that ended, or one that holds other code than the files do now, starts afresh.
"""

from __future__ import annotations

import fcntl
import gc
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import NoReturn

from recprune.study.execution import interrupt, spare
from recprune.study.execution.ask import ACCEPTED
from recprune.study.execution.kernel import constant, without
from recprune.study.identity import Library, Notebook
from recprune.study.identity.source import Source
from recprune.study.plan import Plan, code_of

AFRESH = "RECPRUNE_AFRESH"  # set by who wants every run to start afresh
LONGEST = 1 << 16  # bytes of a request
PACKAGE = Path(__file__).resolve().parents[2]
#: what takes time to import, beside the library, and leaves no threads and no figures behind
IMPORTS = (
    "papermill",
    "ipykernel.kernelapp",
    "ipykernel.zmqshell",
    "ipykernel.debugger",
    "IPython.core.completerlib",
    "IPython.core.debugger",
    "torch",
    "seaborn",
    "matplotlib.backends.backend_agg",
    "pandas.io.formats.html",
    "pyarrow.pandas_compat",
    "pyarrow.dataset",
)
NO_USE = ("rfc3987_syntax", "debugpy")  # a grammar of web addresses, a debugger: half a second each


@contextmanager
def ready(command: list[str], environment: dict[str, str], ours: list[subprocess.Popen]) -> Iterator[int | None]:
    """A warm process for as long as it is needed, added to `ours`. Yields the handle by which it is asked, or None.

    It imports when it is asked for the first time. `command` starts `serve`, and gets a handle as its last argument.
    Where runs have a prefix of their own, which may give them another machine or other limits, they are no forks.
    """
    if sys.platform != "linux" or environment.get("LAUNCH", "").strip() or environment.get(AFRESH):
        yield None
        return
    door, handle = socket.socketpair(type=socket.SOCK_SEQPACKET)
    with handle:
        with door:
            process = subprocess.Popen(
                [*command, str(door.fileno())],
                env=environment | constant(),
                stdin=subprocess.DEVNULL,
                pass_fds=[door.fileno()],
                start_new_session=True,  # Ctrl-C is for who asked
            )
        ours.append(process)
        yield handle.fileno()


def serve(handle: int, run: Callable[[list[str]], int]) -> int:
    """Fork a run for everyone who asks, until nobody can ask any more. `run` gets the arguments of the command line."""
    interrupt.forget()
    code = None
    with socket.socket(fileno=handle) as door:
        while True:
            text, handles, *_ = socket.recv_fds(door, LONGEST, 1)
            if not handles:
                return 0
            request = json.loads(text)
            with socket.socket(fileno=handles[0]) as connection:
                if code is None:
                    code = _code()
                    _import(Path(request[0]))
                    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # who asked for a run hears of its end from the run
                if os.fork() == 0:
                    door.close()
                    _be_the_run(connection, request, code, run)


def _import(plan: Path) -> None:
    """Import what takes time, and what the plan's notebooks import of the library."""
    with without(*NO_USE):
        for name in IMPORTS:
            import_module(name)
    planned = Plan.load(plan)
    library = Library(planned.extensions)
    notebooks = {run.notebook: Notebook.read(Path(run.notebook)) for run in planned.runs}
    for notebook in notebooks.values():
        for found in Source(notebook.path, notebook.code).imports:
            if found.module.partition(".")[0] == "recprune":
                with suppress(ImportError):  # the run that needs it will say so
                    __import__(found.module, fromlist=[found.name])
    for run in planned.runs:
        code_of(notebooks[run.notebook], library, run.parameters)  # each run asks whether it is what was planned
    gc.collect()
    gc.freeze()  # no collection in a fork writes to what is shared


def _be_the_run(connection: socket.socket, request: list[str], code: dict, run: Callable) -> NoReturn:
    """In a fork: answer with the run's status. Without an answer where the files have changed since the imports."""
    status = 1
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        if _code() == code:
            spare.prepare(connection)
            with interrupt.undone(partial(os._exit, interrupt.STATUS)):  # who asked says that it was interrupted
                interrupt.listen()
                _end_with(connection)
                connection.sendall(ACCEPTED)
                status = run(["run", *request])
                interrupt.stop_listening()
                signal.signal(signal.SIGIO, signal.SIG_IGN)
            connection.sendall(bytes([status]))
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os._exit(status)


def _end_with(connection: socket.socket) -> None:
    """From here on this process is interrupted when the other end of the connection closes."""

    def look(*_) -> None:
        with suppress(BlockingIOError):
            if not connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT):
                interrupt.arrived()

    signal.signal(signal.SIGIO, look)
    fcntl.fcntl(connection, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(connection, fcntl.F_SETFL, fcntl.fcntl(connection, fcntl.F_GETFL) | os.O_ASYNC)
    look()


def _code() -> dict[str, tuple[int, int]]:
    """The files of the package: when each was changed, and its size."""
    found = ((entry, os.stat(entry)) for entry in map(str, PACKAGE.rglob("*.py")))
    return {entry: (about.st_mtime_ns, about.st_size) for entry, about in found}
