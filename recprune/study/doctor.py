"""Is everything here that a study needs? One line for each thing, and what to do where it is not."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from recprune.study.identity import machine, package_version
from recprune.study.record import damage_of

ROOT = Path(__file__).resolve().parents[2]
DISK = 5.0  # GB: environment 2, runs of the study, the larger data sets
MEMORY = 4.0  # GB for two runs at a time on the default study
CUDA = ("cuda-", "nvidia-", "triton")  # what torch's default build brings on Linux

Finding = tuple[str, str, str]  # what, state ("ok ..." or what is wrong), what to do ("" when ok)


def doctor() -> int:
    """Print a line per finding. Returns 1 when something keeps a study from running, else 0."""
    failed = False
    for check in (_python, _packages, _machine, _disk, _threads, _kernel, _data, _runs, _git):
        for what, state, advice in check():
            mark = "ok     " if not advice else "FAILED " if check in (_python, _kernel) else "warning"
            failed |= mark == "FAILED "
            print(f"{mark}  {what:<12} {state}" + (f"\n         -> {advice}" if advice else ""))
    return int(failed)


def _python() -> Iterator[Finding]:
    version = "{}.{}.{}".format(*sys.version_info)
    old = sys.version_info < (3, 11)
    yield "python", f"{version} in {sys.prefix}", "3.11 or newer is needed: make PYTHON=python3.12 env" if old else ""
    if sys.prefix == sys.base_prefix:
        yield "environment", "not in the project's own", "run `make doctor`, or .venv/bin/python -m recprune doctor"


def _packages() -> Iterator[Finding]:
    pinned = dict(read_constraints(ROOT / "constraints.txt"))
    found = {name: package_version(name).partition("+")[0] for name in pinned}
    for name in [name for name in pinned if name.startswith(CUDA) and found[name] == "missing"]:
        del pinned[name]  # torch's CPU build is here
    other = [f"{name} {found[name]} (tested: {pinned[name]})" for name in pinned if found[name] != pinned[name]]
    advice = "numbers may differ a little; `make env` in a fresh checkout installs the tested versions" if other else ""
    state = f"{len(pinned) - len(other)} of {len(pinned)} as tested"
    yield "packages", "; ".join([state, *other[:5]]), advice


def read_constraints(path: Path) -> list[tuple[str, str]]:
    """(name, version) for each pin of a constraints file."""
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    pins = (line.partition("==") for line in lines if "==" in line and not line.startswith("#"))
    return [(name, version) for name, _, version in pins]


def _machine() -> Iterator[Finding]:
    about = machine()
    yield "processor", f"{about['cores']} cores, {about['cpu']}", ""
    try:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    except (ValueError, OSError):
        return
    advice = f"run fewer at a time: make JOBS=1 (the default study wants {MEMORY:.0f} GB for two)"
    yield "memory", f"{memory:.1f} GB", advice if memory < MEMORY else ""


def _disk() -> Iterator[Finding]:
    free = shutil.disk_usage(ROOT).free / 1e9
    yield "disk", f"{free:.1f} GB free", f"free some: about {DISK:.0f} GB are needed" if free < DISK else ""
    writable = os.access(ROOT, os.W_OK)
    yield "folder", f"{ROOT}", "" if writable else "it cannot be written to: use a checkout of your own"


def _threads() -> Iterator[Finding]:
    import torch

    yield "torch", f"{torch.__version__}, {torch.get_num_threads()} threads here, 1 in each run", ""


def _kernel() -> Iterator[Finding]:
    code = "import IPython, ipykernel, sys; print(ipykernel.__version__)"
    with tempfile.TemporaryDirectory() as home:
        environment = os.environ | {"IPYTHONDIR": home}
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)
    if done.returncode:
        yield "kernel", done.stderr.strip().splitlines()[-1], "make the environment anew: rm -rf .venv && make env"
    else:
        yield "kernel", f"ipykernel {done.stdout.strip()}", ""


def _data() -> Iterator[Finding]:
    cache = Path(os.environ.get("RECPRUNE_DATA") or ROOT / "data" / "cache")
    names = sorted(path.name for path in cache.iterdir() if path.is_dir()) if cache.is_dir() else []
    yield "data", f"{', '.join(names) or 'nothing downloaded yet'} in {cache}", ""


def _runs() -> Iterator[Finding]:
    runs = ROOT / "results" / "runs"
    finished = sorted(stamp for stamp in runs.glob("*/*/*/*/*/*.done"))
    damaged = [(stamp.parent.relative_to(runs), fault) for stamp in finished if (fault := damage_of(stamp))]
    first = f", {len(damaged)} damaged: {damaged[0][0]}: {damaged[0][1]}" if damaged else ""
    yield "runs", f"{len(finished)} finished{first}", "the next make makes them again" if damaged else ""
    if left := sorted(runs.glob("*/*/*/*/.tmp-*")):
        yield (
            "leftovers",
            f"{left[0]} and {len(left) - 1} more",
            "of runs at work or killed; the next make removes these",
        )


def _git() -> Iterator[Finding]:
    try:
        done = subprocess.run(["git", "status", "--porcelain"], cwd=ROOT, capture_output=True, text=True)
    except FileNotFoundError:
        done = None
    if done is None or done.returncode:
        yield "git", "not a checkout", "`make verify` compares with committed rows: get the project with git clone"
    else:
        changed = len(done.stdout.splitlines())
        yield "git", f"{changed} uncommitted changes" if changed else "clean", ""
