"""Original ids and codes: what a log calls its users and items, and where they stand in a model's arrays."""

from __future__ import annotations

import numpy as np
import pandas as pd

from recprune.errors import kind_of

SHOWN = 5  # ids that a message gives as examples


def index_of(known: np.ndarray) -> pd.Index:
    """The ids in the order of their codes, to be looked up in."""
    return pd.Index(known)


def codes_of(what: str, ids, known: pd.Index) -> np.ndarray:
    """(len(ids),) int64 codes of original ids.

    what   "user" or "item", for the message

    Raises TypeError for a single id, ValueError that names the first one that is not known.
    """
    if isinstance(ids, str | bytes) or not hasattr(ids, "__len__"):
        raise TypeError(f"{what}s are given as a list of original ids, not as {kind_of(ids)}")
    wanted = list(ids)
    codes = np.fromiter((_code(one, known) for one in wanted), np.int64, len(wanted))
    if (codes < 0).any():
        strange = wanted[int((codes < 0).argmax())]
        some = ", ".join(repr(one) for one in known[:SHOWN].tolist())
        raise ValueError(f"no {what} {strange!r:.80} among the model's {len(known):,}; there are: {some}, ...")
    return codes


def _code(one, known: pd.Index) -> int:
    """The code of an id, -1 where there is none; True is not 1, and what cannot be an id is none."""
    if isinstance(one, bool | np.bool_):
        return -1
    try:
        place = known.get_loc(one)
    except (KeyError, TypeError, ValueError, pd.errors.InvalidIndexError):  # the last for a list
        return -1
    return place if isinstance(place, int) else -1


def ids_of(codes: np.ndarray, known: np.ndarray) -> np.ndarray:
    """The original ids at the codes, an array of objects of the same shape; None for -1, where a list has ended."""
    names = np.full(len(known) + 1, None, object)  # the last place is that of -1
    names[:-1] = known
    return names[codes]
