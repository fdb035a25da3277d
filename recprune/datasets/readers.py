"""From a file or folder to Interactions."""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Mapping
from fnmatch import fnmatch
from pathlib import Path

import numpy as np
import pandas as pd

from recprune.datasets.attributes import attributes_beside, tidy_items
from recprune.datasets.columns import ITEM_ATTRIBUTES, LOG, find_columns
from recprune.datasets.delimited import DelimitedFile, open_delimited
from recprune.datasets.parquet import ParquetFile, open_parquet
from recprune.interactions import DataError, Interactions

Opened = DelimitedFile | ParquetFile
LAYOUTS = ("u.data", "ratings.dat", "ratings.csv", "ratings.csv.gz", "ratings.parquet", "*.inter")
IN_A_ZIP = (*LAYOUTS, "u.item", "u.user", "movies.*", "items.*", "users.*", "*.item", "*.user")
WEIGHT = "weight of the event"


def read_path(
    path: Path,
    *,
    columns: dict[str, str] | None = None,
    events: Mapping[str, float] | None = None,
    separator: str | None = None,
    name: str | None = None,
) -> Interactions:
    """The log in a file, in a folder of an official MovieLens layout, or in a zip of such a folder.

    columns     role (user, item, rating, timestamp, event) to column name; the rest is guessed
    events      event type to the weight of one event of it; 0 leaves its events out

    Raises DataError that names the file, the line and the value.
    """
    columns = columns or {}
    name = name or stem(path)
    if path.suffix.lower() == ".zip":
        with tempfile.TemporaryDirectory(prefix="recprune-") as folder:
            return read_path(unzip(path, Path(folder)), columns=columns, events=events, separator=separator, name=name)
    table, roles = _opened(path, columns, separator)
    path = table.path
    if events is not None and "event" not in roles:
        raise DataError(
            f"{path}: no column for event; name it with event=...; the columns are: {', '.join(table.columns)}"
        )
    return _read(table, roles, events, name)


def has_times(path: Path, columns: dict[str, str] | None = None, separator: str | None = None) -> bool:
    """Whether the log at a path has a column of times; only its head is read. Raises DataError as read_path does."""
    if path.suffix.lower() == ".zip":  # an official layout, and all of them have times
        return True
    return "timestamp" in _opened(path, columns or {}, separator)[1]


def _opened(path: Path, columns: dict[str, str], separator: str | None) -> tuple[Opened, dict[str, str]]:
    """The table that holds the log, and the column of each role."""
    if path.is_dir():
        path = _log_in(path)
    table = open_parquet(path) if path.suffix.lower() in (".parquet", ".pq") else open_delimited(path, separator)
    return table, find_columns(path, table.columns, LOG + ITEM_ATTRIBUTES, columns, ("user", "item"))


def stem(path: Path) -> str:
    """ml-1m-ratings.csv.gz is called ml-1m-ratings; a folder keeps its name."""
    path = path.resolve()
    return path.name if path.is_dir() else Path(path.name.removesuffix(".gz")).stem


def unzip(path: Path, into: Path) -> Path:
    """Unpacks the log of a zip and the files that belong to it, without their folders, into `into`."""
    try:
        with zipfile.ZipFile(path) as archive:
            for member in archive.infolist():
                name = Path(member.filename).name
                if any(fnmatch(name, kept) for kept in IN_A_ZIP) and "__MACOSX" not in member.filename:
                    member.filename = name
                    archive.extract(member, into)
    except (zipfile.BadZipFile, EOFError) as error:
        raise DataError(f"{path}: the zip file is damaged or truncated ({error}); get it again") from None
    return into


def _log_in(folder: Path) -> Path:
    for layout in LAYOUTS:
        found = sorted(folder.glob(layout))
        if len(found) > 1:
            raise DataError(f"{folder}: more than one log: {', '.join(f.name for f in found)}; name one of them")
        if found:
            return found[0]
    raise DataError(f"{folder}: none of {', '.join(LAYOUTS)} is in this folder")


def _read(table: Opened, roles: dict[str, str], events: Mapping[str, float] | None, name: str) -> Interactions:
    numbers = [roles[role] for role in ("rating", "timestamp") if role in roles]
    text = [column for column in roles.values() if column not in numbers]
    frame = pd.DataFrame(table.read(text, numbers), copy=False)
    rows = None
    if "event" in roles:
        frame[WEIGHT] = _event_weights(frame[roles["event"]], events, table)
        rows = np.flatnonzero(frame[WEIGHT] > 0)
    kept = frame if rows is None or len(rows) == len(frame) else frame.iloc[rows]
    items, users = attributes_beside(table.path)
    if items is None:
        items = _attributes_in(frame, roles)
    try:
        return Interactions.from_frame(
            kept,
            **{role: roles[role] for role in ("user", "item", "rating", "timestamp") if role in roles},
            weight=WEIGHT if "event" in roles else None,
            user_attributes=users,
            item_attributes=items,
            name=name,
        )
    except DataError as error:
        if error.row is None:
            raise
        row = error.row if rows is None or kept is frame else int(rows[error.row])
        raise DataError(f"{table.path}: {table.place(row)}: column {error.column!r} {error.problem}") from None


def _event_weights(kinds: pd.Series, events: Mapping[str, float] | None, table: Opened) -> np.ndarray:
    """(rows,) float32: the weight of each row's event type, 1 where no weights are given."""
    if events is None:
        return np.ones(len(kinds), np.float32)
    bad = {kind: weight for kind, weight in events.items() if not (np.isfinite(weight) and weight >= 0)}
    if bad:
        raise DataError(f"events: {bad}: a weight is a finite number, and not negative")
    kinds = kinds.astype(object).where(kinds.notna(), "").astype(str)
    codes, found = pd.factorize(kinds)
    unknown = sorted(set(found) - set(map(str, events)))
    if unknown:
        where = table.place(int(kinds.isin(unknown).to_numpy().argmax()))
        raise DataError(
            f"{table.path}: {where}: event types without a weight: {', '.join(map(repr, unknown))}; "
            f"the file has: {', '.join(map(repr, sorted(found)))}"
        )
    weights = {str(kind): weight for kind, weight in events.items()}
    return np.array([weights[kind] for kind in found], np.float32)[codes]


def _attributes_in(frame: pd.DataFrame, roles: dict[str, str]) -> pd.DataFrame | None:
    """Titles, years and genres that stand in the log itself: those of each item's first row."""
    present = [role for role in ITEM_ATTRIBUTES if role in roles and roles[role] not in (roles["item"], roles["user"])]
    if not present:
        return None
    first = frame.loc[~frame[roles["item"]].duplicated(), [roles[role] for role in ("item", *present)]]
    first = first.set_axis(["item", *present], axis=1).dropna(subset=["item"])
    return tidy_items(first.set_index("item"))
