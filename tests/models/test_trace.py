"""What models tell of themselves: activations pair by pair, gradients, and the inputs of their linear layers."""

import copy

import numpy as np
import pytest
import torch

from recprune.models import BPR, DLRM, EASE, IALS, MultVAE, NeuMF, SASRec, load_model
from recprune.models.parts.negatives import Positives, any_pairs, labelled_pairs
from recprune.pruning.units import values

MODELS = {
    "ials": IALS(factors=8, l2=5.0, iterations=5),
    "bpr": BPR(factors=8, epochs=4, batch_size=256),
    "ease": EASE(l2=50.0),
    "neumf": NeuMF(factors=8, hidden=(12, 6), epochs=3, batch_size=512, learning_rate=0.01),
    "mult-vae": MultVAE(hidden=24, latent=8, epochs=4, batch_size=32),
    "dlrm": DLRM(factors=8, hidden=(12, 6), epochs=3, batch_size=32),
    "sasrec": SASRec(factors=8, hidden=16, max_length=20, epochs=2, batch_size=32),
}
TRACED = sorted(set(MODELS) - {"ease"})
GRADIENT = ("bpr", "neumf", "mult-vae", "dlrm", "sasrec")
LINEAR = ("ease", "neumf", "mult-vae", "dlrm")


@pytest.fixture(scope="module")
def dense(ratio):
    return {name: model.fit(ratio.train, ratio.validation, seed=0) for name, model in MODELS.items()}


@pytest.mark.parametrize("name", TRACED)
class TestTrace:
    def test_scores_are_the_models_and_widths_those_of_the_structure(self, name, dense, ratio):
        model, (users, items) = dense[name], any_pairs(ratio.train, seed=0, most=500)
        scores, seen = model.trace(users, items)
        np.testing.assert_allclose(scores.detach(), model.score(np.arange(ratio.n_users))[users, items], atol=1e-4)
        units = {dim for unit in ("neuron", "factor") for dim in model.structure().get(unit, {})}
        assert set(seen) == units
        for unit in ("neuron", "factor"):
            if unit in model.structure():
                for dim, entries in values(model, unit).items():
                    assert seen[dim].shape == (500, len(entries))

    def test_every_pair_has_derivatives_of_its_own(self, name, dense, ratio):
        """Those of a pair are the same whether it is traced alone or beside others, of the same user too."""
        model, users, items = dense[name], np.array([3, 3, 7]), np.array([1, 2, 1])
        together, alone = (self.slopes(model, users[:n], items[:n]) for n in (3, 1))
        for dim in alone:
            np.testing.assert_allclose(together[dim][:1], alone[dim], rtol=1e-4, atol=1e-6)

    def test_a_small_change_of_an_activation_changes_the_score_by_the_derivative(self, name, dense, ratio):
        """First order, held against removing a unit's outgoing weights by a small part."""
        model, (users, items) = dense[name], any_pairs(ratio.train, seed=1, most=200)
        step = 1e-2
        for dim, (weight, _) in model.readers().items():
            if name == "sasrec" and dim != "block2":
                continue  # neurons of earlier positions have the same outgoing weights
            scores, seen = model.trace(users, items)
            (slope,) = torch.autograd.grad(scores.sum(), seen[dim])
            changed = model.clone()
            changed.arrays[weight][:, 0] *= 1 - step
            lost = (scores - changed.trace(users, items)[0]).detach() / step
            expected = (seen[dim] * slope)[:, 0].detach()
            np.testing.assert_allclose(lost, expected, atol=0.02 * float(expected.abs().max()) + 2e-3)

    @staticmethod
    def slopes(model, users, items):
        scores, seen = model.trace(users, items)
        return dict(zip(seen, torch.autograd.grad(scores.sum(), list(seen.values())), strict=True))

    def test_tracing_changes_nothing(self, name, dense, ratio):
        model = dense[name]
        before = {key: array.clone() for key, array in model.arrays.items()}
        self.slopes(model, *any_pairs(ratio.train, seed=0, most=50))
        for key, array in model.arrays.items():
            assert torch.equal(array, before[key])
            assert not array.requires_grad


@pytest.mark.parametrize("name", GRADIENT)
class TestGradients:
    def test_they_are_the_losses_slopes(self, name, dense, ratio):
        """Along the gradient, each part of it at a random length, against a difference of two losses of a batch."""
        model = dense[name].clone()
        model.bfloat16 = False  # of Mult-VAE
        gradient = next(model.gradients(ratio.train, seed=0))
        batch = next(iter(model.batches(ratio.train, np.random.default_rng(0), model.epochs)))

        def loss(step):
            arrays = {k: a + step * direction[k] if k in direction else a for k, a in model.arrays.items()}
            return float(model.loss(arrays | model.auxiliary, batch, torch.Generator().manual_seed(0)).double())

        rng = torch.Generator().manual_seed(1)
        length = sum(float(part.square().sum()) for part in gradient.values()) ** 0.5
        direction = {k: part / length * torch.rand(part.shape, generator=rng) for k, part in gradient.items()}
        expected = sum(float((gradient[key] * direction[key]).sum()) for key in gradient)
        step = 5e-3
        assert (loss(step) - loss(-step)) / (2 * step) == pytest.approx(expected, rel=0.02)

    def test_an_epoch_of_batches_and_arrays_as_they_were(self, name, dense, ratio):
        model = dense[name]
        before = {key: array.clone() for key, array in (model.arrays | model.auxiliary).items()}
        parts = [{k: g.clone() for k, g in part.items()} for part in model.gradients(ratio.train, seed=0)]
        assert len(parts) == sum(1 for _ in model.batches(ratio.train, np.random.default_rng(0), model.epochs))
        assert set(model.prunable()) <= set().union(*parts)
        for first, again in zip(parts, model.gradients(ratio.train, seed=0), strict=True):
            assert all(torch.equal(first[key], again[key]) for key in first)
        for key, array in (model.arrays | model.auxiliary).items():
            assert torch.equal(array, before[key])
            assert not array.requires_grad
            assert array.grad is None


def test_closed_form_gradient_of_ials_is_that_of_autograd(dense, ratio):
    model = dense["ials"]
    user, item = (model.arrays[name].double().requires_grad_() for name in ("user_factors", "item_factors"))
    seen = torch.from_numpy(ratio.train.toarray()).double()
    confidence = torch.where(seen > 0, model.alpha * seen, 1.0)
    (confidence * ((seen > 0).double() - user @ item.T).square()).sum().backward()
    (gradient,) = model.gradients(ratio.train, seed=0)
    for name, expected in (("user_factors", user.grad), ("item_factors", item.grad)):
        np.testing.assert_allclose(gradient[name], expected, rtol=1e-3, atol=1e-3 * float(expected.abs().max()))


def test_gradient_of_ease_balances_the_ridge(dense, ratio):
    model = dense["ease"]
    (gradient,) = model.gradients(ratio.train, seed=0)
    weights = model.arrays["item_item"]
    off = ~torch.eye(len(weights), dtype=torch.bool)
    np.testing.assert_allclose(gradient["item_item"][off], -2 * model.l2 * weights[off], atol=1e-2)


@pytest.mark.parametrize("name", LINEAR)
def test_linear_layers_give_what_a_weight_multiplies(name, dense, ratio):
    """Inputs x weights: the shapes fit, and where the layer is the last one the scores come out."""
    model = dense[name]
    layers = model.linear_layers(ratio.train, seed=0)
    for key, layer in layers.items():
        assert layer.inputs.shape[1] == model.prunable()[key].shape[layer.axis]
    if name == "ease":
        np.testing.assert_allclose(
            layers["item_item"].inputs @ model.arrays["item_item"].numpy(),
            model.score(np.arange(ratio.n_users)),
            atol=1e-5,
        )
    if name == "mult-vae":
        output = layers["output.weight"].inputs @ model.arrays["output.weight"].T + model.arrays["output.bias"]
        np.testing.assert_allclose(output, model.score(np.arange(ratio.n_users)), atol=1e-4)


@pytest.mark.parametrize("name", ["neumf", "dlrm"])
def test_linear_layers_of_pairs_add_up_to_the_score(name, dense, ratio):
    model = dense[name]
    layers = model.linear_layers(ratio.train, seed=5)
    users, items = any_pairs(ratio.train, seed=5)
    last = [key for key in layers if key.startswith("output")]
    score = sum(layers[key].inputs @ model.arrays[key].T for key in last)[:, 0]
    if name == "dlrm":
        score = score + model.arrays["item.bias"][items]
    np.testing.assert_allclose(score, model.score(np.arange(ratio.n_users))[users, items], atol=1e-4)


def test_an_item_bias_is_scored_traced_trained_saved_and_folded_in(dense, ratio, tmp_path):
    users = np.arange(ratio.n_users)
    bias = torch.linspace(-1, 1, ratio.n_items)
    for name in ("ials", "bpr"):
        model = dense[name].clone()
        model.arrays["item_bias"] = bias
        np.testing.assert_allclose(model.score(users), dense[name].score(users) + bias.numpy(), atol=1e-5)
        model.compact().save(tmp_path / name)
        np.testing.assert_array_equal(load_model(tmp_path / name).score(users), model.score(users))
    ials = copy.copy(dense["ials"])
    plain = ials.fold_in(ratio.train.tocsr()[users])
    ials.arrays = ials.arrays | {"item_bias": bias}
    np.testing.assert_allclose(ials.fold_in(ratio.train.tocsr()[users]), plain + bias.numpy(), atol=1e-5)


def test_labelled_pairs_are_half_interactions_and_half_unseen(ratio):
    users, items, label = labelled_pairs(ratio.train, seed=0, most=600)
    assert len(users) == len(items) == len(label) == 600
    seen = Positives(ratio.train).among(users.astype(np.int64) * ratio.n_items + items)
    assert seen[label == 1].all()
    assert seen[label == 0].mean() < 0.01  # users who have seen nearly everything keep a few
    everything = labelled_pairs(ratio.train, seed=0, most=10**6)[2]
    assert everything.sum() == ratio.train.nnz
