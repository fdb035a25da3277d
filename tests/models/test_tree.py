"""The decision tree: the same answers as scikit-learn's, from plain arrays."""

import numpy as np
import pytest
import torch
from sklearn.tree import DecisionTreeClassifier

from recprune.models import Tree
from recprune.models.tree import _rounded_down, right_singular_vectors

SMALL = {"factors": 4, "max_leaf_nodes": 40, "min_samples_leaf": 20}


@pytest.fixture(scope="module")
def fitted(ratio):
    return Tree(**SMALL).fit(ratio.train, seed=0)


def test_pairs_fall_into_the_leaves_that_scikit_learn_finds(fitted):
    rng = np.random.default_rng(0)
    features = rng.normal(size=(3000, 6)).round(1).astype(np.float32)  # rounded: values meet thresholds
    label = (features[:, 0] * features[:, 1] + rng.normal(size=3000) > 0).astype(int)
    model = Tree(max_leaf_nodes=200, min_samples_leaf=3)
    model.arrays = {}
    model._grow(features, label, seed=0)
    theirs = DecisionTreeClassifier(criterion="log_loss", max_leaf_nodes=200, min_samples_leaf=3, random_state=0)
    expected = theirs.fit(features, label).predict_proba(features)[:, 1]
    np.testing.assert_allclose(model._leaf_values(features), expected, rtol=0, atol=1e-6)


def test_children_come_after_parents_and_leaves_are_their_own(fitted):
    left, right = (torch.from_numpy(child) for child in fitted.children())
    node = torch.arange(len(left))
    leaf = left == node
    assert torch.equal(leaf, right == node)
    assert (left[~leaf] > node[~leaf]).all()
    assert (right[~leaf] > node[~leaf]).all()
    assert int(leaf.sum()) <= SMALL["max_leaf_nodes"]
    assert int(fitted.auxiliary["samples"][leaf].min()) >= SMALL["min_samples_leaf"]
    assert int(fitted.auxiliary["samples"][leaf].sum()) == int(fitted.auxiliary["samples"][0])


def test_scores_are_shares_of_leaves(fitted, ratio):
    scores = fitted.score(np.arange(ratio.n_users))
    assert set(np.unique(scores)) <= set(fitted.arrays["value"].tolist())
    assert scores.min() >= 0
    assert scores.max() <= 1


def test_cost_complexity_cuts_branches(fitted, ratio):
    cut = Tree(**SMALL | {"ccp_alpha": 1e-3}).fit(ratio.train, seed=0)
    assert 1 < len(cut.arrays["value"]) < len(fitted.arrays["value"])


def test_singular_vectors_are_orthogonal_ordered_and_of_one_sign(ratio):
    matrix = ratio.train.tocsr()
    v = right_singular_vectors(matrix, 5, np.random.default_rng(0))
    np.testing.assert_allclose(v.T @ v, np.eye(5), atol=1e-5)
    s = np.linalg.norm(matrix @ v, axis=0)
    np.testing.assert_allclose(s, np.linalg.svd(matrix.toarray(), compute_uv=False)[:5], rtol=1e-4)
    assert (np.take_along_axis(v, np.abs(v).argmax(0)[None], 0) > 0).all()
    np.testing.assert_allclose(v, right_singular_vectors(matrix, 5, np.random.default_rng(1)), atol=1e-4)


def test_thresholds_part_single_numbers_as_double_ones_do():
    low = np.float32(1.0)
    high = np.nextafter(low, np.float32(2))
    between = (np.float64(low) + np.float64(high)) / 2 + 1e-9
    threshold = _rounded_down(np.array([between]))
    assert low <= threshold[0] < high


def test_a_folded_in_user_without_attributes_scores_like_a_known_one(fitted, ratio):
    """The latent factors are a projection of the history; the shared log's users have no attributes."""
    users = np.arange(10)
    np.testing.assert_array_equal(fitted.fold_in(ratio.train.tocsr()[users]), fitted.score(users))


def test_lists_are_personal(fitted, ratio):
    assert len(np.unique(fitted.recommend(np.arange(ratio.n_users), 1))) > 5
