"""What all benchmarks share: turns, medians, the machine, and the files they write."""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from recprune.study.identity import machine, package_version

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "results" / "bench"
FULL = os.environ.get("BENCH") == "full"


def take_turns(calls: dict[str, Callable[[], object]], repeats: int) -> dict[str, list[float]]:
    """Processor seconds of each call, `repeats` times, after one untimed turn.

    The calls take turns in an order shuffled anew each time, so that a slow moment of the machine
    strikes all alike; no garbage is collected in between. With one thread, the processor's seconds are
    what a clock shows on an idle machine.
    """
    rng = np.random.default_rng(0)
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    names = list(calls)
    for name in names:
        calls[name]()
    gc.collect()
    gc.disable()
    try:
        for _ in range(repeats):
            for at in rng.permutation(len(names)):
                start = time.process_time()
                calls[names[at]]()
                seconds[names[at]].append(time.process_time() - start)
    finally:
        gc.enable()
    return seconds


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
