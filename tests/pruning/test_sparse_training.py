"""Training that makes sparse: what each penalty's step minimises, what it leaves at zero, and what doesn't."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays as numpy_arrays

from recprune.models import BPR, DLRM, EASE, MultVAE, NeuMF, SASRec
from recprune.pruning import sparse_training
from recprune.pruning.parameters import clipping, group_lasso, l2_threshold, proximal_l1, slim, soft_threshold
from recprune.pruning.recovery import REWIND_EPOCHS, rewind
from recprune.pruning.sparse_training import EMPTY, Penalty, epochs_of, mean_norm, steps_of
from recprune.pruning.units import Pool, apply, values

MODELS = {
    "bpr": BPR(factors=8, epochs=20, batch_size=256, learning_rate=0.02),
    "neumf": NeuMF(factors=4, hidden=(8, 4), epochs=12, batch_size=512, learning_rate=0.01),
    "mult-vae": MultVAE(hidden=16, latent=4, epochs=20, batch_size=16, learning_rate=0.01),
    "dlrm": DLRM(factors=4, hidden=(6,), epochs=8, batch_size=16, learning_rate=0.01),
    "sasrec": SASRec(factors=4, hidden=8, blocks=1, max_length=20, epochs=6, batch_size=32, learning_rate=0.003),
}
VECTORS = numpy_arrays(np.float32, st.integers(1, 12), elements=st.floats(-4, 4, width=32))


@pytest.fixture(scope="module")
def dense(ratio):
    return {name: model.fit(ratio.train, ratio.validation, seed=0) for name, model in MODELS.items()}


def zeros(model) -> float:
    entries = torch.cat([tensor.ravel() for tensor in model.prunable().values()])
    return float((entries == 0).float().mean())


def prepared(model, split, criterion, unit="weight", **more):
    model = model.clone()
    criterion.prepare(model, split, unit, 0, **more)
    return model


class TestProximalMaps:
    @given(VECTORS, st.floats(0, 3, width=32))
    def test_the_map_of_l1_minimises_its_objective(self, w, size):
        """x minimises |x - w|^2 / 2 + t |x|_1 exactly where w - x is in t times the subdifferential of |x|_1."""
        arrays = {"w": torch.from_numpy(w.copy())}
        share = proximal_l1.shrink(["w"], arrays, size)
        x = arrays["w"].numpy()
        moved = x != 0
        np.testing.assert_allclose((w - x)[moved], size * np.sign(x[moved]), atol=1e-6)
        assert (np.abs(w[~moved]) <= size * (1 + 1e-6)).all()
        assert share == pytest.approx(np.mean(~moved))

    @given(st.integers(1, 4), st.integers(1, 5), st.integers(1, 3), st.floats(0, 2), st.integers(0, 99))
    def test_the_map_of_the_group_lasso_minimises_its_objective(self, n, rows, columns, size, seed):
        """For a group g, w - x = t sqrt|g| x / |x| where x is not zero, and |w| <= t sqrt|g| where it is."""
        rng = torch.Generator().manual_seed(seed)
        shapes = {"a": (rows, n), "b": (n, columns), "c": (n,)}
        arrays = {name: torch.randn(shape, generator=rng) for name, shape in shapes.items()}
        joined = lambda: torch.cat([arrays["a"].T, arrays["b"], arrays["c"][:, None]], 1)
        w = joined()
        share = group_lasso.shrink([[("a", 1), ("b", 0), ("c", 0)]], arrays, size)
        x = joined()
        length = size * w.shape[1] ** 0.5
        empty = ~x.any(1)
        assert (w[empty].norm(dim=1) <= length * (1 + 1e-5)).all()
        direction = x[~empty] / x[~empty].norm(dim=1, keepdim=True)
        torch.testing.assert_close((w - x)[~empty], length * direction, atol=1e-5, rtol=1e-4)
        assert share == pytest.approx(float(empty.float().mean()))

    def test_groups_of_two_dimensions_are_shrunk_in_turn(self, dense):
        """The neurons of two layers share the weights between them."""
        model = dense["neumf"].clone()
        dimensions = list(model.structure()["neuron"].values())
        assert group_lasso.shrink(dimensions, model.arrays, 0.0) == 0
        assert group_lasso.shrink(dimensions, model.arrays, 1e3) == 1
        assert not model.arrays["layer2.weight"].any()
        assert model.arrays["gmf.user"].any()


def test_the_strength_of_a_penalty_follows_its_effect():
    sizes, share = [], iter([0.0, 0.0, 0.9, 0.2])
    penalty = Penalty(lambda arrays, size: sizes.append(size) or next(share), 2.0, 4)
    for _ in range(4):
        penalty({}, 0.1)
    strengths = [2 * EMPTY / 4, 2 * EMPTY / 2, 1.0, 2 * (EMPTY - 0.9)]
    assert sizes == pytest.approx([0.1 * s for s in strengths])
    assert penalty.empty == 0.2


@pytest.mark.parametrize("name", sorted(MODELS))
class TestEveryModel:
    def test_the_proximal_step_leaves_exact_zeros(self, name, dense, ratio):
        assert zeros(prepared(dense[name], ratio, proximal_l1)) > max(0.05, 2 * zeros(dense[name]))

    def test_the_soft_threshold_leaves_exact_zeros_below_it(self, name, dense, ratio):
        model = prepared(dense[name], ratio, soft_threshold)
        margins = soft_threshold.score(model, "weight", ratio.train, 0)
        for key, tensor in model.prunable().items():
            assert torch.equal(margins[key] > 0, tensor.ravel() != 0)
            torch.testing.assert_close(margins[key].clamp(min=0), tensor.abs().ravel())
        assert zeros(model) > zeros(dense[name])
        soft_threshold.adjust(model, ratio, "weight", {}, 0, model)
        assert model.auxiliary.keys() == dense[name].auxiliary.keys()

    @pytest.mark.parametrize("criterion", [l2_threshold, clipping], ids=["l2", "clipping"])
    def test_decay_and_clipping_leave_none(self, criterion, name, dense, ratio):
        """What is not zero before is not zero after; what is, stays."""
        model = prepared(dense[name], ratio, criterion, clip=True)
        for key, tensor in model.prunable().items():
            assert torch.equal(tensor != 0, dense[name].arrays[key] != 0)

    def test_rewinding_with_everything_kept_is_the_dense_training(self, name, dense, ratio):
        model = dense[name].clone()
        everything = {key: torch.ones_like(tensor, dtype=torch.bool) for key, tensor in model.prunable().items()}
        rewind(model, ratio, everything, 0)
        best = max(range(len(dense[name].train_log)), key=lambda e: dense[name].train_log[e]["val_ndcg@10"])
        assert best >= REWIND_EPOCHS, "the example does not train long enough to tell"
        for key, array in dense[name].arrays.items():
            assert torch.equal(model.arrays[key], array)

    def test_rewinding_keeps_what_was_removed_at_zero(self, name, dense, ratio):
        model = dense[name].clone()
        for unit in ("weight", "item-row"):
            if unit not in ("weight", *model.structure()):
                continue
            pool = Pool.of(model, unit)
            keep = np.random.default_rng(0).random(len(pool.present)) < 0.6
            masks = pool.masks(model, keep)
            apply(model, masks)
            rewind(model, ratio, masks, 0)
            for key, mask in masks.items():
                assert not model.arrays[key][~mask].any()
                assert model.arrays[key].any()


def test_rewinding_a_short_training_holds_the_masks_too(ratio):
    model = BPR(factors=4, epochs=1).fit(ratio.train, ratio.validation)
    masks = {key: torch.rand(tensor.shape) < 0.5 for key, tensor in model.prunable().items()}
    rewind(model, ratio, masks, 0)
    assert all(not model.arrays[key][~mask].any() for key, mask in masks.items())


@pytest.mark.parametrize("name", ["bpr", "mult-vae"])
def test_a_subgradient_of_l1_under_adam_leaves_no_exact_zero(name, dense, ratio):
    """The same penalty, added to the loss: weights jump to and fro over zero."""
    model, without = dense[name].clone(), dense[name].loss
    names = list(model.prunable())
    model.loss = lambda arrays, *rest: without(arrays, *rest) + 0.5 * sum(arrays[n].abs().sum() for n in names)
    sparse_training.train_on(model, ratio, 0, None)
    small = float(torch.cat([tensor.abs().ravel() for tensor in model.prunable().values()]).median())
    assert small < 5 * model.learning_rate
    assert zeros(model) == 0


@pytest.mark.parametrize(("name", "unit"), [("bpr", "factor"), ("mult-vae", "neuron"), ("bpr", "item-row")])
def test_the_group_lasso_empties_whole_units(name, unit, dense, ratio, monkeypatch):
    monkeypatch.setattr(group_lasso, "GAIN", 1.0)  # the examples are small and short
    model = prepared(dense[name], ratio, group_lasso, unit)
    there = torch.cat([(value != 0).any(1) for value in values(model, unit).values()])
    assert 0 < there.sum() < len(there)
    for value in values(model, unit).values():
        assert (value[value.any(1)] != 0).float().mean() > 0.9  # what is left of a unit is left whole


def test_the_group_lasso_finds_useless_factors(ratio):
    """Four factors are trained, four are noise as large; training on under the penalty shrinks the noise to less."""
    model = BPR(factors=4, epochs=30, batch_size=256, learning_rate=0.02, l2=0.0).fit(
        ratio.train, ratio.validation, seed=0
    )
    padded, rng = model.clone(), torch.Generator().manual_seed(0)
    for key, tensor in model.arrays.items():
        padded.arrays[key] = torch.cat([tensor, tensor.std() * torch.randn(tensor.shape, generator=rng)], 1)
    trained = prepared(padded, ratio, group_lasso, "factor")
    before, after = (values(m, "factor")["factors"].norm(dim=1) for m in (padded, trained))
    assert before[4:].mean() > 0.8 * before[:4].mean()
    assert set(after.topk(4).indices.tolist()) == {0, 1, 2, 3}


class TestSoftThreshold:
    def test_it_starts_with_no_pruning_and_the_models_own_loss(self, dense, ratio):
        model = dense["mult-vae"]
        learned = soft_threshold.Thresholds(model, 100)
        arrays = leaves(model, learned)
        batch = next(model.batches(ratio.train, np.random.default_rng(0), 0))
        loss = learned.loss(arrays, batch, torch.Generator().manual_seed(0))
        own = model.loss({**model.arrays, **model.auxiliary}, batch, torch.Generator().manual_seed(0))
        for name in model.prunable():
            assert float(learned.threshold(arrays, name).detach()) == pytest.approx(3.06e-7, rel=1e-2)
        assert float(loss.detach()) == pytest.approx(float(own), rel=1e-4)

    @given(st.floats(-6, 0), st.integers(0, 20))
    @settings(max_examples=10)
    def test_its_gradient_is_that_of_the_thresholded_loss(self, dense, ratio, s, seed):
        """In v, in s, and in what has no threshold: as autograd has it, the thresholds inside of its graph."""
        model = dense["mult-vae"].clone()
        model.bfloat16 = False
        learned = soft_threshold.Thresholds(model, 100)
        batch = next(model.batches(ratio.train, np.random.default_rng(seed), 5))
        gradients = []
        for loss in (
            learned.loss,
            lambda a, *rest: model.loss(
                {**a, **{n: soft_threshold.soft(a[n], learned.threshold(a, n)) for n in learned.names}}, *rest
            ),
        ):
            arrays = leaves(model, learned, s)
            loss(arrays, batch, torch.Generator().manual_seed(seed)).backward()
            gradients.append({name: array.grad for name, array in arrays.items()})
        for name in gradients[0]:
            torch.testing.assert_close(gradients[0][name], gradients[1][name], rtol=1e-4, atol=1e-5)

    def test_the_gradient_of_s_where_tables_are_looked_up(self, dense, ratio):
        """dL/ds = - sigmoid'(s) sum of g sign(v) over the weights above the threshold."""
        model = dense["bpr"]
        learned = soft_threshold.Thresholds(model, 100)
        arrays = leaves(model, learned, -2.0)
        batch = next(model.batches(ratio.train, np.random.default_rng(0), 0))
        learned.loss(arrays, batch, torch.Generator()).backward()
        threshold = torch.sigmoid(torch.tensor(-2.0))
        w = {n: soft_threshold.soft(arrays[n].detach(), threshold).requires_grad_() for n in learned.names}
        model.loss(w, batch, torch.Generator()).backward()
        for name in learned.names:
            above, g = arrays[name].detach().abs() > threshold, w[name].grad
            expected = -(threshold * (1 - threshold)) * (g * arrays[name].detach().sign())[above].sum() * learned.unit
            assert float(arrays[f"s.{name}"].grad) == pytest.approx(float(expected), rel=1e-3, abs=1e-7)
            torch.testing.assert_close(arrays[name].grad, g * above)

    def test_the_decay_stops_where_the_wanted_share_is_zero(self, dense, ratio):
        model = dense["bpr"]
        learned = soft_threshold.Thresholds(model, 10)
        batch = next(model.batches(ratio.train, np.random.default_rng(0), 0))
        pull = {}
        for behind in (True, False):
            learned.taken, learned.zeros = 5, 0.0 if behind else EMPTY / 2
            arrays = leaves(model, learned)
            learned.loss(arrays, batch, torch.Generator()).backward()
            pull[behind] = float(arrays["s.user_factors"].grad)
        assert pull[True] < -1e-2 < pull[False] < 1e-2  # Adam goes against it: s grows


def leaves(model, learned, s=None):
    """The arrays that training has, with gradients; all thresholds at `s`."""
    arrays = {**model.arrays, **model.auxiliary, **learned.initial()}
    if s is not None:
        arrays |= {f"s.{name}": torch.tensor(s / learned.unit) for name in learned.names}
    return {name: array.clone().requires_grad_() for name, array in arrays.items()}


def test_the_sparse_linear_method_solves_its_problem(ratio):
    """The gradient of the squared errors and the ridge balances lambda sign(B), and is below lambda where B is zero."""
    model = EASE(l2=50.0).fit(ratio.train)
    layer = model.linear_layers(ratio.train, 0)["item_item"]
    gram = slim.gram_of(layer)
    weights, strength = slim.solve(gram, layer.ridge, model.arrays["item_item"])
    gradient = gram @ weights + layer.ridge * weights - gram
    gradient.fill_diagonal_(0)
    there = weights != 0
    assert strength > 0
    assert float((gradient + strength * weights.sign())[there].abs().max()) < 0.05 * strength
    assert float(gradient[~there].abs().max()) < 1.01 * strength
    assert not weights.diag().any()
    assert float((~there).float().mean()) == pytest.approx(EMPTY, abs=0.02)
    eigenvalue = float(torch.linalg.eigvalsh(gram + layer.ridge * torch.eye(len(gram)))[-1])
    assert eigenvalue <= slim.largest_eigenvalue(gram + layer.ridge * torch.eye(len(gram))) <= 1.03 * eigenvalue
    slim.prepare(model, ratio, "weight", 0)
    assert torch.equal(model.arrays["item_item"], weights)


def test_clipping_clips_at_half_of_the_mean_norm(dense, ratio):
    model = dense["bpr"].clone()
    norm = mean_norm(model, ratio, 0)
    assert norm > 0
    for key, array in dense["bpr"].arrays.items():
        assert torch.equal(model.arrays[key], array)
    sparse_training.train_on(model, ratio, 0, None, clip=True)
    assert len(model.train_log) == epochs_of(model)
    assert 0.5 < np.mean([row["clipped"] for row in model.train_log]) <= 1


def test_steps_are_counted(dense, ratio):
    count = []
    sparse_training.train_on(dense["bpr"].clone(), ratio, 0, lambda arrays, learning_rate: count.append(learning_rate))
    assert count == [dense["bpr"].learning_rate] * steps_of(dense["bpr"], ratio)
