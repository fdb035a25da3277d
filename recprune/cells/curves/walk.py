"""The way of a curve: seed by seed, the largest share first, and what of it a notebook looks at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd
from tqdm import tqdm

from recprune.cells.bench import Bench


@dataclass(frozen=True)
class Curve:
    """The rows of a curve, and the first seed's model at the smallest share: what a notebook looks at."""

    rows: pd.DataFrame
    smallest: Any


def seeds(bench: Bench) -> Iterator[int]:
    """The seeds of a run, one after the other."""
    yield from _progress(bench, bench.p.seeds)


def points(bench: Bench, shares: tuple[float, ...]) -> Iterator[tuple[int, float]]:
    """The points (seed, share) of a run, seed by seed, the largest share first: a path goes downwards."""
    yield from _progress(bench, [(seed, share) for seed in bench.p.seeds for share in downwards(shares)])


def downwards(shares: Iterable[float]) -> list[float]:
    """The shares, the largest first."""
    return sorted(shares, reverse=True)


def is_shown(bench: Bench, seed: int, share: float) -> bool:
    """Whether a point is the one that a notebook looks at: of the first seed, with the smallest share."""
    return (seed, share) == (bench.p.seeds[0], min(bench.p.keep))


def _progress(bench: Bench, steps):
    """A progress bar for somebody who looks on; a run of the study reports on itself."""
    p = bench.p
    return tqdm(steps, desc=f"{p.model} {p.method}".strip(), disable=bool(p.out))
