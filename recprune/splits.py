"""Protocols: how a log becomes training, validation and test interactions.

A split is a pure function of (content of the log, protocol, options, seed). All its parts share one
table of users and items, so a code means the same everywhere.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from numbers import Integral, Real
from typing import Any

import numpy as np
from scipy import sparse

from recprune.interactions import PER_ROW, DataError, Interactions, user_by_user

PARTS = ("train", "validation", "test")
MIN_RATING, CORE = 3, 10  # the filter, where none is given (`strong` has its own)


@dataclass(frozen=True, eq=False)
class Split:
    """Training, validation and test interactions over one table of users and items.

    `unpruned` is the training part before any sample was pruned (`train` itself until then): what a
    user has seen stays out of the rankings whatever the model was trained on.
    `histories` holds, under protocol `strong`, what is known of the held-out users.
    """

    train: Interactions
    validation: Interactions
    test: Interactions
    protocol: str
    seed: int
    options: dict
    data_hash: str
    unpruned: Interactions = field(repr=False)
    histories: dict[str, Interactions] = field(default_factory=dict, repr=False)

    @property
    def name(self) -> str:
        return self.train.name

    @property
    def n_users(self) -> int:
        return self.train.n_users

    @property
    def n_items(self) -> int:
        return self.train.n_items

    @property
    def users(self) -> np.ndarray:
        return self.train.users

    @property
    def items(self) -> np.ndarray:
        return self.train.items

    def relevant(self, on: str) -> Interactions:
        """What a ranking should find: the interactions of the part `on`. Raises ValueError where it was trained on."""
        _check_part(on)
        if on == "validation" and self.validation.nnz == 0:
            raise ValueError("this split trains on its validation part (see `splits.final`); 'test' can be judged on")
        return getattr(self, on)

    def seen(self, on: str) -> sparse.csr_array:
        """(n_users x n_items): non-zero where an item is left out of a ranking judged on `on`.

        Training items at validation time, training and validation items at test time, and for the
        held-out users of `strong` their histories. On "train" nothing is left out.
        """
        _check_part(on)
        if on == "train":
            return sparse.csr_array(self.train.shape, dtype=np.float32)
        return self._seen[on]

    @cached_property
    def _seen(self) -> dict[str, sparse.csr_array]:
        seen = {"validation": self.unpruned.tocsr(), "test": self.unpruned.tocsr()}
        if self.histories:
            return {on: (seen[on] + self.histories[on].tocsr()).tocsr() for on in seen}
        return seen | {"test": (seen["test"] + self.validation.tocsr()).tocsr()}

    def fold_in(self, on: str) -> sparse.csr_array | None:
        """(n_users x n_items) histories of users whom the model has not been trained on, or None.

        In each row the order of time, where the log has times.
        """
        if on not in self.histories:
            return None
        known = self.histories[on]
        return known.tocsr() if known.timestamp is None else known.sequences()

    def summary(self) -> dict[str, object]:
        """Counts, and what a model cannot know: users and items of the test part that are not in training."""
        known_users = np.bincount(self.train.user, minlength=self.n_users) > 0
        known_items = np.bincount(self.train.item, minlength=self.n_items) > 0
        test_users, test_items = np.unique(self.test.user), np.unique(self.test.item)
        return {
            "data set": self.name,
            "protocol": self.protocol,
            "seed": self.seed,
            **self.options,
            "users": self.n_users,
            "items": self.n_items,
            "interactions": self.unpruned.nnz + self.validation.nnz + self.test.nnz,
            "density": (self.unpruned.nnz + self.validation.nnz + self.test.nnz) / (self.n_users * self.n_items),
            "train": self.train.nnz,
            "validation": self.validation.nnz,
            "test": self.test.nnz,
            "test users without training": int((~known_users[test_users]).sum()),
            "test items without training": int((~known_items[test_items]).sum()),
        }


def _check_part(on: str) -> None:
    if on not in PARTS:
        raise ValueError(f"unknown part {on!r}; known: {', '.join(PARTS)}")


def split(
    log: Interactions, protocol: str = "ratio", seed: int = 0, min_rating: float | None = None, core: int | None = None
) -> Split:
    """Split a log.

    protocol    `ratio`: per user at random 80/10/10; `strong`: 10 % of the users each for validation
                and test, of whom 80 % of the history is given (Liang et al. 2018); `loo`: each user's
                last interaction for test, the one before for validation; `temporal`: one cut in time
                at 80 % and 90 % of the log, for all users; `given`: the log's own published split (`log.part`),
                its test part as it is, and of its training part 10 % per user at random for validation
    min_rating  ratings below are dropped; default 3 (`strong`: 4). A log without ratings keeps all
    core        users and items with fewer interactions are dropped, repeatedly; 0 keeps all; default
                10 (`strong`: users with at least 5, items as they are; `given`: all, as are all ratings)

    Raises TypeError for what is no log, ValueError for an unknown protocol or option value, DataError where the
    log lacks times or a published split that the protocol needs, or where a part would be empty.
    """
    check_log(log)
    check_options(protocol, seed, min_rating, core)
    kept, options = filtered(log, protocol, min_rating, core)
    if kept.nnz == 0:
        raise DataError(
            f"{log.name}: min_rating={options['min_rating']} and core={options['core']} leave none of {log.nnz:,} "
            "interactions; lower them (core=0 keeps every user and item)"
        )
    rng = np.random.default_rng([seed, int(log.content_hash[:8], 16)])
    parts, histories = PROTOCOLS[protocol](kept, rng)
    for part, rows in parts.items():
        if len(rows) == 0:
            raise DataError(
                f"{log.name}: protocol {protocol!r} leaves the {part} part empty "
                f"({kept.nnz:,} interactions of {kept.n_users:,} users after filtering)"
            )
    train = kept.select(parts["train"])
    return Split(
        train=train,
        validation=kept.select(parts["validation"]),
        test=kept.select(parts["test"]),
        protocol=protocol,
        seed=int(seed),
        options=options,
        data_hash=log.content_hash,
        unpruned=train,
        histories={on: kept.select(rows) for on, rows in histories.items()},
    )


def filtered(
    log: Interactions, protocol: str, min_rating: float | None, core: int | None
) -> tuple[Interactions, dict[str, object]]:
    """What the protocol splits of a log, with the options as they were applied."""
    if protocol == "given":
        return log, {"min_rating": None, "core": 0}
    min_rating = (4 if protocol == "strong" else MIN_RATING) if min_rating is None else min_rating
    kept = log if log.rating is None else log.select(log.rating >= min_rating)
    if protocol == "strong" and core is None:
        return k_core(kept, users=5, items=0), {"min_rating": min_rating, "core": "users 5"}
    core = CORE if core is None else int(core)
    return k_core(kept, users=core, items=core), {"min_rating": min_rating, "core": core}


def final(split: Split) -> Split:
    """The split for the last training, after every choice is made: its training part is train + validation.

    Under `strong` the held-out users of validation train with all that is known of them. The validation part is
    empty, and cannot be judged on. A model trained on this split is judged on "test" of it.
    """
    more = [split.validation, *(known for on, known in split.histories.items() if on == "validation")]
    unpruned = _joined(split.unpruned, *more)
    return replace(
        split,
        train=unpruned if split.train is split.unpruned else _joined(split.train, *more),
        validation=split.validation.select(np.zeros(0, np.int64)),
        unpruned=unpruned,
        histories={on: known for on, known in split.histories.items() if on != "validation"},
    )


def _joined(*parts: Interactions) -> Interactions:
    """The interactions of parts of one log, which share no pair. Where only some have weights, the others weigh 1."""
    log = parts[0]
    order = np.lexsort([np.concatenate([getattr(part, key) for part in parts]) for key in ("item", "user")])
    columns: dict[str, Any] = {}
    for key in PER_ROW:
        values = [getattr(part, key) for part in parts]
        if key == "weight" and any(found is not None for found in values):
            values = [part.tocsr().data for part in parts]
        columns[key] = None if values[0] is None else np.concatenate(values)[order]
    return replace(log, **columns)


def check_log(log: object) -> None:
    if not isinstance(log, Interactions):
        made = "Interactions.from_frame makes them of a DataFrame, load of a file or a name"
        raise TypeError(f"split: Interactions are needed, not {type(log).__name__}; {made}")


def check_options(protocol: object = "ratio", seed: object = 0, min_rating: object = None, core: object = None) -> None:
    """Raises ValueError for options of `split` that no log can be split by."""
    if not isinstance(protocol, str) or protocol not in PROTOCOLS:
        raise ValueError(f"unknown protocol {protocol!r}; known: {', '.join(PROTOCOLS)}")
    for option, value in (("core", core), ("seed", seed)):
        if option == "core" and value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, Integral) or value < 0:
            raise ValueError(f"{option} is {value!r}; a whole number from 0 is needed")
    number = not isinstance(min_rating, bool) and isinstance(min_rating, Real) and math.isfinite(min_rating)
    if min_rating is not None and not number:
        raise ValueError(f"min_rating is {min_rating!r}; a finite number is needed")
    if protocol == "given" and (min_rating is not None or core not in (None, 0)):
        raise ValueError(
            f"protocol 'given' takes a published split as it is; leave out min_rating={min_rating} and core={core}"
        )


def k_core(log: Interactions, users: int, items: int) -> Interactions:
    """The largest part of the log in which every user has `users` and every item `items` interactions.

    Users and items are dropped until none is below its bound; the result does not depend on the order.
    """
    alive = np.ones(log.nnz, bool)
    while True:
        of_users = np.bincount(log.user[alive], minlength=log.n_users) >= users
        of_items = np.bincount(log.item[alive], minlength=log.n_items) >= items
        enough = alive & of_users[log.user] & of_items[log.item]  # a byte an interaction, not the eight of a count
        if enough.sum() == alive.sum():
            return (log if alive.all() else log.select(alive)).compress()
        alive = enough


Rows = dict[str, np.ndarray]


def _last_shares(log: Interactions, order: np.ndarray, share: float) -> tuple[np.ndarray, np.ndarray]:
    """Per user: position from the end of `order` (0 = last), and how many `share` of the user's rows is, at least 1."""
    user = log.user[order]
    count = np.bincount(user, minlength=log.n_users)
    kind = np.int32 if len(user) < 2**31 else np.int64  # positions in a log of few interactions take half the bytes
    from_end = (np.cumsum(count) - 1).astype(kind)[user]
    from_end -= np.arange(len(user), dtype=kind)
    return from_end, np.maximum(1, (share * count).astype(kind))[user]


def _ratio(log: Interactions, rng: np.random.Generator) -> tuple[Rows, Rows]:
    order = user_by_user(log.user, rng.random(log.nnz))
    from_end, tenth = _last_shares(log, order, 0.1)
    return _three(order, from_end, tenth, log), {}


def _leave_one_out(log: Interactions, rng: np.random.Generator) -> tuple[Rows, Rows]:
    order = user_by_user(log.user, rng.random(log.nnz), times_of(log, "loo"))  # equal times: at random
    from_end, _ = _last_shares(log, order, 0.0)
    return _three(order, from_end, np.ones_like(from_end), log), {}


def _three(order: np.ndarray, from_end: np.ndarray, size: np.ndarray, log: Interactions) -> Rows:
    """The last `size` rows of each user are test, those before validation; who has fewer than 3 only trains."""
    enough = np.bincount(log.user, minlength=log.n_users)[log.user[order]] >= 3
    test = enough & (from_end < size)
    validation = enough & ~test & (from_end < 2 * size)
    return {"train": order[~test & ~validation], "validation": order[validation], "test": order[test]}


def _temporal(log: Interactions, rng: np.random.Generator) -> tuple[Rows, Rows]:
    times = times_of(log, "temporal")
    first, second = np.quantile(times, [0.8, 0.9], method="lower")
    rows = np.arange(log.nnz)
    test = times > second
    validation = ~test & (times > first)
    return {"train": rows[~test & ~validation], "validation": rows[validation], "test": rows[test]}, {}


def _strong(log: Interactions, rng: np.random.Generator) -> tuple[Rows, Rows]:
    held = max(1, log.n_users // 10)
    group = np.zeros(log.n_users, np.int8)  # 0 trains, 1 validates, 2 tests
    shuffled = rng.permutation(log.n_users)
    group[shuffled[:held]], group[shuffled[held : 2 * held]] = 2, 1
    order = user_by_user(log.user, rng.random(log.nnz))
    from_end, fifth = _last_shares(log, order, 0.2)
    of, target = group[log.user[order]], from_end < fifth
    parts = {
        "train": order[of == 0],
        "validation": order[(of == 1) & target],
        "test": order[(of == 2) & target],
    }
    return parts, {"validation": order[(of == 1) & ~target], "test": order[(of == 2) & ~target]}


def _given(log: Interactions, rng: np.random.Generator) -> tuple[Rows, Rows]:
    if log.part is None:
        raise DataError(
            f"{log.name}: protocol 'given' needs a published split; the data set `gowalla` has one, as has a folder "
            "with train.txt and test.txt"
        )
    known = np.flatnonzero(log.part == 0)
    order = known[user_by_user(log.user[known], rng.random(len(known)))]
    count = np.bincount(log.user[order], minlength=log.n_users)[log.user[order]]
    from_end, tenth = _last_shares(log, order, 0.1)
    validation = (count >= 3) & (from_end < tenth)
    return {"train": order[~validation], "validation": order[validation], "test": np.flatnonzero(log.part == 1)}, {}


def times_of(log: Interactions, protocol: str) -> np.ndarray:
    """(nnz,) seconds. Raises DataError for a log without times, or all at one moment."""
    if log.timestamp is None:
        raise DataError(f"{log.name}: protocol {protocol!r} needs a timestamp column; `ratio` and `strong` do not")
    if log.timestamp.min() == log.timestamp.max():
        raise DataError(
            f"{log.name}: protocol {protocol!r} has no order to go by: all times are {log.timestamp[0]:.15g}; "
            "`ratio` and `strong` need none"
        )
    return log.timestamp


PROTOCOLS: dict[str, Callable[[Interactions, np.random.Generator], tuple[Rows, Rows]]] = {
    "ratio": _ratio,
    "strong": _strong,
    "loo": _leave_one_out,
    "temporal": _temporal,
    "given": _given,
}
