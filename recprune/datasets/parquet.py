"""Parquet logs, with the interface of `delimited.DelimitedFile`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet

from recprune.datasets.delimited import TEXT, column_series
from recprune.interactions import DataError


@dataclass(frozen=True)
class ParquetFile:
    """A Parquet file and the names of its columns."""

    path: Path
    columns: tuple[str, ...]

    def read(self, text: list[str], numbers: list[str]) -> dict[str, pd.Series]:
        """The named columns: strings as categories, everything else as it is stored."""
        try:
            table = pyarrow.parquet.read_table(self.path, columns=list(dict.fromkeys([*text, *numbers])))
            return {name: column_series(_simple(table.column(name))) for name in table.column_names}
        except (pa.ArrowException, OSError) as error:
            raise _damaged(self.path, error) from None

    def place(self, row: int) -> str:
        return f"row {row + 1}"


def open_parquet(path: Path) -> ParquetFile:
    """Raises DataError for a file that is no Parquet file, is truncated, or has no rows."""
    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            names, rows = tuple(file.schema_arrow.names), file.metadata.num_rows
    except (pa.ArrowException, OSError) as error:
        raise _damaged(path, error) from None
    if rows == 0:
        raise DataError(f"{path}: no interactions")
    return ParquetFile(path, names)


def _simple(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Strings as a dictionary, decimals as floats, dates as times: the types that a log is made of."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        return _simple(column.cast(kind.value_type))
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return column.cast(pa.string()).dictionary_encode().cast(TEXT)
    if pa.types.is_decimal(kind):
        return column.cast(pa.float64())
    if pa.types.is_date(kind):
        return column.cast(pa.timestamp("s"))
    return column


def _damaged(path: Path, error: Exception) -> DataError:
    return DataError(f"{path}: not a readable Parquet file ({str(error).splitlines()[0]})")
