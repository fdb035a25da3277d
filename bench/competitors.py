"""The evaluators of other libraries, each as a function of the same factors and matrices.

Each returns nDCG by cutoff; importing a library that is not there raises ImportError.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import torch
from scipy import sparse

Evaluate = Callable[[tuple[int, ...]], dict[int, float]]
BLOCK = 1024  # users at a time, where the library leaves it to its caller


def implicit(users: np.ndarray, items: np.ndarray, seen: sparse.csr_array, relevant: sparse.csr_array) -> Evaluate:
    """`ranking_metrics_at_k` of a factor model of its own."""
    from implicit.cpu.als import AlternatingLeastSquares

    model = AlternatingLeastSquares(factors=users.shape[1], num_threads=1)
    model.user_factors, model.item_factors = users, items
    return implicit_evaluator(model, seen, relevant)


def implicit_evaluator(model, seen: sparse.csr_array, relevant: sparse.csr_array) -> Evaluate:
    """`ranking_metrics_at_k` of any of implicit's models: one pass for each cutoff."""
    from implicit.evaluation import ranking_metrics_at_k

    seen, relevant = sparse.csr_matrix(seen), sparse.csr_matrix(relevant)

    def evaluate(cutoffs):
        options = {"show_progress": False, "num_threads": 1}
        return {k: ranking_metrics_at_k(model, seen, relevant, K=k, **options)["ndcg"] for k in cutoffs}

    return evaluate


def irspack(users: np.ndarray, items: np.ndarray, seen: sparse.csr_array, relevant: sparse.csr_array) -> Evaluate:
    """`Evaluator` on blocks of the products of factors."""
    starts = range(0, len(users), BLOCK)
    return irspack_evaluator(lambda: (users[start : start + BLOCK] @ items.T for start in starts), seen, relevant)


def irspack_evaluator(
    blocks: Callable[[], Iterable[np.ndarray]], seen: sparse.csr_array, relevant: sparse.csr_array
) -> Evaluate:
    """`Evaluator` on blocks of scores, which `blocks` gives anew, row after row."""
    from irspack.evaluation import Evaluator

    judge = Evaluator(sparse.csr_matrix(relevant), masked_interactions=sparse.csr_matrix(seen), n_threads=1)

    def evaluate(cutoffs):
        found = judge.get_scores_from_score_chunks(blocks(), list(cutoffs))
        return {k: found[f"ndcg@{k}"] for k in cutoffs}

    return evaluate


def recbole(users: np.ndarray, items: np.ndarray, seen: sparse.csr_array, relevant: sparse.csr_array) -> Evaluate:
    """`Collector` and `Evaluator`, called as its Trainer does in full-sort evaluation."""
    for name, kind in (("float", np.float64), ("bool", np.bool_)):  # aliases it uses, gone since NumPy 1.24
        if name not in np.__dict__:
            setattr(np, name, kind)
    from recbole.evaluator import Collector, Evaluator

    with_relevant = np.flatnonzero(np.diff(relevant.indptr))
    users, seen, relevant = users[with_relevant], seen[with_relevant], relevant[with_relevant]
    item_factors = torch.from_numpy(items)

    def evaluate(cutoffs):
        config = {
            "metrics": ["NDCG", "Recall", "Precision", "Hit", "MRR", "MAP"],
            "topk": list(cutoffs),
            "metric_decimal_place": 12,
            "eval_args": {"mode": "full"},
            "device": "cpu",
        }
        collector, judge = Collector(config), Evaluator(config)
        for start in range(0, len(users), BLOCK):
            rows = slice(start, start + BLOCK)
            scores = torch.from_numpy(users[rows]) @ item_factors.T
            scores[_positions(seen[rows])] = -np.inf
            collector.eval_batch_collect(scores, None, *_positions(relevant[rows]))
        found = judge.evaluate(collector.get_data_struct())
        return {k: found[f"ndcg@{k}"] for k in cutoffs}

    return evaluate


def _positions(matrix: sparse.csr_array) -> tuple[torch.Tensor, torch.Tensor]:
    row = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    return torch.from_numpy(row), torch.from_numpy(matrix.indices.astype(np.int64))


COMPETITORS = {"implicit": implicit, "irspack": irspack, "recbole": recbole}
