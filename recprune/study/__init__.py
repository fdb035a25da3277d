"""From study.toml to rows: what is to be measured, in which order, and one notebook execution after the other."""

from recprune.study.config import Parameters, Run, Study, StudyError, load_study

_ROWS = ("COLUMNS", "TIMING", "finish", "read_rows", "write_rows")

__all__ = ["Parameters", "Run", "Study", "StudyError", "load_study", *_ROWS]


def __getattr__(name: str):
    """The names of `rows`, when they are asked for: the launcher of runs needs no pandas."""
    if name in _ROWS:
        from recprune.study import rows

        return getattr(rows, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
