"""Both sides at once: a grid of shares of samples by shares of parameters."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from recprune.cells.bench import Bench, ranked
from recprune.cells.curves.parameters import path_from
from recprune.cells.curves.walk import downwards, points
from recprune.cells.measure import Cell, measure_formats, measure_pruned, to_rows
from recprune.pruning import SamplePath


def both_rows(bench: Bench) -> pd.DataFrame:
    """The rows of a grid that asks: does less training data change how prunable a model is?

    For each share of the samples a dense model is trained, then pruned. Ratios (and overlaps) are to the dense
    model *of the same samples*; the levels can be compared across.
    """
    p, cells = bench.p, []
    for seed, share in points(bench, p.samples):
        less = SamplePath(bench.split(seed), p.samples_criterion, seed).cut(share)
        dense = ranked(bench.train(bench.untrained(), seed, less), less)
        cell, train_s = Cell.of(p, "both", 1.0, seed, samples_kept=share), dense.model.train_seconds
        cells += measure_formats(bench, dense.model, cell, train_s=train_s, on=less, against=dense)
        path = path_from(bench, dense.model, less, seed)
        for kept in downwards(p.keep):
            cells += measure_pruned(bench, path.cut(kept), replace(cell, kept=kept), on=less, against=dense)
    return to_rows(cells)
