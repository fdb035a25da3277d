"""EASE and iALS against what their papers say they solve."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize

from recprune.models import EASE, IALS, ItemKNN
from recprune.models.parts.least_squares import Rows
from recprune.models.parts.support import ridge_on_support


def test_ease_is_stationary_under_its_constraint(ratio):
    """Off the diagonal the gradient of |X - XB|^2 + l2 |B|^2 is zero; the diagonal of B is zero."""
    model = EASE(l2=20.0).fit(ratio.train)
    x = ratio.train.toarray().astype(np.float64)
    b = model.arrays["item_item"].numpy().astype(np.float64)
    gradient = x.T @ (x @ b - x) + 20.0 * b
    assert np.abs(np.diag(b)).max() == 0
    np.fill_diagonal(gradient, 0)
    assert np.abs(gradient).max() < 1e-4 * np.abs(x.T @ x).max()


@pytest.mark.parametrize("share", [0.03, 0.3, 0.7, 0.97])
def test_support_refit_is_the_ridge_solution_on_the_support(ratio, share):
    """Both ways of solving (by the support, and by what is outside of it) against scipy's bounded least squares."""
    l2, model = 30.0, EASE(l2=30.0).fit(ratio.train)
    keep = np.random.default_rng(0).random((ratio.n_items, ratio.n_items)) < share
    model.refit(ratio.train, {"item_item": torch.from_numpy(keep)})
    np.fill_diagonal(keep, False)
    b = model.arrays["item_item"].numpy()
    assert (b[~keep] == 0).all()
    x = ratio.train.toarray().astype(np.float64)
    for j in (0, 11, ratio.n_items - 1):
        support = np.flatnonzero(keep[:, j])
        stacked = np.vstack([x[:, support], np.sqrt(l2) * np.eye(len(support))])
        solved = optimize.lsq_linear(stacked, np.r_[x[:, j], np.zeros(len(support))]).x
        np.testing.assert_allclose(b[support, j], solved, atol=1e-6)


@given(st.integers(1, 12), st.integers(1, 6), st.floats(0, 1), st.integers(0, 99))
@settings(max_examples=60)
def test_every_column_is_solved_on_its_support(n, columns, share, seed):
    """Supports of any size, empty and full ones among them; what is outside stays zero."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n + 3, n))
    gram, right, keep = x.T @ x + np.eye(n), rng.normal(size=(n, columns)), rng.random((n, columns)) < share
    solved = ridge_on_support(gram, right, keep)
    assert (solved[~keep] == 0).all()
    np.testing.assert_allclose((gram @ solved)[keep], right[keep], atol=1e-8)


def test_a_gram_matrix_that_is_singular_is_reported():
    for keep in (np.array([[True, False, True]]).T, np.ones((3, 1), bool)):
        with pytest.raises(ValueError, match="not positive definite; a larger l2 is needed"):
            ridge_on_support(-np.eye(3), np.ones((3, 1)), keep)


def test_refitting_a_smaller_ease_keeps_to_what_it_models(ratio):
    model = EASE(l2=30.0, max_items=10).fit(ratio.train)
    again = model.clone()
    again.refit(ratio.train, {"item_item": torch.ones(10, 10, dtype=torch.bool)})
    np.testing.assert_allclose(again.arrays["item_item"], model.arrays["item_item"], atol=1e-6)


def test_refit_on_everything_is_the_dense_model(ratio):
    model = EASE(l2=30.0).fit(ratio.train)
    again = model.clone()
    again.refit(ratio.train, {"item_item": torch.ones(ratio.n_items, ratio.n_items, dtype=torch.bool)})
    np.testing.assert_allclose(again.arrays["item_item"], model.arrays["item_item"], atol=1e-6)


def test_a_smaller_ease_recommends_only_what_it_models(ratio):
    model = EASE(l2=30.0, max_items=10).fit(ratio.train)
    popular = np.argsort(-np.bincount(ratio.train.item), kind="stable")[:10]
    assert set((model.arrays["kept_items"] - 1).tolist()) == set(popular.tolist())
    lists = model.recommend(np.arange(ratio.n_users), k=12)
    assert set(lists[lists >= 0].tolist()) <= set(popular.tolist())
    full = EASE(l2=30.0, max_items=ratio.n_items).fit(ratio.train)
    np.testing.assert_array_equal(full.score([0]), EASE(l2=30.0).fit(ratio.train).score([0]))


def test_ease_needs_a_positive_penalty(ratio):
    with pytest.raises(ValueError, match="l2 is 0.0; a positive number is needed"):
        EASE(l2=0.0).fit(ratio.train)


def objective(user, item, matrix, alpha, l2):
    confidence = np.where(matrix > 0, alpha * matrix, 1.0)
    error = ((matrix > 0) - user @ item.T) ** 2
    return (confidence * error).sum() + l2 * (user**2).sum() + l2 * (item**2).sum()


def test_half_a_sweep_of_als_minimises_the_objective(ratio):
    rng = np.random.default_rng(0)
    item = rng.normal(size=(ratio.n_items, 5)).astype(np.float32) * 0.3
    penalty = np.full(ratio.n_users, 2.0)
    solved = Rows(ratio.train.tocsr()).solve(torch.from_numpy(item), 4.0, penalty).numpy().astype(np.float64)
    matrix = ratio.train.toarray().astype(np.float64)
    best = objective(solved, item, matrix, 4.0, 2.0)
    for _ in range(20):
        assert objective(solved + rng.normal(size=solved.shape) * 1e-2, item, matrix, 4.0, 2.0) > best


def test_a_masked_half_sweep_solves_for_what_the_mask_leaves(ratio):
    rng = np.random.default_rng(0)
    item = torch.from_numpy(rng.normal(size=(ratio.n_items, 6)).astype(np.float32))
    mask = torch.from_numpy(rng.random((ratio.n_users, 6)) < 0.5)
    solved = Rows(ratio.train.tocsr()).solve(item, 3.0, np.ones(ratio.n_users), mask)
    assert (solved[~mask] == 0).all()
    matrix, v = ratio.train.toarray().astype(np.float64), item.numpy().astype(np.float64)
    for u in (0, 17):
        left = v[:, mask[u].numpy()]
        confidence = np.where(matrix[u] > 0, 3.0 * matrix[u], 1.0)
        right = left.T @ (confidence * (matrix[u] > 0))
        expected = np.linalg.solve(left.T @ (confidence[:, None] * left) + np.eye(left.shape[1]), right)
        np.testing.assert_allclose(solved[u][mask[u]], expected, atol=1e-5)


def test_the_solver_agrees_with_implicits_at_convergence(ratio):
    """implicit's last half sweep solves for the items: solving for them again from its users changes nothing."""
    model = IALS(factors=6, l2=3.0, alpha=5.0, iterations=60).fit(ratio.train, seed=0)
    by_item = Rows(ratio.train.tocsr().T.tocsr())
    again = by_item.solve(model.arrays["user_factors"], 5.0, np.full(ratio.n_items, 3.0))
    np.testing.assert_allclose(again, model.arrays["item_factors"], atol=2e-3)


def test_enough_conjugate_gradients_are_the_exact_solution(ratio, monkeypatch):
    monkeypatch.setattr("recprune.models.parts.least_squares.STEPS", 30)
    rng, rows = np.random.default_rng(0), Rows(ratio.train.tocsr())
    item, start = (torch.from_numpy(rng.normal(size=(n, 6)).astype(np.float32)) for n in ratio.train.shape[::-1])
    penalty = rng.uniform(1, 9, ratio.n_users)
    np.testing.assert_allclose(rows.descend(item, start, 3.0, penalty), rows.solve(item, 3.0, penalty), atol=1e-4)


def test_our_alternating_solver_without_frequencies_reaches_implicits_objective(ratio):
    """nu = 0: another start, other sweeps, the same minimum."""
    model = IALS(factors=6, l2=3.0, alpha=5.0, iterations=60)
    matrix = ratio.train.toarray().astype(np.float64)
    ours, theirs = (
        objective(user.numpy().astype(np.float64), item.numpy().astype(np.float64), matrix, 5.0, 3.0)
        for user, item in (solver(ratio.train.tocsr(), 0) for solver in (model._alternate, model._by_implicit))
    )
    assert ours == pytest.approx(theirs, rel=2e-3)


def test_frequency_scaling_penalises_each_row_by_its_interactions(ratio):
    """Rendle et al. 2021, eq. 4: at convergence each user solves a ridge problem with a penalty of its own."""
    model = IALS(factors=4, l2=0.05, alpha=5.0, iterations=80, nu=1.0).fit(ratio.train, seed=0)
    item, matrix = model.arrays["item_factors"].numpy().astype(np.float64), ratio.train.toarray()
    for u in (0, 9):
        confidence = np.where(matrix[u] > 0, 5.0, 1.0)
        penalty = 0.05 * ((matrix[u] > 0).sum() + ratio.n_items / 5.0)
        system = item.T @ (confidence[:, None] * item) + penalty * np.eye(4)
        expected = np.linalg.solve(system, item.T @ (confidence * (matrix[u] > 0)))
        np.testing.assert_allclose(model.fold_in(ratio.train.tocsr()[[u]])[0], expected @ item.T, atol=1e-4)
        np.testing.assert_allclose(model.arrays["user_factors"][u], expected, atol=2e-2)


def test_folding_in_a_training_user_gives_about_that_users_scores(ratio):
    model = IALS(factors=6, l2=3.0, alpha=5.0, iterations=60).fit(ratio.train, seed=0)
    np.testing.assert_allclose(model.fold_in(ratio.train.tocsr()[:9]), model.score(np.arange(9)), atol=2e-2)


def test_refitting_all_of_a_converged_ials_keeps_its_scores(ratio):
    model = IALS(factors=6, l2=3.0, alpha=5.0, iterations=60).fit(ratio.train, seed=0)
    again = model.clone()
    again.refit(ratio.train, {name: torch.ones_like(t, dtype=torch.bool) for name, t in model.prunable().items()})
    np.testing.assert_allclose(again.score(np.arange(9)), model.score(np.arange(9)), atol=2e-2)


def test_item_knn_lists_are_those_of_the_candidate_item(ratio):
    model = ItemKNN(neighbours=5, similarity="cosine").fit(ratio.train)
    matrix = model.arrays["item_item"].toarray()
    assert ((matrix != 0).sum(axis=0) <= 5).all()
    assert np.abs(np.diag(matrix)).max() == 0
    x = ratio.train.toarray()
    norm = np.sqrt((x**2).sum(axis=0))
    cosine = (x.T @ x) / np.outer(norm, norm)
    np.fill_diagonal(cosine, 0)
    j = 3
    assert np.sort(matrix[:, j])[-5:] == pytest.approx(np.sort(cosine[:, j])[-5:], abs=1e-5)


def test_an_unknown_similarity_lists_the_known(ratio):
    with pytest.raises(ValueError, match="item-knn: similarity: 'jaccard' is unknown; known: bm25, cosine, tfidf"):
        ItemKNN(similarity="jaccard").fit(ratio.train)
