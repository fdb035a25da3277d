"""What all benchmarks share: clocks, turns, medians, processes of their own, the machine, and the files they write."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from recprune.evaluation import peak_rss_mb
from recprune.study.identity import machine, package_version

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "results" / "bench"
SCALES = ("", "tiny", "full")  # what BENCH may be: minutes; seconds, to see that all of it runs; hours
SCALE = os.environ.get("BENCH", "")
FULL, TINY = SCALE == "full", SCALE == "tiny"


def clocked(call: Callable[[], Any]) -> tuple[Any, dict[str, float]]:
    """What a call gives, and its seconds: of a clock, and of the processor."""
    clock, processor = time.perf_counter(), time.process_time()
    result = call()
    return result, {"seconds": time.perf_counter() - clock, "processor_seconds": time.process_time() - processor}


def weighed(call: Callable[[], Any]) -> tuple[Any, dict[str, float]]:
    """As `clocked`, with `peak_mb`: the most memory that the process held meanwhile, what it had before included."""
    with suppress(OSError):  # where only Linux can forget it, the peak is that of all so far
        Path("/proc/self/clear_refs").write_text("5")
    result, spent = clocked(call)
    return result, spent | {"peak_mb": peak_rss_mb()}


def in_own_process(module: str, *arguments: object, check: bool = True) -> subprocess.CompletedProcess[str]:
    """`python -m module arguments`, with what it printed. Raises CalledProcessError where it fails, if `check`."""
    command = [sys.executable, "-m", module, *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, check=check, stdout=subprocess.PIPE, text=True)


class Turns(NamedTuple):
    """Seconds of each call, by name, in the order of the turns: of a clock, and of the processor."""

    seconds: dict[Any, list[float]]
    processor_seconds: dict[Any, list[float]]


def take_turns(calls: dict[Any, Callable[[], object]], repeats: int) -> Turns:
    """What each call takes, `repeats` times, after one untimed turn.

    The calls take turns in an order shuffled anew each time, so that a slow moment of the machine
    strikes all alike; no garbage is collected in between. With one thread, the processor's seconds are
    what a clock shows on an idle machine.
    """
    rng = np.random.default_rng(0)
    names = list(calls)
    turns = Turns({name: [] for name in names}, {name: [] for name in names})
    for name in names:
        calls[name]()
    gc.collect()
    gc.disable()
    try:
        for _ in range(repeats):
            for at in rng.permutation(len(names)):
                _, spent = clocked(calls[names[at]])
                turns.seconds[names[at]].append(spent["seconds"])
                turns.processor_seconds[names[at]].append(spent["processor_seconds"])
    finally:
        gc.enable()
    return turns


def growth(size: np.ndarray, value: np.ndarray) -> float:
    """The exponent b of value ~ size^b: the slope of a straight line through the logarithms. 1 is linear."""
    return float(np.polyfit(np.log(size), np.log(value), 1)[0]) if len(set(size)) > 1 else np.nan


def write(
    name: str,
    rows: pd.DataFrame,
    title: str,
    notes: str,
    packages: tuple[str, ...] = (),
    *,
    table: pd.DataFrame | None = None,
    folder: Path = RESULTS,
) -> None:
    """`folder`/name.csv with the rows, name.md with a table for people (by default the rows), notes and the machine."""
    folder.mkdir(parents=True, exist_ok=True)
    rows.to_csv(folder / f"{name}.csv", index=False, float_format="%.6g", lineterminator="\n")
    shown = (rows if table is None else table).to_markdown(index=False, floatfmt=".3g")
    (folder / f"{name}.md").write_text(f"# {title}\n\n{shown}\n\n{notes.strip()}\n\n{surroundings(packages)}\n")
    print(f"{title}\n\n{shown}\n", flush=True)


def surroundings(packages: tuple[str, ...] = ()) -> str:
    """Machine, threads and versions, as one sentence."""
    about = machine()
    versions = ", ".join(f"{p} {package_version(p)}" for p in ("numpy", "scipy", "torch", *packages))
    return (
        f"Measured on {about['cores']} cores of {about['cpu']} ({about['system']}), "
        f"{os.environ.get('OMP_NUM_THREADS', 'any number of')} thread(s); {versions}. "
        "Ratios travel to other machines, seconds do not."
    )
