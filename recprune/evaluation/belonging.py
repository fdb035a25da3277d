"""Whether a model and a split belong together, and which histories it is shown of the users that it is judged by.

One that has trained on what it is judged by is not judged. What is pruned of a split is what a model trains on: when
it recommends, it is shown all that its users did.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse

from recprune.errors import kind_of
from recprune.interactions import Interactions
from recprune.splits import Split

HISTORIES = ("full", "pruned")  # that a model may be shown of its users, see `as_served`


def check_belongs(model, split: Split, on: str = "validation") -> None:
    """Raises ValueError where a model knows other users or items than the split, or interactions it must not know.

    It may have been trained on part of the training interactions, and, where it is judged `on` "test", on those of
    validation too. Something that scores and has no history (a function, a list) is taken as it is.

    Raises TypeError for what is no split.
    """
    if not isinstance(split, Split):
        raise TypeError(f"a Split is needed (rp.split of a log), not {kind_of(split)}")
    history = getattr(model, "history", None)
    if history is None:
        return
    for what, known, ours in (("users", model.users, split.users), ("items", model.items, split.items)):
        if known is not ours and not np.array_equal(known, ours):
            raise ValueError(
                f"the model was trained on other {what} ({len(known):,}) than the split has ({len(ours):,}); "
                "it belongs to another data set, filter or protocol"
            )
    train = split.unpruned
    if _is_of(history, train):
        return
    strange = _outside(history, pattern(train.tocsr()) + (pattern(split.validation.tocsr()) if on == "test" else 0))
    if strange:
        raise ValueError(
            f"the model was trained on {strange:,} interactions that are not in the training part of this split "
            f"(protocol {split.protocol}, seed {split.seed}); it belongs to another split, and knows what it is asked"
        )


def as_served(model, split: Split, on: str, history: str = "full"):
    """The model as it is to be judged `on` a part of a split to which it belongs: itself, or a copy that serves others.

    history  "full": the users are known by all their training interactions, before samples were pruned; "pruned": by
             those of the split. Judged on "train", by those of the split
    A model that knows more than the training part is left as it is, and so is what has no histories to change, and
    users that the protocol holds out, whose histories are given.
    """
    if not callable(getattr(model, "serving", None)) or split.fold_in(on) is not None:
        return model
    wanted = split.train if history == "pruned" or on == "train" else split.unpruned
    had = model.history
    if had is None or _is_of(had, wanted) or _outside(had, pattern(split.unpruned.tocsr())):
        return model
    return model.serving(wanted)


def _is_of(history: sparse.csr_array, log: Interactions) -> bool:
    """Whether a history is that of a log, in the order of items or of time."""
    return _same(history, log.tocsr()) or (log.timestamp is not None and _same(history, log.sequences()))


def _outside(history: sparse.csr_array, allowed: sparse.csr_array) -> int:
    """How many interactions of a history are none of those allowed."""
    known = pattern(history)
    return known.nnz - known.multiply(allowed > 0).nnz


def _same(one: sparse.csr_array, other: sparse.csr_array) -> bool:
    """Whether two histories are the same, entry by entry; the usual case, and cheap."""
    return one is other or (np.array_equal(one.indptr, other.indptr) and np.array_equal(one.indices, other.indices))


def pattern(matrix: sparse.csr_array) -> sparse.csr_array:
    """Ones where an entry is stored, be it a zero."""
    return sparse.csr_array((np.ones(matrix.nnz, np.int8), matrix.indices, matrix.indptr), shape=matrix.shape)
