"""Delimited text, from file to columns: fast where the file is clean, exact about the line where it is not.

Columns come back as pandas Series: numbers where numbers were asked for and every field is one,
else categories, whose codes take four bytes a row however long the strings are.
"""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv

from recprune.datasets.columns import names_a_role
from recprune.interactions import DataError

SEPARATORS = ("::", "\t", ",", ";", "|", " ")
SAMPLE = 1 << 16  # bytes that decide about separator and header
RECBOLE = (".inter", ".item", ".user")
TEXT = pa.dictionary(pa.int32(), pa.string())


@dataclass(frozen=True)
class DelimitedFile:
    """A delimited text file: its separator, its column names, whether the first line holds them, its first row."""

    path: Path
    separator: str
    columns: tuple[str, ...]
    header: bool
    first: tuple[str, ...]
    quoted: bool
    encoding: str = "utf-8"

    def read(self, text: list[str], numbers: list[str]) -> dict[str, pd.Series]:
        """The columns `text` as categories, `numbers` as float64; all rows, missing fields as missing.

        A column of `numbers` in which some field is no number comes back as categories instead, for
        the caller to name the field. Raises DataError naming the line for a wrong number of fields
        or bytes that are not text.
        """
        types = dict.fromkeys([*text, *numbers], TEXT)
        first = dict(zip(self.columns, self.first, strict=False))
        fast = types | {name: pa.float64() for name in numbers if _number(first.get(name, "")) is not None}
        try:
            try:
                return _series(self._parse(fast), types)
            except pa.ArrowInvalid:
                return _series(self._parse(types, newlines_in_values=self.quoted), types)
        except pa.ArrowInvalid as error:
            self.check()
            raise DataError(f"{self.path}: {error}") from None
        except (OSError, EOFError, zlib.error) as error:
            raise unreadable(self.path, error) from None

    def _parse(self, types: dict[str, pa.DataType], **options) -> pa.Table:
        names, separator = list(self.columns), self.separator
        if separator == "::":  # two one-character separators with nothing between them
            separator, gaps = ":", [f"\0{n}" for n in range(len(names) - 1)]
            names = [name for pair in zip(names, [*gaps, ""], strict=True) for name in pair][:-1]
            types = types | dict.fromkeys(gaps, pa.null())
        with _open(self.path) as stream:
            return pyarrow.csv.read_csv(
                pa.PythonFile(stream, mode="r"),
                pyarrow.csv.ReadOptions(
                    column_names=names, skip_rows=self._lines_before_data(), block_size=1 << 22, encoding=self.encoding
                ),
                pyarrow.csv.ParseOptions(
                    delimiter=separator,
                    quote_char='"' if self.quoted else False,
                    invalid_row_handler=lambda row: "error" if row.text.strip() else "skip",
                    **options,
                ),
                pyarrow.csv.ConvertOptions(
                    include_columns=list(types), column_types=types, null_values=[""], strings_can_be_null=True
                ),
            )

    def _lines_before_data(self) -> int:
        if not self.header:
            return 0
        with _open(self.path) as stream:
            return next(number for number, line in enumerate(stream, 1) if line.strip(b"\xef\xbb\xbf \t\r\n"))

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """(line number, fields) of every row, header and blank lines left out. Slow: for locating errors."""
        lines = _decoded(self.path, self.encoding)
        if self.separator == "::" or not self.quoted:
            found: Iterator[tuple[int, list[str]]] = (
                (number, line.rstrip("\r\n").split(self.separator)) for number, line in lines
            )
        else:
            found = _quoted_rows(lines, self.separator, self.path)
        width = len(self.columns)
        rows = ((n, fields) for n, fields in found if len(fields) == width or any(field.strip() for field in fields))
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
    sample = _sample(path, encoding)
    first = sample[0]
    if separator is None:
        separator = next((s for s in SEPARATORS if s in first), None)
    if separator is None:
        raise DataError(f"{path}: line 1: no separator found in {first[:80]!r}; one of these is needed: {SEPARATORS}")
    if separator != "::" and len(separator) != 1:
        raise DataError(f"{path}: separator {separator!r}: one character or '::' is needed")
    quoted = separator != "::" and columns is None and not _stem(path).endswith(RECBOLE)
    fields = _fields(first, separator, quoted)
    header = columns is None and (names_a_role(fields) or not any(_number(field) for field in fields))
    if columns is None:
        columns = _header(path, fields) if header else _headerless(path, fields)
    if header and len(sample) == 1:
        raise DataError(f"{path}: a header and no interactions")
    row = _fields(sample[-1], separator, quoted) if header else fields
    return DelimitedFile(path, separator, columns, header, tuple(row), quoted, encoding)


def _stem(path: Path) -> str:
    return path.name.lower().removesuffix(".gz")


def _fields(line: str, separator: str, quoted: bool) -> list[str]:
    return next(csv.reader([line], delimiter=separator)) if quoted else line.split(separator)


def _header(path: Path, fields: list[str]) -> tuple[str, ...]:
    """Names in the header; those of RecBole carry their type (`user_id:token`)."""
    names = [field.strip() for field in fields]
    if _stem(path).endswith(RECBOLE):
        names = [name.partition(":")[0] for name in names]
    names = [name or f"column {n}" for n, name in enumerate(names, 1)]
    repeated = {name for name in names if names.count(name) > 1}
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
    try:
        return float(field) or 1.0  # zero is a number too
    except ValueError:
        return None


def _open(path: Path):
    with open(path, "rb") as stream:
        packed = stream.read(2) == b"\x1f\x8b"
    if path.name.lower().endswith(".gz") and not packed:
        raise DataError(f"{path}: named .gz, and is not a gzip file")
    return gzip.open(path, "rb") if packed else open(path, "rb")


def _sample(path: Path, encoding: str) -> list[str]:
    """The first lines that are not blank: at least one, two where the file has them."""
    lines: list[str] = []
    size = 0
    try:
        for _, line in _decoded(path, encoding):
            lines += [line.rstrip("\r\n")] if line.strip() else []
            size += len(line)
            if len(lines) >= 2 or size > SAMPLE:
                break
    except (OSError, EOFError, zlib.error) as error:
        raise unreadable(path, error) from None
    if not lines:
        raise DataError(f"{path}: the file is empty")
    return lines


def _decoded(path: Path, encoding: str) -> Iterator[tuple[int, str]]:
    with _open(path) as stream:
        for number, line in enumerate(stream, 1):
            line = line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line
            try:
                yield number, line.decode(encoding)
            except UnicodeDecodeError as error:
                raise DataError(
                    f"{path}: line {number}: byte {line[error.start]:#04x} at {error.start + 1} is not {encoding}; "
                    "save the file as UTF-8"
                ) from None


def _quoted_rows(lines: Iterator[tuple[int, str]], separator: str, path: Path) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader((line for _, line in lines), delimiter=separator)
    start = 1
    try:
        for fields in reader:
            yield start, fields
            start = reader.line_num + 1
    except csv.Error as error:
        raise DataError(f"{path}: line {start}: {error}") from None


def unreadable(path: Path, error: Exception) -> DataError:
    """A DataError for a file that cannot be read to its end."""
    if isinstance(error, EOFError):
        return DataError(f"{path}: the gzip file is truncated; get it again")
    if isinstance(error, gzip.BadGzipFile | zlib.error):
        return DataError(f"{path}: the gzip file is damaged ({error}); get it again")
    return DataError(f"{path}: {error.strerror or error if isinstance(error, OSError) else error}")


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
