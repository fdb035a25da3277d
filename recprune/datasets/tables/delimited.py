"""Delimited text, from file to columns: fast where the file is clean, exact about the line where it is not.

Columns come back as pandas Series: numbers where numbers were asked for and every field is one,
else categories, whose codes take four bytes a row however long the strings are.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv

from recprune.datasets.columns import names_a_role
from recprune.datasets.streams import (
    BOM,
    FAULTS,
    LONGEST,
    UNIT,
    Watched,
    decoded,
    lines_of,
    open_bytes,
    sample,
    unreadable,
)
from recprune.interactions import DataError

SEPARATORS = ("::", "\t", ",", ";", "|", " ")
WIDEST = 10_000  # columns
NO_SEPARATORS = '"\r\n\0\x1f'
BLANK = " \t\r\n"
RECBOLE = (".inter", ".item", ".user")
TEXT = pa.dictionary(pa.int32(), pa.string())


@dataclass
class DelimitedFile:
    """A delimited text file: its separator, its column names, whether the first line holds them, its first row.

    quoted  whether double quotes hold fields together; reading the file can show that they are text instead
    """

    path: Path
    separator: str
    columns: tuple[str, ...]
    header: bool
    first: tuple[str, ...]
    quoted: bool
    encoding: str = "utf-8"
    has_quotes: bool = field(default=False, init=False)  # after reading
    lone_quotes: bool = field(default=False, init=False)  # after reading: they were taken for quotes, and are text

    def usable(self, column: str) -> bool:
        """Whether a column is of a type that can be read: here all are words."""
        return True

    def read(self, text: list[str], numbers: list[str]) -> dict[str, pd.Series]:
        """The columns `text` as categories, `numbers` as float64; all rows, missing fields as missing.

        A column of `numbers` in which some field is no number comes back as categories instead, for
        the caller to name the field. Raises DataError naming the line for a wrong number of fields
        or bytes that are not text.
        """
        types = dict.fromkeys([*text, *numbers], TEXT)
        first = dict(zip(self.columns, self.first, strict=False))
        fast = types | {name: pa.float64() for name in numbers if _is_plain_number(first.get(name, ""))}
        try:
            try:
                found = _series(self._parse(fast), types)
            except pa.ArrowInvalid:
                found = _series(self._parse(types, newlines_in_values=self.quoted), types)
        except pa.ArrowInvalid as error:
            if self.quotes_are_text():
                return self.without_quotes().read(text, numbers)
            self.check()
            raise DataError(f"{self.path}: {error}") from None
        except FAULTS as error:
            raise unreadable(self.path, error) from None
        if self.quoted and self.has_quotes and self.n_lines() != len(next(iter(found.values()))):
            if self.quotes_are_text():
                return self.without_quotes().read(text, numbers)
            self.check()
        return found | {name: _decimal_points(found[name]) for name in numbers}

    def _parse(self, types: dict[str, pa.DataType], **options) -> pa.Table:
        with open_bytes(self.path) as stream:
            watched = Watched(stream, self.separator)
            try:
                return pyarrow.csv.read_csv(
                    pa.PythonFile(watched, mode="r"),
                    pyarrow.csv.ReadOptions(
                        column_names=list(self.columns),
                        skip_rows=self.lines_before_data(),
                        block_size=1 << 22,
                        encoding=self.encoding,
                    ),
                    pyarrow.csv.ParseOptions(
                        delimiter=UNIT.decode() if self.separator == "::" else self.separator,
                        quote_char='"' if self.quoted else False,
                        invalid_row_handler=lambda row: "error" if row.text.strip(BLANK) else "skip",
                        **options,
                    ),
                    pyarrow.csv.ConvertOptions(
                        include_columns=list(types), column_types=types, null_values=[""], strings_can_be_null=True
                    ),
                )
            finally:
                self.has_quotes = watched.quotes
                self.refuse(watched.foreign)

    def refuse(self, foreign: bytes) -> None:
        """Raises DataError for a character that came by and is not of a text, naming its line."""
        if foreign:
            line = next(number for number, line in lines_of(self.path) if foreign in line)
            what = "a byte of zeros" if foreign == b"\0" else f"the control character {foreign[0]:#04x}"
            raise DataError(f"{self.path}: line {line}: {what}, which no text has; the file is damaged") from None

    def n_lines(self) -> int:
        """Lines that are not blank, the header left out."""
        return sum(1 for _, line in lines_of(self.path) if line.strip()) - self.header

    def quotes_are_text(self) -> bool:
        """Whether each line is a row where quotes count as letters, while as quotes they swallow what stands between.

        A title such as `"Heroes` opens a quote that nothing closes, or that the next such title does.
        """
        if not self.quoted:
            return False
        lines = ((number, line) for number, line in decoded(self.path, self.encoding) if line.strip())
        return all(line.rstrip("\r\n").count(self.separator) + 1 == len(self.columns) for _, line in lines)

    def without_quotes(self) -> DelimitedFile:
        self.quoted, self.lone_quotes = False, True
        return self

    def lines_before_data(self) -> int:
        if not self.header:
            return 0
        return next(number for number, line in lines_of(self.path) if line.strip(BOM + b" \t\r\n"))

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """(line number, fields) of every row, header and blank lines left out. Slow: for locating errors."""
        lines = decoded(self.path, self.encoding)
        if self.separator == "::" or not self.quoted:
            found: Iterator[tuple[int, list[str]]] = (
                (number, line.rstrip("\r\n").split(self.separator)) for number, line in lines
            )
        else:
            found = _quoted_rows(lines, self.separator, self.path)
        width = len(self.columns)
        rows = ((n, fields) for n, fields in found if len(fields) == width or self.separator.join(fields).strip(BLANK))
        if self.header:
            next(rows, None)
        yield from rows

    def check(self) -> None:
        """Raises DataError for the first line with too few or too many fields, or that is not text."""
        for number, fields in self.rows():
            if len(fields) != len(self.columns):
                few = "few" if len(fields) < len(self.columns) else "many"
                raise DataError(
                    f"{self.path}: line {number}: too {few} fields: {len(fields)} instead of {len(self.columns)} "
                    f"({', '.join(self.columns)}): {self.separator.join(fields)[:80]!r}"
                )

    def place(self, row: int) -> str:
        """Where a row, counted from 0, stands in the file."""
        return next(f"line {number}" for n, (number, _) in enumerate(self.rows()) if n == row)


def open_delimited(
    path: Path, separator: str | None = None, columns: tuple[str, ...] | None = None, encoding: str = "utf-8"
) -> DelimitedFile:
    """What the first lines of a file say about it. With `columns` given, the file has no header.

    Raises DataError for an empty file, a file that is not text, or one without a separator.
    """
    lines = sample(path, encoding)
    first = lines[0]
    if separator is None:
        separator = _separator(path, lines)
    if separator != "::" and not (len(separator) == 1 and separator.isascii() and separator not in NO_SEPARATORS):
        raise DataError(
            f"{path}: separator {separator!r}: one character or '::' is needed, no quote, line end or accent"
        )
    quoted = separator != "::" and columns is None and not _stem(path).endswith(RECBOLE)
    fields = _fields(first, separator, quoted)
    if columns is None and len(fields) > WIDEST:
        raise DataError(
            f"{path}: line 1: {len(fields):,} columns; "
            "a log has a line for each interaction, not a column for each item"
        )
    header = columns is None and (names_a_role(fields) or not any(_number(field) for field in fields))
    if columns is None:
        columns = _header(path, fields) if header else _headerless(path, fields)
    if header and len(lines) == 1:
        raise DataError(f"{path}: a header and no interactions")
    row = _fields(lines[1], separator, quoted) if header else fields
    return DelimitedFile(path, separator, columns, header, tuple(row), quoted, encoding)


def _stem(path: Path) -> str:
    return path.name.lower().removesuffix(".gz")


def _separator(path: Path, lines: list[str]) -> str:
    """The separator of a file by its first lines; of several that would do, the first of SEPARATORS.

    What makes one better, in this order: columns have usual names; every line has as many fields; no id holds
    another separator, as the `1;10;4` does that a decimal comma leaves of `1;10;4,5`. Words have blanks within, so
    where blanks separate, no other field may hold a separator either.
    """
    there = [separator for separator in SEPARATORS if separator in lines[0]]
    if not there:
        raise DataError(
            f"{path}: line 1: no separator found in {lines[0][:80]!r}; one of these is needed: {SEPARATORS}"
        )

    def fit(separator: str) -> tuple[bool, bool, bool]:
        fields, *rows = (_fields(line, separator, separator != "::") for line in lines)
        held = [field.strip() for field in (fields if separator == " " else fields[:2]) if not has_comma(field)]
        clean = not any(other in field for field in held for other in SEPARATORS if other != separator)
        return names_a_role(fields[:WIDEST]), all(len(row) == len(fields) for row in rows), clean

    return max(there, key=fit)


def _fields(line: str, separator: str, quoted: bool) -> list[str]:
    if not quoted:
        return line.split(separator)
    csv.field_size_limit(LONGEST)
    try:
        return next(csv.reader([line], delimiter=separator))
    except csv.Error:  # a carriage return within the line; whoever reads all lines names it
        return line.split(separator)


def _header(path: Path, fields: list[str]) -> tuple[str, ...]:
    """Names in the header; those of RecBole carry their type (`user_id:token`)."""
    names = [field.strip() for field in fields]
    if _stem(path).endswith(RECBOLE):
        names = [name.partition(":")[0] for name in names]
    names = [name or f"column {n}" for n, name in enumerate(names, 1)]
    repeated = {name for name, count in Counter(names).items() if count > 1}
    if repeated:
        raise DataError(f"{path}: line 1: columns that occur twice: {', '.join(sorted(repeated))}")
    return tuple(names)


def _headerless(path: Path, fields: list[str]) -> tuple[str, ...]:
    """Without a header: user, item, and then rating, timestamp as far as there are fields."""
    if not 2 <= len(fields) <= 4:
        raise DataError(
            f"{path}: line 1: no column names, and {len(fields)} fields; "
            "a header is needed, or the fields user, item, rating, timestamp"
        )
    if len(fields) == 3 and (_number(fields[2]) or 0) > 1e8:
        return "user", "item", "timestamp"
    return ("user", "item", "rating", "timestamp")[: len(fields)]


def _number(field: str) -> float | None:
    """The number that a field holds, with a decimal point or a comma, or None."""
    field = field.replace(",", ".") if has_comma(field) else field
    try:
        return float(field) or 1.0  # zero is a number too
    except ValueError:
        return None


def _is_plain_number(field: str) -> bool:
    return _number(field) is not None and "," not in field


def has_comma(field: str) -> bool:
    """Whether a field is a number with a decimal comma. Three digits behind one may as well be thousands."""
    return re.fullmatch(r"[+-]?\d+,(\d{1,2}|\d{4,})", field.strip()) is not None


def _decimal_points(column: pd.Series) -> pd.Series:
    """A column of words as numbers, where all are numbers and some of them have a decimal comma; else as it is."""
    if not isinstance(column.dtype, pd.CategoricalDtype):
        return column
    words = list(column.cat.categories)
    if not any(map(has_comma, words)) or not all(has_comma(word) or word.isdecimal() for word in words):
        return column
    numbers = np.array([float(word.replace(",", ".")) for word in words] + [np.nan])
    return pd.Series(numbers[column.cat.codes.to_numpy()])


def _quoted_rows(lines: Iterable[tuple[int, str]], separator: str, path: Path) -> Iterator[tuple[int, list[str]]]:
    """(number of the first line, fields) of each row, whose quoted fields can go over several lines."""
    csv.field_size_limit(LONGEST)
    reader = csv.reader((line for _, line in lines), delimiter=separator, strict=True)
    start = 1
    try:
        for fields in reader:
            yield start, fields
            start = reader.line_num + 1
    except csv.Error as error:
        raise DataError(f"{path}: line {start}: {error}; a quote within a field is written twice") from None


def _series(table: pa.Table, names) -> dict[str, pd.Series]:
    columns = {}
    for name in names:
        columns[name] = column_series(table.column(name))
        table = table.drop_columns([name])  # so that no column is held twice for long
        pa.default_memory_pool().release_unused()
    return columns


def column_series(column: pa.ChunkedArray) -> pd.Series:
    """An Arrow column in pandas: strings as categories, numbers with NaN where they are missing."""
    if pa.types.is_dictionary(column.type):
        return pd.Series(categories(column))
    return column.to_pandas()


def categories(column: pa.ChunkedArray) -> pd.Categorical:
    """Strings of an Arrow column without the blanks around them; empty ones are missing."""
    column = column.unify_dictionaries()
    if column.num_chunks == 0:
        return pd.Categorical([])
    values = [value.strip() for value in column.chunk(0).dictionary.to_pylist()]
    position, unique = pd.factorize(np.array([value or None for value in values], dtype=object))
    position = np.append(position.astype(np.int32), np.int32(-1))  # missing, code -1, stays missing
    codes = [position[chunk.indices.fill_null(-1).to_numpy(zero_copy_only=False)] for chunk in column.chunks]
    return pd.Categorical.from_codes(np.concatenate(codes), categories=pd.Index(unique, dtype=object))
