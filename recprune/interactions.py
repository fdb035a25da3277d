"""The one data type that everything passes: who interacted with what, and when.

An `Interactions` is immutable and canonical. Original ids are sorted, codes are their positions,
rows are sorted by (user, item), and a pair occurs once. The same log therefore gives the same
object, whatever file it came from and in whatever order its lines stood.
"""

from __future__ import annotations

import hashlib
import json
import warnings
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
    timestamp          (nnz,) int64, seconds since 1970, or None
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
        for role, column in columns.items():
            if column not in frame.columns:
                known = ", ".join(map(str, frame.columns))
                raise DataError(f"{name}: no column {column!r} for {role}; the columns are: {known}")
        if len(frame) == 0:
            raise DataError(f"{name}: no interactions")
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
        """`tocsr` with each user's interactions in the order of time (equal times: of item codes). Shared, too.

        Raises DataError where the log has no times.
        """
        return self._sequences

    @cached_property
    def _sequences(self) -> sparse.csr_array:
        if self.timestamp is None:
            raise DataError(f"{self.name}: no timestamp column; without times a history has no order")
        order = np.lexsort((self.timestamp, self.user))
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
        for key, kind in (("user", "<i4"), ("item", "<i4"), ("rating", "<f4"), ("timestamp", "<i8"), ("weight", "<f4")):
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


def _at_row(name: str, column: str, row: int, problem: str) -> DataError:
    error = DataError(f"{name}: column {column!r}: row {row + 1} {problem}")
    error.row, error.column, error.problem = row, column, problem
    return error


def _shown(values: pd.Series, row: int) -> str:
    value = values.iloc[row]
    return "missing" if pd.isna(value) else repr(value.item() if isinstance(value, np.generic) else value)


def _encode(ids: pd.Series, name: str, column: str) -> tuple[np.ndarray, np.ndarray]:
    """Sorted unique ids, as integers where every id is one, else as strings; and each row's code."""
    codes, found = pd.factorize(ids)
    empty = np.array([isinstance(i, str) and not i for i in found] + [True])  # code -1, missing, is the last
    missing = empty[codes]
    if missing.any():
        raise _at_row(name, column, int(missing.argmax()), "has no id")
    unique, rank = np.unique(_integers(pd.Index(found)), return_inverse=True)  # "7" and 7 are one id
    return unique, rank.astype(np.int32)[codes]


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
        raise _at_row(name, column, row, f"is {_shown(values, row)}; a finite number is needed")
    return numbers


def _ratings(values: pd.Series, name: str, column: str) -> np.ndarray:
    return _finite(values, name, column).astype(np.float32)


def _weights(values: pd.Series, name: str, column: str) -> np.ndarray:
    weights = _finite(values, name, column).astype(np.float32)
    if (weights < 0).any():
        row = int((weights < 0).argmax())
        raise _at_row(name, column, row, f"is {_shown(values, row)}; a weight is not negative")
    return weights


LATEST = 7_258_118_400  # 2200-01-01
NEEDED = "seconds since 1970 or an ISO 8601 date, from 1970 to 2200, is needed"


def _seconds(values: pd.Series, name: str, column: str) -> np.ndarray:
    """Whole seconds since 1970. Dates and ISO strings are read as UTC, milliseconds are recognised."""
    values = _plain(values)
    dates = pd.api.types.is_datetime64_any_dtype(values.dtype)
    if dates or pd.to_numeric(values.head(1), errors="coerce").isna().all():
        parsed = pd.to_datetime(values, utc=True, errors="coerce", format=None if dates else "ISO8601")
        seconds: np.ndarray = parsed.dt.as_unit("s").astype(np.int64).to_numpy(np.float64, copy=True)
        seconds[parsed.isna().to_numpy()] = np.nan
    else:
        seconds = pd.to_numeric(values, errors="coerce").to_numpy(np.float64, na_value=np.nan)
        if np.nanmedian(seconds) > 100 * 365 * 86400 * 10:  # no log has its middle after 2970: milliseconds
            seconds = seconds / 1000
    good = (seconds >= 0) & (seconds <= LATEST)
    if not good.all():
        row = int((~good).argmax())
        raise _at_row(name, column, row, f"is {_shown(values, row)}; {NEEDED}")
    return np.floor(seconds).astype(np.int64)


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
        return kept | {"weight": np.add.reduceat(log["weight"].astype(np.float64), first).astype(np.float32)}
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


def _take(attributes: pd.DataFrame | None, codes: np.ndarray) -> pd.DataFrame | None:
    return None if attributes is None else attributes.iloc[codes].reset_index(drop=True)
