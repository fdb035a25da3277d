"""From a file or folder to Interactions."""

from __future__ import annotations

import re
import tempfile
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

import numpy as np
import pandas as pd

from recprune.datasets.adjacency import SplitFolder, open_split
from recprune.datasets.attributes import attributes_beside, of_each, tidy_items
from recprune.datasets.columns import ITEM_ATTRIBUTES, LOG, find_columns
from recprune.datasets.layouts import BESIDE, LAYOUTS, SPLIT
from recprune.datasets.sales import is_quantity, settle
from recprune.datasets.streams import BOMB, UNPACKED, check_regular
from recprune.datasets.tables.delimited import DelimitedFile, open_delimited
from recprune.datasets.tables.parquet import ParquetFile, open_parquet
from recprune.interactions import DataError, Interactions, shown

Opened = DelimitedFile | ParquetFile | SplitFolder
TABLES = (".csv", ".tsv", ".dat", ".parquet", ".pq", ".csv.gz", ".tsv.gz")  # in a zip of one table, whatever its name
WEIGHT = "weight of the interaction"
LONE_QUOTES = "quotes are read as letters: as quotes they would swallow rows"
MISSING_WORDS = r"null (null) <null> na n/a #na #n/a <na> nan -nan none nil nat undefined \n"  # in any case
MISSING = frozenset(MISSING_WORDS.split())
ROUNDED = re.compile(r"\d\.\d+[eE]\+(1[5-9]|[2-9]\d)")  # of 16 digits and more, as spreadsheets write ids
NUMBERS = ("rating", "timestamp", "weight", "part")


@dataclass(frozen=True)
class Found:
    """A log with what was found in its file.

    roles   role -> column that was taken for it
    left    columns that were not taken
    notes   what else is worth a word
    """

    log: Interactions
    roles: dict[str, str]
    left: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def read_path(
    path: Path,
    *,
    columns: dict[str, str] | None = None,
    events: Mapping[str, float] | None = None,
    separator: str | None = None,
    name: str | None = None,
) -> Found:
    """The log in a file, in a folder of an official MovieLens layout or of a published split, or in a zip of one.

    columns     role (user, item, rating, timestamp, event, weight) to column name; the rest is guessed
    events      event type to the weight of one event of it; 0 leaves its events out

    Raises DataError that names the file, the line and the value.
    """
    columns = columns or {}
    name = name or stem(path)
    if is_zip(path):
        with tempfile.TemporaryDirectory(prefix="recprune-") as folder:
            inside = unzip(path, Path(folder))
            try:
                return read_path(inside, columns=columns, events=events, separator=separator, name=name)
            except DataError as error:
                raise DataError(str(error).replace(f"{folder}/", f"{path}: ")) from None
    table, roles = opened(path, columns, separator)
    path = table.path
    if events is not None and "event" not in roles:
        raise DataError(
            f"{path}: no column for event; name it with event=...; the columns are: {', '.join(table.columns)}"
        )
    return _read(table, roles, events, name)


def roles_of(path: Path, columns: dict[str, str] | None = None, separator: str | None = None) -> frozenset[str]:
    """The roles (user, item, timestamp, part, ...) that the log at a path has a column for; only its head is read.

    Raises DataError as read_path does.
    """
    if is_zip(path):
        with tempfile.TemporaryDirectory(prefix="recprune-") as folder:
            return roles_of(unzip(path, Path(folder)), columns, separator)
    return frozenset(opened(path, columns or {}, separator)[1])


def opened(path: Path, columns: dict[str, str], separator: str | None) -> tuple[Opened, dict[str, str]]:
    """The table that holds the log, and the column of each role."""
    if path.is_dir():
        folder, path = path, _log_in(path)
        if path.name == SPLIT[0]:
            if columns or separator:
                raise DataError(f"{folder}: columns and separator are options of a table, not of a published split")
            return open_split(folder), {role: role for role in SplitFolder.columns}
    table = open_parquet(path) if path.suffix.lower() in (".parquet", ".pq") else open_delimited(path, separator)
    return table, find_columns(path, table.columns, LOG + ITEM_ATTRIBUTES, columns, ("user", "item"))


def stem(path: Path) -> str:
    """ml-1m-ratings.csv.gz is called ml-1m-ratings; a folder keeps its name."""
    path = path.resolve()
    return path.name if path.is_dir() else Path(path.name.removesuffix(".gz")).stem


def is_zip(path: Path) -> bool:
    return path.suffix.lower() == ".zip" and not path.is_dir()


def unzip(path: Path, into: Path) -> Path:
    """Unpacks the log of a zip and the files beside it into `into`; returns the log's path there, or the folder.

    Raises DataError for a zip that is damaged, locked, unpacks to far more than a log would, or holds several logs.
    """
    check_regular(path)
    try:
        with zipfile.ZipFile(path) as archive:
            members = [m for m in archive.infolist() if not m.is_dir() and "__MACOSX" not in m.filename]
            log = _log_of_zip(path, members)
            beside = [m for m in members if _folder(m) == _folder(log) and _matches(m, BESIDE)]
            for member in (log, *beside):
                if member.file_size > max(UNPACKED, BOMB * member.compress_size):
                    raise DataError(
                        f"{path}: {member.filename} would unpack to {member.file_size / 1e9:.1f} GB; no log does"
                    )
                member.filename = _name(member)
                archive.extract(member, into)
            return into if log.filename == SPLIT[0] else into / log.filename
    except (RuntimeError, NotImplementedError) as error:
        raise DataError(f"{path}: cannot be unpacked ({error}); unpack it and give the folder") from None
    except (zipfile.BadZipFile, EOFError, OSError, zlib.error, ValueError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{path}: the zip file is damaged or truncated ({error}); get it again") from None


def _log_of_zip(path: Path, members: list[zipfile.ZipInfo]) -> zipfile.ZipInfo:
    """The only member that is a log: one of an official layout, else the only table there is."""
    logs = [m for m in members if _matches(m, LAYOUTS)]
    logs = logs or [m for m in members if _name(m).lower().endswith(TABLES) and not _matches(m, BESIDE)]
    if len(logs) > 1:
        names = ", ".join(m.filename for m in logs[:5])
        raise DataError(f"{path}: more than one log: {names}; unpack it and give one of them")
    if not logs:
        raise DataError(f"{path}: none of {', '.join(LAYOUTS)} is in this zip, nor one table ({', '.join(TABLES)})")
    return logs[0]


def _name(member: zipfile.ZipInfo) -> str:
    return Path(member.filename).name


def _folder(member: zipfile.ZipInfo) -> Path:
    return Path(member.filename).parent


def _matches(member: zipfile.ZipInfo, names: tuple[str, ...]) -> bool:
    return any(fnmatch(_name(member).lower(), name) for name in names)


def _log_in(folder: Path) -> Path:
    for layout in LAYOUTS:
        found = sorted(folder.glob(layout))
        if len(found) > 1:
            raise DataError(f"{folder}: more than one log: {', '.join(f.name for f in found)}; name one of them")
        if found:
            return found[0]
    raise DataError(f"{folder}: none of {', '.join(LAYOUTS)} is in this folder")


def _read(table: Opened, roles: dict[str, str], events: Mapping[str, float] | None, name: str) -> Found:
    roles = {role: column for role, column in roles.items() if role in LOG or table.usable(column)}
    numbers = [roles[role] for role in NUMBERS if role in roles]
    text = [column for column in roles.values() if column not in numbers]
    frame = pd.DataFrame(table.read(text, numbers), copy=False)
    for role in ("user", "item"):
        _check_ids(frame[roles[role]], table, roles[role])
    rows, notes = _weigh(frame, roles, events, table)
    if len(rows) == 0:
        raise DataError(f"{table.path}: no interactions: all of {len(frame):,} rows weigh nothing")
    kept = frame if len(rows) == len(frame) else frame.iloc[rows]
    items, users, more = attributes_beside(table.path)
    notes += more
    if items is None:
        items, varying = of_each(frame, roles["item"], {role: roles[role] for role in ITEM_ATTRIBUTES if role in roles})
        items = None if items is None else tidy_items(items)
        notes += [
            f"{column!r} differs within an item, so it is not the item's {role}" for role, column in varying.items()
        ]
        roles = {role: column for role, column in roles.items() if role not in varying}
    try:
        log = Interactions.from_frame(
            kept,
            **{role: roles[role] for role in ("user", "item", "rating", "timestamp", "part") if role in roles},
            weight=WEIGHT if WEIGHT in frame else None,
            user_attributes=users,
            item_attributes=items,
            name=name,
        )
    except DataError as error:
        if error.row is None:
            raise DataError(f"{table.path}: {error}") from None
        row = int(rows[error.row])
        raise DataError(f"{table.path}: {table.place(row)}: column {error.column!r} {error.problem}") from None
    if isinstance(table, DelimitedFile) and table.lone_quotes:
        notes.append(LONE_QUOTES)
    left = tuple(column for column in table.columns if column not in roles.values())
    return Found(log, roles, left, tuple(notes))


def _weigh(
    frame: pd.DataFrame, roles: dict[str, str], events: Mapping[str, float] | None, table: Opened
) -> tuple[np.ndarray, list[str]]:
    """(the rows that count, notes on the others); adds the column WEIGHT to the frame of a log of events or counts."""
    if "event" in roles:
        frame[WEIGHT] = _event_weights(frame[roles["event"]], events, table)
    if "weight" in roles:
        sales = is_quantity(roles["weight"])
        counts = _counts(frame[roles["weight"]], table, roles["weight"], signed=sales)
        once = frame[WEIGHT].to_numpy() if "event" in roles else np.ones(len(frame), np.float32)
        if sales:  # pieces of different things are not to be compared: what counts is how often one was bought
            stays, notes = settle(frame, roles["user"], roles["item"], counts)
            frame[WEIGHT] = once
            return np.flatnonzero(stays & (once > 0)), notes
        frame[WEIGHT] = counts * once
    rows = np.flatnonzero(frame[WEIGHT] > 0) if WEIGHT in frame else np.arange(len(frame))
    left = len(frame) - len(rows)
    return rows, [f"{left:,} rows that weigh nothing are left out"] if left else []


def _check_ids(ids: pd.Series, table: Opened, column: str) -> None:
    """Raises DataError for words that stand for no user or item, or for several: they would be one enormous user."""
    if not isinstance(ids.dtype, pd.CategoricalDtype):
        return
    lone = isinstance(table, DelimitedFile) and table.lone_quotes
    faults = {word: fault(word, lone) for word in ids.cat.categories}
    bad = np.array([faults[word] is not None for word in ids.cat.categories] + [False])[ids.cat.codes.to_numpy()]
    if bad.any():
        row = int(bad.argmax())
        word = ids.iloc[row]
        raise no_id(table, row, column, word, faults[word], int((ids == word).sum()))


def no_id(table: Opened, row: int, column: str, word: str, why: str | None, count: int) -> DataError:
    """An error for a word that cannot be an id, in `count` rows, of which `row` is the first."""
    return DataError(
        f"{table.path}: {table.place(row)}: column {column!r} is {word!r}, {why}, "
        f"in {count:,} rows; leave them out, or write the id otherwise where it is one"
    )


def fault(word: str, lone_quotes: bool) -> str | None:
    """Why a word cannot be an id; None where it can."""
    if word.lower() in MISSING:
        return "a word for a missing value"
    if ROUNDED.fullmatch(word):
        return "a number that has lost its last digits"
    if lone_quotes and word.startswith('"'):
        return "with its quote, since some quote of the file is never closed"
    return None


def _counts(values: pd.Series, table: Opened, column: str, signed: bool) -> np.ndarray:
    """(rows,) float64: how often, of each row. Raises DataError for what is no count, or negative and not `signed`."""
    plain = values.astype(object) if isinstance(values.dtype, pd.CategoricalDtype) else values
    counts = pd.to_numeric(plain, errors="coerce").to_numpy(np.float64, na_value=np.nan)
    bad = ~(np.isfinite(counts) & (np.abs(counts) <= np.finfo(np.float32).max))
    if not signed:
        bad |= counts < 0
    if bad.any():
        row = int(bad.argmax())
        needed = "a number is needed, negative for a return" if signed else "a count from 0 on is needed"
        raise DataError(f"{table.path}: {table.place(row)}: column {column!r} is {shown(values, row)}; {needed}")
    return counts


def _event_weights(kinds: pd.Series, events: Mapping[str, float] | None, table: Opened) -> np.ndarray:
    """(rows,) float32: the weight of each row's event type, 1 where no weights are given."""
    if events is None:
        return np.ones(len(kinds), np.float32)
    bad = {kind: weight for kind, weight in events.items() if not _is_weight(weight)}
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


def _is_weight(value: object) -> bool:
    return isinstance(value, int | float | np.number) and bool(0 <= value <= float(np.finfo(np.float32).max))
