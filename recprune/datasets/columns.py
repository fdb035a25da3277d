"""Which column of a log is which: the usual names, or the ones that the caller gives."""

from __future__ import annotations

import re
from pathlib import Path

from recprune.interactions import DataError

# Lower case, without blanks and underscores, best first.
USUAL = {
    "user": "user userid uid username customer customerid visitor visitorid reviewer reviewerid "
    "member memberid account accountid listener listenerid session sessionid",
    "item": "item itemid iid movie movieid product productid parentasin asin sku book bookid isbn song songid "
    "track trackid artist artistid article articleid business businessid game gameid recipe recipeid anime animeid",
    "rating": "rating ratings stars star score overall userrating bookrating preference",
    "timestamp": "timestamp ts time unixtime unixreviewtime date datetime createdat eventtime reviewtime",
    "event": "event eventtype action behavior behaviour behaviortype behaviourtype interactiontype",
    "title": "title movietitle itemtitle itemname productname productname booktitle name",
    "genres": "genres genre class category categories",
    "year": "year releaseyear",
    "age": "age",
    "gender": "gender sex",
    "occupation": "occupation",
}
LOG = ("user", "item", "rating", "timestamp", "event")
ITEM_ATTRIBUTES = ("title", "year", "genres")
USER_ATTRIBUTES = ("age", "gender", "occupation")


def find_columns(
    path: Path, columns: tuple[str, ...], roles: tuple[str, ...], given: dict[str, str], needed: tuple[str, ...]
) -> dict[str, str]:
    """Column of each of `roles` that the file has: the given one, else the best of the usual names.

    Raises DataError where a given or a needed column is not there, naming the columns that are.
    """
    found = {role: given.get(role) or _usual(role, columns) for role in roles}
    for role, column in found.items():
        if column is None and role in needed:
            raise DataError(
                f"{path}: no column for {role}; name it with {role}=...; the columns are: {', '.join(columns)}"
            )
        if column is not None and column not in columns:
            raise DataError(f"{path}: no column {column!r} for {role}; the columns are: {', '.join(columns)}")
    return {role: column for role, column in found.items() if column is not None}


def names_a_role(fields: list[str]) -> bool:
    """Whether one of the fields is a usual name for users or items, as only a header has."""
    return any(_usual(role, tuple(fields)) for role in ("user", "item"))


def _usual(role: str, columns: tuple[str, ...]) -> str | None:
    plain = {re.sub(r"[\W_]", "", column.lower()): column for column in reversed(columns)}  # the first of two wins
    return next((plain[name] for name in USUAL[role].split() if name in plain), None)
