"""The one data type that everything passes: who interacted with what, and when.

An `Interactions` is immutable and canonical. Original ids are sorted, codes are their positions,
rows are sorted by (user, item), and a pair occurs once. The same log therefore gives the same
object, whatever file it came from and in whatever order its lines stood.
"""

from __future__ import annotations

import datetime
import hashlib
import itertools
import json
import uuid
import warnings
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cached_property
from numbers import Integral
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from recprune.errors import DataError
from recprune.mixing import splitmix64

PER_ROW = ("user", "item", "rating", "timestamp", "weight", "part")  # arrays with an entry for each interaction


@dataclass(frozen=True, eq=False)
class Interactions:
    """A log of `nnz` interactions between `n_users` users and `n_items` items.

    user, item         (nnz,) int32 codes: positions in `users` and `items`
    users, items       (n_users,), (n_items,) original ids, integers or strings, sorted
    rating             (nnz,) float32, or None
    timestamp          (nnz,) float64, seconds since 1970, to a quarter of a microsecond, or None
    weight             (nnz,) float32, how much an interaction counts in training, or None for 1
    part               (nnz,) int8, the part of a published split: 0 training, 1 test; or None
    user_attributes    one row per user code (age, gender, ...), or None
    item_attributes    one row per item code (title, genres, year, ...), or None
    """

    user: np.ndarray
    item: np.ndarray
    users: np.ndarray
    items: np.ndarray
    rating: np.ndarray | None = None
    timestamp: np.ndarray | None = None
    weight: np.ndarray | None = None
    part: np.ndarray | None = None
    user_attributes: pd.DataFrame | None = field(default=None, repr=False)
    item_attributes: pd.DataFrame | None = field(default=None, repr=False)
    name: str = "log"

    @classmethod
    def from_frame(
        cls,
        frame: pd.DataFrame,
        *,
        user: str = "user",
        item: str = "item",
        rating: str | None = None,
        timestamp: str | None = None,
        weight: str | None = None,
        part: str | None = None,
        user_attributes: pd.DataFrame | None = None,
        item_attributes: pd.DataFrame | None = None,
        name: str = "log",
    ) -> Interactions:
        """Canonical interactions from a frame with one row per interaction.

        The attribute frames are indexed by original id. A pair that occurs more than once keeps its
        latest row (of equal times, or without times, the highest rating); with `weight` given, the
        log is a log of events, and the weights of a pair are added up instead.

        Strings are kept as they are: which words of a file stand for a missing id, its reader knows.

        Raises DataError for a missing column, one that is there twice or is given two roles, an id that is
        missing or neither an integer nor a string, or a float so large that it may have been rounded, a rating
        or weight that is no number in the range of float32, a negative weight, a time before 1970 or after
        2200, a part that is not 0 or 1, or a pair that is in both; TypeError for what is no frame.
        """
        columns = {"user": user, "item": item}
        optional = {"rating": rating, "timestamp": timestamp, "weight": weight, "part": part}
        columns |= {role: column for role, column in optional.items() if column is not None}
        for given_frame in (frame, user_attributes, item_attributes):
            if not isinstance(given_frame, pd.DataFrame) and (given_frame is frame or given_frame is not None):
                raise TypeError(f"{name}: a pandas DataFrame is needed, not {type(given_frame).__name__}")
        _check_columns(frame, columns, name)
        if len(frame) == 0:
            raise DataError(f"{name}: no interactions")
        raw = {role: pd.Series(frame[column].array) for role, column in columns.items()}
        log: dict[str, np.ndarray] = {}
        users, log["user"] = encode(raw["user"], name, user)
        items, log["item"] = encode(raw["item"], name, item)
        readers = {"rating": ratings, "weight": _weights, "timestamp": seconds, "part": _parts}
        for role, read in readers.items():
            if role in raw:
                log[role] = read(raw[role], name, columns[role])
        if part is not None:
            _refuse_pairs_in_both(log, len(items), name, part)
        return canonical(log, users, items, name=name, user_attributes=user_attributes, item_attributes=item_attributes)

    @property
    def n_users(self) -> int:
        return len(self.users)

    @property
    def n_items(self) -> int:
        return len(self.items)

    @property
    def shape(self) -> tuple[int, int]:
        return self.n_users, self.n_items

    @property
    def nnz(self) -> int:
        return len(self.user)

    def __len__(self) -> int:
        return self.nnz

    def __repr__(self) -> str:
        return (
            f"Interactions({self.name!r}, {self.n_users:,} users x {self.n_items:,} items, {self.nnz:,} interactions)"
        )

    def tocsr(self) -> sparse.csr_array:
        """(n_users x n_items) float32: the weights, or ones. Shared between calls: do not write to it."""
        return self._csr

    @cached_property
    def _csr(self) -> sparse.csr_array:
        data = np.ones(self.nnz, np.float32) if self.weight is None else self.weight
        indptr = np.zeros(self.n_users + 1, np.int32 if self.nnz < 2**31 else np.int64)
        np.cumsum(np.bincount(self.user, minlength=self.n_users), out=indptr[1:])
        return sparse.csr_array((data, self.item.astype(indptr.dtype, copy=False), indptr), shape=self.shape)

    def sequences(self) -> sparse.csr_array:
        """`tocsr` with each user's interactions in the order of time. Shared, too.

        Equal times have the order of `tie_order`, which has nothing to do with ids and is the same in every
        selection of the log. Raises DataError where the log has no times.
        """
        return self._sequences

    @cached_property
    def _sequences(self) -> sparse.csr_array:
        if self.timestamp is None:
            raise DataError(f"{self.name}: no timestamp column; without times a history has no order")
        order = user_by_user(self.user, tie_order(self.user, self.item), self.timestamp)
        csr = self._csr
        return sparse.csr_array((csr.data[order], csr.indices[order], csr.indptr), shape=self.shape)

    def toarray(self) -> np.ndarray:
        """(n_users x n_items) float32, dense."""
        return self.tocsr().toarray()

    def select(self, rows: np.ndarray, **changes) -> Interactions:
        """The interactions at `rows` (a boolean mask or positions), with the same users and items."""
        rows = np.asarray(rows)
        if rows.dtype != bool:  # by a mask: sorted and without repetition in linear time
            positions, rows = rows.astype(np.int64), np.zeros(self.nnz, bool)
            rows[positions] = True
        rows = np.flatnonzero(rows)
        taken: dict[str, Any] = {
            key: None if getattr(self, key) is None else getattr(self, key)[rows] for key in PER_ROW
        }
        return replace(self, **(taken | changes))

    def compress(self) -> Interactions:
        """Without the users and items that have no interaction; codes are made anew."""
        users, user = _dense_codes(self.user, self.n_users)
        items, item = _dense_codes(self.item, self.n_items)
        return replace(
            self,
            user=user,
            item=item,
            users=self.users[users],
            items=self.items[items],
            user_attributes=_take(self.user_attributes, users),
            item_attributes=_take(self.item_attributes, items),
        )

    @cached_property
    def content_hash(self) -> str:
        """sha256 of the canonical content (user, item, rating, timestamp, weight, part if any): the log's identity."""
        digest = hashlib.sha256(b"recprune interactions 1")
        for ids in (self.users, self.items):  # JSON says where one id ends: users 1, 2 of item 34 are not 1, 23 of 4
            digest.update(json.dumps(list(map(str, ids.tolist()))).encode())
        time = "<i8" if self.timestamp is None or _whole(self.timestamp) else "<f8"
        for key, kind in (("user", "<i4"), ("item", "<i4"), ("rating", "<f4"), ("timestamp", time), ("weight", "<f4")):
            values = getattr(self, key)
            digest.update(key.encode())
            if values is None:
                digest.update(b" none")
            else:
                digest.update(np.ascontiguousarray(values, kind).data)
        if self.part is not None:  # a log without parts keeps the identity that it had before there were any
            digest.update(b"part")
            digest.update(np.ascontiguousarray(self.part, "i1").data)
        return digest.hexdigest()

    def titles(self, codes) -> list[str]:
        """Titles of item codes where the log has them, else the original ids."""
        codes = np.asarray(codes)
        if self.item_attributes is not None and "title" in self.item_attributes:
            found = self.item_attributes["title"].to_numpy()[codes]
            return [str(self.items[c]) if pd.isna(t) else str(t) for c, t in zip(codes, found, strict=True)]
        return [str(i) for i in self.items[codes]]


def canonical(
    columns: dict[str, np.ndarray],
    users: np.ndarray,
    items: np.ndarray,
    *,
    name: str,
    user_attributes: pd.DataFrame | None = None,
    item_attributes: pd.DataFrame | None = None,
) -> Interactions:
    """Interactions of rows in any order, pairs repeated or not; `from_frame` says what becomes of those.

    columns     role (user and item, as codes; rating, timestamp, weight, part) to (n,) values; it is emptied, so
                that no column is held twice for long
    """
    return Interactions(
        **_unique_pairs(columns, len(items), name),
        users=users,
        items=items,
        user_attributes=_align(user_attributes, users),
        item_attributes=_align(item_attributes, items),
        name=name,
    )


SORTED_AT_ONCE = 1 << 16  # rows


def user_by_user(user: np.ndarray, *keys: np.ndarray) -> np.ndarray:
    """(nnz,) rows user by user; a user's rows ascend by `keys`, the last of them first, as in `np.lexsort`.

    user    (nnz,) ascending: so a block of users at a time is sorted, in linear time and in the cache
    """
    order = np.empty(len(user), np.int64)
    edges = np.searchsorted(user, user[::SORTED_AT_ONCE])
    for first, last in itertools.pairwise(np.unique(np.append(edges, len(user)))):
        rows = slice(first, last)
        order[rows] = first + np.lexsort((*(key[rows] for key in keys), user[rows]))
    return order


def tie_order(user: np.ndarray, item: np.ndarray) -> np.ndarray:
    """(n,) uint64: where interactions of equal times stand among each other, ascending, from (n,) codes.

    Looks random, but depends on the pair alone (`splitmix64`): by item codes, a model of order
    would learn how the ids were given, and by chance, parts of one log would disagree.
    """
    return splitmix64((user.astype(np.uint64) << np.uint64(32)) | item.astype(np.uint64))


def _whole(seconds: np.ndarray) -> bool:
    return seconds.dtype.kind in "iu" or bool((seconds == np.floor(seconds)).all())


def _check_columns(frame: pd.DataFrame, columns: dict[str, str], name: str) -> None:
    """Each role has a column of its own, which is there once."""
    known = list(frame.columns)
    role_of: dict[str, str] = {}
    for role, column in columns.items():
        count = known.count(column)
        if count == 0:
            listed = ", ".join(map(str, known))
            raise DataError(f"{name}: no column {column!r} for {role}; the columns are: {listed}")
        if count > 1:
            raise DataError(f"{name}: column {column!r} for {role} is there {count} times; one of that name is needed")
        if column in role_of:
            raise DataError(f"{name}: column {column!r} is given for {role_of[column]} and {role}; each needs its own")
        role_of[column] = role


def _at_row(name: str, column: str, row: int, problem: str) -> DataError:
    error = DataError(f"{name}: column {column!r}: row {row + 1} {problem}")
    error.row, error.column, error.problem = row, column, problem
    return error


def shown(values: pd.Series, row: int) -> str:
    """The value in a row, as a message quotes it: `missing`, or its short form."""
    value = values.iloc[row]
    if pd.api.types.is_scalar(value) and pd.isna(value):
        return "missing"
    text = repr(value.item() if isinstance(value, np.generic) else value)
    return text if len(text) <= 80 else f"{text[:60]}... ({len(text):,} characters)"


ID_TYPES = (str, Integral, float, np.floating, Decimal, uuid.UUID)
ID_LENGTH = 1000  # characters: the ids of a log share one array, as wide as its longest
ID_NEEDED = "an integer or a string is needed"


def encode(ids: pd.Series, name: str, column: str) -> tuple[np.ndarray, np.ndarray]:
    """Sorted unique ids, as integers where every id is one, else as strings; and each row's code."""
    _refuse_rows(ids, _no_id_type, name, column, ID_NEEDED)
    codes, found = pd.factorize(ids)
    empty = np.array([isinstance(i, str) and not i for i in found] + [True])  # code -1, missing, is the last
    missing = empty[codes]
    if missing.any():
        raise _at_row(name, column, int(missing.argmax()), "has no id")
    index = pd.Index(found)
    damaged = _rounded(index)
    if damaged.any():
        row = int(damaged[codes].argmax())
        raise _at_row(name, column, row, f"is {shown(ids, row)}; a float of this size may be another id, rounded")
    if index.dtype.kind not in "iuf":
        odd = np.array([isinstance(i, str) and (len(i) > ID_LENGTH or i.endswith("\0")) for i in index])
        if odd.any():
            row = int(odd[codes].argmax())
            needed = f"an id has at most {ID_LENGTH:,} characters and does not end in a NUL"
            raise _at_row(name, column, row, f"is {shown(ids, row)}; {needed}")
    unique, rank = np.unique(_integers(index), return_inverse=True)  # "7" and 7 are one id
    return unique, rank.astype(np.int32)[codes]


def _no_id_type(value: object) -> bool:
    missing = value is None or value is pd.NA or value is pd.NaT
    return not missing and (not isinstance(value, ID_TYPES) or isinstance(value, bool))


def _rounded(ids: pd.Index) -> np.ndarray:
    """(n,) whether an id is a float so large that whole numbers beside it have no float of their own."""
    if ids.dtype.kind == "f":
        digits = np.finfo(getattr(ids.dtype, "numpy_dtype", ids.dtype)).nmant
        limit = 2.0 ** (digits + 1)
        return np.abs(ids.to_numpy(np.float64)) >= limit
    if ids.dtype.kind != "O":
        return np.zeros(len(ids), bool)
    return np.array([isinstance(i, (float, np.floating)) and abs(float(i)) >= 2**53 for i in ids])


def _refuse_rows(values: pd.Series, bad, name: str, column: str, needed: str) -> None:
    """DataError for the first row whose value is `bad`; where all have one type, the first tells of all."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        looked_at = values.drop_duplicates()
    else:
        looked_at = values if values.dtype == object else values.dropna().head(1)
    row = next((row for row, value in zip(looked_at.index, looked_at, strict=True) if bad(value)), None)
    if row is not None:
        raise _at_row(name, column, row, f"is {shown(values, row)}, a {type(values.iloc[row]).__name__}; {needed}")


def _integers(ids: pd.Index) -> np.ndarray:
    """Ids as int64 where each is written as one (7, "7", 7.0, or all of them "7.0"), else as strings."""
    if pd.api.types.is_signed_integer_dtype(ids.dtype):
        return ids.to_numpy(np.int64)
    if pd.api.types.is_float_dtype(ids.dtype):
        numbers = ids.to_numpy(np.float64)
        if (np.abs(numbers) < 2**53).all() and (numbers % 1 == 0).all():
            return numbers.astype(np.int64)
    text = np.asarray([_written(i) for i in ids], dtype=str)
    digits = np.array([t[:-2] for t in text]) if np.char.endswith(text, ".0").all() else text
    try:
        numbers = digits.astype(np.int64)
    except (ValueError, OverflowError):
        return text
    return numbers if (numbers.astype(str) == digits).all() else text  # "007" is a string


def _written(value: object) -> str:
    """An id as text; a whole Decimal without its zeros after the point or its exponent."""
    if isinstance(value, Decimal):
        return str(int(value)) if value == value.to_integral_value() else str(value.normalize())
    return str(value)


def _dense_codes(codes: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """The codes that occur among `n`, sorted, and each row's position among them."""
    occurs = np.bincount(codes, minlength=n) > 0
    position = np.cumsum(occurs, dtype=np.int32) - np.int32(1)
    return np.flatnonzero(occurs), position[codes]


def _plain(values: pd.Series) -> pd.Series:
    return values.astype(object) if isinstance(values.dtype, (pd.CategoricalDtype, pd.ArrowDtype)) else values


FLOAT32 = np.finfo(np.float32).max
NUMBER_NEEDED = "a finite number is needed"


def _no_number_type(value: object) -> bool:
    missing = value is None or value is pd.NA or value is pd.NaT
    return not missing and (
        not isinstance(value, (str, Integral, float, np.floating, Decimal)) or isinstance(value, bool)
    )


def _number(value: object) -> float:
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return np.nan


def _numbers(values: pd.Series) -> np.ndarray:
    """(n,) int64 where every value is an integer that fits, else float64, NaN for what is no number."""
    try:
        numbers = pd.to_numeric(values, errors="coerce")
    except (TypeError, ValueError, OverflowError):  # something in it is no number at all, or beyond any float
        return np.array([_number(value) for value in values])
    whole = pd.api.types.is_integer_dtype(numbers.dtype) and not numbers.isna().any() and numbers.max() < 2**63
    return numbers.to_numpy(np.int64) if whole else numbers.to_numpy(np.float64, na_value=np.nan)


def _finite(values: pd.Series, name: str, column: str) -> np.ndarray:
    """(n,) float64 within the range of float32."""
    values = _plain(values)
    _refuse_rows(values, _no_number_type, name, column, NUMBER_NEEDED)
    numbers = _numbers(values).astype(np.float64)
    bad = ~np.isfinite(numbers)
    if bad.any():
        row = int(bad.argmax())
        raise _at_row(name, column, row, f"is {shown(values, row)}; {NUMBER_NEEDED}")
    bad = np.abs(numbers) > FLOAT32
    if bad.any():
        row = int(bad.argmax())
        raise _at_row(name, column, row, f"is {shown(values, row)}; a number up to {FLOAT32:.2g} is needed")
    return numbers


def ratings(values: pd.Series, name: str, column: str) -> np.ndarray:
    return _finite(values, name, column).astype(np.float32)


def _weights(values: pd.Series, name: str, column: str) -> np.ndarray:
    weights = _finite(values, name, column).astype(np.float32)
    if (weights < 0).any():
        row = int((weights < 0).argmax())
        raise _at_row(name, column, row, f"is {shown(values, row)}; a weight is not negative")
    return weights


def _parts(values: pd.Series, name: str, column: str) -> np.ndarray:
    parts = _finite(values, name, column)
    bad = (parts != 0) & (parts != 1)
    if bad.any():
        row = int(bad.argmax())
        raise _at_row(
            name, column, row, f"is {shown(values, row)}; 0, the published training part, or 1, test, is needed"
        )
    return parts.astype(np.int8)


def _refuse_pairs_in_both(log: dict[str, np.ndarray], n_items: int, name: str, column: str) -> None:
    """DataError for the first row of the test part whose pair is in training as well: it could not be found there."""
    pair = log["user"].astype(np.int64) * n_items + log["item"]
    tested = np.flatnonzero(log["part"] == 1)
    both = tested[np.isin(pair[tested], pair[log["part"] == 0])]
    if len(both):
        raise _at_row(name, column, int(both[0]), "has a pair in the test part that is in training too; one is needed")


LATEST = 7_258_118_400  # 2200-01-01
MIDDLE = 100 * 365 * 86400 * 10  # no log has its middle after 2970: what is larger counts in a finer unit
ZONES = ("UTC", "GMT")
NEEDED = "seconds since 1970 or an ISO 8601 date, from 1970 to 2200, is needed, in one unit throughout"


def seconds(values: pd.Series, name: str, column: str) -> np.ndarray:
    """(n,) float64 seconds since 1970. Dates and ISO strings are read as UTC; ms, us and ns are recognised."""
    values = _plain(values)
    dates = pd.api.types.is_datetime64_any_dtype(values.dtype)
    if not dates:
        _refuse_rows(values, _no_time_type, name, column, NEEDED)
    found = _counted(_numbers(values)) if are_counts(values.head(1)) else _dated(values, dates)
    return _in_range(found, values, name, column)


def are_counts(first: pd.Series) -> bool:
    """Whether the first time of a log, a series of one, says that all are counts of seconds or of a finer unit."""
    return not pd.api.types.is_datetime64_any_dtype(first.dtype) and not np.isnan(_numbers(first)).all()


def counts(values: pd.Series, name: str, column: str) -> np.ndarray:
    """(n,) some of the counts of a log's times, of a unit that all of them together tell (`seconds_of`)."""
    _refuse_rows(values, _no_time_type, name, column, NEEDED)
    numbers = _numbers(values)
    return _in_range(numbers, values, name, column, bad=np.isnan(numbers))


def seconds_of(numbers: np.ndarray, name: str, column: str) -> np.ndarray:
    """(nnz,) float64 seconds since 1970, of all counts of a log."""
    return _in_range(_counted(numbers), pd.Series(numbers, copy=False), name, column)


def _in_range(
    found: np.ndarray, values: pd.Series, name: str, column: str, bad: np.ndarray | None = None
) -> np.ndarray:
    """`found`. Raises DataError for the first that is bad: by default, no time from 1970 to 2200."""
    bad = ~((found >= 0) & (found <= LATEST)) if bad is None else bad
    if bad.any():
        row = int(bad.argmax())
        raise _at_row(name, column, row, f"is {shown(values, row)}; {NEEDED}")
    return found


def _no_time_type(value: object) -> bool:
    return not isinstance(value, (datetime.date, np.datetime64)) and _no_number_type(value)  # a datetime is a date


def _dated(values: pd.Series, dates: bool) -> np.ndarray:
    """(n,) float64 seconds since 1970, NaN for what is no date from 1970 to 2200."""
    first = values.iloc[0]
    if isinstance(first, str) and first.endswith(ZONES):  # ISO 8601 has +00:00 or Z for it
        values = values.astype("string").str.replace(rf" ?({'|'.join(ZONES)})$", "+00:00", regex=True)
    parsed = pd.to_datetime(values, utc=True, errors="coerce", format=None if dates else "ISO8601")
    earliest, latest = (pd.Timestamp(second, unit="s", tz="UTC") for second in (0, LATEST))
    parsed = parsed.where((parsed >= earliest) & (parsed <= latest))  # what lies outside may not fit into nanoseconds
    seconds = _divided(parsed.dt.as_unit("ns").astype(np.int64).to_numpy(), 10**9)
    seconds[parsed.isna().to_numpy()] = np.nan
    return seconds


def _counted(numbers: np.ndarray) -> np.ndarray:
    """(n,) float64 seconds from counts, whose median says of what: seconds, milli-, micro- or nanoseconds.

    NaN where a count is so small that it has a coarser unit than the median.
    """
    middle = np.nanquantile(numbers.astype(np.float64), 0.5, method="lower")
    unit = next((unit for unit in (1, 10**3, 10**6) if middle <= MIDDLE * unit), 10**9)
    seconds = _divided(numbers, unit)
    if unit > 1:
        seconds[(numbers > 0) & (numbers <= MIDDLE * unit / 1000)] = np.nan
    return seconds


def _divided(counts: np.ndarray, unit: int) -> np.ndarray:
    """(n,) float64 counts / unit; of nanoseconds as integers, which no float64 holds, in two steps."""
    if unit < 10**9 or counts.dtype.kind == "f":
        return counts / unit
    micro, rest = np.divmod(counts, 1000)
    return (micro + rest / 1000) / 10**6


def _unique_pairs(log: dict[str, np.ndarray], n_items: int, name: str) -> dict[str, np.ndarray]:
    """One row per (user, item), sorted: weights added up, else the latest, else the highest rated."""
    pair = log["user"].astype(np.int64) * n_items + log["item"]
    if (pair[1:] > pair[:-1]).all():
        return log
    order = np.argsort(pair, kind="stable")
    pair = pair[order]
    if (pair[1:] > pair[:-1]).all():
        del pair
        return {role: log.pop(role)[order] for role in list(log)}
    keys = [log[role][order] for role in ("weight", "rating", "timestamp") if role in log]  # the last one counts most
    order = order[np.lexsort([*keys, pair])]
    log = {role: log.pop(role)[order] for role in list(log)}
    last = np.append(pair[1:] > pair[:-1], True)
    total_of = log.get("weight")
    repeated = len(last) - int(last.sum())
    kept = {role: log.pop(role)[last] for role in list(log)}
    if total_of is not None:
        first = np.append(0, np.flatnonzero(last)[:-1] + 1)
        total = np.add.reduceat(total_of.astype(np.float64), first)
        if total.max() > FLOAT32:
            raise DataError(f"{name}: weights of one (user, item) pair add up to more than {FLOAT32:.2g}, the largest")
        return kept | {"weight": total.astype(np.float32)}
    warnings.warn(f"{name}: {repeated:,} repeated (user, item) pairs; the latest of each is kept", stacklevel=4)
    return kept


def _align(attributes: pd.DataFrame | None, ids: np.ndarray) -> pd.DataFrame | None:
    """Attributes in the order of the codes; ids without attributes get missing values."""
    if attributes is None:
        return None
    attributes = attributes[attributes.index.notna()]
    index = _integers(attributes.index)
    if index.dtype.kind != ids.dtype.kind:
        index, ids = index.astype(str), ids.astype(str)
    attributes = attributes.set_axis(index, axis=0)
    attributes = attributes[~attributes.index.duplicated()]
    return attributes.reindex(ids).reset_index(drop=True)


def _take(attributes: pd.DataFrame | None, codes: np.ndarray) -> pd.DataFrame | None:
    return None if attributes is None else attributes.iloc[codes].reset_index(drop=True)
