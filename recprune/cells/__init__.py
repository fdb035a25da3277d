"""All that decides a number of a row: the parameters of a run, what is measured, and the rows it leaves."""

from importlib import import_module
from typing import TYPE_CHECKING

from recprune.cells.parameters import Parameters

if TYPE_CHECKING:
    from recprune.cells.bench import Bench
    from recprune.cells.results import finish
    from recprune.cells.rows import COLUMNS, TIMING, read_rows, write_rows

_HOME = {
    "Bench": "bench",
    "finish": "results",
    "COLUMNS": "rows",
    "TIMING": "rows",
    "read_rows": "rows",
    "write_rows": "rows",
}

__all__ = ["COLUMNS", "TIMING", "Bench", "Parameters", "finish", "read_rows", "write_rows"]


def __getattr__(name: str):
    """Import on first use: the launcher of runs needs parameters, but neither pandas nor models."""
    if name in _HOME:
        return getattr(import_module(f"recprune.cells.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
