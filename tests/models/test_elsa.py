"""ELSA: the product of low rank without its diagonal, rows of length 1, and embeddings that are trained sparse."""

from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from recprune.evaluation import evaluate
from recprune.models import ELSA, Popularity, load_model
from recprune.models.elsa import TABLE, largest
from recprune.pruning import prune

SMALL = ELSA(factors=12, epochs=30, batch_size=32, learning_rate=0.02)
SPARSE = ELSA(factors=12, nonzeros=3, rounds=4, round_epochs=2, epochs=8, batch_size=32, learning_rate=0.05)


@pytest.fixture(scope="module")
def dense(ratio):
    return SMALL.fit(ratio.train, ratio.validation, seed=0)


@pytest.fixture(scope="module")
def few(ratio):
    return SPARSE.fit(ratio.train, ratio.validation, seed=0)


def by_hand(model, x):
    """x (A A' - diag(A A')) in double precision."""
    table = model.arrays[TABLE].double().numpy()
    product = table @ table.T
    return x @ (product - np.diag(np.diag(product)))


def test_scores_are_the_product_without_its_diagonal(dense, few, ratio):
    users = np.arange(ratio.n_users)
    for model in (dense, few, prune(dense, ratio, keep=0.3).model):
        np.testing.assert_allclose(model.score(users), by_hand(model, ratio.train.toarray()), atol=1e-5)


def test_an_item_says_nothing_of_itself(dense, few, ratio):
    alone = sparse.csr_array(np.eye(ratio.n_items, dtype=np.float32) * 3)
    for model in (dense, few, prune(dense, ratio, keep=0.3).model):
        np.testing.assert_allclose(np.diag(model.fold_in(alone)), 0, atol=1e-6)


def test_rows_have_length_one(dense, few):
    for model in (dense, few):
        np.testing.assert_allclose(model.arrays[TABLE].norm(dim=1), 1, atol=1e-6)


@settings(max_examples=40)
@given(seed=st.integers(0, 2**31), users=st.integers(1, 6), items=st.integers(2, 9), factors=st.integers(1, 12))
def test_the_loss_is_that_of_the_scores(seed, users, items, factors):
    """2 - 2 cos(x, f(x)), and its gradient, with every score written out; histories are weighted, rows may be zeros."""
    rng = np.random.default_rng(seed)
    x = (rng.random((users, items)) < 0.5) * rng.uniform(0.5, 2, (users, items)).astype(np.float32)
    x[:, :2] = 1  # so that there is something to predict
    table = rng.normal(size=(items, factors)).astype(np.float32)
    table[2:][rng.random(items - 2) < 0.3] = 0
    told, full = (torch.tensor(table, requires_grad=True) for _ in range(2))
    loss = ELSA(factors=factors).loss({TABLE: told}, (sparse.csr_array(x),), torch.Generator())
    loss.backward()
    rows = F.normalize(full.double())
    product = rows @ rows.T
    scores = torch.from_numpy(x).double() @ (product - torch.diag(product.diagonal()))
    expected = 2 - 2 * F.cosine_similarity(scores, torch.from_numpy(x).double()).mean()
    expected.backward()
    if (scores.norm(dim=1) > 0.05).all():  # else the direction of the scores is a matter of rounding
        assert float(loss.detach()) == pytest.approx(float(expected.detach()), abs=1e-3)
        there = (table != 0).any(1)
        np.testing.assert_allclose(told.grad[there], full.grad[there], atol=2e-2)
    assert torch.isfinite(told.grad).all()


def test_the_loss_falls_and_popularity_is_beaten(dense, ratio):
    losses = [row["loss"] for row in dense.train_log]
    assert losses[0] > losses[len(losses) // 2] > 0.2
    popular = Popularity().fit(ratio.train)
    found, floor = (evaluate(model, ratio, on="validation").mean["ndcg@10"] for model in (dense, popular))
    assert found > floor


def test_the_same_seed_gives_the_same_bytes(few, ratio):
    again = ELSA(**few.hyperparameters()).fit(ratio.train, ratio.validation, seed=0)
    assert torch.equal(again.arrays[TABLE], few.arrays[TABLE])
    other = ELSA(**few.hyperparameters()).fit(ratio.train, ratio.validation, seed=1)
    assert not torch.equal(other.arrays[TABLE], few.arrays[TABLE])


class TestSparse:
    def test_every_item_has_as_many_entries_as_asked_for(self, few):
        assert ((few.arrays[TABLE] != 0).sum(1) == 3).all()

    @given(factors=st.integers(1, 600), nonzeros=st.integers(1, 600), rounds=st.integers(1, 30))
    def test_the_numbers_fall_by_a_constant_ratio_to_the_last(self, factors, nonzeros, rounds):
        numbers = ELSA(factors=factors, nonzeros=nonzeros, rounds=rounds)._numbers_of_entries()
        if nonzeros >= factors:
            assert not numbers
            return
        assert len(numbers) == rounds and numbers[-1] == nonzeros
        exact = factors * (nonzeros / factors) ** (np.arange(1, rounds + 1) / rounds)
        assert (np.abs(np.array(numbers) - exact) <= 0.5 + 1e-9).all()

    def test_the_largest_entries_stay(self):
        table = torch.tensor([[1.0, -4.0, 2.0, 3.0], [0.5, 0.1, -0.2, 0.3]])
        assert largest(table, 2).tolist() == [[False, True, False, True], [True, False, False, True]]

    def test_what_stays_starts_again_at_its_initial_values(self, ratio):
        model = ELSA(**SPARSE.hyperparameters() | {"epochs": 0}).fit(ratio.train, seed=0)
        initial = ELSA(factors=12, epochs=0).fit(ratio.train, seed=0)
        there = model.auxiliary["support"]
        np.testing.assert_allclose(model.arrays[TABLE], F.normalize(initial.arrays[TABLE] * there), atol=1e-6)

    @pytest.mark.parametrize("recovery", ["none", "fine-tune", "rewind", "retrain"])
    def test_no_recovery_fills_what_was_never_there(self, few, ratio, recovery):
        pruned = prune(few, ratio, keep=0.5, recovery=recovery)
        there = pruned.model.arrays[TABLE] != 0
        assert not (there & ~few.auxiliary["support"]).any()
        assert int(there.sum()) <= 3 * ratio.n_items // 2 + 1

    def test_a_compact_one_is_sparse_and_scores_the_same(self, few, dense, ratio, tmp_path):
        users = np.arange(ratio.n_users)
        small = few.compact()
        assert isinstance(small.arrays[TABLE], sparse.csr_array) and small.arrays[TABLE].nnz == 3 * ratio.n_items
        np.testing.assert_allclose(small.score(users), few.score(users), rtol=1e-6, atol=1e-6)
        small.save(tmp_path / "small")
        np.testing.assert_array_equal(load_model(tmp_path / "small").score(users), small.score(users))
        assert not small.fold_in(sparse.csr_array((1, ratio.n_items), dtype=np.float32)).any()
        assert small.macs() == few.macs() < dense.macs()

    def test_a_smaller_one_has_fewer_entries(self):
        assert SPARSE.smaller(0.34).hyperparameters() == SPARSE.hyperparameters() | {"nonzeros": 1}
        assert SMALL.smaller(0.5).factors == 6


class TestPruned:
    @pytest.mark.parametrize("unit", ["weight", "factor", "item-row"])
    def test_the_compact_form_scores_like_the_masked_one(self, dense, ratio, unit):
        pruned, users = prune(dense, ratio, unit=unit, keep=0.25), np.arange(ratio.n_users)
        np.testing.assert_allclose(pruned.compact().score(users), pruned.score(users), atol=1e-5)

    def test_trained_on_it_keeps_its_zeros_and_has_rows_of_length_one(self, dense, ratio):
        pruned = prune(dense, ratio, keep=0.3)
        pruned.model.descend(ratio.train, None, 0, epochs=2, masks=pruned.masks)
        table = pruned.model.arrays[TABLE]
        assert (table[~pruned.masks[TABLE]] == 0).all()
        length = table.norm(dim=1).numpy()
        np.testing.assert_allclose(length[length > 0], 1, atol=1e-6)

    def test_turning_to_the_principal_axes_changes_no_score(self, dense, few, ratio):
        users = np.arange(ratio.n_users)
        for model in (dense, few):
            turned = model.clone()
            singular = turned.canonicalise(ratio.train)
            np.testing.assert_allclose(turned.score(users), model.score(users), atol=1e-5)
            np.testing.assert_allclose(turned.singular_values(ratio.train), singular, atol=1e-5)
            np.testing.assert_allclose(turned.arrays[TABLE].norm(dim=1), model.arrays[TABLE].norm(dim=1), atol=1e-5)
            assert (singular.diff() <= 0).all()

    def test_the_first_axes_keep_most_of_the_users_directions(self, dense, ratio):
        def directions(model):
            codes = ratio.train.tocsr().toarray().astype(float) @ model.arrays[TABLE].double().numpy()
            return codes / np.linalg.norm(codes, axis=1, keepdims=True).clip(1e-12)

        turned, cut = dense.clone(), prune(dense, ratio, criterion="principal-axes", unit="factor", keep=0.25)
        turned.canonicalise(ratio.train)
        kept = cut.masks[TABLE].any(0).numpy()
        best = np.linalg.svd(directions(dense), compute_uv=False)
        assert kept.tolist() == [True] * 3 + [False] * 9
        assert (directions(turned)[:, kept] ** 2).sum() == pytest.approx((best[:3] ** 2).sum(), rel=1e-5)

    def test_items_without_histories_do_not_turn_the_axes(self, dense, ratio):
        """However many there are: the axes are the users', who never meet them."""
        more, n_more = dense.clone(), 50
        new = torch.nn.functional.normalize(torch.randn(n_more, 12, generator=torch.Generator().manual_seed(0)), dim=1)
        more.arrays[TABLE] = torch.cat([dense.arrays[TABLE], new])
        train = replace(ratio.train, items=np.arange(ratio.n_items + n_more))
        np.testing.assert_allclose(more.canonicalise(train), dense.clone().canonicalise(ratio.train), atol=1e-5)
