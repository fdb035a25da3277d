"""Titles, years and genres of items, and age, gender and occupation of users, from the files beside a log."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from recprune.datasets.columns import ITEM_ATTRIBUTES, USER_ATTRIBUTES, find_columns
from recprune.datasets.delimited import open_delimited

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


def attributes_beside(log: Path) -> tuple[pd.DataFrame | None, pd.DataFrame | None]:
    """(item attributes, user attributes) indexed by original id; None where there is no such file.

    u.data goes with u.item and u.user, ratings.dat with movies.dat and users.dat, X.inter with
    X.item and X.user, and ratings.csv (or interactions.csv) with movies.csv or items.csv, and users.csv.
    Titles lose the year that MovieLens appends ("Toy Story (1995)"), which becomes `year`; genres
    are joined by "|".
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
    else:
        return None, None
    return _first(log.parent, items, _items), _first(log.parent, users, _users)


def _first(folder: Path, names: list[str], read) -> pd.DataFrame | None:
    return next((read(folder / name) for name in names if (folder / name).is_file()), None)


def _rows(path: Path) -> pd.DataFrame:
    """All fields as text. Old MovieLens files are latin-1, newer ones UTF-8."""
    try:
        path.read_text(encoding="utf-8")
        encoding = "utf-8-sig"
    except UnicodeDecodeError:
        encoding = "latin-1" if path.name in HEADERLESS else "utf-8"
    separator = "|" if path.name in ("u.item", "u.user") else None
    table = open_delimited(path, separator, HEADERLESS.get(path.name), encoding)
    table.check()
    return pd.DataFrame([fields for _, fields in table.rows()], columns=table.columns, dtype=object)


def _items(path: Path) -> pd.DataFrame:
    frame = _rows(path)
    if path.name == "u.item":
        flags = frame[ML_100K_GENRES].to_numpy() == "1"
        frame["genres"] = ["|".join(g for g, flag in zip(ML_100K_GENRES, row, strict=True) if flag) for row in flags]
        columns = {"item": "item", "title": "title", "genres": "genres"}
    else:
        columns = find_columns(path, tuple(frame.columns), ("item", *ITEM_ATTRIBUTES), {}, ("item",))
    frame = frame[list(columns.values())].set_axis(list(columns), axis=1)
    if path.name.endswith(".item") and "genres" in frame:
        frame["genres"] = frame["genres"].str.replace(" ", "|")  # RecBole separates the tokens of a field by blanks
    return tidy_items(frame.set_index("item"))


def _users(path: Path) -> pd.DataFrame:
    frame = _rows(path)
    columns = find_columns(path, tuple(frame.columns), ("user", *USER_ATTRIBUTES), {}, ("user",))
    frame = frame[list(columns.values())].set_axis(list(columns), axis=1).set_index("user")
    if "age" in frame:
        frame["age"] = pd.to_numeric(frame["age"], errors="coerce").astype("Int64")
    return frame.replace({"": None})


def tidy_items(frame: pd.DataFrame) -> pd.DataFrame:
    """Columns title, year and genres, as far as there are any; empty fields become missing."""
    frame = frame.astype(object).replace({"": None, "(no genres listed)": None})
    if "title" in frame:
        frame["title"] = frame["title"].replace({"unkonwn": "unknown"})  # misspelt by RecBole in its ml-100k
        parts = frame["title"].astype("string").str.strip().str.extract(YEAR)
        frame["title"] = parts["title"].str.rstrip().astype(object).where(parts["title"].notna(), frame["title"])
        known = (
            pd.to_numeric(frame["year"], errors="coerce")
            if "year" in frame
            else pd.Series(index=frame.index, dtype=float)
        )
        frame["year"] = known.fillna(pd.to_numeric(parts["year"]).astype(float))
    if "year" in frame:
        frame["year"] = pd.to_numeric(frame["year"], errors="coerce").round().astype("Int64")
    return frame[[column for column in ITEM_ATTRIBUTES if column in frame]]
