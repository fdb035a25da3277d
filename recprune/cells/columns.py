"""The columns of a user's own log: the words that `load` takes, as a table or from the shell."""

from __future__ import annotations

import shlex
from typing import Any

from recprune.errors import StudyError
from recprune.typed import one_of, value

LOAD_KEYS = ("user", "item", "rating", "timestamp", "event", "weight", "events", "separator")


def check_columns(columns: dict) -> dict:
    """The columns, where each has a role that `load` knows. Raises StudyError."""
    for key, found in columns.items():
        one_of("", key, LOAD_KEYS)
        value(dict[str, float] if key == "events" else str, found, key)
    return columns


def parse_columns(text: str) -> dict[str, Any]:
    """`user=uid item='Item Id' events=view:1,buy:5` (the Makefile's COLUMNS=) as keyword arguments of `load`."""
    columns: dict[str, Any] = {}
    for word in shlex.split(text):
        key, equals, value = word.partition("=")
        if not equals or not value:
            raise StudyError(f"COLUMNS: {word!r} is not of the form role=column; roles: {', '.join(LOAD_KEYS)}")
        one_of("COLUMNS", key, LOAD_KEYS)
        columns[key] = _events(value) if key == "events" else value
    return columns


def _events(text: str) -> dict[str, float]:
    try:
        return {event: float(weight) for event, weight in (pair.rsplit(":", 1) for pair in text.split(","))}
    except ValueError:
        raise StudyError(f"COLUMNS: events={text!r} is not of the form event:weight,event:weight") from None
