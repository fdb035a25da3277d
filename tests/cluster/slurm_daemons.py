"""A Slurm of the tests' own: munge, one controller and two nodes on this machine, gone when the tests are."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "squeue", "sinfo")
PACKAGES = ("snakemake", "snakemake_executor_plugin_slurm")
CONF = """
ClusterName=tests
SlurmctldHost={host}
SlurmctldPort={ports[0]}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
ReturnToService=2
JobRequeue=0
SlurmdTimeout=10
MinJobAge=600
SlurmdParameters=config_overrides
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/controller.pid
SlurmdPidFile={folder}/%n.pid
SlurmctldLogFile={folder}/controller.log
SlurmdLogFile={folder}/%n.log
NodeName=n1 NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[1]} CPUs=1 RealMemory=8000
NodeName=n2 NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[2]} CPUs=1 RealMemory=8000
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


def until(condition: Callable[[], object], what: str, seconds: float = 300) -> None:
    """Wait for a state; fails, saying `what` did not come about, when it is not there in time."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"{what}: not within {seconds:.0f} s"
        time.sleep(0.1)


class Slurm:
    """The daemons, each a child in the foreground, and what is asked of them."""

    def __init__(self, folder: Path):
        self.folder, self.conf = folder, folder / "slurm.conf"
        path = f"{folder / 'bin'}:{os.environ['PATH']}:/usr/sbin"
        self.environment = os.environ | {"SLURM_CONF": str(self.conf), "PATH": path}
        self.daemons: dict[str, subprocess.Popen] = {}

    def start(self) -> None:
        names = {"folder": self.folder, "host": socket.gethostname(), "user": pwd.getpwuid(os.getuid()).pw_name}
        self.conf.write_text(CONF.format(ports=_free_ports(3), **names))
        (self.folder / "state").mkdir()
        key = self.folder / "key"
        key.write_bytes(os.urandom(128))
        key.chmod(0o600)
        own = [f"--{name}-file={self.folder / name}" for name in ("key", "pid", "log", "seed")]
        self._daemon("munge", "munged", "--foreground", "--force", f"--socket={self.folder / 'munge'}", *own)
        until((self.folder / "munge").exists, "munge")
        self._srun()
        self._daemon("controller", "slurmctld", "-D")
        for node in ("n1", "n2"):
            self._daemon(node, "slurmd", "-D", "-N", node)
        until(lambda: self.ask("sinfo", "-h", "-N", "-o", "%T").split() == ["idle", "idle"], "two idle nodes")

    def _srun(self) -> None:
        """An `srun` that knows the configuration: jobs of Snakemake's take SLURM_CONF from its environment."""
        srun = self.folder / "bin/srun"
        srun.parent.mkdir()
        srun.write_text(f'#!/bin/sh\nSLURM_CONF={self.conf} exec {shutil.which("srun")} "$@"\n')
        srun.chmod(0o755)

    def _daemon(self, name: str, *command: str) -> None:
        with (self.folder / f"{name}.out").open("wb") as out:
            self.daemons[name] = subprocess.Popen(command, env=self.environment, stdout=out, stderr=out)

    def ask(self, *command: str) -> str:
        return subprocess.run(command, env=self.environment, capture_output=True, text=True).stdout

    def work_on(self, node: str) -> list[psutil.Process]:
        """The processes that watch over the jobs of a node, with all below them."""
        jobs = self.ask("squeue", "-h", "-t", "running", "-w", node, "-o", "%A").split()
        named = tuple(f"slurmstepd: [{job}." for job in jobs)
        found = []
        for process in psutil.process_iter(["cmdline"]):
            if named and " ".join(process.info["cmdline"] or ()).startswith(named):
                with suppress(psutil.Error):
                    found += [process, *process.children(recursive=True)]
        return found

    def lose(self, node: str) -> None:
        """The node's daemon and the work on it, gone at once, as when its plug is pulled."""
        work = self.work_on(node)
        self.daemons[node].kill()
        for process in work:
            with suppress(psutil.Error):
                process.kill()

    def stop(self) -> None:
        with suppress(OSError):
            for node in ("n1", "n2"):
                for process in self.work_on(node):
                    with suppress(psutil.Error):
                        process.kill()
        for daemon in reversed(self.daemons.values()):
            daemon.send_signal(signal.SIGTERM)
        for daemon in self.daemons.values():
            try:
                daemon.wait(20)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()


def _free_ports(number: int) -> list[int]:
    sockets = [socket.socket() for _ in range(number)]
    try:
        for found in sockets:
            found.bind(("127.0.0.1", 0))
        return [found.getsockname()[1] for found in sockets]
    finally:
        for found in sockets:
            found.close()
