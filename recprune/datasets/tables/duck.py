"""Logs of a hundred million rows: DuckDB streams the file, and never more of it is held than the codes.

A batch of rows at a time becomes codes and numbers, 20 bytes an interaction (user and item 4 each, rating 4, time 8);
the ids' words are held once each. What is then made of them is `Interactions`, by the same functions that the path in
memory calls, so the two agree to the bit. data/README.md, "Larger than memory", has what comes after that.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from recprune.datasets import readers
from recprune.datasets.adjacency import SplitFolder
from recprune.datasets.attributes import attributes_beside
from recprune.datasets.columns import ITEM_ATTRIBUTES, LOG
from recprune.datasets.streams import FAULTS, LONGEST, Watched, lines_of, open_bytes, unreadable
from recprune.datasets.tables.delimited import DelimitedFile, has_comma
from recprune.datasets.tables.parquet import ParquetFile, kind_of
from recprune.interactions import (
    DataError,
    Interactions,
    are_counts,
    canonical,
    counts,
    encode,
    ratings,
    seconds,
    seconds_of,
)

BATCH = 1 << 20  # rows
BUFFER = "1GB"  # what DuckDB may hold
PATTERN = frozenset("*?[")  # a path with one of these means several files to DuckDB
HERE = "; engine='memory' reads it"


def read_path(
    path: Path, *, columns: dict[str, str] | None = None, separator: str | None = None, name: str | None = None
) -> readers.Found:
    """As `readers.read_path`, of a table of users, items and, where it has them, ratings and times.

    Raises DataError as that does, ImportError where DuckDB is not installed, and DataError naming the other engine
    for a zip, a published split, a log of events or counts, titles within the log, and Parquet types beyond integers,
    floats, strings, dates and times.
    """
    duckdb = _library()
    if readers.is_zip(path):
        raise DataError(f"{path}: engine 'duckdb' reads no zip; unpack it, or: engine='memory' reads it")
    table, roles = readers.opened(path, columns or {}, separator)
    if isinstance(table, SplitFolder):
        raise DataError(f"{path}: a published split, which engine 'duckdb' does not read{HERE}")
    roles = {role: column for role, column in roles.items() if role in LOG or table.usable(column)}
    items, users, notes = attributes_beside(table.path)
    beyond = ("event", "weight", *(ITEM_ATTRIBUTES if items is None else ()))
    for role in beyond:
        if role in roles:
            raise DataError(
                f"{table.path}: the column {roles[role]!r} is of {role}s, which engine 'duckdb' does not read{HERE}"
            )
    name = name or readers.stem(path)
    rows = _Rows(table, roles, name)
    rows.read(duckdb)
    log = rows.log(users, items)
    if isinstance(table, DelimitedFile) and table.lone_quotes:
        notes = [*notes, readers.LONE_QUOTES]
    left = tuple(column for column in table.columns if column not in roles.values())
    return readers.Found(log, roles, left, tuple(notes))


def _library() -> ModuleType:
    try:
        import duckdb
    except ImportError:
        raise ImportError(
            "engine 'duckdb' needs DuckDB, which is not installed: pip install 'recprune[large]'; "
            "engine='memory' needs nothing more"
        ) from None
    return duckdb


@dataclass
class _Ids:
    """The words of a column of ids, in the order in which they first occur, and each row's position among them."""

    words: pa.Array | None = None
    codes: list[np.ndarray] = field(default_factory=list)

    def add(self, column: pa.Array) -> None:
        coded = column.dictionary_encode()
        words = coded.dictionary
        known = words.slice(0, 0) if self.words is None else self.words
        at = pc.index_in(words, value_set=known)
        new = at.is_null().to_numpy(zero_copy_only=False)
        position = at.fill_null(0).to_numpy(zero_copy_only=False).astype(np.int32)
        position[new] = len(known) + np.arange(new.sum())
        self.words = pa.concat_arrays([known, words.filter(pa.array(new))])
        position = np.append(position, np.int32(-1))  # a missing id has the code -1
        self.codes.append(position[coded.indices.fill_null(-1).to_numpy(zero_copy_only=False)])


@dataclass
class _Rows:
    """What was read of a table: the codes of users and items, and the numbers, in pieces in the order of the file."""

    table: DelimitedFile | ParquetFile
    roles: dict[str, str]
    name: str

    def read(self, duckdb: ModuleType) -> None:
        """All rows. Raises DataError that names the first line or row that cannot be read."""
        self.ids = {role: _Ids() for role in ("user", "item")}
        self.rating: list[np.ndarray] = []
        self.times: list[np.ndarray] = []
        self.first_time: pd.Series | None = None
        self.n = 0
        table = self.table
        quotes, lines = _scan(table) if isinstance(table, DelimitedFile) else (False, None)
        try:
            for batch in _batches(duckdb, table, self.roles):
                self._add(batch)
        except (duckdb.Error, pa.ArrowException) as error:
            if isinstance(table, DelimitedFile) and not table.quotes_are_text():
                table.check()
            raise DataError(f"{table.path}: DuckDB: {str(error).splitlines()[0]}{HERE}, or says more") from None
        if lines is not None and self.n != lines and isinstance(table, DelimitedFile) and table.n_lines() != self.n:
            if quotes and table.quotes_are_text():
                table.without_quotes()
                return self.read(duckdb)
            table.check()
            if not quotes:
                raise DataError(f"{table.path}: DuckDB finds {self.n:,} rows in {table.n_lines():,} lines{HERE}")
        return None

    def _add(self, batch: pa.RecordBatch) -> None:
        columns = {role: batch.column(at) for at, role in enumerate(self.roles_read(self.roles))}
        for role, ids in self.ids.items():
            ids.add(columns[role])
        if "rating" in columns:
            values = self._numbers(columns["rating"], "rating")
            self.rating.append(self._placed(lambda: ratings(values, self.name, self.roles["rating"])))
        if "timestamp" in columns:
            self.times.append(self._times(self._numbers(columns["timestamp"], "timestamp")))
        self.n += len(batch)

    @staticmethod
    def roles_read(roles: dict[str, str]) -> list[str]:
        return [role for role in ("user", "item", "rating", "timestamp") if role in roles]

    def _numbers(self, column: pa.Array, role: str) -> pd.Series:
        """A column as numbers where all are numbers, else as its words, or its dates."""
        if not pa.types.is_string(column.type):
            return pd.Series(column.to_pandas())
        words = pc.utf8_trim_whitespace(column)
        try:
            return pd.Series(words.cast(pa.float64()).to_numpy(zero_copy_only=False))
        except pa.ArrowInvalid:
            values = pd.Series(words.to_pandas(), dtype=object).replace("", None)
        comma = next((word for word in values.dropna().unique() if has_comma(word)), None)
        if comma is not None:
            raise DataError(
                f"{self.table.path}: column {self.roles[role]!r} has {comma!r}, a number with a decimal comma{HERE}"
            )
        return values

    def _times(self, values: pd.Series) -> np.ndarray:
        """Counts as they are, dates in seconds: the first time of the file decides which, as in memory."""
        column = self.roles["timestamp"]
        if self.first_time is None:
            self.first_time = values.head(1)
        elif not are_counts(self.first_time):
            joined = pd.concat([self.first_time, values], ignore_index=True)
            return self._placed(lambda: seconds(joined, self.name, column), before=self.n - 1)[1:]
        read = counts if are_counts(self.first_time) else seconds
        return self._placed(lambda: read(values, self.name, column))

    def _placed(self, convert: Callable[[], np.ndarray], before: int | None = None) -> np.ndarray:
        """What `convert` gives; its error names the place in the file of a row, `before` rows further on."""
        try:
            return convert()
        except DataError as error:
            if error.row is None:
                raise DataError(f"{self.table.path}: {error}") from None
            row = error.row + (self.n if before is None else before)
            where = self.table.place(row)
            raise DataError(f"{self.table.path}: {where}: column {error.column!r} {error.problem}") from None

    def log(self, users: pd.DataFrame | None, items: pd.DataFrame | None) -> Interactions:
        """Canonical interactions of what was read, with the attributes of users and items, by original id."""
        ids, columns = {}, {}
        for role in ("user", "item"):
            ids[role], columns[role] = self._coded(role)
        if self.rating:
            columns["rating"] = _whole(self.rating)
        if self.times:
            numbers = _whole(self.times)
            if self.first_time is not None and are_counts(self.first_time):
                column = self.roles["timestamp"]
                numbers = self._placed(lambda: seconds_of(numbers, self.name, column), before=0)
            columns["timestamp"] = numbers
        return canonical(
            columns, ids["user"], ids["item"], name=self.name, user_attributes=users, item_attributes=items
        )

    def _coded(self, role: str) -> tuple[np.ndarray, np.ndarray]:
        """Sorted ids, and each row's code."""
        found, column = self.ids[role], self.roles[role]
        codes = _whole(found.codes)
        assert found.words is not None
        words = pd.Series(found.words.to_pandas())
        if pa.types.is_string(found.words.type):
            words = pd.Series([word.strip() or None for word in words], dtype=object)
        self._refuse_words(words, codes, column)
        gone = np.append(words.isna().to_numpy(), True)  # the last is for code -1
        missing = gone[codes]
        if missing.any():
            row = int(missing.argmax())
            self._placed(lambda: encode(pd.Series([None], dtype=object), self.name, column)[1], before=row)
        try:
            unique, rank = encode(words, self.name, column)
        except DataError as error:
            if error.row is None:
                raise
            where = self.table.place(int((codes == error.row).argmax()))
            raise DataError(f"{self.table.path}: {where}: column {error.column!r} {error.problem}") from None
        return unique, rank[codes]

    def _refuse_words(self, words: pd.Series, codes: np.ndarray, column: str) -> None:
        """Raises DataError for words that stand for no user or item, as the path in memory does."""
        if words.dtype != object:
            return
        lone = isinstance(self.table, DelimitedFile) and self.table.lone_quotes
        faults = [None if word is None else readers.fault(word, lone) for word in words]
        bad = np.array([fault is not None for fault in faults] + [False])
        if bad.any():
            row = int(bad[codes].argmax())
            word = words[codes[row]]
            same = np.append((words == word).to_numpy(), False)
            raise readers.no_id(self.table, row, column, word, faults[codes[row]], int(same[codes].sum()))


def _whole(pieces: list[np.ndarray]) -> np.ndarray:
    """The pieces as one array; they are gone afterwards, so that two columns are not held twice."""
    array = np.concatenate(pieces)
    pieces.clear()
    return array


def _scan(table: DelimitedFile) -> tuple[bool, int]:
    """(whether double quotes hold fields together, lines without those of the header), by one look at all bytes.

    Raises DataError for bytes that no text has, a damaged gzip file, and quotes that DuckDB reads otherwise.
    """
    lines, last = -table.lines_before_data(), b""
    try:
        with open_bytes(table.path) as stream:
            watched = Watched(stream, table.separator)
            while block := watched.read(1 << 22):
                lines, last = lines + block.count(b"\n"), block
    except FAULTS as error:
        raise unreadable(table.path, error) from None
    table.refuse(watched.foreign)
    if not (watched.quotes and table.quoted):
        return False, lines + (not last.endswith(b"\n"))
    separator = re.escape(table.separator.encode())
    blank = re.compile(rb'(?:^|%s)[ \t]+"|"[ \t]+(?:%s|\r?\n|$)' % (separator, separator))
    for number, line in lines_of(table.path):
        if blank.search(line):
            raise DataError(f"{table.path}: line {number}: a blank beside a quote, which DuckDB takes away{HERE}")
    return True, lines + (not last.endswith(b"\n"))


def _batches(duckdb: ModuleType, table: DelimitedFile | ParquetFile, roles: dict[str, str]) -> Iterator[pa.RecordBatch]:
    """The columns of the log, some rows at a time, in the order of the file."""
    if PATTERN & set(str(table.path)):
        raise DataError(f"{table.path}: engine 'duckdb' would read *, ? and [ in a path as a pattern{HERE}")
    taken = [roles[role] for role in _Rows.roles_read(roles)]
    if isinstance(table, ParquetFile):
        for column in taken:
            _check_kind(table, column, number=column not in (roles["user"], roles["item"]))
        source, wanted = f"read_parquet({_text(str(table.path))})", taken
    else:
        source, wanted = _read_csv(table), [f"c{table.columns.index(column)}" for column in taken]
    threads = os.environ.get("OMP_NUM_THREADS", "")
    config = {"memory_limit": BUFFER, "threads": int(threads) if threads.isdecimal() and int(threads) else 1}
    with duckdb.connect(":memory:", config=config) as connection:
        query = f"SELECT {', '.join(map(_name, wanted))} FROM {source}"
        yield from connection.sql(query).to_arrow_reader(BATCH)


def _read_csv(table: DelimitedFile) -> str:
    """DuckDB's reader of delimited text, told what is known of the file, all of it as words; it guesses nothing."""
    with open(table.path, "rb") as stream:
        packed = stream.read(2) == b"\x1f\x8b"
    columns = ", ".join(f"'c{at}': 'VARCHAR'" for at in range(len(table.columns)))
    quote = '"' if table.quoted else ""
    return (
        f"read_csv({_text(str(table.path))}, columns={{{columns}}}, auto_detect=false, header=false, "
        f"skip={table.lines_before_data()}, delim={_text(table.separator)}, quote={_text(quote)}, "
        f"escape={_text(quote)}, nullstr='', max_line_size={LONGEST}, "
        f"compression={'gzip' if packed else 'none'!r})"
    )


def _check_kind(table: ParquetFile, column: str, number: bool) -> None:
    """Raises DataError for a type that no log has, or that this engine does not read."""
    kind = kind_of(table, column, number)
    dates = pa.types.is_timestamp(kind) or pa.types.is_date(kind)
    plain = pa.types.is_integer(kind) or pa.types.is_float32(kind) or pa.types.is_float64(kind)
    if not (plain or pa.types.is_string(kind) or pa.types.is_large_string(kind) or (dates and number)):
        raise DataError(f"{table.path}: column {column!r} holds {kind}, which engine 'duckdb' does not read{HERE}")


def _text(value: str) -> str:
    """A string in SQL."""
    return "'" + value.replace("'", "''") + "'"


def _name(value: str) -> str:
    """A column's name in SQL."""
    return '"' + value.replace('"', '""') + '"'
