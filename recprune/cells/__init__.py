"""All that decides a number of a row: the parameters of a run, what is measured, and the rows it leaves."""

from recprune.cells.parameters import Parameters

_ROWS = ("COLUMNS", "TIMING", "finish", "read_rows", "write_rows")

__all__ = ["Parameters", *_ROWS]


def __getattr__(name: str):
    """The names of `rows`, when they are asked for: the launcher of runs needs no pandas."""
    if name in _ROWS:
        from recprune.cells import rows

        return getattr(rows, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
