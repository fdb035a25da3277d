"""Which column of a log is which: the usual names, or the ones that the caller gives."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from pathlib import Path

from recprune.errors import DataError

# Lower case, without blanks and underscores, best first.
USUAL = {
    "user": "userid user uid customerid customer visitorid visitor reviewerid reviewer memberid member accountid "
    "account listenerid listener username householdid household sessionid session",
    "item": "itemid item iid movieid movie productid product parentasin asin sku bookid book isbn songid song trackid "
    "track artistid artist articleid article businessid business gameid game recipeid recipe animeid anime stockcode",
    "rating": "rating ratings stars star score overall userrating bookrating preference",
    "timestamp": "timestamp ts time unixtime unixreviewtime date datetime createdat eventtime reviewtime "
    "transactiontimestamp transactiondate transactiontime invoicedate orderdate purchasedate",
    "event": "event eventtype action behavior behaviour behaviortype behaviourtype interactiontype",
    "weight": "weight weights plays playcount numplays nplays totalplays listens listencount numlistens "
    "count counts frequency freq quantity qty clicks clickcount hours hoursplayed playhours playtime playtimeforever",
    "title": "title movietitle itemtitle itemname productname booktitle bookname artistname artist songname song "
    "trackname track book movie name producttype",
    "genres": "genres genre class category categories productcategory",
    "year": "year releaseyear",
    "age": "age",
    "gender": "gender sex",
    "occupation": "occupation",
}
LOG = ("user", "item", "rating", "timestamp", "event", "weight")
ITEM_ATTRIBUTES = ("title", "year", "genres")
USER_ATTRIBUTES = ("age", "gender", "occupation")


def find_columns(
    path: Path, columns: tuple[str, ...], roles: tuple[str, ...], given: dict[str, str], needed: tuple[str, ...]
) -> dict[str, str]:
    """Column of each of `roles` that the file has: the given one, else the best of the usual names; none where "" is
    given.

    Raises DataError where a given or a needed column is not there, naming the columns that are, or where a column is
    given two roles.
    """
    shown = ", ".join(columns[:50]) + (f" and {len(columns) - 50:,} more" if len(columns) > 50 else "")
    unwanted = {role for role, column in given.items() if column == ""}
    given = {role: column for role, column in given.items() if role not in unwanted}
    for role, column in given.items():
        if column not in columns:
            raise DataError(f"{path}: no column {column!r} for {role}; the columns are: {shown}")
        same = [other for other in given if given[other] == column]
        if len(same) > 1:
            raise DataError(f"{path}: the column {column!r} is given for {' and '.join(same)}; each needs its own")
    plain = _plain(column for column in columns if column not in given.values())
    found: dict[str, str | None] = {}
    for role in roles:
        found[role] = given.get(role) or (None if role in unwanted else _usual(role, plain))
        plain = {name: column for name, column in plain.items() if column != found[role]}
    for role in needed:
        if found[role] is None:
            raise DataError(f"{path}: no column for {role}; name it with {role}=...; the columns are: {shown}")
    return {role: column for role, column in found.items() if column is not None}


def names_a_role(fields: Collection[str]) -> bool:
    """Whether one of the fields is a usual name for users or items, as only a header has."""
    plain = _plain(fields)
    return any(_usual(role, plain) for role in ("user", "item"))


def _plain(columns: Iterable[str]) -> dict[str, str]:
    """Column by its name in small letters and digits alone; the first of two wins."""
    return {re.sub(r"[\W_]", "", column.lower()): column for column in reversed(list(columns))}


def _usual(role: str, plain: dict[str, str]) -> str | None:
    return next((plain[name] for name in USUAL[role].split() if name in plain), None)
