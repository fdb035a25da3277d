"""Synthetic logs of a catalogue's size, split once and kept as arrays: making one takes longer than reading it.

python -m bench.logs ml-20m FOLDER     a log of ml-20m's shape, in the official format
"""

from __future__ import annotations

import argparse
import itertools
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

import recprune as rp
from recprune.datasets import synthetic, write_official
from recprune.splits import PARTS

USERS, ROWS = 0.75, 20  # users and interactions of an item, about as in Gowalla
PIECE = 4_000_000  # interactions that are made at a time
SAMPLE = 1000  # users who are evaluated
SHAPES = {  # users, items, interactions
    "ml-1m": (6_040, 3_706, 1_000_209),
    "ml-20m": (138_493, 26_744, 20_000_263),
}


def make(n_items: int, folder: Path) -> None:
    """A log of `n_items` items, split at random (`ratio`), every item in it kept; `read` gives it back."""
    n_users = round(USERS * n_items)
    split = rp.split(synthetic(n_users, n_items, ROWS * n_items, seed=0), min_rating=1, core=0)
    judged = np.unique(split.test.user)
    judged = np.random.default_rng(0).choice(judged, min(SAMPLE, len(judged)), replace=False)
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / "shape.npy", (n_users, n_items))
    for name in PARTS:
        part = split.relevant(name)
        kept = np.isin(part.user, judged) if name == "test" else slice(None)
        codes = split.users[part.user[kept]] - 1, split.items[part.item[kept]] - 1  # ids count from 1
        np.save(folder / f"{name}.npy", np.stack(codes).astype(np.int32))


def write_pieces(n_users: int, n_items: int, rows: int, path: Path, seed: int = 0) -> None:
    """A Parquet log of `rows` interactions, some million at a time, so that no more is ever held.

    Popular items have small ids; users come in the order of their ids, the rows of a piece in none. Ratings are 1 to 5
    and times of ten years, both at random: what reading and splitting take does not depend on them.
    """
    rng = np.random.default_rng(seed)
    edges = np.linspace(0, n_users, max(1, round(rows / PIECE)) + 1).astype(int)
    schema = pa.schema(
        [("user", pa.int32()), ("item", pa.int32()), ("rating", pa.float32()), ("timestamp", pa.int64())]
    )
    with pq.ParquetWriter(path, schema) as writer:
        for first, last in itertools.pairwise(edges):
            size = rows * last // n_users - rows * first // n_users
            pair = np.empty(0, np.int64)
            while len(pair) < size:
                user = rng.integers(first, last, size)
                item = (n_items * rng.random(size) ** 2.5).astype(np.int64)
                pair = np.sort(np.concatenate([pair, user * n_items + item]))
                pair = pair[np.append(True, pair[1:] > pair[:-1])]
            pair = rng.permutation(pair)[:size]
            rating, time = rng.integers(1, 6, size), rng.integers(1_400_000_000, 1_700_000_000, size)
            values = (pair // n_items + 1, pair % n_items + 1, rating, time)
            columns = [pa.array(column).cast(field.type) for column, field in zip(values, schema, strict=True)]
            writer.write_table(pa.table(columns, schema=schema))


def read(folder: Path) -> rp.Split:
    """The split that `make` wrote; its test part is of a sample of users."""
    users, items = map(np.arange, np.load(folder / "shape.npy"))
    parts = {name: rp.Interactions(*np.load(folder / f"{name}.npy"), users, items) for name in PARTS}
    parts["train"].content_hash  # noqa: B018  known from here on: it is no part of what is timed
    return rp.Split(**parts, protocol="ratio", seed=0, options={}, data_hash="", unpruned=parts["train"])


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", help=f"number of items, or {', '.join(SHAPES)}")
    parser.add_argument("folder", type=Path)
    options = parser.parse_args(arguments)
    if options.what in SHAPES:
        write_official(synthetic(*SHAPES[options.what], seed=0), options.folder)
    elif options.what.isdecimal() and int(options.what):
        make(int(options.what), options.folder)
    else:
        parser.error(f"{options.what!r}: a number of items, or one of {', '.join(SHAPES)}, is needed")


if __name__ == "__main__":
    main()
