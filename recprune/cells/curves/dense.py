"""The dense models of a run: one a seed, all shares of everything."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from recprune.cells.bench import Bench
from recprune.cells.curves.walk import seeds
from recprune.cells.measure import Cell, measure_formats, to_rows
from recprune.cells.rows import read_rows


def dense_rows(bench: Bench) -> pd.DataFrame:
    """The rows of the dense models, one a seed and format; the models are saved below `p.out` when that is given."""
    cells = []
    for seed in seeds(bench):
        dense, cell = bench.dense(seed), Cell(side="dense", seed=seed)
        if bench.p.out:
            dense.model.save(Path(bench.p.out, "models", f"seed-{seed}"))
        cells += measure_formats(bench, dense.model, cell, train_s=dense.model.train_seconds, found=dense.reports)
    return to_rows(cells)


def with_dense(bench: Bench, rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of a curve below those of the dense models that they are compared with, for a figure."""
    p = bench.p
    dense = read_rows(Path(p.dense, "cells.csv")) if p.dense else dense_rows(bench)
    return pd.concat([dense, rows], ignore_index=True)
