"""The shared training loop: negatives, masks, and the one forward pass in training and in scoring."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from recprune.evaluation import evaluate
from recprune.models import BPR, MultVAE, NeuMF
from recprune.models.descent import Adam, Target, steps_an_epoch, with_equal_updates
from recprune.models.parts import negatives as sampling
from recprune.models.parts.layers import dropout, lookup, sparse_times
from recprune.models.parts.negatives import Positives


@given(st.integers(0, 50))
@settings(max_examples=10)
def test_negatives_are_never_positives(ratio, seed):
    users = np.repeat(np.arange(ratio.n_users), 5).reshape(-1, 5)
    negatives = Positives(ratio.train).uniform_negatives(users, np.random.default_rng(seed), rounds=60)
    assert not (ratio.train.toarray()[users, negatives] > 0).any()


def test_negatives_are_uniform_over_what_is_left(checkerboard):
    users = np.zeros(40_000, np.int64)
    drawn = Positives(checkerboard).uniform_negatives(users, np.random.default_rng(0), rounds=60)
    free = np.flatnonzero(checkerboard.toarray()[0] == 0)
    counts = np.bincount(drawn, minlength=20)
    assert set(np.flatnonzero(counts).tolist()) == set(free.tolist())
    expected = len(users) / len(free)
    assert ((counts[free] - expected) ** 2 / expected).sum() < 31  # chi-squared with 10 degrees, p = .0005


def test_a_bitmap_and_a_search_know_the_same_positives(ratio, monkeypatch):
    everything = np.arange(ratio.n_users * ratio.n_items)
    by_bitmap = Positives(ratio.train)
    monkeypatch.setattr(sampling, "BITMAP", 0)
    by_search = Positives(ratio.train)
    assert by_bitmap.bits is not None and by_search.bits is None
    expected = ratio.train.toarray().ravel() > 0
    np.testing.assert_array_equal(by_bitmap.among(everything), expected)
    np.testing.assert_array_equal(by_search.among(everything), expected)


def test_a_lookup_has_the_gradient_of_an_embedding():
    table = torch.randn(7, 3, generator=torch.Generator().manual_seed(0)).requires_grad_()
    index = torch.tensor([[0, 2, 2], [6, 0, 5]], dtype=torch.int32)
    for rows in (lookup(table, index), F.embedding(index, table)):
        table.grad = None
        (rows.square().sum() + table.sum()).backward()
        gradient = table.grad.clone()
        if rows.grad_fn is not None:
            torch.testing.assert_close(
                gradient, 1 + 2 * table.detach() * torch.bincount(index.ravel(), minlength=7)[:, None]
            )


@pytest.mark.parametrize("share", [0.1, 0.5, 0.73])
def test_dropout_drops_its_share_and_keeps_the_mean(share):
    x = torch.ones(1000, 401)
    dropped = dropout(x, share, torch.Generator().manual_seed(0))
    assert float((dropped == 0).float().mean()) == pytest.approx(
        share, abs=4 * (share * (1 - share) / x.numel()) ** 0.5
    )
    assert float(dropped.mean()) == pytest.approx(1, abs=0.005)
    assert dropout(x, share, None) is x


def test_adam_is_torchs(ratio):
    ours, theirs = (torch.ones(5, 3).requires_grad_() for _ in range(2))
    adam, reference = Adam([ours], 0.03, 0.1), torch.optim.Adam([theirs], lr=0.03, weight_decay=0.1, fused=True)
    for step in range(5):
        for array, optimizer in ((ours, adam), (theirs, reference)):
            optimizer.zero_gradients() if optimizer is adam else optimizer.zero_grad()
            (array.cos() * (step + 1)).sum().backward()
            optimizer.step()
    torch.testing.assert_close(ours, theirs, rtol=0, atol=0)


def test_a_watch_ends_the_training_with_the_best_epoch(ratio):
    model, seen = BPR(factors=4, epochs=20), []
    model.watch = lambda epoch, best: seen.append((epoch, best)) or epoch == 3
    model.fit(ratio.train, ratio.validation, seed=0)
    assert [epoch for epoch, _ in seen] == [1, 2, 3] == [row["epoch"] for row in model.train_log]
    assert seen[-1][1] == max(row["val_ndcg@10"] for row in model.train_log)


def test_the_target_is_the_evaluators_validation_metric(ratio, strong):
    model = MultVAE(hidden=8, latent=4, epochs=2).fit(ratio.train, ratio.validation)
    assert Target(ratio.train.tocsr(), ratio.validation, None).ndcg(model) == pytest.approx(
        evaluate(model, ratio, on="validation").mean["ndcg@10"], abs=1e-12
    )
    model.fit(strong.train, strong.validation, fold_in=strong.fold_in("validation"))
    assert Target(strong.train.tocsr(), strong.validation, strong.fold_in("validation")).ndcg(model) == pytest.approx(
        evaluate(model, strong, on="validation").mean["ndcg@10"], abs=1e-12
    )


@pytest.mark.parametrize(
    "model", [BPR(factors=6), NeuMF(factors=4, hidden=(8, 4)), MultVAE(hidden=12, latent=4)], ids=lambda m: m.name
)
def test_masked_weights_stay_zero_in_training(model, ratio):
    model.epochs = 3
    model.fit(ratio.train, ratio.validation, seed=0)
    rng = torch.Generator().manual_seed(1)
    masks = {name: torch.rand(t.shape, generator=rng) < 0.5 for name, t in model.prunable().items()}
    before = {name: t.mul_(masks[name]).clone() for name, t in model.prunable().items()}
    model.descend(ratio.train, None, 0, epochs=2, masks=masks)
    for name, tensor in model.prunable().items():
        assert (tensor[~masks[name]] == 0).all()
        assert not torch.equal(tensor, before[name])
        assert not tensor.requires_grad


@pytest.mark.parametrize(
    "model", [BPR(factors=6), NeuMF(factors=4, hidden=(8, 4)), MultVAE(hidden=12, latent=4)], ids=lambda m: m.name
)
def test_a_mask_that_keeps_all_changes_nothing(model, ratio):
    model.epochs = 2
    plain, masked = (model.clone().fit(ratio.train, ratio.validation, seed=0) for _ in range(2))
    ones = {name: torch.ones(array.shape, dtype=torch.bool) for name, array in masked.prunable().items()}
    plain.descend(ratio.train, None, 1, epochs=2)
    masked.descend(ratio.train, None, 1, epochs=2, masks=ones)
    for name, array in plain.arrays.items():
        assert torch.equal(array, masked.arrays[name])


@given(st.integers(0, 2**31), st.integers(0, 6), st.integers(1, 9), st.integers(1, 12))
@settings(max_examples=40)
def test_a_sparse_input_is_multiplied_as_a_dense_one(seed, rows, columns, width):
    """The product with a table, and the table's gradient, added to the one that is there; rows may be empty."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, columns)).astype(np.float32) * (rng.random((rows, columns)) < 0.5)
    table = rng.normal(size=(columns, width)).astype(np.float32)
    told, full = (torch.tensor(table, requires_grad=True) for _ in range(2))
    wanted = torch.from_numpy(rng.normal(size=(rows, width)).astype(np.float32))
    product, expected = sparse_times(sparse.csr_array(x), told), torch.from_numpy(x) @ full
    torch.testing.assert_close(product, expected)
    for each, tensor in ((product, told), (expected, full)):
        tensor.grad = torch.ones(columns, width)
        (each * wanted).sum().backward()
    torch.testing.assert_close(told.grad, full.grad)


def test_training_on_never_loses_validation_quality(ratio):
    model = BPR(factors=8, epochs=20, learning_rate=0.02).fit(ratio.train, ratio.validation, seed=0)
    before = evaluate(model, ratio, on="validation").mean["ndcg@10"]
    model.descend(ratio.train, ratio.validation, 0, epochs=3, first_epoch=model.epochs, learning_rate=0.5)
    assert evaluate(model, ratio, on="validation").mean["ndcg@10"] >= before


def test_mult_vae_learns_what_it_scores_with(ratio):
    """Without noise the training loss is the multinomial log-likelihood of the scores, plus the divergence."""
    model = MultVAE(hidden=10, latent=4, dropout=0.0, beta=0.0, epochs=1).fit(ratio.train, seed=0)
    arrays = {**model.arrays, **model.auxiliary}
    arrays["variance.weight"].zero_()
    arrays["variance.bias"].fill_(-60.0)
    matrix = ratio.train.tocsr()[:30]
    loss = model.loss(arrays, (matrix, 0.0), torch.Generator().manual_seed(0))
    scores = torch.from_numpy(model.score(np.arange(30)))
    expected = -(torch.from_numpy(matrix.toarray()) * F.log_softmax(scores, 1)).sum(1).mean()
    assert float(loss) == pytest.approx(float(expected), rel=1e-5)


def test_neumf_learns_what_it_scores_with(ratio):
    """Without dropout the training loss is the cross-entropy of the scores plus the output bias."""
    model = NeuMF(factors=4, hidden=(8, 4), dropout=0.0, epochs=1).fit(ratio.train, seed=0)
    users, items = torch.arange(20), torch.arange(60).reshape(20, 3)
    loss = model.loss({**model.arrays, **model.auxiliary}, (users, items), torch.Generator())
    scores = torch.from_numpy(model.score(users.numpy())).gather(1, items) + model.auxiliary["output.bias"]
    label = torch.tensor([[1.0, 0.0, 0.0]]).expand(20, 3)
    assert float(loss) == pytest.approx(float(F.binary_cross_entropy_with_logits(scores, label)), rel=1e-5)


@given(st.floats(0.01, 30), st.integers(0, 99))
@settings(max_examples=20)
def test_clipping_bounds_the_norm_of_all_gradients_and_keeps_their_direction(limit, seed):
    rng = torch.Generator().manual_seed(seed)
    arrays = [torch.zeros(shape).requires_grad_() for shape in ((4, 3), (5,))]
    adam = Adam(arrays, 0.1, 0.0)
    for array in arrays:
        array.grad = torch.randn(array.shape, generator=rng)
    before = torch.cat([array.grad.ravel() for array in arrays])
    assert adam.clip(limit) == pytest.approx(float(before.norm()), rel=1e-5)
    after = torch.cat([array.grad.ravel() for array in arrays])
    torch.testing.assert_close(after, before * min(1.0, limit / float(before.norm())), rtol=1e-4, atol=1e-6)


def test_a_step_clips_then_moves_then_regularises_then_masks(ratio):
    """A regulariser sees what Adam's step left, with its learning rate; the masks have the last word."""
    model, seen = BPR(factors=3, epochs=1).fit(ratio.train, seed=0), []

    def regulariser(arrays, learning_rate):
        seen.append(learning_rate)
        arrays["item_factors"].fill_(2.0)

    mask = torch.arange(model.n_items * 3).reshape(-1, 3) % 2 == 0
    model.descend(
        ratio.train,
        None,
        0,
        epochs=2,
        learning_rate=0.03,
        masks={"item_factors": mask},
        regulariser=regulariser,
        clip=1e-3,
    )
    assert torch.equal(model.arrays["item_factors"], 2.0 * mask)
    assert set(seen) == {0.03}
    assert all(row["clipped"] == 1 and row["gradient_norm"] > 1e-3 for row in model.train_log)


def test_training_without_clipping_or_with_a_limit_never_reached_is_the_same(ratio):
    plain, clipped = (BPR(factors=4, epochs=2).fit(ratio.train, seed=0) for _ in range(2))
    assert set(plain.train_log[0]) == {"epoch", "loss"}
    plain.descend(ratio.train, None, 1, epochs=2)
    clipped.descend(ratio.train, None, 1, epochs=2, clip=1e6)
    assert [row["clipped"] for row in clipped.train_log] == [0, 0]
    for name, array in plain.arrays.items():
        assert torch.equal(array, clipped.arrays[name])


def test_masks_that_hold_from_an_epoch_on(ratio):
    """Before it training is the dense one; the best epoch is one of those after it."""
    dense = BPR(factors=4, epochs=12, learning_rate=0.02).fit(ratio.train, ratio.validation, seed=0)
    model = BPR(factors=4, epochs=12, learning_rate=0.02)
    model._know(ratio.train)
    model.initialise(torch.Generator().manual_seed(0))
    rng = torch.Generator().manual_seed(1)
    masks = {name: torch.rand(array.shape, generator=rng) < 0.1 for name, array in model.arrays.items()}
    model.descend(ratio.train, ratio.validation, 0, epochs=12, masks=masks, masked_from=10)
    assert model.train_log[:10] == dense.train_log[:10]
    assert model.train_log[10]["val_ndcg@10"] < dense.train_log[9]["val_ndcg@10"]
    assert all(not array[~masks[name]].any() for name, array in model.arrays.items())


def test_equal_updates_take_as_many_steps_on_less_data(ratio):
    rng = np.random.default_rng(0)
    less = ratio.train.select(rng.random(ratio.train.nnz) < 0.25)
    model = BPR(factors=4, epochs=10, patience=3, batch_size=64)
    longer = with_equal_updates(model, ratio.train, less)
    steps = [m.epochs * steps_an_epoch(m, train) for m, train in ((model, ratio.train), (longer, less))]
    assert steps[0] <= steps[1] < steps[0] + 2 * steps_an_epoch(longer, less)
    assert longer.patience == pytest.approx(3 * longer.epochs / 10, abs=1)
    assert longer.history is None and model.history is None
    users = MultVAE(epochs=10, batch_size=16)
    assert with_equal_updates(users, ratio.train, less).epochs == 10
