"""From a thousand items to a million: selection, fit, prune, quantize, save, load, serve and evaluate, of each form.

The logs are synthetic, with 0.75 users and 20 interactions an item. What is made, and what is read, has processes of
its own, so that its memory is known; serving and evaluating take turns in one process, so that their ratios are.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from bench import serving
from bench.common import FULL, RESULTS, TINY, growth, in_own_process, write
from bench.forms import FACTORS, KEEP, MEMORY, NAMES, NEIGHBOURS, SELECTED, SHARES, SWEEPS
from bench.logs import ROWS, SAMPLE, USERS

SIZES = (1_000, 3_000, 10_000, 40_000, 100_000, 1_000_000)
STEPS = ("select", "select a curve", "fit", "prune", "quantize", "save", "load", *serving.STEPS, "evaluate")
COLUMNS = ("n_items", "n_users", "interactions", "step", "form", "seconds", "processor_seconds", "peak_mb", "bytes")
COLUMNS += ("ratio", "against", "note")
LARGEST = 3  # sizes that an exponent goes through
PACKAGES = ("implicit", "irspack")


def measure(n_items: int, names: Iterable[str]) -> tuple[pd.DataFrame, list[str]]:
    """One row a step and form, and what failed; the log and the models are gone afterwards."""
    rows: dict[tuple[str, str], dict] = {}
    failed = []
    with tempfile.TemporaryDirectory(prefix="recprune-bench-") as temporary:
        folder = Path(temporary)
        in_own_process("bench.logs", n_items, folder)

        def ask(*command: str) -> None:
            done = in_own_process(*command, folder, check=False)
            for row in map(json.loads, done.stdout.splitlines()):  # of turns after those of once, whose memory stays
                rows.setdefault((row["step"], row["form"]), {}).update(row)
            if done.returncode:
                failed.append(f"{n_items:,} items: {' '.join(command)}")

        for name in names:
            ask("bench.forms", "make", name)
        saved = [form for step, form in rows if step == "save"]
        for form in saved:
            ask("bench.forms", "read", form)
        if saved:
            ask("bench.serving", *serving.in_turns(saved))
        weights = {form: serving.weight(form, folder) for form in saved}
    for (step, form), row in rows.items():
        against = rows.get((step, serving.baseline(step, form)))
        if against and "ratio" not in row and "seconds" in row:
            ratio = row["processor_seconds"] / against["processor_seconds"]
            row |= {"ratio": ratio, "against": against["form"]}
    size = {"n_items": n_items, "n_users": round(USERS * n_items), "interactions": ROWS * n_items}
    found = [size | {"bytes": weights.get(row["form"])} | row for row in rows.values()]
    return pd.DataFrame(found).reindex(columns=list(COLUMNS)), failed


def by_size(found: pd.DataFrame, column: str, shown: float = 1) -> pd.DataFrame:
    """One row a step and form, one column a size; rows without any number are left out."""
    order = list(dict.fromkeys(found["form"]))
    table = found.pivot(index=["step", "form"], columns="n_items", values=column).dropna(how="all") * shown
    rank = sorted(table.index, key=lambda key: (STEPS.index(key[0]), order.index(key[1])))
    return table.reindex(rank)


def report(found: pd.DataFrame, folder: Path) -> None:
    """Seconds and their growth, then ratios, memory and bytes."""
    seconds = by_size(found, "processor_seconds")
    table = _words(seconds)
    table["exponent"] = [_exponent(row) for _, row in seconds.iterrows()]
    ratios, peak = by_size(found, "ratio"), by_size(found, "peak_mb")
    saved = by_size(found[found["step"] == "save"], "bytes", 1e-6).droplevel("step")
    largest = found["n_items"].max()
    highest = found.loc[found["n_items"] == largest, "peak_mb"].max()
    left_out = found[found["note"].notna()]
    notes = f"""
Seconds of the processor, one thread, on synthetic logs with {USERS} users and {ROWS} interactions an item.

* item-item: EASE, dense, or sparse: {NEIGHBOURS} neighbours an item, chosen first; item-kNN has as many.
* factors: {FACTORS}, by {SWEEPS} sweeps of alternating least squares.
* pruned: the largest {KEEP:.0%} of the weights, refitted in the item-item models.
* select: {SELECTED:.0%} of {NEIGHBOURS} float32 scores an item; a curve: {len(SHARES)} shares of them.
* serve: the whole call for {serving.TOP} items, those seen left out; evaluate: at most {SAMPLE:,} users.
* implicit: its own item-kNN and factors, of the same sizes; irspack: its judge of SciPy's sparse product; numpy:
  `argpartition`, and before it the product of dense histories and the dense matrix (where "dense item-item" adds up
  the rows of a history).

Serving and evaluating are medians of turns in one process, selection of three times; the rest was measured once. Files
are read from the page cache. `exponent` is b of seconds ~ items^b through the largest {LARGEST} sizes: 1 is linear.

## Ratios

Seconds divided by those of implicit's item-kNN, of its factors where the form has factors, of `argpartition` where
units are selected: below 1 is faster. In serving and evaluating the median of the ratios in a turn.

{_markdown(_words(ratios))}

## Peak memory, MB

Resident memory of the process while the step ran, all that it held before included (the imports and the log among it).
The largest step at {largest:,} items held {highest:,.0f} MB; {MEMORY / 1e6:,.0f} MB is the limit.

{_markdown(_words(peak))}

## MB on disk

As saved, users' histories apart.

{_markdown(_words(saved))}

{chr(10).join(f"Left out: {r.form}, {r.step}, {r.n_items:,} items: {r.note}." for r in left_out.itertuples())}
"""
    write("sizes", found, "From a thousand items to a million", notes, PACKAGES, table=table, folder=folder)


def _exponent(seconds: pd.Series) -> float:
    known = seconds.dropna().iloc[-LARGEST:]
    return growth(known.index.to_numpy(float), known.to_numpy())


def _words(table: pd.DataFrame) -> pd.DataFrame:
    return table.rename(columns=lambda n: f"{n:,}").reset_index()


def _markdown(table: pd.DataFrame) -> str:
    return table.to_markdown(index=False, floatfmt=".3g")


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    sizes = (200,) if TINY else SIZES if FULL else SIZES[:3]
    parser.add_argument("--sizes", type=int, nargs="+", default=sizes, help="numbers of items")
    parser.add_argument("--forms", nargs="+", choices=NAMES, default=NAMES, help="what is made, and all from it")
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args(arguments)
    found, failed = [], []
    for n_items in options.sizes:
        rows, wrong = measure(n_items, options.forms)
        found, failed = [*found, rows], failed + wrong
        report(pd.concat(found, ignore_index=True), options.out)  # what is there stays, if the next size is too much
    if failed:
        sys.exit("failed: " + "; ".join(failed))


if __name__ == "__main__":
    main()
