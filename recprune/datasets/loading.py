"""From a name or a path to Interactions."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from recprune.datasets.download import fetch
from recprune.datasets.readers import read_path
from recprune.datasets.registry import known
from recprune.datasets.synthesis import synthetic_from
from recprune.interactions import Interactions


def load(
    source: str | Path,
    *,
    user: str | None = None,
    item: str | None = None,
    rating: str | None = None,
    timestamp: str | None = None,
    event: str | None = None,
    events: Mapping[str, float] | None = None,
    separator: str | None = None,
) -> Interactions:
    """The log called or stored at `source`.

    source      a registered name (`ml-100k`), `synthetic` or `synthetic:USERSxITEMSxINTERACTIONS:seed=N`,
                or a path: CSV, TSV, `::`-separated (each also .gz), Parquet, RecBole's .inter, a folder
                in an official MovieLens layout, or a zip of such a folder. A name wins over a folder
                that is called the same: `./ml-1m` is the folder.
    user, item, rating, timestamp, event
                names of the columns of a file, where they are not the usual ones
    events      weight of one event of each type, `{"view": 1, "buy": 5}`; without it every event
                weighs 1. The weights of a repeated (user, item) pair are added up.
    separator   between the fields of a text file, where it is not the obvious one

    Raises ValueError for an unknown name, DataError for data that cannot be used (naming file, line
    and value), and FetchError where a registered data set can be had from none of its sources.
    """
    given = {"user": user, "item": item, "rating": rating, "timestamp": timestamp, "event": event}
    columns = {role: column for role, column in given.items() if column is not None}
    path, text = Path(source).expanduser(), str(source)
    bare = os.sep not in text and not path.suffix
    named = text.partition(":")[0] == "synthetic" or (bare and text in known())
    if named and (columns or events or separator):
        raise ValueError(f"{text}: columns, events and separator are options of a file, not of a named data set")
    if text.partition(":")[0] == "synthetic":
        return synthetic_from(text)
    if named:
        entry = known()[text]
        log = read_path(fetch(entry), name=entry.name)
        entry.check(log)
        return log
    if path.exists():
        return read_path(path, columns=columns, events=events, separator=separator)
    names = ", ".join([*known(), "synthetic", "synthetic:USERSxITEMSxINTERACTIONS"])
    raise ValueError(f"{text!r} is no file or folder, and no known data set; known are: {names}")
