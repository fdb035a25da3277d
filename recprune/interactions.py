"""The one data type that everything passes: who interacted with what, and when.

An `Interactions` is immutable and canonical. Original ids are sorted, codes are their positions,
rows are sorted by (user, item), and a pair occurs once. The same log therefore gives the same
object, whatever file it came from and in whatever order its lines stood.
"""

from __future__ import annotations

import hashlib
import json
import reprlib
import warnings
from collections.abc import Hashable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from recprune.errors import DataError


@dataclass(frozen=True, eq=False)
class Interactions:
    """A log of `nnz` interactions between `n_users` users and `n_items` items.

    user, item         (nnz,) int32 codes: positions in `users` and `items`
    users, items       (n_users,), (n_items,) original ids, integers or strings, sorted
    rating             (nnz,) float32, or None
    timestamp          (nnz,) float64, seconds since 1970 and their fractions, exact to a microsecond, or None
    weight             (nnz,) float32, how much an interaction counts in training, or None for 1
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
        user_attributes: pd.DataFrame | None = None,
        item_attributes: pd.DataFrame | None = None,
        name: str = "log",
    ) -> Interactions:
        """Canonical interactions from a frame with one row per interaction.

        The attribute frames are indexed by original id. A pair that occurs more than once keeps its
        latest row (of equal times, or without times, the highest rating); with `weight` given, the
        log is a log of events, and the weights of a pair are added up instead.

        Raises DataError for a missing column, a missing id, a rating or weight that is no finite
        number, a negative weight, or a time before 1970 or after 2200.
        """
        given = {"user": user, "item": item, "rating": rating, "timestamp": timestamp, "weight": weight}
        columns = {role: column for role, column in given.items() if column is not None}
        _check_columns(frame, columns, name)
        raw = {role: pd.Series(frame[column].array) for role, column in columns.items()}
        log: dict[str, np.ndarray] = {}
        users, log["user"] = _encode(raw["user"], name, user)
        items, log["item"] = _encode(raw["item"], name, item)
        for role, read in (("rating", _ratings), ("weight", _weights), ("timestamp", _seconds)):
            if role in raw:
                log[role] = read(raw[role], name, columns[role])
        log = _unique_pairs(log, len(items), name)
        return cls(
            **log,
            users=users,
            items=items,
            user_attributes=_align(user_attributes, users),
            item_attributes=_align(item_attributes, items),
            name=name,
        )

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

        Interactions of one time come in an order that says nothing of users, items or the file, and that is the same
        in every part of the log. Raises DataError where the log has no times.
        """
        return self._sequences

    @cached_property
    def _sequences(self) -> sparse.csr_array:
        if self.timestamp is None:
            raise DataError(f"{self.name}: no timestamp column; without times a history has no order")
        order = np.lexsort((tie_breaker(self.user, self.item), self.timestamp, self.user))
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
            key: None if getattr(self, key) is None else getattr(self, key)[rows]
            for key in ("user", "item", "rating", "timestamp", "weight")
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
        """sha256 of the canonical content (user, item, rating, timestamp, weight): the log's identity."""
        digest = hashlib.sha256(b"recprune interactions 1")
        for ids in (self.users, self.items):  # JSON says where one id ends: users 1, 2 of item 34 are not 1, 23 of 4
            digest.update(json.dumps(list(map(str, ids.tolist()))).encode())
        times = "<f8" if self.timestamp is not None and (self.timestamp % 1).any() else "<i8"
        for key, kind in (("user", "<i4"), ("item", "<i4"), ("rating", "<f4"), ("timestamp", times), ("weight", "<f4")):
            values = getattr(self, key)
            digest.update(key.encode())
            if values is None:
                digest.update(b" none")
            else:
                digest.update(np.ascontiguousarray(values, kind).data)
        return digest.hexdigest()

    def titles(self, codes) -> list[str]:
        """Titles of item codes where the log has them, else the original ids."""
        codes = np.asarray(codes)
        if self.item_attributes is not None and "title" in self.item_attributes:
            found = self.item_attributes["title"].to_numpy()[codes]
            return [str(self.items[c]) if pd.isna(t) else str(t) for c, t in zip(codes, found, strict=True)]
        return [str(i) for i in self.items[codes]]


def _check_columns(frame: pd.DataFrame, columns: dict[str, str], name: str) -> None:
    """Raises DataError unless each role has a column of its own that is there once, and there are rows."""
    if not isinstance(frame, pd.DataFrame):
        raise TypeError(f"{name}: a pandas.DataFrame with a row for each interaction is needed, not {_kind(frame)}")
    for role, column in columns.items():
        if column not in frame.columns:
            known = ", ".join(map(str, frame.columns))
            raise DataError(f"{name}: no column {column!r} for {role}; the columns are: {known}")
        if isinstance(frame[column], pd.DataFrame):
            raise DataError(f"{name}: the column {column!r} for {role} is there {frame[column].shape[1]} times")
        same = [other for other in columns if columns[other] == column]
        if len(same) > 1:
            raise DataError(f"{name}: the column {column!r} is given for {' and '.join(same)}; each needs its own")
    if len(frame) == 0:
        raise DataError(f"{name}: no interactions")


def _kind(value) -> str:
    return f"a {type(value).__name__}" + (f" ({value!r})" if isinstance(value, str) else "")


def _at_row(name: str, column: str, row: int, problem: str) -> DataError:
    error = DataError(f"{name}: column {column!r}: row {row + 1} {problem}")
    error.row, error.column, error.problem = row, column, problem
    return error


def shown(values: pd.Series, row: int) -> str:
    """The value in a row, as a message quotes it: `missing`, or its short form."""
    value = values.iloc[row]
    if pd.api.types.is_scalar(value) and pd.isna(value):
        return "missing"
    return reprlib.repr(value.item() if isinstance(value, np.generic) else value)


def _encode(ids: pd.Series, name: str, column: str) -> tuple[np.ndarray, np.ndarray]:
    """Sorted unique ids, as integers where every id is one, else as strings; and each row's code."""
    try:
        codes, found = pd.factorize(ids)
    except TypeError:
        row = next(n for n, value in enumerate(ids) if not isinstance(value, Hashable))
        raise _at_row(name, column, row, f"is {shown(ids, row)}; an id is a number or a string") from None
    kind = ids.dtype if not isinstance(ids.dtype, pd.CategoricalDtype) else ids.dtype.categories.dtype
    if pd.api.types.is_bool_dtype(kind) or pd.api.types.is_complex_dtype(kind):
        raise DataError(f"{name}: column {column!r} holds {kind} values; an id is a whole number or a string")
    if pd.api.types.is_float_dtype(kind):
        _check_exact(ids, name, column)
    empty = np.array([isinstance(i, str) and not i for i in found] + [True])  # code -1, missing, is the last
    missing = empty[codes]
    if missing.any():
        raise _at_row(name, column, int(missing.argmax()), "has no id")
    unique, rank = np.unique(_integers(pd.Index(found)), return_inverse=True)  # "7" and 7 are one id
    return unique, rank.astype(np.int32)[codes]


def _check_exact(ids: pd.Series, name: str, column: str) -> None:
    """Raises DataError for float ids so large that different ones may have become one before they came here."""
    large = np.abs(ids.to_numpy(np.float64, na_value=0.0)) >= 2**53
    if large.any():
        row = int(large.argmax())
        problem = f"is {shown(ids, row)}; as a float it may stand for several ids; whole numbers or strings are needed"
        raise _at_row(name, column, row, problem)


def _integers(ids: pd.Index) -> np.ndarray:
    """Ids as int64 where each is written as one (7, "7", 7.0, or all of them "7.0"), else as strings."""
    if pd.api.types.is_signed_integer_dtype(ids.dtype):
        return ids.to_numpy(np.int64)
    if pd.api.types.is_float_dtype(ids.dtype):
        numbers = ids.to_numpy(np.float64)
        if (np.abs(numbers) < 2**53).all() and (numbers % 1 == 0).all():
            return numbers.astype(np.int64)
    text = np.asarray([str(i) for i in ids], dtype=str)
    digits = np.array([t[:-2] for t in text]) if np.char.endswith(text, ".0").all() else text
    try:
        numbers = digits.astype(np.int64)
    except (ValueError, OverflowError):
        return text
    return numbers if (numbers.astype(str) == digits).all() else text  # "007" is a string


def _dense_codes(codes: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """The codes that occur among `n`, sorted, and each row's position among them."""
    occurs = np.bincount(codes, minlength=n) > 0
    position = np.cumsum(occurs, dtype=np.int32) - np.int32(1)
    return np.flatnonzero(occurs), position[codes]


def _plain(values: pd.Series) -> pd.Series:
    return values.astype(object) if isinstance(values.dtype, pd.CategoricalDtype) else values


def _finite(values: pd.Series, name: str, column: str) -> np.ndarray:
    numbers = pd.to_numeric(_plain(values), errors="coerce").to_numpy(np.float64, na_value=np.nan)
    bad = ~np.isfinite(numbers)
    if bad.any():
        row = int(bad.argmax())
        raise _at_row(name, column, row, f"is {shown(values, row)}; a finite number is needed")
    return numbers


def _ratings(values: pd.Series, name: str, column: str) -> np.ndarray:
    numbers = _finite(values, name, column)
    large = np.abs(numbers) > np.finfo(np.float32).max
    if large.any():
        row = int(large.argmax())
        raise _at_row(name, column, row, f"is {shown(values, row)}; at most 3.4e38, what float32 holds, is accepted")
    return numbers.astype(np.float32)


def _weights(values: pd.Series, name: str, column: str) -> np.ndarray:
    weights = _ratings(values, name, column)
    if (weights < 0).any():
        row = int((weights < 0).argmax())
        raise _at_row(name, column, row, f"is {shown(values, row)}; a weight is not negative")
    return weights


LATEST = 7_258_118_400  # 2200-01-01
FAR = 1000 * 365 * 86400  # seconds; no log has its middle after 2970: it counts in something finer
EARLY = 1e8  # what is below may be a time soon after 1970 in any unit
FINER = (1e9, 1e6, 1e3)  # nanoseconds, microseconds, milliseconds in a second
NEEDED = "seconds since 1970 or an ISO 8601 date, from 1970 to 2200, is needed"


def _seconds(values: pd.Series, name: str, column: str) -> np.ndarray:
    """(n,) float64 seconds since 1970, exact to a microsecond.

    Dates and ISO strings are read as UTC where they name no zone; milli-, micro- and nanoseconds are recognised.
    """
    values = _plain(values)
    dates = pd.api.types.is_datetime64_any_dtype(values.dtype)
    if dates or pd.to_numeric(values.head(1), errors="coerce").isna().all():
        seconds = _seconds_of_dates(values)
    else:
        seconds = pd.to_numeric(values, errors="coerce").to_numpy(np.float64, na_value=np.nan)
        seconds = seconds / _ticks(seconds)
    good = (seconds >= 0) & (seconds <= LATEST)
    if not good.all():
        row = int((~good).argmax())
        raise _at_row(name, column, row, f"is {shown(values, row)}; {NEEDED}")
    return seconds


def _ticks(numbers: np.ndarray) -> np.ndarray:
    """(n,) how many of what the numbers count in are a second; NaN for one that counts in something else."""
    known = numbers[~np.isnan(numbers)]
    middle = np.sort(known)[(len(known) - 1) // 2] if len(known) else 0.0
    unit = next((unit for unit in FINER if middle > FAR * unit / 1000), 1.0)
    coarser = (numbers > EARLY) & (numbers <= FAR * unit / 1000) & (unit > 1)
    return np.where(coarser, np.nan, unit)


def _seconds_of_dates(values: pd.Series) -> np.ndarray:
    """(n,) float64 seconds of dates or ISO strings, NaN for what is none."""
    dates = pd.api.types.is_datetime64_any_dtype(values.dtype)
    if not dates:
        values = values.astype("str").str.replace(r"\s*(UTC|GMT)$", "Z", regex=True)
    parsed = pd.to_datetime(values, utc=True, errors="coerce", format=None if dates else "ISO8601")
    whole = parsed.dt.floor("s")
    seconds: np.ndarray = whole.dt.as_unit("s").astype(np.int64).to_numpy(np.float64, copy=True)
    seconds += (parsed - whole).dt.total_seconds().to_numpy()  # of the two parts each is exact
    seconds[parsed.isna().to_numpy()] = np.nan
    return seconds


def _unique_pairs(log: dict[str, np.ndarray], n_items: int, name: str) -> dict[str, np.ndarray]:
    """One row per (user, item), sorted: weights added up, else the latest, else the highest rated."""
    pair = log["user"].astype(np.int64) * n_items + log["item"]
    if (pair[1:] > pair[:-1]).all():
        return log
    order = np.argsort(pair, kind="stable")
    pair = pair[order]
    if (pair[1:] > pair[:-1]).all():
        return {role: values[order] for role, values in log.items()}
    keys = [log[role][order] for role in ("weight", "rating", "timestamp") if role in log]  # the last one counts most
    order = order[np.lexsort([*keys, pair])]
    log = {role: values[order] for role, values in log.items()}
    last = np.append(pair[1:] > pair[:-1], True)
    kept = {role: values[last] for role, values in log.items()}
    if "weight" in log:
        first = np.append(0, np.flatnonzero(last)[:-1] + 1)
        total = np.add.reduceat(log["weight"].astype(np.float64), first)
        if total.max() > np.finfo(np.float32).max:
            raise DataError(f"{name}: the weights of a (user, item) pair add up to more than float32 holds, 3.4e38")
        return kept | {"weight": total.astype(np.float32)}
    repeated = len(last) - len(kept["user"])
    warnings.warn(f"{name}: {repeated:,} repeated (user, item) pairs; the latest of each is kept", stacklevel=3)
    return kept


def _align(attributes: pd.DataFrame | None, ids: np.ndarray) -> pd.DataFrame | None:
    """Attributes in the order of the codes; ids without attributes get missing values."""
    if attributes is None:
        return None
    index = _integers(attributes.index)
    if index.dtype.kind != ids.dtype.kind:
        index, ids = index.astype(str), ids.astype(str)
    attributes = attributes.set_axis(index, axis=0)
    attributes = attributes[~attributes.index.duplicated()]
    return attributes.reindex(ids).reset_index(drop=True)


def tie_breaker(user: np.ndarray, item: np.ndarray) -> np.ndarray:
    """(n,) uint64: a key for each pair that looks random, and depends on nothing but the two codes.

    The finaliser of SplitMix64 (Steele, Lea and Flood, 2014), which maps different numbers to different ones.
    """
    key = user.astype(np.uint64) << np.uint64(32) | item.astype(np.uint64)
    key = key + np.uint64(0x9E3779B97F4A7C15)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        key = (key ^ key >> np.uint64(shift)) * np.uint64(factor)
    return key ^ key >> np.uint64(31)


def _take(attributes: pd.DataFrame | None, codes: np.ndarray) -> pd.DataFrame | None:
    return None if attributes is None else attributes.iloc[codes].reset_index(drop=True)
