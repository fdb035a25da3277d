"""From a file to a split: seconds and peak memory of both engines, for logs of 1 to 100 million rows.

The logs are synthetic, in the official MovieLens format, with users and items in the proportions of
ml-32m (200,948 users, 87,585 items). Each size is read and split in a process of its own, by
each engine. Logs beyond 32 million rows are Parquet files of `bench.logs.write_pieces`, for the streaming engine alone:
what the other would take of them was not tried.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

import recprune as rp
from bench.common import FULL, RESULTS, TINY, growth, in_own_process, weighed, write
from bench.logs import write_pieces
from recprune.datasets import synthetic, write_official
from recprune.datasets.loading import ENGINES
from recprune.splits import PROTOCOLS

ML_32M = {"rows": 32_000_204, "users": 200_948, "items": 87_585}
LIMIT_MB = 4000  # what 32 million rows may take
LARGEST = 33_000_000  # rows that are read in memory
LARGE_MB = 10_000  # what 100 million rows may take
SPLITS = tuple(protocol for protocol in PROTOCOLS if protocol != "given")  # which needs a published split
STEPS = ("read", "hash", *SPLITS)


def make(rows: int, folder: Path) -> None:
    """Write a log of `rows` interactions: users in proportion, items with the root, as catalogues grow."""
    share = rows / ML_32M["rows"]
    users, items = (max(20, round(ML_32M[key] * share**power)) for key, power in (("users", 1), ("items", 0.5)))
    if rows > LARGEST:
        folder.mkdir(parents=True, exist_ok=True)
        write_pieces(users, items, rows, folder / "ratings.parquet")
    else:
        write_official(synthetic(users, items, rows, seed=0), folder)


def measure(folder: Path, engine: str, protocols: tuple[str, ...] = SPLITS) -> list[dict]:
    """One row a step: the log is read, identified by its content, and split by every protocol."""
    rows: list[dict] = []

    def timed(step: str, call):
        result, spent = weighed(call)
        rows.append({"step": step, **spent})
        return result

    path = next(path for path in (folder / "ratings.csv", folder / "ratings.parquet") if path.exists())
    log = timed("read", lambda: rp.load(path, engine=engine, quiet=True))
    timed("hash", lambda: log.content_hash)
    for protocol in protocols:
        timed(protocol, partial(rp.split, log, protocol))
    return rows


def run(millions: tuple[float, ...], repeats: int) -> pd.DataFrame:
    """One row a size, step and repetition."""
    found = []
    with tempfile.TemporaryDirectory(prefix="recprune-bench-") as temporary:
        folders = {size: Path(temporary, f"{size:g}m") for size in millions}
        for size, folder in folders.items():
            in_own_process("bench.data_path", "--make", round(size * 1e6), "--folder", folder)
        for repeat in range(repeats):
            for size, folder in folders.items():
                for engine in ENGINES if size * 1e6 <= LARGEST else ("duckdb",):
                    options = ("--measure", "--folder", folder, "--engine", engine)
                    rows = json.loads(in_own_process("bench.data_path", *options).stdout)
                    found += [{"million_rows": size, "engine": engine, "repeat": repeat, **row} for row in rows]
                    spent = ", ".join(f"{r['step']} {r['seconds']:.2f} s, {r['peak_mb']:.0f} MB" for r in rows)
                    print(f"{size:g} million rows, {engine}: {spent}", flush=True)
    return pd.DataFrame(found)


def _exponent(seconds: pd.Series) -> float:
    return growth(seconds.index.to_numpy(float), seconds.to_numpy())


def report(found: pd.DataFrame, folder: Path) -> None:
    """Medians by size and step, and how they grow."""
    keys = ["engine", "step", "million_rows"]
    medians = found.groupby(keys, as_index=False)[["processor_seconds", "peak_mb"]].median()
    seconds, peak = (
        medians.pivot(index=keys[:2], columns="million_rows", values=v) for v in ("processor_seconds", "peak_mb")
    )
    lines = pd.MultiIndex.from_product([ENGINES, STEPS], names=keys[:2])
    table = lines.to_frame(index=False)
    for size in seconds.columns:
        table[f"{size:g} M: s"] = seconds[size].reindex(lines).to_numpy()
        table[f"{size:g} M: MB"] = peak[size].reindex(lines).round().astype("Int64").astype(str).to_numpy()
    table["exponent"] = [_exponent(seconds.loc[line].dropna()) if line in seconds.index else np.nan for line in lines]
    largest = found["million_rows"].max()
    highest = found.loc[found["million_rows"] == largest, "peak_mb"].max()
    notes = f"""
Seconds of the processor and peak resident memory (the log itself and the imports, about 0.3 GB, included) of reading
the log by either engine, of hashing its content, and of splitting with each protocol's defaults (filter and k-core
included). Medians of {found["repeat"].nunique()} processes for each size. `exponent` is b of seconds ~ rows^b:
1 is linear.
Highest peak at {largest:g} million rows: {highest:,.0f} MB; {LIMIT_MB:,} MB is the limit for 32 million, {LARGE_MB:,}
MB for 100 million, whose log is Parquet and read by DuckDB alone.
"""
    write(
        "data_path",
        found,
        "Reading and splitting a log",
        notes,
        ("pandas", "pyarrow", "duckdb"),
        table=table,
        folder=folder,
    )


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    millions = (0.01, 0.02) if TINY else (1, 10, 32, 100) if FULL else (1, 2, 4, 8)
    parser.add_argument("--millions", type=float, nargs="+", default=millions)
    parser.add_argument("--repeats", type=int, default=1 if FULL or TINY else 2)
    parser.add_argument("--out", type=Path, default=RESULTS)
    parser.add_argument("--make", type=int, metavar="ROWS", help=argparse.SUPPRESS)
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--engine", choices=ENGINES, default=ENGINES[0], help=argparse.SUPPRESS)
    parser.add_argument("--protocols", choices=SPLITS, nargs="+", default=SPLITS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.make:
        make(options.make, options.folder)
    elif options.measure:
        print(json.dumps(measure(options.folder, options.engine, tuple(options.protocols))))
    else:
        report(run(tuple(options.millions), options.repeats), options.out)


if __name__ == "__main__":
    main()
