"""Our evaluator beside those of implicit, irspack and RecBole: the same factors, the same users, one thread.

Each computes what it computes: ours every metric of the report with its groups, the others their own few.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import numpy as np
import pandas as pd

import recprune as rp
from bench.common import FULL, RESULTS, TINY, take_turns, write
from bench.competitors import COMPETITORS
from bench.logs import SHAPES
from recprune.datasets import synthetic

SIZES = {  # users, items, interactions
    "tiny": (300, 200, 6_000),
    "ml-1m": SHAPES["ml-1m"],
    "ml-20m / 8": (17_312, 26_744, 2_500_000),
    "ml-20m": SHAPES["ml-20m"],
}
CUTOFFS = ((10,), (10, 20, 100))
OURS = "recprune"


def compare(size: str, repeats: int) -> pd.DataFrame:
    """One row for each evaluator and set of cutoffs: median seconds, ratio to ours, nDCG@10 and what is off."""
    split = rp.split(synthetic(*SIZES[size], seed=0), core=0)
    model = rp.models.IALS(factors=64, iterations=2).fit(split.train, seed=0)
    factors = [model.arrays[name].numpy() for name in ("user_factors", "item_factors")]
    matrices = split.seen("test"), split.test.tocsr()
    evaluators, missing = {OURS: _ours(model, split)}, {}
    for name, make in COMPETITORS.items():
        try:
            evaluators[name] = make(*factors, *matrices)
        except Exception as error:  # whatever another library's import or start runs into is its row, not our end
            missing[name] = f"not available: {type(error).__name__}: {error}"
    found: dict[tuple, dict[int, float]] = {}

    def call(name, k):
        return lambda: found.update({(name, k): evaluators[name](k)})

    turns = take_turns({(name, k): call(name, k) for name in evaluators for k in CUTOFFS}, repeats)
    seconds = turns.processor_seconds
    rows = []
    for name in (OURS, *COMPETITORS):
        for k in CUTOFFS:
            row = {
                "size": size,
                "users": split.n_users,
                "items": split.n_items,
                "evaluator": name,
                "cutoffs": " ".join(map(str, k)),
            }
            if name in missing:
                rows.append(row | {"note": missing[name]})
                continue
            row["seconds"] = float(np.median(seconds[name, k]))
            row["times_ours"] = float(np.median(np.divide(seconds[name, k], seconds[OURS, k])))
            row["ndcg@10"] = found[name, k][10]
            row["off"] = abs(row["ndcg@10"] - found[OURS, k][10])
            rows.append(row | {"note": ""})
    return pd.DataFrame(rows)


def _ours(model, split):
    def evaluate(cutoffs):
        mean = rp.evaluate(model, split, k=cutoffs).mean
        return {k: mean[f"ndcg@{k}"] for k in cutoffs}

    return evaluate


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    sizes = ["tiny"] if TINY else ["ml-1m", "ml-20m / 8", *(["ml-20m"] if FULL else [])]
    parser.add_argument("--sizes", nargs="+", choices=SIZES, default=sizes)
    parser.add_argument("--repeats", type=int, default=1 if TINY else 3)
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args(arguments)
    os.environ["IRSPACK_NUM_THREADS_DEFAULT"] = "1"
    rows = pd.concat([compare(size, options.repeats) for size in options.sizes], ignore_index=True)
    notes = f"""
Seconds of the processor to evaluate all users, scores included (64 factors, the same for all), the seen items
left out; medians of {options.repeats} repetitions that take turns. `times_ours` is the median ratio to recprune in
the same turn: above 1, recprune is faster. `off` is the difference in nDCG@10, which all four define alike.
recprune also gives coverage, Gini, novelty, user and item groups, every user's values and the lists, with
ties in a fixed order; the others the averages of some metrics. implicit takes one pass for each cutoff.
"""
    write("evaluator", rows, "Evaluators", notes, ("implicit", "irspack", "recbole"), folder=options.out)


if __name__ == "__main__":
    main()
