"""Make the environment .venv: python3 tools/env.py .venv/.ready-CHECKSUM

Called by the Makefile when the stamp for the present pyproject.toml and constraints.txt is not there.
Needs nothing but the standard library. Two callers at once make it once; half an environment is made anew. It ends with
the make that called it, however that ends, and what it started ends with it.

On Linux the package index's torch brings CUDA, which nothing here uses: 2.5 GB to download and 4 GB of disk more than
torch's CPU build. So without an NVIDIA GPU that build is taken, where one can be had: from an index or folder that
pip is set up for, or from pytorch.org. TORCH_INDEX names the index to take torch from, whatever the machine.
"""

import ctypes
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

OLDEST = (3, 11)
NO_NETWORK = ("NewConnectionError", "name resolution", "Connection refused", "ConnectTimeout", "Network is unreachable")
CPU_INDEX = "https://download.pytorch.org/whl/cpu"
# what tells of an NVIDIA GPU whose driver is there
DRIVER = ("/proc/driver/nvidia/version", "/dev/nvidia0")
NO_CPU_BUILD = (
    "no CPU build of torch within reach: the default one brings CUDA, 2.7 GB to download for torch alone and 6.3 GB of"
    " disk in all (TORCH_INDEX=ADDRESS names another index)"
)
IMPATIENT = ["--timeout", "10", "--retries", "1"]


def main(stamp):
    if sys.version_info < OLDEST:
        version = ".".join(map(str, sys.version_info[:2]))
        return f"{sys.executable} is Python {version}; 3.11 or newer is needed: make PYTHON=python3.12 (or conda)"
    folder = stamp.parent
    with open(f"{folder}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        os.set_inheritable(lock.fileno(), True)  # who is still at work holds it too
        if stamp.exists():  # another make was first
            return None
        return make(folder) or finish(stamp)


def make(folder):
    """Create or complete the environment. Returns what went wrong, or None."""
    whole = any(folder.glob(".ready-*")) and (folder / "bin" / "python").exists()
    if not whole:
        print(f"making the environment {folder}: a minute or two and 2.3 GB, from the package index", flush=True)
        shutil.rmtree(folder, ignore_errors=True)
        command = [sys.executable, "-m", "venv", str(folder)]
        status, text = run(command)
        if status:
            return f"python -m venv failed (on Debian and Ubuntu it needs the package python3-venv):\n{text.strip()}"
    else:
        print(f"the dependency files changed: bringing {folder} up to date", flush=True)
    for old in folder.glob(".ready-*"):
        old.unlink()
    began = time.time()
    problem = torch_alone(folder) or project(folder)
    if not problem:
        print(f"the environment is ready ({time.time() - began:.0f} s)", flush=True)
    return problem


def torch_alone(folder):
    """Install torch alone, where the default build would be the wrong one. Returns what went wrong, or None."""
    index, pin = os.environ.get("TORCH_INDEX", "").strip(), pinned("torch")
    if installed(folder, "torch") == pin:
        return None
    if index:
        return pip(folder, "--no-deps", "--index-url", index, f"torch=={pin}")
    if sys.platform == "linux" and not gpu():
        # the build's name, so that no index can answer with another; the requirements follow with the project
        if pip(folder, *IMPATIENT, "--no-deps", "--extra-index-url", CPU_INDEX, f"torch=={pin}+cpu"):
            print(NO_CPU_BUILD, flush=True)
    return None


def gpu():
    return bool(shutil.which("nvidia-smi")) or any(os.path.exists(path) for path in DRIVER)


def pinned(name):
    """The version of a package that constraints.txt has."""
    lines = Path("constraints.txt").read_text().splitlines()
    return next(line.partition("==")[2] for line in lines if line.startswith(f"{name}=="))


def installed(folder, name):
    """The version of a package in the environment, without the name of its build; empty where it is not there."""
    code = f"from importlib.metadata import version; print(version({name!r}))"
    done = subprocess.run(
        [str(folder / "bin" / "python"), "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    return done.stdout.decode().strip().partition("+")[0]


def project(folder):
    """Install the project, editable, with its extras, at the tested versions. Returns what went wrong, or None."""
    return pip(folder, "-e", ".[lab,tune,large,onnx,test,dev,docs]", "-c", "constraints.txt")


def pip(folder, *arguments):
    """pip install. Returns what went wrong, or None."""
    command = [str(folder / "bin" / "python"), "-m", "pip", "--quiet", "--no-input", "--disable-pip-version-check"]
    command += ["install", *arguments]
    if not os.access(os.path.expanduser("~") or "/nowhere", os.W_OK):
        command.append("--no-cache-dir")
    status, text = run(command)
    if not status:
        return None
    tail = "\n".join(text.strip().splitlines()[-25:])
    if any(sign in text for sign in NO_NETWORK):
        tail += "\n\nThe package index was out of reach: with a network (or PIP_INDEX_URL), type the command again."
    return f"pip could not install the project:\n{tail}"


def run(command):
    """Exit status and output of a command, which ends, with all that it started, when this process is told to end."""
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "close_fds": False}
    process = subprocess.Popen(command, preexec_fn=in_a_group_of_its_own, **options)
    try:
        output = process.communicate()[0]
    except BaseException:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        raise
    return process.returncode, output.decode(errors="replace")


def in_a_group_of_its_own():
    os.setpgid(0, 0)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, int(signal.SIGKILL), 0, 0, 0)  # to this process when its parent is killed


def listen():
    """End on SIGTERM and SIGHUP as on Ctrl-C, and when make is gone."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler)
    threading.Thread(target=watch, args=(os.getppid(),), daemon=True).start()


def watch(parent):
    while os.getppid() == parent:
        time.sleep(0.25)
    os.kill(os.getpid(), signal.SIGTERM)


def finish(stamp):
    stamp.touch()
    return None


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    try:
        listen()
        problem = main(Path(sys.argv[1]))
    except KeyboardInterrupt:
        sys.exit(130)
    except OSError as error:
        problem = str(error)
    sys.exit(f"error: {problem}" if problem else 0)
