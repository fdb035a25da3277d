"""What is raised for what a user gave: each message names the file, line or value, and what would be accepted."""

from __future__ import annotations


class DataError(ValueError):
    """Data that cannot be used; the message names the file, line or value and what is accepted.

    Where one row of a frame is to blame, `row` (from 0), `column` and `problem` say which and why,
    so that a reader can name the line of the file instead.
    """

    row: int | None = None
    column: str = ""
    problem: str = ""


class ModelFileError(ValueError):
    """A folder that is no saved model; the message names the file and what is wrong with it."""


def demand(fine: object, otherwise: str) -> None:
    """Raises ModelFileError with the sentence `otherwise` unless all is fine."""
    if not fine:
        raise ModelFileError(otherwise)


class StudyError(ValueError):
    """A study, a run or its rows that cannot be used; the message names the place, the key and what is accepted."""


class ReportError(ValueError):
    """Rows that cannot be reported; the message names the file or the column and what is needed."""


class NothingToDrawError(ReportError):
    """The rows are fine, but hold nothing of what a figure shows."""


def kind_of(value: object) -> str:
    """What something of a wrong type is, as a message says it."""
    return f"a {type(value).__name__}" + (f" ({value!r:.60})" if isinstance(value, str) else "")
