"""COLUMNS: the columns of a user's own log, as text; a role may be left without any."""

from __future__ import annotations

import shlex
from typing import Any

from recprune.cells.columns import LOAD_KEYS, parse_columns
from recprune.errors import StudyError
from recprune.typed import one_of

NEEDED = ("user", "item")


def columns_of(text: str) -> dict[str, Any]:
    """`user=uid item='Item Id' timestamp= events=view:1,buy:5` as keyword arguments of `load`.

    A role with nothing behind its `=` has no column: one that is called as usual is left. What else there is, is read
    by `cells.columns.parse_columns`, of which runs depend on the code. Raises StudyError that says what is accepted.
    """
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise StudyError(f"COLUMNS: {text!r}: {error}; a name with blanks stands between two quotes") from None
    without = [word[:-1] for word in words if word.endswith("=") and word.count("=") == 1]
    for role in without:
        one_of("COLUMNS", role, LOAD_KEYS)
        if role in NEEDED or role not in LOAD_KEYS[:-2]:
            raise StudyError(f"COLUMNS: {role}= leaves {role} out; these can be: {', '.join(LOAD_KEYS[2:-2])}")
    rest = [word for word in words if word[:-1] not in without or not word.endswith("=")]
    return parse_columns(shlex.join(rest)) | dict.fromkeys(without, "")
