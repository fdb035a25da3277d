"""Examples to look at: one user's list before and after pruning, and what was removed, in titles."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import torch

from recprune.evaluation import evaluate
from recprune.models import Recommender
from recprune.models.parts.ops import dense as dense_array
from recprune.report.evidence.labels import shortened
from recprune.splits import Split
from recprune.topk import top_k

HIT = "★"
HEADING = 60  # characters of a title in the head of a column


def typical_user(split: Split) -> int:
    """The code of a user with a history of median length among those with the most test interactions to find."""
    wanted = np.bincount(split.test.user, minlength=split.n_users)
    history = np.bincount(split.unpruned.user, minlength=split.n_users)
    candidates = np.flatnonzero(wanted >= np.quantile(wanted[wanted > 0], 0.75))
    return int(candidates[np.argmin(np.abs(history[candidates] - np.median(history[candidates])))])


def before_after(split: Split, models: Mapping[str, Recommender], user: int | None = None, k: int = 10) -> pd.DataFrame:
    """One user's k best titles under each model, a star on those that the user liked in the test part.

    models: column heading -> recommender. Under protocol `strong` the user's history is folded in.
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
        stars = [HIT + " " if code in liked else "" for code in codes.tolist()]
        columns[heading] = pd.Series([star + title for star, title in zip(stars, titles, strict=True)], dtype=object)
    table = pd.DataFrame(columns).fillna("")
    table.index = pd.RangeIndex(1, len(table) + 1, name="rank")
    return table


def what_changes(split: Split, dense: Recommender, pruned: Recommender, unit: str, k: int = 8) -> pd.DataFrame:
    """What a pruned model has lost, in titles, as its kind of model allows to say it.

    Item-item models: the neighbours of the most popular item, before and after. Factor models cut by
    factor: the two ends of the strongest factors that stay. All others: the items that lost most
    places in the users' top 20.
    """
    if "item_item" in dense.arrays:
        return _neighbours(split, dense, pruned, k)
    if unit == "factor" and "item_factors" in pruned.arrays:
        return _factor_ends(split, pruned, k)
    return most_changed(split, _places(split, dense), _places(split, pruned), what="places in the top 20", k=k)


def most_changed(split: Split, before: np.ndarray, after: np.ndarray, what: str, k: int = 8) -> pd.DataFrame:
    """The items that lost most of something counted per item, (n_items,) before and after, by title."""
    codes = np.argsort(after - before, kind="stable")[:k]
    return pd.DataFrame(
        {"title": split.train.titles(codes), f"{what}, before": before[codes], f"{what}, after": after[codes]}
    )


def _places(split: Split, model: Recommender) -> np.ndarray:
    lists = evaluate(model, split, on="validation", k=20).lists
    return np.bincount(lists[lists >= 0], minlength=split.n_items)


def _neighbours(split: Split, dense: Recommender, pruned: Recommender, k: int) -> pd.DataFrame:
    item = int(np.bincount(split.train.item, minlength=split.n_items).argmax())
    name = shortened(split.train.titles([item])[0], HEADING)
    columns = {}
    for heading, model in (("dense", dense), ("pruned", pruned)):
        matrix = model.arrays["item_item"]
        column = matrix[:, item].numpy() if isinstance(matrix, torch.Tensor) else matrix[:, [item]].toarray().ravel()
        best = np.argsort(-column, kind="stable")[:k]
        best = best[column[best] > 0]
        columns[f"neighbours of {name}, {heading}"] = pd.Series(split.train.titles(best), dtype=object)
        columns[f"weight, {heading}"] = pd.Series([f"{weight:.3f}" for weight in column[best]], dtype=object)
    return pd.DataFrame(columns).fillna("")


def _factor_ends(split: Split, pruned: Recommender, k: int) -> pd.DataFrame:
    user, item = (dense_array(pruned.arrays[name]).numpy() for name in ("user_factors", "item_factors"))
    strength = np.linalg.norm(user, axis=0) * np.linalg.norm(item, axis=0)
    rows = []
    for factor in np.argsort(-strength, kind="stable")[: min(k, int((strength > 0).sum()))]:
        order = np.argsort(item[:, factor], kind="stable")
        ends = {"one end": order[:-4:-1], "other end": order[:3]}
        rows.append(
            {"strength": strength[factor]} | {end: " · ".join(split.train.titles(c)) for end, c in ends.items()}
        )
    return pd.DataFrame(rows)
