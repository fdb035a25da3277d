"""The articles' loop over samples: interactions go a share a round, and the model is adjusted after each."""

from __future__ import annotations

import pandas as pd

from recprune.cells.bench import Bench
from recprune.cells.curves.walk import downwards, seeds
from recprune.cells.measure import Cell, measure_formats, to_rows
from recprune.cells.once import latest
from recprune.errors import StudyError
from recprune.pruning import PrunedData, data_path

STEPS = 10  # rounds from everything to nothing


@latest
def loop_states(bench: Bench, seed: int) -> dict[float, PrunedData]:
    """Share of the training interactions -> what stands there in the loop, from the dense model of a seed.

    One walk down to the smallest share, in steps of equal size, passes through the others.
    """
    p, least = bench.p, min(bench.p.keep)
    if p.options:
        raise StudyError(f"options: {p.options!r}; the loop takes none: its rounds follow from the shares in `keep`")
    rounds = max(1, round((1 - least) * STEPS))
    start = (bench.dense(seed).model, bench.split(seed), p.criterion)
    path = data_path(*start, least, p.schedule, rounds, p.recovery, seed)
    states = {round(1 - (1 - least) * turn / rounds, 6): state for turn, state in enumerate(path, 1)}
    missing = [share for share in p.keep if round(share, 6) not in states]
    if missing:
        raise StudyError(f"keep: {missing[0]} is not on the way from 1 to {least} in steps of 1/{STEPS}")
    return {share: states[round(share, 6)] for share in downwards(p.keep)}


def loop_rows(bench: Bench) -> pd.DataFrame:
    """The rows of the loop's states, at every share and seed."""
    cells = []
    for seed in seeds(bench):
        for share, done in loop_states(bench, seed).items():
            spent = done.rounds[["score_s", "recovery_s", "epochs"]].sum()
            cost = {"train_s": spent["recovery_s"], "score_s": spent["score_s"], "epochs": int(spent["epochs"])}
            cells += measure_formats(bench, done.model, Cell.of(bench.p, "samples", share, seed), **cost, on=done.split)
    return to_rows(cells)
