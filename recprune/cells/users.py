"""How well each user is served by each cell: what paired comparisons between any two cells need.

One Parquet file beside a cells.csv: the columns of a cell, and VALUES, a list with the test nDCG@10 of every user
(float32, NaN where a user has nothing relevant). Users stand in the order of their codes in the split, which is the
same for all cells of a data set, protocol and seed. The same cells give the same bytes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from recprune.cells.rows import CELL, DEFAULTS
from recprune.errors import StudyError
from recprune.files import write_atomically

VALUES = "test_ndcg@10"
FILE = "per_user.parquet"
REMEDY = "put the committed file back, or remove it and `make reproduce` gathers it again"


def write_per_user(folder: str | Path, frame: pd.DataFrame) -> Path:
    """The path of <folder>/per_user.parquet, written from a frame with the columns of a cell and VALUES (arrays)."""
    frame = frame.sort_values(list(CELL), ignore_index=True)
    columns = {name: pa.array(frame[name].astype(_kind(name))) for name in CELL}
    columns[VALUES] = pa.array([np.asarray(values, np.float32) for values in frame[VALUES]], pa.list_(pa.float32()))
    sink = pa.BufferOutputStream()
    # few values occur, so that a dictionary of them says most; what is left is noise to a compressor
    pq.write_table(pa.table(columns), sink, compression="zstd", compression_level=9, row_group_size=1 << 10)
    return write_atomically(Path(folder) / FILE, sink.getvalue().to_pybytes())


def read_per_user(folder: str | Path) -> pd.DataFrame:
    """The frame that `write_per_user` was given; no rows where there is no file, StudyError where it is another."""
    path = Path(folder) / FILE
    if not path.exists():
        return pd.DataFrame(columns=[*CELL, VALUES])
    try:
        table = _with_defaults(pq.read_table(path))
        if missing := [name for name in (*CELL, VALUES) if name not in table.column_names]:
            raise StudyError(f"{path}: column {missing[0]!r} is missing; {REMEDY}")
        for name, kind in _kinds().items():
            if table.schema.field(name).type not in (kind, *((pa.large_string(),) if kind == pa.string() else ())):
                raise StudyError(f"{path}: column {name!r} is of {table.schema.field(name).type}, not {kind}; {REMEDY}")
        return table.select([*CELL, VALUES]).to_pandas()
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        said = " ".join(str(error).split())
        raise StudyError(f"{path}: not a file of per-user values: {said}; {REMEDY}") from None


def _with_defaults(table: pa.Table) -> pa.Table:
    """The table with DEFAULTS in columns that it lacks: files are older than some of them."""
    for name, value in DEFAULTS.items():
        if name not in table.column_names:
            table = table.append_column(name, pa.array([value] * len(table), _kinds()[name]))
    return table


def _kinds() -> dict[str, pa.DataType]:
    """Column -> its type in the file."""
    kinds = {"float64": pa.float64(), "int64": pa.int64(), "str": pa.string()}
    return {name: kinds[_kind(name)] for name in CELL} | {VALUES: pa.list_(pa.float32())}


def _kind(column: str) -> Any:
    return {"kept": "float64", "samples_kept": "float64", "seed": "int64"}.get(column, "str")
