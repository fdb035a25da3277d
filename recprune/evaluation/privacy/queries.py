"""What an audit asks of a model: interactions that it was trained on, and such as it was not, of the same users.

Under the protocol `ratio` chance alone decides which of a user's interactions are training and which are test: the two
are exchangeable, and whoever tells them apart can only do so by what the model remembers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recprune.errors import DataError
from recprune.interactions import Interactions, user_by_user
from recprune.splits import Split


@dataclass(frozen=True, eq=False)
class Queries:
    """Members, and the non-members that each is held against.

    user, member       (n,) a user and one of the user's training items, which is asked for
    round              (n,) a user's members are asked for one after the other: round 0, 1, ...
    query, non_member  (m,) a query, and one of its user's test items, which is asked for beside the member
    n_users, n_items   of the split
    """

    user: np.ndarray
    member: np.ndarray
    round: np.ndarray
    query: np.ndarray
    non_member: np.ndarray
    n_users: int
    n_items: int

    @property
    def users(self) -> np.ndarray:
        """The users who are asked about, ascending."""
        return np.unique(self.user)

    @property
    def weight(self) -> np.ndarray:
        """(n,) weights of the queries by which each user counts once."""
        return 1.0 / np.bincount(self.user, minlength=self.n_users)[self.user]

    @property
    def weight_of_asked(self) -> np.ndarray:
        """(m,) the same of the non-members."""
        return (self.weight / np.bincount(self.query, minlength=len(self.user)))[self.query]


def queries(split: Split, most: int, seed: int) -> Queries:
    """The queries of a split: of each user up to `most` members, drawn at random, each beside all the test items.

    Users who lack either are left out. Raises DataError where none is left.
    """
    rng = np.random.default_rng([seed, int(split.data_hash[:8], 16), 25])
    train, test = split.train, split.test
    n_test = np.bincount(test.user, minlength=split.n_users)
    order = user_by_user(train.user, rng.random(train.nnz))
    turn = position(train.user[order], split.n_users)
    order, turn = (values[(turn < most) & (n_test[train.user[order]] > 0)] for values in (order, turn))
    if not len(order):
        raise DataError(f"{split.name}: no user has training and test interactions; a split with a test part is needed")
    user = train.user[order].astype(np.int64)
    starts = np.append(0, np.cumsum(n_test))[user]
    query = np.repeat(np.arange(len(user)), n_test[user])
    place = np.repeat(starts, n_test[user]) + position(query, len(user))
    return Queries(
        user=user,
        member=train.item[order].astype(np.int64),
        round=turn,
        query=query,
        non_member=test.item[place].astype(np.int64),
        n_users=split.n_users,
        n_items=split.n_items,
    )


def hiding(histories: Interactions, user: np.ndarray, item: np.ndarray) -> Interactions:
    """The histories without some interactions: (n,) users and items, each of which is there."""
    key = histories.user.astype(np.int64) * histories.n_items + histories.item
    there = np.ones(histories.nnz, bool)
    there[np.searchsorted(key, user * histories.n_items + item)] = False
    return histories.select(there)


def position(group: np.ndarray, n_groups: int) -> np.ndarray:
    """(n,) each entry's position among those of its group; `group` is ascending."""
    first = np.append(0, np.cumsum(np.bincount(group, minlength=n_groups)))
    return np.arange(len(group)) - first[group]
