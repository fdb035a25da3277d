"""Examples to look at: one user's list before and after pruning, and what was removed, in titles."""

from __future__ import annotations

import numpy as np
import pandas as pd

from recprune.splits import Split
from recprune.topk import top_k

HIT = "★"


def typical_user(split: Split) -> int:
    """The code of a user with a history of median length among those with the most test interactions to find."""
    wanted = np.bincount(split.test.user, minlength=split.n_users)
    history = np.bincount(split.unpruned.user, minlength=split.n_users)
    candidates = np.flatnonzero(wanted >= np.quantile(wanted[wanted > 0], 0.75))
    return int(candidates[np.argmin(np.abs(history[candidates] - np.median(history[candidates])))])


def before_after(split: Split, models: dict[str, object], user: int | None = None, k: int = 10) -> pd.DataFrame:
    """One user's k best titles under each model, a star on those that the user liked in the test part.

    models: column heading -> anything with `score(users)`. Under protocol `strong` the user's history is folded in.
    """
    user = typical_user(split) if user is None else user
    liked = set(split.test.item[split.test.user == user].tolist())
    seen = split.seen("test")[[user]].nonzero()[1]
    known = split.fold_in("test")
    columns = {}
    for heading, model in models.items():
        scores = np.array(model.score([user]) if known is None else model.fold_in(known[[user]]))
        scores[:, seen] = -np.inf
        codes = top_k(scores, k)[0]
        codes = codes[codes >= 0]
        titles = split.train.titles(codes)
        columns[heading] = pd.Series(
            [f"{HIT if code in liked else ' '} {title}" for code, title in zip(codes.tolist(), titles, strict=True)],
            dtype=object,
        )
    table = pd.DataFrame(columns)
    table.index = pd.RangeIndex(1, len(table) + 1, name="rank")
    return table.fillna("")


def most_changed(split: Split, before: np.ndarray, after: np.ndarray, k: int = 10) -> pd.DataFrame:
    """The items that lost most of something counted per item, (n_items,) before and after, by title."""
    lost = before - after
    codes = np.argsort(-lost, kind="stable")[:k]
    return pd.DataFrame(
        {"title": split.train.titles(codes), "before": before[codes], "after": after[codes], "lost": lost[codes]}
    )
