"""Lists without the scores of the whole catalogue: the same as with them, to the last bit."""

import resource
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from recprune.evaluation import evaluate
from recprune.interactions import Interactions
from recprune.models import EASE, ItemKNN
from recprune.models.parts import candidates, lost_rows
from recprune.pruning import prune
from recprune.splits import split
from recprune.topk import NotANumber, top_k, top_k_of_few, top_unseen

WEIGHTS = {  # entries of a matrix or of histories, by what becomes of their sums
    "distinct": lambda rng, size: rng.standard_normal(size),
    "tied": lambda rng, size: rng.integers(-2, 3, size),
    "negative": lambda rng, size: -rng.random(size),
    "ones": lambda rng, size: np.ones(size),
}


def matrix(rng, n_rows, n_columns, kind, share):
    """CSR, float32; zeros may be stored."""
    values = np.where(rng.random((n_rows, n_columns)) < share, WEIGHTS[kind](rng, (n_rows, n_columns)), np.nan)
    row, column = np.nonzero(~np.isnan(values))
    indptr = np.append(0, np.cumsum(np.bincount(row, minlength=n_rows)))
    return sparse.csr_array((values[row, column].astype(np.float32), column, indptr), shape=values.shape)


CASES = st.tuples(
    st.integers(0, 2**32 - 1),
    st.integers(1, 5),
    st.integers(1, 60),
    st.sampled_from([*WEIGHTS]),
    st.sampled_from([*WEIGHTS]),
    st.sampled_from([0.0, 0.03, 0.3]),
)


def case(seed, n_users, n_items, of_histories, of_matrix, share):
    rng = np.random.default_rng(seed)
    histories = matrix(rng, n_users, n_items, of_histories, 0.15)
    return rng, histories, matrix(rng, n_items, n_items, of_matrix, share), matrix(rng, n_users, n_items, "ones", 0.2)


@given(CASES, st.integers(1, 80), st.sampled_from([1, 40, candidates.PRODUCTS]))
def test_candidates_give_the_lists_of_all_scores(known, k, together):
    _, histories, weights, seen = case(*known)
    expected = top_unseen((histories @ weights).toarray(), k, seen)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(candidates, "PRODUCTS", together)
        np.testing.assert_array_equal(candidates.rank(histories, weights, k, seen, None), expected)
    for user in range(len(expected)):  # who is alone is scored in another way
        alone = candidates.rank(histories[[user]], weights, k, seen[[user]], None)
        np.testing.assert_array_equal(alone[0], expected[user])


@given(CASES, st.integers(1, 80), st.booleans())
def test_items_without_a_row_are_not_listed_and_not_read(known, k, compact):
    rng, histories, weights, seen = case(*known)
    n_items = histories.shape[1]
    there = rng.random(n_items) < 0.6
    there[rng.integers(n_items)] = True
    model = EASE()
    model.history = histories
    kept = torch.from_numpy(np.where(there, np.arange(1, n_items + 1), 0).astype(np.int32))
    weights = weights.toarray() * there * there[:, None]
    if compact:
        kept, weights = kept[kept > 0], weights[there][:, there]
    model.arrays = {"item_item": sparse.csr_array(weights), "kept_items": kept}
    users = np.flatnonzero(np.diff(histories.indptr))  # the others get what is popular, whatever the model says
    seen = seen[users]
    expected = top_unseen(model.score(users), k, seen)
    np.testing.assert_array_equal(model.rank(users, k, seen), expected)
    np.testing.assert_array_equal(model.rank_histories(histories[users], k, seen), expected)
    for place, user in enumerate(users):
        np.testing.assert_array_equal(model.rank([user], k, seen[[place]])[0], expected[place])
    assert there[expected[expected >= 0]].all()


@given(st.integers(0, 2**32 - 1), st.integers(1, 500), st.integers(1, 40))
def test_a_row_of_few_scores_is_ranked_as_the_whole_row(seed, n, k):
    rng = np.random.default_rng(seed)
    row = np.where(rng.random(n) < rng.random(), 0, rng.choice([-np.inf, -1.0, -0.0, 0.5, 1.0, np.inf], n))
    left_out = rng.random(n) < 0.2
    codes = rng.permutation(np.union1d(np.flatnonzero(row), rng.integers(n, size=3)))
    expected = top_k(np.where(left_out, -np.inf, row)[None], k)[0]
    found = top_k_of_few(codes, row[codes], k, left_out)
    np.testing.assert_array_equal(np.append(found, np.full(k - len(found), -1)), expected)


@pytest.fixture(scope="module")
def knn(ratio):
    return ItemKNN(neighbours=9).fit(ratio.train)


def test_a_model_recommends_and_is_evaluated_alike_by_either_way(knn, ratio, monkeypatch):
    users = np.arange(ratio.n_users)
    found = []
    for few in (True, False):
        monkeypatch.setattr(candidates, "few", lambda histories, matrix, few=few: few)
        found.append((knn.recommend(users, 7), evaluate(knn, ratio, k=7).lists))
    np.testing.assert_array_equal(found[0][0], found[1][0])
    np.testing.assert_array_equal(found[0][1], found[1][1])


def test_what_is_stored_as_zero_is_not_seen(knn, ratio):
    seen = ratio.train.tocsr()[:3].copy()
    first = seen.indices[0]
    seen.data[0] = 0
    lists = knn.rank([0, 1, 2], ratio.n_items, seen)
    assert first in lists[0]
    assert seen.nnz == ratio.train.tocsr()[:3].nnz


def test_an_interaction_of_weight_zero_was_one(ratio):
    weight = np.ones(ratio.train.nnz, np.float32)
    weight[::3] = 0
    train = replace(ratio.train, weight=weight)
    data = replace(ratio, train=train, unpruned=train)
    model = EASE(l2=50.0).fit(train)
    users = np.arange(ratio.n_users)
    lists = model.recommend(users, 20)
    np.testing.assert_array_equal(evaluate(model, data, on="validation", k=20).lists, lists)
    seen = ratio.train.toarray() > 0
    assert not seen[users[:, None], lists].any()


@pytest.mark.parametrize("users", [1, 3])
def test_sums_that_are_no_number_are_refused(users):
    histories = sparse.csr_array(np.ones((users, 2), np.float32))
    weights = sparse.csr_array(np.array([[0, np.inf], [0, -np.inf]], np.float32))
    with pytest.raises(NotANumber, match="row 0"):
        candidates.rank(histories, weights, 1, sparse.csr_array((users, 2)), None)


def test_what_cannot_be_ranked_is_refused(knn, ratio):
    seen = ratio.train.tocsr()
    with pytest.raises(ValueError, match=r"3 rows for 2 users"):
        knn.rank([0, 1], 5, seen[:3])
    with pytest.raises(ValueError, match=rf"{ratio.n_items - 1} items"):
        knn.rank([0, 1], 5, seen[:2, :-1])
    with pytest.raises(ValueError, match="k is 0"):
        knn.rank_histories(seen[:2], 0, seen[:2])
    with pytest.raises(TypeError, match="seen items are a sparse matrix"):
        knn.rank([0], 5, None)


@given(st.integers(0, 2**32 - 1), st.integers(1, 200))
def test_few_codes_find_their_rows_as_all_do(seed, n):
    rng = np.random.default_rng(seed)
    kept = torch.from_numpy(np.flatnonzero(rng.random(n) < 0.5).astype(np.int32) + 1)
    for wanted in (np.arange(n), rng.integers(n, size=1 + n // 20)):
        np.testing.assert_array_equal(lost_rows.rows_of(kept, n, wanted), lost_rows.of_codes(kept, n)[wanted])


@pytest.fixture
def little_memory():
    """Two gigabytes more than there are in use, a seventh of a dense item-item matrix of 60,000 items."""
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    limits = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (used + (2 << 30), limits[1]))
    yield
    resource.setrlimit(resource.RLIMIT_AS, limits)


def test_no_matrix_of_all_items_is_made_to_prune_recommend_or_evaluate(little_memory):
    rng = np.random.default_rng(0)
    n_users, n_items = 1500, 60_000
    user, item = np.divmod(np.unique(rng.integers(n_users * n_items, size=30_000)), n_items)
    log = Interactions(user.astype(np.int32), item.astype(np.int32), np.arange(n_users), np.arange(n_items))
    data = split(log, core=0)
    model = ItemKNN(neighbours=5).fit(data.train)
    pruned = prune(model, data, unit="item-row", keep=0.5)
    small = pruned.compact()
    users = np.arange(n_users)
    lists = small.recommend(users, 10)
    for other in (pruned, small):
        np.testing.assert_array_equal(np.concatenate([other.recommend([u], 10) for u in users[:20]]), lists[:20])
    np.testing.assert_array_equal(evaluate(small, data, on="validation", k=10).lists[:20], lists[:20])
    np.testing.assert_array_equal(evaluate(pruned, data, on="validation", k=10).lists[:20], lists[:20])
    gone = np.setdiff1d(np.arange(n_items), lost_rows.codes(small.arrays["kept_items"]))
    assert not np.isin(lists, gone).any()
    assert prune(model, data, "random", unit="item-row", keep=0.5).removed == pruned.removed
