"""Parquet logs, with the interface of `delimited.DelimitedFile`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet

from recprune.datasets.streams import check_regular
from recprune.datasets.tables.delimited import TEXT, column_series
from recprune.interactions import DataError


@dataclass(frozen=True)
class ParquetFile:
    """A Parquet file and the names of its columns."""

    path: Path
    columns: tuple[str, ...]

    def read(self, text: list[str], numbers: list[str]) -> dict[str, pd.Series]:
        """The named columns: `text`, ids and words, exactly as they are written; `numbers` as numbers or times.

        Raises DataError naming a column of a type that is neither.
        """
        wanted = list(dict.fromkeys([*text, *numbers]))
        repeated = [name for name in wanted if self.columns.count(name) > 1]
        if repeated:
            raise DataError(f"{self.path}: columns that occur twice: {', '.join(repeated)}")
        try:
            table = pyarrow.parquet.read_table(self.path, columns=wanted)
            found = {}
            for name in wanted:
                _check_plain(self.path, name, table.column(name).type, number=name in numbers)
                found[name] = column_series(_simple(table.column(name), number=name in numbers))
            return found
        except (pa.ArrowException, OSError, OverflowError) as error:
            raise _damaged(self.path, error) from None

    def usable(self, column: str) -> bool:
        """Whether a column is of a type that can be read."""
        kinds = [field.type for field in pyarrow.parquet.read_schema(self.path) if field.name == column]
        return len(kinds) == 1 and _is_plain(kinds[0], number=False)

    def place(self, row: int) -> str:
        return f"row {row + 1}"


def open_parquet(path: Path) -> ParquetFile:
    """Raises DataError for a file that is no Parquet file, is truncated, or has no rows."""
    check_regular(path)
    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            names, rows = tuple(file.schema_arrow.names), file.metadata.num_rows
    except (pa.ArrowException, OSError) as error:
        raise _damaged(path, error) from None
    if rows == 0:
        raise DataError(f"{path}: no interactions")
    return ParquetFile(path, names)


def kind_of(file: ParquetFile, column: str, number: bool) -> pa.DataType:
    """The type of a column. Raises DataError for a column that is there twice, or of a type that no log has."""
    if file.columns.count(column) > 1:
        raise DataError(f"{file.path}: columns that occur twice: {column}")
    kind = pyarrow.parquet.read_schema(file.path).field(column).type
    _check_plain(file.path, column, kind, number)
    return kind


def _check_plain(path: Path, column: str, kind: pa.DataType, number: bool) -> None:
    if not _is_plain(kind, number):
        raise DataError(f"{path}: column {column!r} holds {kind}; {PLAIN} are accepted")


PLAIN = "numbers, strings, dates and times"


def _is_plain(kind: pa.DataType, number: bool) -> bool:
    """Whether a column of the type can be a column of a log, of numbers or of words."""
    if pa.types.is_dictionary(kind):
        return _is_plain(kind.value_type, number)
    words = pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    counted = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    if words or counted or pa.types.is_null(kind):
        return True
    if number:
        return pa.types.is_timestamp(kind) or pa.types.is_date(kind)
    return pa.types.is_binary(kind) or pa.types.is_large_binary(kind)


def _simple(column: pa.ChunkedArray, number: bool) -> pa.ChunkedArray:
    """Strings as a dictionary, decimals as floats, or, where each digit counts, as strings; dates as times."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        return _simple(column.cast(kind.value_type), number)
    if pa.types.is_decimal(kind) and number:
        return column.cast(pa.float64())
    if pa.types.is_date(kind):
        return column.cast(pa.timestamp("s"))
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_timestamp(kind):
        return column
    return column.cast(pa.string()).dictionary_encode().cast(TEXT)


def _damaged(path: Path, error: Exception) -> DataError:
    return DataError(f"{path}: not a readable Parquet file ({str(error).splitlines()[0]})")
