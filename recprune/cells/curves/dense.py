"""The dense models of a run: one a seed, all shares of everything."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from recprune.cells.bench import Bench
from recprune.cells.curves.walk import seeds
from recprune.cells.measure import Cell, measure, to_rows
from recprune.cells.rows import read_rows


def dense_rows(bench: Bench) -> pd.DataFrame:
    """The rows of the dense models, one a seed; the models are saved below `p.out` when that is given."""
    cells = []
    for seed in seeds(bench):
        model = bench.dense(seed).model
        if bench.p.out:
            model.save(Path(bench.p.out, "models", f"seed-{seed}"))
        cells.append(measure(bench, model, Cell(side="dense", seed=seed), train_s=model.train_seconds))
    return to_rows(cells)


def with_dense(bench: Bench, rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of a curve below those of the dense models that they are compared with, for a figure."""
    p = bench.p
    dense = read_rows(Path(p.dense, "cells.csv")) if p.dense else dense_rows(bench)
    return pd.concat([dense, rows], ignore_index=True)
