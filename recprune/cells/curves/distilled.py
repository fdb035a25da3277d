"""A smaller dense model that learns from the large one, too: knowledge distillation of rankings."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from recprune.interactions import PER_ROW, Interactions

LENGTH, WEIGHT = 10, 0.3  # items of the teacher's list, and what each counts beside an interaction


def with_lists(train: Interactions, lists: np.ndarray) -> Interactions:
    """The training interactions, and with WEIGHT those that a teacher's lists say would be liked.

    lists  (n_users x k) codes of items that the user has no interaction with, -1 where there is none

    Ranking distillation (Tang and Wang, 2018), for any recommender that heeds weights: the first items of the trained
    large model's list are training examples of the small one, less certain than what the user did. In the order of time
    they come next, the best first.
    """
    user, place = np.nonzero(lists >= 0)
    columns: dict[str, Any] = {
        "user": np.append(train.user, user).astype(train.user.dtype),
        "item": np.append(train.item, lists[user, place]).astype(train.item.dtype),
        "weight": np.append(train.tocsr().data, np.full(len(user), WEIGHT)).astype(np.float32),
    }
    if train.timestamp is not None:
        last = np.zeros(train.n_users)
        np.maximum.at(last, train.user, train.timestamp)
        columns["timestamp"] = np.append(train.timestamp, last[user] + 1 + place)
    order = np.lexsort([columns["item"], columns["user"]])
    unknown: dict[str, Any] = dict.fromkeys(PER_ROW)  # nobody knows how it was rated
    return replace(train, **unknown | {name: of[order] for name, of in columns.items()})
