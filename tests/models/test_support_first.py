"""EASE on a support that is chosen first: no matrix of all items, the same equations."""

import numpy as np
import psutil
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from recprune.evaluation import evaluate
from recprune.models import EASE, ItemKNN, Popularity, ease, load_model
from recprune.models.parts import gram as grams
from recprune.models.parts import ops, support
from recprune.models.parts.gram import DenseGram, SparseGram
from recprune.models.parts.support import invert, ridge_on_lists
from recprune.pruning import prune

logs = st.integers(0, 2**32 - 1).map(np.random.default_rng)


def interactions(rng, m=30, n=12):
    return sparse.csr_array(((rng.random((m, n)) < 0.3) * rng.uniform(0.5, 2, (m, n))).astype(np.float32))


def supports(rng, n=12):
    keep = rng.random((n, n)) < rng.uniform(0, 0.8)
    keep[:, 0] = False  # a column without a list
    np.fill_diagonal(keep, False)
    return sparse.csc_array(keep)


@given(logs)
@settings(max_examples=30)
def test_products_are_those_of_the_whole_matrix_whichever_way_they_are_counted(rng):
    matrix = interactions(rng)
    whole = (matrix.T @ matrix).toarray()
    index, there = rng.integers(0, 12, (5, 4)), rng.random((5, 4)) < 0.7
    expected = whole[index[:, :, None], index[:, None, :]] * there[:, :, None] * there[:, None, :]
    for kind in (DenseGram, SparseGram):
        np.testing.assert_allclose(kind(matrix).among(index, there), expected, rtol=1e-5)


@given(logs, st.integers(1, 40), st.sampled_from([1, 2, 3, 100, 70_000]), st.integers(0, 300))
def test_pairs_that_occur_are_numbered_in_their_order(rng, n_lists, n_users, n):
    lists, users = rng.integers(0, n_lists, n), rng.integers(0, n_users, n)
    found, number = np.unique(lists * n_users + users, return_inverse=True)
    numbers, n_pairs = grams.numbered(lists, users, n_lists, n_users)
    assert n_pairs == len(found)
    np.testing.assert_array_equal(numbers, number)


@given(logs)
@settings(max_examples=30)
def test_products_for_many_users_are_the_same_to_the_last_bit(rng):
    matrix = interactions(rng)
    index, there = rng.integers(0, 12, (5, 4)), rng.random((5, 4)) < 0.7
    of_few = SparseGram(matrix).among(index, there)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(grams, "MANY", 0)
        np.testing.assert_array_equal(SparseGram(matrix).among(index, there), of_few)


@given(logs)
@settings(max_examples=30)
def test_each_column_is_the_ridge_regression_on_its_list(rng):
    matrix, lists = interactions(rng), supports(rng)
    gram = (matrix.T @ matrix).toarray().astype(np.float64)
    for kind in (DenseGram, SparseGram):
        values = ridge_on_lists(kind(matrix), lists, 0.7)
        solved = sparse.csc_array((values, lists.indices, lists.indptr), shape=lists.shape).toarray()
        for j in range(12):
            s = lists.indices[lists.indptr[j] : lists.indptr[j + 1]]
            right = np.linalg.solve(gram[np.ix_(s, s)] + 0.7 * np.eye(len(s)), gram[s, j]) if len(s) else []
            np.testing.assert_allclose(solved[s, j], right, atol=1e-4)


def test_neither_blocks_nor_threads_change_a_value(ratio, monkeypatch):
    matrix, lists = ratio.train.tocsr(), supports(np.random.default_rng(0), ratio.n_items)
    whole = ridge_on_lists(SparseGram(matrix), lists, 5.0)
    monkeypatch.setattr(support, "PAIRS", 3000)
    monkeypatch.setattr(support, "ENTRIES", 500)
    in_blocks = ridge_on_lists(SparseGram(matrix), lists, 5.0)
    np.testing.assert_allclose(in_blocks, whole, atol=1e-6)
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        np.testing.assert_array_equal(ridge_on_lists(SparseGram(matrix), lists, 5.0), in_blocks)
    finally:
        torch.set_num_threads(before)


def test_a_system_without_a_solution_is_refused():
    matrix = sparse.csr_array(np.ones((2, 3), np.float32))
    with pytest.raises(ValueError, match="larger l2"):
        ridge_on_lists(SparseGram(matrix), sparse.csc_array(~np.eye(3, dtype=bool)), -5.0)


@given(logs, st.integers(1, 60), st.sampled_from([0, 1e9]), st.sampled_from([np.float32, np.float64]), st.booleans())
def test_products_are_the_same_bits_in_blocks_of_any_size_and_item_by_item(rng, pairs, added, kind, given_memory):
    matrix = interactions(rng)
    whole = (matrix.T @ matrix).toarray()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(grams, "PAIRS", pairs)
        patch.setattr(grams, "ADDED", added)
        place = np.full(whole.shape, np.nan, kind) if given_memory else None
        found = grams.dense_products(matrix, kind, place)
    assert found.dtype == kind
    assert (found is place) == given_memory
    np.testing.assert_array_equal(found, whole)


@given(st.integers(1, 40), st.integers(1, 50), st.integers(1, 9), st.integers(0, 9))
def test_the_inverse_in_place(n, leaf, rows, seed):
    """Of any number of halves, mirrored some rows at a time; and refused wherever it breaks down."""
    half = np.random.default_rng(seed).normal(size=(n, 60))
    gram = torch.from_numpy(half @ half.T)
    place, expected = gram.data_ptr(), np.linalg.inv(half @ half.T)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(support, "LEAF", leaf)
        patch.setattr(support, "ROWS", rows)
        invert(gram)
        assert gram.data_ptr() == place
        np.testing.assert_allclose(gram, expected, atol=1e-10)
        refused = torch.eye(n)
        refused[-1, -1] = -1
        with pytest.raises(ValueError, match="larger l2"):
            invert(refused)


class TestEASE:
    def test_on_all_items_it_is_the_dense_model(self, checkerboard):
        """Where every pair of items has a similarity, and so is in the support."""
        everybody = checkerboard.tocsr()
        log = type(checkerboard)(
            *np.nonzero((everybody.toarray() > 0) | (np.arange(20)[:, None] < 3)),
            users=np.arange(20),
            items=np.arange(20),
        )
        dense, full = EASE(l2=2.0).fit(log), EASE(l2=2.0, neighbours=19).fit(log)
        np.testing.assert_allclose(full.arrays["item_item"].toarray(), dense.arrays["item_item"], atol=1e-5)

    def test_every_list_has_the_most_similar_items(self, ratio):
        model, nearest = EASE(l2=5.0, neighbours=7).fit(ratio.train), ItemKNN(7, "cosine").fit(ratio.train)
        own, theirs = (m.arrays["item_item"] for m in (model, nearest))
        np.testing.assert_array_equal(own.indptr, theirs.indptr)
        np.testing.assert_array_equal(own.indices, theirs.indices)
        assert np.diff(own.tocsc().indptr).max() == 7

    def test_float32_gives_the_scores_of_float64(self, ratio, monkeypatch):
        exact = EASE(l2=20.0).fit(ratio.train)
        refitted = prune(exact, ratio, keep=0.1, recovery="refit")
        monkeypatch.setattr(ease, "EXACT", 10)
        assert EASE(l2=20.0)._float32_is_enough(ratio.train.tocsr())
        np.testing.assert_allclose(EASE(l2=20.0).fit(ratio.train).score([0, 1]), exact.score([0, 1]), atol=1e-5)
        again = prune(exact, ratio, keep=0.1, recovery="refit")
        np.testing.assert_allclose(again.score([0, 1]), refitted.score([0, 1]), atol=1e-5)

    def test_float64_is_taken_where_float32_would_not_do(self, ratio, monkeypatch):
        monkeypatch.setattr(ease, "EXACT", 10)
        assert not EASE(l2=1e-4)._float32_is_enough(ratio.train.tocsr())
        assert np.isfinite(EASE(l2=1e-4).fit(ratio.train).score([0])).all()

    def test_what_does_not_fit_is_refused_before_it_is_begun(self, ratio, monkeypatch):
        monkeypatch.setattr(psutil, "virtual_memory", lambda: type("", (), {"available": 1000})())
        with pytest.raises(ValueError, match=rf"the dense matrix of {ratio.n_items} items needs .*neighbours=100"):
            EASE().fit(ratio.train)
        EASE(neighbours=5).fit(ratio.train)

    def test_what_fits_is_announced_where_it_is_large(self, ratio, monkeypatch, capsys):
        monkeypatch.setattr(ease, "SAID", 1000)
        EASE().fit(ratio.train)
        assert f"ease: the dense matrix of {ratio.n_items} items takes" in capsys.readouterr().err

    @pytest.mark.parametrize("unit", ["weight", "neighbour"])
    def test_half_of_it_refitted(self, ratio, unit, monkeypatch, tmp_path):
        monkeypatch.setattr(grams, "DENSE_BYTES", 0)
        model = EASE(l2=5.0, neighbours=20).fit(ratio.train)
        pruned = prune(model, ratio, keep=0.5, unit=unit, recovery="refit")
        small = pruned.compact()
        left = small.arrays["item_item"]
        assert left.nnz == round(0.5 * model.arrays["item_item"].nnz)
        gram, lists = (ratio.train.tocsr().T @ ratio.train.tocsr()).toarray(), left.tocsc()
        for j in range(ratio.n_items):
            s = lists.indices[lists.indptr[j] : lists.indptr[j + 1]]
            values = lists.data[lists.indptr[j] : lists.indptr[j + 1]]
            np.testing.assert_allclose(gram[np.ix_(s, s)] @ values + 5 * values, gram[s, j], atol=1e-3)
        small.save(tmp_path / "model")
        np.testing.assert_array_equal(load_model(tmp_path / "model").score([0, 1]), pruned.score([0, 1]))

    def test_it_is_better_than_popularity_and_smaller_than_the_dense_model(self, ratio):
        found = {
            name: evaluate(model.fit(ratio.train), ratio, k=(10,)).mean["ndcg@10"]
            for name, model in {"popular": Popularity(), "few": EASE(l2=20.0, neighbours=20)}.items()
        }
        assert found["few"] > found["popular"]

    def test_the_control_of_fewer_bytes_has_fewer_neighbours(self, ratio):
        assert EASE(neighbours=20).fit(ratio.train).smaller(0.25).neighbours == 5

    @pytest.mark.parametrize("neighbours", [None, 79])
    def test_items_may_have_ridges_of_their_own_and_users_weights(self, ratio, neighbours):
        """Off the diagonal, and on the support, the gradient of |DX - DXB|^2 + sum_i l2_i |B_i|^2 is zero."""
        model = EASE(l2=3.0, neighbours=neighbours, l2_power=0.5, user_power=0.25).fit(ratio.train)
        x = ratio.train.toarray().astype(np.float64)
        x /= np.maximum(1, x.sum(1, keepdims=True)) ** 0.25
        ridge = 3.0 * np.maximum(1, x.sum(0)) ** 0.5
        b = ops.dense(model.arrays["item_item"]).double().numpy()
        gradient = x.T @ (x @ b - x) + ridge[:, None] * b
        assert np.abs(gradient[b != 0]).max() < 1e-4 * np.abs(x.T @ x).max()
        again = model.clone()
        whole = torch.ones_like(model.prunable()["item_item"], dtype=torch.bool)
        again.refit(ratio.train, {"item_item": whole})
        np.testing.assert_allclose(ops.dense(again.arrays["item_item"]), b, atol=1e-5)

    def test_without_powers_it_is_what_it_was(self, ratio):
        plain = EASE(l2=3.0).fit(ratio.train)
        np.testing.assert_array_equal(
            EASE(l2=3.0, l2_power=0.0, user_power=0.0).fit(ratio.train).arrays["item_item"], plain.arrays["item_item"]
        )
        with pytest.raises(ValueError, match=r"ridges of their own \(l2_power = 0.5\)"):
            prune(EASE(l2=3.0, l2_power=0.5).fit(ratio.train), ratio, "brain-surgeon", "weight", 0.5)

    @pytest.mark.parametrize("criterion", ["taylor", "brain-surgeon", "slim"])
    def test_what_asks_for_all_products_says_why_it_cannot(self, ratio, criterion):
        unit = "neighbour" if criterion == "slim" else "weight"
        with pytest.raises(ValueError, match="its matrix is sparse"):
            prune(EASE(neighbours=5).fit(ratio.train), ratio, criterion, unit, 0.5)
