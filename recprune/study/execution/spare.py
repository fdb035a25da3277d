"""A kernel that is a fork of a process in which everything is imported already, in place of one that starts afresh.

It is forked before that process has opened, locked or started anything, and then waits until it is told what a new
process would have from who starts it: environment, working folder, arguments, the file for its messages. From there on
it is a process of its own, as a kernel that is started is: in a session of its own, with signals, standard streams and
random numbers of its own. What it has in common with others is memory that nobody has written to since the imports.
"""

from __future__ import annotations

import atexit
import json
import os
import signal
import socket
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, NoReturn

from recprune.study.execution import interrupt

if TYPE_CHECKING:
    from jupyter_client.provisioning import LocalProvisioner

READY = b"."


class Forked:
    """A child process as `subprocess.Popen` shows it to jupyter_client."""

    stdin = stdout = stderr = None  # it has no pipes

    def __init__(self, pid: int, orders: socket.socket):
        self.pid, self.orders = pid, orders
        self.returncode: int | None = None

    def start(self, command: list[str], environment: dict[str, str], cwd: str, log: str) -> None:
        """Make it the kernel that the command would start. Raises RuntimeError when it is not there any more."""
        after = command[command.index("ipykernel_launcher") + 1 :]
        order = {"arguments": after, "environment": environment, "cwd": cwd, "log": log}
        with self.orders as orders:
            orders.sendall(json.dumps(order).encode() + b"\n")
            if orders.recv(1) != READY:
                raise RuntimeError("the process that waited to become the kernel ended")

    def poll(self) -> int | None:
        """Its exit status; None while it lives."""
        return self._reap(os.WNOHANG)

    def wait(self) -> int | None:
        """Its exit status, when it has ended."""
        return self._reap(0)

    def send_signal(self, number: int) -> None:
        """Send it a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def _reap(self, options: int) -> int | None:
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, options)
            self.returncode = os.waitstatus_to_exitcode(status) if pid else None
        return self.returncode


_spare: list[Forked] = []


def prepare(*handles: socket.socket) -> None:
    """Fork a process that may become this one's kernel; it closes the handles, and ends when nobody can tell it to."""
    ours, its = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        for handle in (ours, *handles):
            handle.close()
        _become_kernel(its)
    its.close()
    _spare.append(Forked(pid, ours))


def provisioner() -> type[LocalProvisioner] | None:
    """What makes the spare process, if there is one, the kernel that jupyter_client is about to start."""
    if not _spare:
        return None
    from jupyter_client.provisioning import LocalProvisioner

    process: Any = _spare.pop()  # as good as a Popen

    class Spare(LocalProvisioner):
        async def launch_kernel(self, cmd, **options):
            environment = options["env"] | {"JPY_PARENT_PID": str(os.getpid())}
            self.process, self.cwd = process, options.get("cwd") or os.getcwd()
            process.start(cmd, environment, self.cwd, options["stdout"].name)
            self.pid = self.pgid = process.pid
            return self.connection_info

    return Spare


def _become_kernel(orders: socket.socket) -> NoReturn:
    status = 1
    try:
        with orders, orders.makefile() as lines:
            order = json.loads(lines.readline() or "null")
            if order is None:  # the run needed no kernel, or was killed
                os._exit(0)
            _be_new(order)
            orders.sendall(READY)
        from ipykernel import kernelapp

        # the application takes it from the environment, but at import: without it a kernel outlives a killed run
        kernelapp.launch_new_instance(parent_handle=int(os.environ["JPY_PARENT_PID"]))
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        atexit._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os._exit(status)


def _be_new(order: dict) -> None:
    """Have what a new process has from who started it, and what it makes of it as it starts."""
    os.setsid()
    interrupt.forget()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    if sys.path and sys.path[0] in ("", os.getcwd()):  # as ipykernel_launcher does
        del sys.path[0]
    os.chdir(order["cwd"])
    os.environ.clear()
    os.environ.update(order["environment"])
    log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
    for stream in (1, 2):
        os.dup2(log, stream)
    os.close(log)
    launcher = find_spec("ipykernel_launcher")
    sys.argv = [str(launcher and launcher.origin), *order["arguments"]]
    for library in ("random", "numpy.random", "torch"):
        if library in sys.modules:
            sys.modules[library].seed()
