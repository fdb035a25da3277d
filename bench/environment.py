"""The environment .venv-bench of the other libraries: a thin one over .venv, which stays as it is."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

from bench.common import ROOT

FOLDER = ROOT / ".venv-bench"
REQUIREMENTS = Path(__file__).with_name("requirements.txt")


def python() -> str:
    """The interpreter that has the other libraries, made on first use; where that fails, our own, without them."""
    stamp = FOLDER / f".ready-{hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()[:12]}"
    interpreter = FOLDER / "bin" / "python"
    if not stamp.exists():
        print(f"making {FOLDER.name}: other libraries' evaluators, 80 MB, from the package index", flush=True)
        shutil.rmtree(FOLDER, ignore_errors=True)
        make = [sys.executable, "-m", "venv", "--without-pip", str(FOLDER)]
        install = [sys.executable, "-m", "pip", "--python", str(interpreter), "install", "--quiet", "--no-deps"]
        for command in (make, [*install, "--disable-pip-version-check", "-r", str(REQUIREMENTS)]):
            done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            if done.returncode:
                print(f"{FOLDER.name} cannot be made; only what .venv has is compared:\n{done.stdout[-2000:]}")
                return sys.executable
        below = Path(
            subprocess.run(
                [str(interpreter), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
                check=True,
                stdout=subprocess.PIPE,
                text=True,
            ).stdout.strip()
        )
        (below / "below.pth").write_text(sysconfig.get_path("purelib") + "\n")
        stamp.touch()
    return str(interpreter)
