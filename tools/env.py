"""Make the environment .venv: python3 tools/env.py .venv/.ready-CHECKSUM

Called by the Makefile when the stamp for the present pyproject.toml and constraints.txt is not there.
Needs nothing but the standard library. Two callers at once make it once; half an environment is made anew.
"""

import fcntl
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

OLDEST = (3, 11)
NO_NETWORK = ("NewConnectionError", "name resolution", "Connection refused", "ConnectTimeout", "Network is unreachable")


def main(stamp):
    if sys.version_info < OLDEST:
        version = ".".join(map(str, sys.version_info[:2]))
        return f"{sys.executable} is Python {version}; 3.11 or newer is needed: make PYTHON=python3.12 (or conda)"
    folder = stamp.parent
    with open(f"{folder}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if stamp.exists():  # another make was first
            return None
        return make(folder) or finish(stamp)


def make(folder):
    """Create or complete the environment. Returns what went wrong, or None."""
    whole = any(folder.glob(".ready-*")) and (folder / "bin" / "python").exists()
    if not whole:
        print(f"making the environment {folder}: about a minute and 2 GB, from the package index", flush=True)
        shutil.rmtree(folder, ignore_errors=True)
        command = [sys.executable, "-m", "venv", str(folder)]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode:
            text = done.stdout.decode(errors="replace").strip()
            return f"python -m venv failed (on Debian and Ubuntu it needs the package python3-venv):\n{text}"
    else:
        print(f"the dependency files changed: bringing {folder} up to date", flush=True)
    for old in folder.glob(".ready-*"):
        old.unlink()
    return install(folder)


def install(folder):
    """pip install the project, editable, with its extras, at the tested versions."""
    command = [str(folder / "bin" / "python"), "-m", "pip", "--quiet", "--no-input", "--disable-pip-version-check"]
    command += ["install", "-e", ".[lab,tune,test,dev]", "-c", "constraints.txt"]
    if not os.access(os.path.expanduser("~") or "/nowhere", os.W_OK):
        command.append("--no-cache-dir")
    environment = dict(os.environ)
    if environment.get("TORCH_INDEX"):
        others = environment.get("PIP_EXTRA_INDEX_URL", "")
        environment["PIP_EXTRA_INDEX_URL"] = f"{environment['TORCH_INDEX']} {others}".strip()
    began = time.time()
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    text = done.stdout.decode(errors="replace")
    if done.returncode:
        tail = "\n".join(text.strip().splitlines()[-25:])
        if any(sign in text for sign in NO_NETWORK):
            tail += "\n\nThe package index was out of reach: with a network (or PIP_INDEX_URL), type the command again."
        return f"pip could not install the project:\n{tail}"
    print(f"the environment is ready ({time.time() - began:.0f} s)", flush=True)
    return None


def finish(stamp):
    stamp.touch()
    return None


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    try:
        problem = main(Path(sys.argv[1]))
    except KeyboardInterrupt:
        sys.exit(130)
    except OSError as error:
        problem = str(error)
    sys.exit(f"error: {problem}" if problem else 0)
