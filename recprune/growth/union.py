"""What a model knows, and what came since, as one log."""

from __future__ import annotations

import numpy as np

from recprune.errors import kind_of
from recprune.interactions import Interactions
from recprune.models.base import Recommender
from recprune.splits import Split


def taken_in(model: Recommender, window: Interactions | Split) -> Interactions:
    """The histories of a model and the new pairs of a window: a log over the model's own users and items.

    Of a split the training part is the window. A pair that the model knows already keeps its weight. For a model that
    reads histories in the order of time, the new interactions come after those that it knows, and `timestamp` counts.

    Raises TypeError for what is no log, ValueError for one of other users or items, or an untrained model.
    """
    model.n_users  # noqa: B018  an untrained one says so
    new = window.train if isinstance(window, Split) else window
    if not isinstance(new, Interactions):
        raise TypeError(
            f"update: a window is Interactions, or a Split whose training part it is, not {kind_of(window)}"
        )
    for what, known, theirs in (("users", model.users, new.users), ("items", model.items, new.items)):
        if known is None or not (known is theirs or np.array_equal(known, theirs)):
            raise ValueError(
                f"update: the window has a table of {len(theirs):,} {what} that is not the model's; windows are cut "
                "from one log (`rp.windows`), whose table holds all that ever come"
            )
    return _joined(model, new)


def _joined(model: Recommender, new: Interactions) -> Interactions:
    history, later = model._fitted, new.sequences() if model.needs_times else new.tocsr()
    user, item, weight = (
        np.concatenate(parts) for parts in zip(*((_rows(h), h.indices, h.data) for h in (history, later)), strict=True)
    )
    pair = user.astype(np.int64) * model.n_items + item
    _, first = np.unique(pair, return_index=True)  # sorted by user and item; what is known comes first
    return Interactions(
        user=user[first].astype(np.int32),
        item=item[first].astype(np.int32),
        users=new.users,
        items=new.items,
        weight=None if (weight == 1).all() else weight[first],
        timestamp=first.astype(np.float64) if model.needs_times else None,
        item_attributes=new.item_attributes,
        user_attributes=new.user_attributes,
        name=new.name,
    )


def _rows(history) -> np.ndarray:
    return np.repeat(np.arange(history.shape[0]), np.diff(history.indptr))
