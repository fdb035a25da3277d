"""Metrics of finished lists: how many relevant items they hold, what they show of the catalogue, how alike they are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias

import numpy as np
from scipy import sparse

from recprune.errors import kind_of

#: (U x k) bool hits, in the order of the list, and (U,) numbers of relevant items, at least 1 -> (U,) finite values
Metric: TypeAlias = Callable[[np.ndarray, np.ndarray], np.ndarray]
BUILT_IN = ("ndcg", "recall", "recall_min", "precision", "hit", "mrr", "map", "coverage", "gini", "novelty")


def list_metrics(hits: np.ndarray, n_relevant: np.ndarray, cutoffs: Iterable[int]) -> dict[str, np.ndarray]:
    """Per-user metrics of finished lists, as `name@k` -> (U,) float64.

    hits        (U x K) bool, h_r = the item at rank r = 1..K is relevant
    n_relevant  (U,) how many relevant items n_u >= 1 the user has

        ndcg        sum_{r<=k} h_r / log2(r+1)  /  sum_{r<=min(k, n_u)} 1 / log2(r+1)
        recall      sum_{r<=k} h_r / n_u
        recall_min  sum_{r<=k} h_r / min(k, n_u)              (Liang et al. 2018, WWW)
        precision   sum_{r<=k} h_r / k
        hit         1 if any h_r with r <= k, else 0
        mrr         1 / (the first r <= k with h_r), else 0
        map         sum_{r<=k} h_r * (sum_{q<=r} h_q / r) / n_u       (map_cut of trec_eval)
    """
    rank = np.arange(1, hits.shape[1] + 1)
    discount = 1 / np.log2(rank + 1)
    ideal = np.concatenate([[0.0], np.cumsum(discount)])
    found = np.cumsum(hits, axis=1, dtype=np.float64)
    first = np.where(hits.any(axis=1), 1 / (hits.argmax(axis=1) + 1), 0.0)
    gain = np.cumsum(hits * discount, axis=1)
    average = np.cumsum(hits * (found / rank), axis=1)
    metrics: dict[str, np.ndarray] = {}
    for k in cutoffs:
        n_hits, reachable = found[:, k - 1], np.minimum(k, n_relevant)
        hit = n_hits > 0
        metrics |= {
            f"ndcg@{k}": gain[:, k - 1] / ideal[reachable],
            f"recall@{k}": n_hits / n_relevant,
            f"recall_min@{k}": n_hits / reachable,
            f"precision@{k}": n_hits / k,
            f"hit@{k}": hit.astype(np.float64),
            f"mrr@{k}": np.where(hit, first, 0.0),
            f"map@{k}": average[:, k - 1] / n_relevant,
        }
    return metrics


def own_metrics(
    hits: np.ndarray, n_relevant: np.ndarray, cutoffs: Iterable[int], metrics: Mapping[str, Metric]
) -> dict[str, np.ndarray]:
    """Per-user values of the caller's own metrics, as `name@k` -> (U,) float64; hits and n_relevant as above.

    Raises ValueError for values of another shape, or that are not finite.
    """
    found: dict[str, np.ndarray] = {}
    for name, metric in metrics.items():
        for k in cutoffs:
            shown = hits[:, :k].view()
            shown.setflags(write=False)  # of other metrics, too
            values = np.asarray(metric(shown, n_relevant.copy()), np.float64)
            if values.shape != (len(hits),) or not np.isfinite(values).all():
                what = "not all finite" if values.shape == (len(hits),) else f"of shape {values.shape}"
                raise ValueError(
                    f"metric {name!r}: its values are {what}; a finite number for each of {len(hits)} users"
                )
            found[f"{name}@{k}"] = values
    return found


def check_metrics(metrics: Mapping[str, Metric]) -> None:
    """Raises ValueError for a name that is taken or none, TypeError for what cannot be called."""
    for name, metric in metrics.items():
        if not isinstance(name, str) or not name.isidentifier() or name in BUILT_IN:
            raise ValueError(f"metric {name!r}: a name like `my_metric` is needed, none of {', '.join(BUILT_IN)}")
        if not callable(metric):
            raise TypeError(f"metric {name!r}: a function of (hits, n_relevant) is needed, not {kind_of(metric)}")


def times_shown(lists: np.ndarray, n_items: int) -> np.ndarray:
    """(n_items,) how often each item stands in the lists (U x k), -1 for none."""
    shown = np.zeros(n_items + 1, np.int64)  # the last place counts the -1
    np.add.at(shown, lists.ravel(), 1)
    return shown[:-1]


def exposure(shown: np.ndarray, history: sparse.csr_array) -> dict[str, float]:
    """What lists show of the catalogue.

    shown    (n_items,) how often each item is listed (`times_shown`)
    history  (n_users x n_items) the training interactions, unpruned

        coverage  share of the catalogue's n items that stand in at least one list
        gini      sum_i (2i - n - 1) x_i / (n sum_i x_i),  x = shown, ascending: how unevenly the places
                  are spread; 0 = all items alike, near 1 = a few items fill every list
        novelty   mean over list places of -log2(share of the users with a history who have the item
                  in it), in bits; an item that nobody has counts as half an interaction
    """
    n = history.shape[1]
    x, total = np.sort(shown), shown.sum()
    popularity = np.bincount(history.indices, minlength=n)
    n_active = max(np.count_nonzero(np.diff(history.indptr)), 1)
    bits = -np.log2(np.maximum(popularity, 0.5) / n_active)
    return {
        "coverage": np.count_nonzero(x) / n,
        "gini": float(((2 * np.arange(1, n + 1) - n - 1) * x).sum() / (n * total)) if total else np.nan,
        "novelty": float((bits * shown).sum() / total) if total else np.nan,
    }


def thirds(value: np.ndarray, mass: np.ndarray) -> np.ndarray:
    """Group 0, 1 or 2 of each element: ascending by `value`, each group with about a third of `mass`.

    Elements of equal value share a group, the one in which the middle of their mass falls, so the
    groups depend on no tie-breaking; where many are equal, the thirds are rough and one may be empty.

    Users are grouped by their training interactions, one user one unit of mass: thirds of the users.
    Items are grouped by their training interactions, and these are the mass too: `low` are the many
    items of the long tail that hold a third of all interactions, `high` the few that everyone knows.
    (Thirds of the catalogue would leave the low group almost without relevant items.)
    Both count unpruned training data, so the groups are the same for every model on a split.
    """
    distinct, inverse = np.unique(value, return_inverse=True)
    mass = np.bincount(inverse, weights=mass, minlength=len(distinct))
    middle = (np.cumsum(mass) - mass / 2) / max(mass.sum(), 1)
    return np.minimum((3 * middle).astype(int), 2)[inverse]


def overlap(lists_a: np.ndarray, lists_b: np.ndarray, k: int = 20) -> dict[str, float]:
    """How alike two models' lists are: {"jaccard@k": mean, "rbo@k": mean} over the users who have a list.

    lists_a, lists_b  (n_users x at least k) item codes, best first, -1 where there is none

        jaccard  |A n B| / |A u B| of the first k items
        rbo      sum_{d<=k} p^(d-1) |A_d n B_d| / max(|A_d|, |B_d|)  /  sum_{d<=k} p^(d-1),  p = 0.9

    Rank-biased overlap (Webber, Moffat, Zobel 2010, ACM TOIS 28:4) weighs the top of the lists most.
    It is truncated at k and normalised, so identical lists give 1, short ones too; a depth past the
    end of both lists repeats their last agreement. A user whose list is empty in both is left out.

    Raises ValueError if the shapes do not fit or the lists are shorter than k.
    """
    a, b = np.asarray(lists_a), np.asarray(lists_b)
    if a.ndim != 2 or b.ndim != 2 or len(a) != len(b) or not 1 <= k <= min(a.shape[1], b.shape[1]):
        raise ValueError(f"lists of shapes {a.shape} and {b.shape}; (users x at least {k}), the same users, is needed")
    some = (a[:, 0] >= 0) | (b[:, 0] >= 0)
    a, b = a[some, :k], b[some, :k]
    if len(a) == 0:
        return {f"jaccard@{k}": np.nan, f"rbo@{k}": np.nan}
    common = np.concatenate([_common(a[i : i + 1024], b[i : i + 1024]) for i in range(0, len(a), 1024)])
    length_a, length_b = (a >= 0).cumsum(axis=1), (b >= 0).cumsum(axis=1)
    weight = 0.9 ** np.arange(k)
    agreement = common / np.maximum(length_a, length_b)
    rbo = (agreement * weight).sum(axis=1) / weight.sum()
    jaccard = common[:, -1] / (length_a[:, -1] + length_b[:, -1] - common[:, -1])
    return {f"jaccard@{k}": float(jaccard.mean()), f"rbo@{k}": float(rbo.mean())}


def _common(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(U x k): how many items the first d = 1..k places of both lists share."""
    same = (a[:, :, None] == b[:, None, :]) & (a >= 0)[:, :, None]
    row, in_a, in_b = same.nonzero()
    shared_from = row * a.shape[1] + np.maximum(in_a, in_b)
    return np.bincount(shared_from, minlength=a.size).reshape(a.shape).cumsum(axis=1)
