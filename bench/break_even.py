"""From how many items on is a sparse item-item matrix served faster than a dense one? Both serve in turns.

The dense matrix holds random numbers, for its speed does not depend on them, and fitting it would take hours.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import torch

import recprune as rp
from bench import logs, serving
from bench.common import RESULTS, TINY, write
from bench.forms import NEIGHBOURS

SIZES = (1_000, 1_400, 2_000, 2_800, 4_000, 5_600, 8_000, 11_000, 16_000, 20_000)
SPARSE, DENSE = "sparse item-item", "dense item-item"


def compare(n_items: int) -> pd.DataFrame:
    """One row a step and form: seconds, and the ratio to the sparse form in the same turn."""
    with tempfile.TemporaryDirectory(prefix="recprune-bench-") as temporary:
        folder = Path(temporary)
        logs.make(n_items, folder)
        model = rp.models.ItemKNN(neighbours=NEIGHBOURS, similarity="cosine").fit(logs.read(folder).train, seed=0)
        model.save(serving.place(SPARSE, folder))
        draws = torch.Generator().manual_seed(0)
        model.arrays = {"item_item": torch.randn(n_items, n_items, generator=draws)}
        model.save(serving.place(DENSE, folder))
        del model
        rows = list(serving.turns([SPARSE, DENSE, "numpy"], folder, against=SPARSE))
    return pd.DataFrame([{"n_items": n_items} | row for row in rows])


def crossing(size: np.ndarray, ratio: np.ndarray) -> float:
    """The size at which the ratio is 1, on straight lines through the logarithms; NaN where it never passes it."""
    above = np.flatnonzero((ratio[:-1] < 1) & (ratio[1:] >= 1))
    if not len(above):
        return np.nan
    last = slice(above[-1], above[-1] + 2)
    return float(np.exp(np.interp(0, np.log(ratio[last]), np.log(size[last]))))


def in_words(size: np.ndarray, ratio: np.ndarray) -> str:
    """From which size on the dense form is the slower one."""
    if (ratio >= 1).all():
        return f"dense is slower at every size, from {size[0]:,.0f} items on"
    at = crossing(size, ratio)
    return f"dense is slower from {at:,.0f} items on" if at == at and ratio[-1] >= 1 else "dense does not stay slower"


def report(found: pd.DataFrame, folder: Path) -> None:
    """Seconds by size, the ratios, and where they pass 1."""
    seconds = found.pivot(index="n_items", columns=["step", "form"], values="seconds")
    table = pd.DataFrame({"n_items": seconds.index})
    said = []
    for step in dict.fromkeys(found["step"]):
        for form in (SPARSE, DENSE, "numpy"):
            if (step, form) in seconds:
                table[f"{step}: {form}, ms"] = 1e3 * seconds[step, form].to_numpy()
        rows = found[(found["step"] == step) & (found["form"] == DENSE)]
        size, ratio = rows["n_items"].to_numpy(float), rows["ratio"].to_numpy()
        table[f"{step}: dense / sparse"] = ratio
        said.append(f"{step}: {in_words(size, ratio)}.")
    notes = f"""
Milliseconds of a call, for one user, for 128 and to evaluate all users (at most {logs.SAMPLE:,}), {serving.TOP} items
each, in turns; medians, and the median ratio in a turn. The sparse matrix is an item-kNN model with {NEIGHBOURS}
neighbours an item, the dense one random: its values do not matter, and the rows of a history are added up. numpy: the
product of dense histories and the dense matrix, and `argpartition`.

{chr(10).join(said)}
"""
    write("break_even", found, "Dense and sparse item-item matrices", notes, table=table, folder=folder)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=(100, 200) if TINY else SIZES, help="numbers of items")
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args(arguments)
    report(pd.concat([compare(n_items) for n_items in options.sizes], ignore_index=True), options.out)


if __name__ == "__main__":
    main()
