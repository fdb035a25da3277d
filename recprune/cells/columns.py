"""The columns of a user's own log: the words that `load` takes, as a table or from the shell."""

from __future__ import annotations

import shlex
from typing import Any

from recprune.errors import StudyError
from recprune.typed import one_of, value

LOAD_KEYS = ("user", "item", "rating", "timestamp", "event", "weight", "events", "separator")
OPTIONAL = LOAD_KEYS[2:-2]  # columns that a log may lack


def check_columns(columns: dict) -> dict:
    """The columns, where each has a role that `load` knows. Raises StudyError."""
    for key, found in columns.items():
        one_of("", key, LOAD_KEYS)
        value(dict[str, float] if key == "events" else str, found, key)
    return columns


def parse_columns(text: str) -> dict[str, Any]:
    """`user=uid item='Item Id' timestamp= events=view:1,buy:5` (COLUMNS, --columns) as keyword arguments of `load`.

    A role with nothing behind its `=` has no column: one that is called as usual is left. Raises StudyError that says
    what is accepted.
    """
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise StudyError(f"COLUMNS: {text!r}: {error}; a name with blanks stands between two quotes") from None
    columns: dict[str, Any] = {}
    for word in words:
        role, equals, column = word.partition("=")
        if not equals:
            raise StudyError(f"COLUMNS: {word!r} is not of the form role=column; roles: {', '.join(LOAD_KEYS)}")
        one_of("COLUMNS", role, LOAD_KEYS)
        if not column and role not in OPTIONAL:
            raise StudyError(f"COLUMNS: {role}= leaves {role} out; these can be: {', '.join(OPTIONAL)}")
        columns[role] = _events(column) if role == "events" else column
    return columns


def _events(text: str) -> dict[str, float]:
    try:
        return {event: float(weight) for event, weight in (pair.rsplit(":", 1) for pair in text.split(","))}
    except ValueError:
        raise StudyError(f"COLUMNS: events={text!r} is not of the form event:weight,event:weight") from None
