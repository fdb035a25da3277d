"""From a name or a path to Interactions."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from recprune.datasets.download import fetch
from recprune.datasets.readers import Found, read_path
from recprune.datasets.registry import known
from recprune.datasets.saying import summary
from recprune.datasets.synthesis import synthetic_from
from recprune.interactions import DataError, Interactions

ENGINES = ("memory", "duckdb")


def load(
    source: str | Path,
    *,
    user: str | None = None,
    item: str | None = None,
    rating: str | None = None,
    timestamp: str | None = None,
    event: str | None = None,
    weight: str | None = None,
    events: Mapping[str, float] | None = None,
    separator: str | None = None,
    quiet: bool = False,
    engine: str = "memory",
) -> Interactions:
    """The log called or stored at `source`.

    source      a registered name (`ml-100k`), `synthetic` or `synthetic:USERSxITEMSxINTERACTIONS:seed=N`,
                or a path: CSV, TSV, `::`-separated (each also .gz), Parquet, RecBole's .inter, a folder
                in an official MovieLens layout or of a published split (train.txt and test.txt), or a zip
                of such a folder. A name wins over a folder that is called the same: `./ml-1m` is the folder.
    user, item, rating, timestamp, event, weight
                names of the columns of a file, where they are not the usual ones; "" takes none
    events      weight of one event of each type, `{"view": 1, "buy": 5}`; without it every event
                weighs 1. The weights of a repeated (user, item) pair are added up.
                A column of weights (plays, hours) counts an interaction that often: those of a pair are
                added up, as events are, of which each then counts so many times. A column called quantity or
                qty is of sales: a negative one takes back what was bought, rows without a user are left out,
                and a pair weighs how often it was bought, not how many pieces
    separator   between the fields of a text file, where it is not the obvious one

    engine      what reads the file: `memory`, or `duckdb`, which streams it, for tens of millions of rows and more: the
                same interactions, of a table of users, items, ratings and times
    quiet       nothing is said. Else one line on stderr: the columns that were taken, those that were left, and
                what the filter of `split` keeps where it is given no other

    Raises ValueError for an unknown name or engine, DataError for data that cannot be used (naming file, line
    and value), FetchError where a registered data set can be had from none of its sources, and ImportError for
    `duckdb` where it is not installed.
    """
    if engine not in ENGINES:
        raise ValueError(f"unknown engine {engine!r}; known: {', '.join(ENGINES)}")
    given = {"user": user, "item": item, "rating": rating, "timestamp": timestamp, "event": event, "weight": weight}
    columns = {role: column for role, column in given.items() if column is not None}
    path, text = Path(source).expanduser(), str(source)
    bare = os.sep not in text and not path.suffix
    named = text.partition(":")[0] == "synthetic" or (bare and text in known())
    if named and (columns or events or separator):
        raise ValueError(f"{text}: columns, events and separator are options of a file, not of a named data set")
    if text.partition(":")[0] == "synthetic":
        if engine != "memory":
            raise ValueError(f"{text}: generated, not read; engine {engine!r} reads files")
        found = Found(synthetic_from(text), {})
    elif named:
        entry = known()[text]
        found = _read(fetch(entry), engine, columns=entry.columns, name=entry.name)
        entry.check(found.log)
    elif path.exists():
        found = _read(path, engine, columns=columns, events=events, separator=separator)
    else:
        raise _unknown(text)
    if not quiet:
        print(summary(text if named else path.resolve().name, found), file=sys.stderr, flush=True)
    return found.log


def _read(path: Path, engine: str, events: Mapping[str, float] | None = None, **options: Any) -> Found:
    if engine == "memory":
        return read_path(path, events=events, **options)
    if events is not None:
        raise DataError(f"{path}: a log of events, which engine {engine!r} does not read; engine='memory' reads it")
    from recprune.datasets.tables import duck

    return duck.read_path(path, **options)


def _unknown(text: str) -> ValueError:
    names = ", ".join([*known(), "synthetic", "synthetic:USERSxITEMSxINTERACTIONS"])
    return ValueError(f"{text!r} is no file or folder, and no known data set; known are: {names}")
