"""Titles, years and genres of items, and age, gender and occupation of users, from the files beside a log."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from recprune.datasets.columns import ITEM_ATTRIBUTES, USER_ATTRIBUTES, find_columns
from recprune.datasets.streams import lines_of
from recprune.datasets.tables.delimited import DelimitedFile, open_delimited
from recprune.datasets.tables.parquet import ParquetFile, open_parquet

ML_100K_GENRES = [
    "unknown",
    "Action",
    "Adventure",
    "Animation",
    "Children's",
    "Comedy",
    "Crime",
    "Documentary",
    "Drama",
    "Fantasy",
    "Film-Noir",
    "Horror",
    "Musical",
    "Mystery",
    "Romance",
    "Sci-Fi",
    "Thriller",
    "War",
    "Western",
]

# Column names of the official files that have no header.
HEADERLESS = {
    "u.item": ("item", "title", "release", "video", "address", *ML_100K_GENRES),
    "u.user": ("user", "age", "gender", "occupation", "zip"),
    "movies.dat": ("item", "title", "genres"),
    "users.dat": ("user", "gender", "age", "occupation", "zip"),
}
YEAR = r"(?s)^(?P<title>.*)\((?P<year>\d{4})\)(?:\s{0,9}\(V\))?$"  # (V): released on video; linear in the title


def attributes_beside(log: Path) -> tuple[pd.DataFrame | None, pd.DataFrame | None, list[str]]:
    """(item attributes, user attributes, notes), indexed by original id; None where there is no such file.

    u.data goes with u.item and u.user, ratings.dat with movies.dat and users.dat, X.inter with
    X.item and X.user, ratings.csv (or interactions.csv) with movies.csv or items.csv, and users.csv, and
    transactions.parquet with products.parquet.
    Titles lose the year that MovieLens appends ("Toy Story (1995)"), which becomes `year`; genres
    are joined by "|". The notes say which columns were left.

    Raises DataError, naming the file, for one that cannot be read.
    """
    name = log.name.lower().removesuffix(".gz")
    if name == "u.data":
        items, users = ["u.item"], ["u.user"]
    elif name == "ratings.dat":
        items, users = ["movies.dat"], ["users.dat"]
    elif name.endswith(".inter"):
        items, users = [log.with_suffix(".item").name], [log.with_suffix(".user").name]
    elif name.partition(".")[0] in ("ratings", "interactions"):
        items, users = ["movies.csv", "items.csv"], ["users.csv"]
    elif name == "transactions.parquet":
        items, users = ["products.parquet"], []
    else:
        return None, None, []
    notes: list[str] = []
    return _first(log.parent, items, _items, notes), _first(log.parent, users, _users, notes), notes


def _first(folder: Path, names: list[str], read, notes: list[str]) -> pd.DataFrame | None:
    return next((read(folder / name, notes) for name in names if (folder / name).is_file()), None)


def of_each(frame: pd.DataFrame, key: str, columns: dict[str, str]) -> tuple[pd.DataFrame | None, dict[str, str]]:
    """(the attributes of each `key`, indexed by it, or None; those of `columns` that differ within one `key`).

    columns  attribute -> its column in `frame`; missing fields do not count

    What differs from row to row of one item (the headline of a review is called `title` too) belongs to the row.
    """
    found, varying = {}, {}
    for attribute, column in columns.items():
        pairs = frame[[key, column]].dropna().drop_duplicates()
        if pairs[key].duplicated().any():
            varying[attribute] = column
        else:
            found[attribute] = pairs.set_index(key)[column].astype(object)
    if not found:
        return None, varying
    made = pd.DataFrame(found)
    return made.set_axis(made.index.astype(object), axis=0), varying


def _rows(path: Path) -> pd.DataFrame:
    """All fields as text, empty ones missing. Old MovieLens files are latin-1, newer ones UTF-8."""
    if path.suffix == ".parquet":
        return _as_objects(open_parquet(path))
    encoding = "latin-1" if path.name in HEADERLESS and not _is_utf8(path) else "utf-8"
    separator = "|" if path.name in ("u.item", "u.user") else None
    return _as_objects(open_delimited(path, separator, HEADERLESS.get(path.name), encoding))


def _as_objects(table: DelimitedFile | ParquetFile) -> pd.DataFrame:
    return pd.DataFrame({name: column.astype(object) for name, column in table.read(list(table.columns), []).items()})


def _is_utf8(path: Path) -> bool:
    try:
        return all(line.decode() is not None for _, line in lines_of(path))
    except UnicodeDecodeError:
        return False


def _items(path: Path, notes: list[str]) -> pd.DataFrame | None:
    frame = _rows(path)
    if path.name == "u.item":
        flags = frame[ML_100K_GENRES].to_numpy() == "1"
        frame["genres"] = ["|".join(g for g, flag in zip(ML_100K_GENRES, row, strict=True) if flag) for row in flags]
        columns = {"item": "item", "title": "title", "genres": "genres"}
    else:
        columns = find_columns(path, tuple(frame.columns), ("item", *ITEM_ATTRIBUTES), {}, ("item",))
    found = _steady(path, frame, "item", columns, notes)
    if found is None:
        return None
    if path.name.endswith(".item") and "genres" in found:
        found["genres"] = found["genres"].str.replace(" ", "|")  # RecBole separates the tokens of a field by blanks
    return tidy_items(found)


def _users(path: Path, notes: list[str]) -> pd.DataFrame | None:
    frame = _rows(path)
    columns = find_columns(path, tuple(frame.columns), ("user", *USER_ATTRIBUTES), {}, ("user",))
    found = _steady(path, frame, "user", columns, notes)
    if found is not None and "age" in found:
        found["age"] = _whole_numbers(found["age"])
    return found


def _steady(path: Path, frame: pd.DataFrame, key: str, columns: dict[str, str], notes: list[str]):
    """`of_each` of a file beside the log, with a note on each column that was left."""
    attributes = {attribute: column for attribute, column in columns.items() if attribute != key}
    found, varying = of_each(frame, columns[key], attributes)
    notes += [f"{column!r} of {path.name} differs within one {key}, so it is left" for column in varying.values()]
    return found


def _whole_numbers(values: pd.Series) -> pd.Series:
    """Int64: numbers rounded; what is none, or has more than nine digits, is missing."""
    numbers = pd.to_numeric(values, errors="coerce").astype(float)
    return numbers.where(numbers.abs() < 1e9).round().astype("Int64")


def tidy_items(frame: pd.DataFrame) -> pd.DataFrame:
    """Columns title, year and genres, as far as there are any; empty fields become missing."""
    frame = frame.astype(object).replace({"": None, "(no genres listed)": None})
    if "title" in frame:
        frame["title"] = frame["title"].replace({"unkonwn": "unknown"})  # misspelt by RecBole in its ml-100k
        parts = frame["title"].astype("string").str.strip().str.extract(YEAR)
        frame["title"] = parts["title"].str.rstrip().astype(object).where(parts["title"].notna(), frame["title"])
        known = _whole_numbers(frame["year"] if "year" in frame else pd.Series(index=frame.index, dtype=float))
        frame["year"] = known.fillna(_whole_numbers(parts["year"]))
    elif "year" in frame:
        frame["year"] = _whole_numbers(frame["year"])
    return frame[[column for column in ITEM_ATTRIBUTES if column in frame]]
