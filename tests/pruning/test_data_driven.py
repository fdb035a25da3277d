"""Criteria that look at data: what each says of planted units, and what their corrections promise."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import mutual_info_score
from sklearn.tree import DecisionTreeClassifier

from recprune.models import BPR, DLRM, EASE, IALS, MultVAE, NeuMF, SASRec, Tree
from recprune.models.parts.negatives import any_pairs
from recprune.pruning import units
from recprune.pruning.parameters import (
    activation_variance,
    brain_surgeon,
    cost_complexity,
    magnitude,
    mask_shuffle,
    mutual_information,
    principal_axes,
    random,
    snip,
    taylor,
)
from recprune.pruning.select import Ranking, how_many

MODELS = {
    "ials": IALS(factors=8, l2=5.0, iterations=5),
    "bpr": BPR(factors=8, epochs=6, batch_size=256),
    "ease": EASE(l2=50.0),
    "neumf": NeuMF(factors=8, hidden=(12, 6), epochs=6, batch_size=512, learning_rate=0.01),
    "mult-vae": MultVAE(hidden=24, latent=8, epochs=6, batch_size=32),
    "dlrm": DLRM(factors=8, hidden=(12, 6), epochs=3, batch_size=32),
    "sasrec": SASRec(factors=8, hidden=16, max_length=20, epochs=2, batch_size=32),
    "tree": Tree(factors=4, max_leaf_nodes=40, min_samples_leaf=20),
}


@pytest.fixture(scope="module")
def dense(ratio):
    return {name: model.fit(ratio.train, ratio.validation, seed=0) for name, model in MODELS.items()}


def cut(model, unit, scores, keep, scope="global"):
    """The model with a share of its units kept, by scores; and its masks."""
    pool = units.Pool.of(model, unit)
    ranking = Ranking(pool.flat(scores), 0, pool.groups(scope), pool.present)
    alive = ranking.first(how_many(pool.n, keep))
    pruned = model.clone()
    masks = pool.masks(pruned, alive | ~pool.present)
    units.apply(pruned, masks)
    return pruned, masks


class TestMaskShuffle:
    @pytest.mark.parametrize(("name", "unit"), [("neumf", "weight"), ("mult-vae", "neuron"), ("ease", "neighbour")])
    @pytest.mark.parametrize("keep", [0.1, 0.5])
    def test_each_tensor_keeps_as_many_as_by_magnitude_elsewhere(self, dense, ratio, name, unit, keep):
        model = dense[name]
        masks = {r: cut(model, unit, r.score(model, unit, ratio.train, 0), keep)[1] for r in (magnitude, mask_shuffle)}
        for array, mask in masks[magnitude].items():
            assert mask.sum() == masks[mask_shuffle][array].sum()
        assert any((mask != masks[mask_shuffle][array]).any() for array, mask in masks[magnitude].items())

    @given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 5)), min_size=1, max_size=40), st.integers(0, 9))
    def test_lists_keep_their_values_and_zeros_their_places(self, entries, seed):
        lists, norm = (np.array(column) for column in zip(*entries, strict=True))
        shuffled = mask_shuffle._permuted(norm, lists, np.random.default_rng(seed))
        np.testing.assert_array_equal(shuffled == 0, norm == 0)
        for one in np.unique(lists):
            np.testing.assert_array_equal(np.sort(shuffled[lists == one]), np.sort(norm[lists == one]))


class TestTaylor:
    @pytest.mark.parametrize(("name", "unit"), [("bpr", "factor"), ("neumf", "neuron"), ("mult-vae", "factor")])
    def test_a_units_sum_is_the_slope_of_the_loss_as_the_unit_shrinks(self, dense, ratio, name, unit):
        model = dense[name].clone()
        model.bfloat16 = False  # of Mult-VAE
        batch = next(iter(model.batches(ratio.train, np.random.default_rng(0), model.epochs)))
        products = taylor.products(model, unit, next(model.gradients(ratio.train, seed=0)))

        def loss(dimension, f, step):
            arrays = dict(model.arrays)
            for array, axis in model.structure()[unit][dimension]:
                arrays[array] = arrays[array].clone()
                arrays[array].select(axis, f).mul_(1 + step)
            return float(model.loss(arrays | model.auxiliary, batch, torch.Generator().manual_seed(0)))

        for dimension, entries in products.items():
            slopes = [(loss(dimension, f, 0.01) - loss(dimension, f, -0.01)) / 0.02 for f in range(len(entries))]
            np.testing.assert_allclose(entries.sum(1), slopes, rtol=0.02, atol=2e-3)

    def test_in_closed_form_the_ridge_makes_it_magnitude(self, dense, ratio):
        """EASE: |w g| = 2 l2 w^2, so both order all weights alike."""
        model = dense["ease"]
        score = taylor.score(model, "weight", ratio.train, 0)["item_item"]
        np.testing.assert_allclose(
            score, 2 * model.l2 * model.arrays["item_item"].square().ravel(), rtol=1e-2, atol=1e-5
        )

    def test_its_two_forms_agree_on_single_weights_and_are_bounded_on_larger_units(self, dense, ratio):
        """|sum| <= sqrt(n) times the root of the sum of squares (Cauchy and Schwarz)."""
        for unit in ("weight", "neuron"):
            together, apart = (
                rule(dense["neumf"], unit, ratio.train, 0) for rule in (taylor.score, taylor.score_apart)
            )
            for name, entries in units.values(dense["neumf"], unit).items():
                if unit == "weight":
                    np.testing.assert_array_equal(together[name], apart[name])
                assert (together[name] <= entries.shape[1] ** 0.5 * apart[name] * (1 + 1e-4) + 1e-9).all()

    def test_weights_that_the_loss_does_not_depend_on_go_first(self, dense, ratio):
        """A factor of users alone, the largest of all, scores nothing; magnitude keeps it."""
        model = padded(dense["bpr"], user=5.0, item=0.0)
        scores = {rule: rule.score(model, "factor", ratio.train, 0)["factors"] for rule in (taylor, magnitude)}
        assert scores[taylor].argmin() == 8
        assert scores[magnitude].argmax() == 8


class TestSnip:
    @pytest.mark.parametrize("name", ["bpr", "neumf", "mult-vae", "dlrm", "sasrec"])
    def test_weights_are_those_that_training_starts_from(self, dense, ratio, name):
        model = dense[name].clone()
        snip.prepare(model, ratio, "weight", seed=4)
        untrained = replace(MODELS[name], epochs=0).fit(ratio.train, seed=4)
        for array, tensor in untrained.arrays.items():
            assert torch.equal(model.arrays[array], tensor)

    def test_score_is_the_slope_of_the_mean_loss_times_the_weight(self, dense, ratio):
        model = dense["bpr"]
        batches = list(model.gradients(ratio.train, seed=0))
        mean = sum(g["item_factors"] for g in model.gradients(ratio.train, seed=0)) / len(batches)
        score = snip.score(model, "weight", ratio.train, 0)["item_factors"]
        np.testing.assert_allclose(score, (mean * model.arrays["item_factors"]).abs().ravel(), rtol=1e-4, atol=1e-9)


def padded(model, user, item, seed=0):
    """A factor model with one more factor: noise of the given sizes among users and items."""
    wide, rng = model.clone(), torch.Generator().manual_seed(seed)
    for array, size in (("user_factors", user), ("item_factors", item)):
        old = wide.arrays[array]
        wide.arrays[array] = torch.cat([old, size * torch.randn(len(old), 1, generator=rng)], 1)
    return wide


class TestActivationVariance:
    @pytest.mark.parametrize("name", ["ials", "bpr"])
    def test_a_large_factor_without_effect_goes_first(self, dense, ratio, name):
        """Large among users, next to nothing among items: its norm is the largest, what it adds is not."""
        model = padded(dense[name], user=5.0, item=1e-4)
        score = {
            rule: rule.score(model, "factor", ratio.train, 0)["factors"] for rule in (magnitude, activation_variance)
        }
        assert score[activation_variance].argmin() == 8
        assert score[magnitude].argmax() == 8

    def test_principal_axes_find_a_useless_factor_after_a_rotation(self, dense, ratio):
        """Rotated, it is in every coordinate: variance and chance then lose what matters, the principal axes do not."""
        model, users = padded(dense["ials"], user=5.0, item=1e-4), np.arange(ratio.n_users)
        scores = model.score(users)
        q, _ = torch.linalg.qr(torch.randn(9, 9, generator=torch.Generator().manual_seed(0)))
        for array in ("user_factors", "item_factors"):
            model.arrays[array] = model.arrays[array] @ q
        turned = model.clone()
        principal_axes.prepare(turned, ratio, "factor", 0)
        cases = {"axes": (turned, principal_axes), "variance": (turned, activation_variance), "random": (model, random)}
        error = {}
        for name, (basis, rule) in cases.items():
            pruned, _ = cut(basis, "factor", rule.score(basis, "factor", ratio.train, 0), keep=8 / 9)
            error[name] = np.abs(pruned.score(users) - scores).mean()
        assert max(error["axes"], error["variance"]) < 0.01 * error["random"]

    def test_a_constant_factor_costs_nothing(self, dense, ratio):
        """The same for every user: it goes first, and its part of every score stays, as a bias of the item."""
        model = padded(dense["bpr"], user=0.0, item=1.0)
        model.arrays["user_factors"][:, 8] = 3.0
        score = activation_variance.score(model, "factor", ratio.train, 0)
        assert score["factors"].argmin() == 8
        pruned, masks = cut(model, "factor", score, keep=8 / 9)
        activation_variance.adjust(pruned, ratio, "factor", masks, 0, model)
        users = np.arange(ratio.n_users)
        np.testing.assert_allclose(pruned.score(users), model.score(users), atol=1e-4)
        np.testing.assert_allclose(pruned.compact().score(users), model.score(users), atol=1e-4)

    @pytest.mark.parametrize(
        ("name", "unit", "dimension"),
        [
            ("ials", "factor", "factors"),
            ("bpr", "factor", "factors"),
            ("mult-vae", "neuron", "decoder"),
            ("dlrm", "neuron", "layer2"),
        ],
    )
    def test_folding_keeps_the_mean_score(self, dense, ratio, name, unit, dimension):
        """Exactly, where what goes is added to the score itself; without folding the mean moves."""
        model = dense[name]
        score = {key: torch.ones(len(v)) for key, v in units.values(model, unit).items()}
        score[dimension] = torch.linspace(0, 0.5, len(score[dimension]))
        kept = 1 - 3 / units.Pool.of(model, unit).n
        pruned, masks = cut(model, unit, score, kept)
        if name in ("ials", "bpr"):
            pairs = tuple(a.ravel() for a in np.indices(ratio.train.shape))
        else:
            pairs = any_pairs(ratio.train, 0, activation_variance.PAIRS)
        users, items = pairs
        mean = lambda m: m.score(np.arange(ratio.n_users))[users, items].mean()
        moved = abs(mean(pruned) - mean(model))
        activation_variance.adjust(pruned, ratio, unit, masks, 0, model)
        tolerance = (
            0.15 if name == "mult-vae" else 1e-3
        )  # there the items of the pairs are a sample, apart from the users
        assert abs(mean(pruned) - mean(model)) < max(tolerance * moved, 1e-5)
        assert moved > 1e-4
        if name in ("ials", "bpr"):
            everybody = np.arange(ratio.n_users)
            np.testing.assert_allclose(pruned.score(everybody).mean(0), model.score(everybody).mean(0), atol=1e-4)

    @pytest.mark.parametrize("unit", ["factor", "neuron"])
    @pytest.mark.parametrize("name", ["mult-vae", "neumf", "dlrm", "sasrec"])
    def test_what_was_removed_stays_zero_and_compact_models_score_alike(self, dense, ratio, name, unit):
        model, users = dense[name], np.arange(ratio.n_users)
        if not units.there(model, unit):
            pytest.skip("SASRec has no factors")
        score = activation_variance.score(model, unit, ratio.train, 0)
        assert set(score) == set(model.structure()[unit])
        pruned, masks = cut(model, unit, score, 0.4, "layer")
        activation_variance.adjust(pruned, ratio, unit, masks, 0, model)
        for array, mask in masks.items():
            assert (units.tensor(pruned, array)[~mask] == 0).all()
        np.testing.assert_allclose(pruned.compact().score(users), pruned.score(users), atol=1e-5)


class TestMutualInformation:
    @given(st.lists(st.tuples(*[st.integers(0, 7)] * 3), min_size=2, max_size=60))
    def test_plug_in_estimate_is_that_of_scikit_learn(self, rows):
        codes = torch.tensor(rows)
        information = mutual_information.pairwise_information(codes)
        free = [len(column.unique()) - 1 for column in codes.T]
        for a in range(3):
            for b in range(3):
                expected = mutual_info_score(codes[:, a], codes[:, b]) - free[a] * free[b] / (2 * len(codes))
                assert information[a, b] == pytest.approx(max(0, expected), abs=1e-5)

    @given(st.lists(st.floats(-5, 5), min_size=1, max_size=100))
    def test_bins_follow_the_order_and_equal_values_share_one(self, values):
        h = torch.tensor(values)[:, None]
        codes = mutual_information.binned(h)[:, 0]
        order = h[:, 0].argsort()
        assert (codes[order].diff() >= 0).all()
        assert codes.min() == 0
        assert codes.max() < mutual_information.BINS
        assert all(len(codes[h[:, 0] == value].unique()) == 1 for value in h.unique())

    def test_independent_columns_share_about_nothing(self):
        h = torch.randn(5000, 40, generator=torch.Generator().manual_seed(0))
        information = mutual_information.pairwise_information(mutual_information.binned(h))
        off = information[~torch.eye(40, dtype=torch.bool)]
        assert off.mean() < 1e-3  # without the correction (7 x 7) / 10,000 = 5e-3

    def test_an_informative_unit_comes_first_and_the_second_of_a_pair_after_another_informative_one(self):
        rng = torch.Generator().manual_seed(0)
        y = torch.randint(0, 2, (5000, 1), generator=rng)
        noise = torch.randn(5000, 5, generator=rng)
        best, other = y + 0.7 * noise[:, :1], y + noise[:, 1:2]
        twin = best * 10  # magnitude would keep both
        ranks = mutual_information._ranks(torch.cat([noise[:, 2:], best, twin, other, torch.zeros(5000, 1)], 1), y)
        noises, (first, second, informative, nothing) = ranks[:3], ranks[3:]
        assert max(first, second) == 1
        assert informative > min(first, second)
        assert informative > noises.max()
        assert nothing == 0

    def test_one_of_two_equal_neurons_goes_before_an_informative_one(self, dense, ratio):
        """The largest neuron of a layer twice, at half its outgoing weights: the scores stay. Magnitude keeps both."""
        model = dense["mult-vae"].clone()
        places = model.structure()["neuron"]["decoder"]
        rank = mutual_information.score(model, "neuron", ratio.train, 0)["decoder"]
        first = int(rank.argmax())
        _, _, out = (array for array, _ in places)
        model.arrays[out][:, first] /= 2
        for array, axis in places:
            twin = model.arrays[array].select(axis, first).unsqueeze(axis)
            model.arrays[array] = torch.cat([model.arrays[array], twin], axis)
        users = np.arange(ratio.n_users)
        np.testing.assert_allclose(model.score(users), dense["mult-vae"].score(users), atol=1e-4)
        rank = mutual_information.score(model, "neuron", ratio.train, 0)["decoder"]
        informative = int(rank.argsort()[-3])
        assert max(rank[first], rank[24]) == 1
        assert min(rank[first], rank[24]) < rank[informative]
        norms = magnitude.score(model, "neuron", ratio.train, 0)["decoder"]
        assert norms[first] == pytest.approx(float(norms[24]))

    @pytest.mark.parametrize(
        ("name", "unit"), [("ials", "factor"), ("neumf", "factor"), ("dlrm", "neuron"), ("sasrec", "neuron")]
    )
    def test_every_unit_has_a_rank_of_its_own(self, dense, ratio, name, unit):
        for score in mutual_information.score(dense[name], unit, ratio.train, 0).values():
            varies = score[score > 0]
            assert len(varies.unique()) == len(varies)
            assert score.max() == 1

    def test_the_basis_decides_in_a_factor_model(self, dense, ratio):
        turned = dense["ials"].clone()
        principal_axes.prepare(turned, ratio, "factor", 0)
        users = np.arange(ratio.n_users)
        score = lambda m: mutual_information.score(m, "factor", ratio.train, 0)
        lists = [cut(m, "factor", score(m), 0.5)[0].score(users) for m in (dense["ials"], turned)]
        assert np.abs(lists[0] - lists[1]).max() > 1e-2


class TestBrainSurgeon:
    def test_saliency_is_what_removing_one_weight_costs_when_the_others_are_corrected(self):
        rng = np.random.default_rng(0)
        x = rng.normal(size=(50, 6)) @ rng.normal(size=(6, 6))
        w, hessian = rng.normal(size=6), x.T @ x
        for p in range(6):
            others = np.delete(np.arange(6), p)
            correction = np.linalg.lstsq(x[:, others], x[:, p] * w[p], rcond=None)[0]
            cost = np.square(x[:, p] * w[p] - x[:, others] @ correction).sum() / 2
            assert w[p] ** 2 / (2 * np.linalg.inv(hessian)[p, p]) == pytest.approx(cost)

    @pytest.mark.parametrize("unit", ["weight", "neighbour"])
    @pytest.mark.parametrize("keep", [0.1, 0.6])
    def test_correction_of_ease_is_the_ridge_refit(self, dense, ratio, unit, keep):
        model = dense["ease"]
        score = brain_surgeon.score(model, unit, ratio.train, 0)
        pruned, masks = cut(model, unit, score, keep)
        refitted = pruned.clone()
        brain_surgeon.adjust(pruned, ratio, unit, masks, 0, model)
        refitted.refit(ratio.train, masks)
        np.testing.assert_allclose(pruned.arrays["item_item"], refitted.arrays["item_item"], atol=1e-5)
        assert (pruned.arrays["item_item"][~masks["item_item"]] == 0).all()

    @pytest.mark.parametrize("name", ["mult-vae", "neumf", "dlrm"])
    @pytest.mark.parametrize("keep", [0.2, 0.6])
    def test_outputs_of_layers_are_nearer_than_by_magnitude(self, dense, ratio, name, keep):
        """On the layers' own inputs, errors as shares of the outputs; and nearer after the correction than before."""
        model = dense[name]
        plain, _ = cut(model, "weight", magnitude.score(model, "weight", ratio.train, 0), keep, "layer")
        before, masks = cut(model, "weight", brain_surgeon.score(model, "weight", ratio.train, 0), keep, "layer")
        after = before.clone()
        brain_surgeon.adjust(after, ratio, "weight", masks, 0, model)
        layers = model.linear_layers(ratio.train, 0)
        cases = {"plain": plain, "before": before, "after": after}
        errors = {key: np.array([error(model, cut, *layer) for layer in layers.items()]) for key, cut in cases.items()}
        assert (errors["after"] <= 1.02 * errors["before"] + 1e-9).all()
        assert errors["after"].mean() < 0.9 * errors["plain"].mean()
        for array in model.prunable():
            assert (after.arrays[array][~masks[array]] == 0).all()
            if array not in layers:
                assert torch.equal(after.arrays[array], plain.arrays[array])


def error(model, pruned, name, layer):
    """|X W - X W'|^2 / |X W|^2 of one layer."""
    weights = [m.arrays[name].T if layer.axis else m.arrays[name] for m in (model, pruned)]
    inputs = layer.inputs.numpy() if isinstance(layer.inputs, torch.Tensor) else layer.inputs
    output, left = (inputs @ weight.numpy() for weight in (weights[0], weights[0] - weights[1]))
    return np.square(left).sum() / np.square(output).sum()


@pytest.fixture(scope="module")
def grown():
    rng = np.random.default_rng(0)
    features = rng.normal(size=(2000, 6)).astype(np.float32)
    label = (features[:, 0] * features[:, 1] + rng.normal(size=2000) > 0).astype(int)
    model = Tree(max_leaf_nodes=60, min_samples_leaf=5)
    model.arrays = {}
    model._grow(features, label, seed=0)
    settings = {"criterion": "log_loss", "max_leaf_nodes": 60, "min_samples_leaf": 5, "random_state": 0}
    return model, features, label, settings


class TestCostComplexity:
    def test_splits_go_when_scikit_learn_cuts_them(self, grown):
        model, features, label, settings = grown
        path = DecisionTreeClassifier(**settings).cost_complexity_pruning_path(features, label)
        alphas = cost_complexity.alphas(model)
        theirs = np.unique(path.ccp_alphas.round(6))
        ours = np.unique(alphas[model.splits()].round(6))
        np.testing.assert_allclose(ours, theirs[theirs > 0], atol=2e-6)
        for alpha in (path.ccp_alphas[1:] + path.ccp_alphas[:-1]) / 2:
            expected = DecisionTreeClassifier(**settings, ccp_alpha=alpha).fit(features, label)
            assert (alphas > alpha).sum() == expected.tree_.node_count - expected.get_n_leaves()
            pruned = model.clone()
            for array in ("left", "right", "feature", "threshold"):
                pruned.arrays[array] = pruned.arrays[array] * torch.from_numpy(alphas > alpha)
            np.testing.assert_allclose(pruned._leaf_values(features), expected.predict_proba(features)[:, 1], atol=1e-6)

    @pytest.mark.parametrize("rule", ["weakest link", "random"])
    @pytest.mark.parametrize("keep", [0.03, 0.3, 0.7])
    def test_exactly_k_splits_stay_and_the_compact_tree_scores_alike(self, dense, ratio, rule, keep):
        model, users = dense["tree"], np.arange(ratio.n_users)
        if rule == "random":
            chance = np.random.default_rng(0).random(len(model.arrays["value"]))
            score = {"splits": torch.from_numpy(model.bottom_up(chance))}
        else:
            score = cost_complexity.score(model, "split", ratio.train, 0)
        pruned, _ = cut(model, "split", score, keep)
        k = how_many(len(model.splits()), keep)
        assert len(pruned.splits()) == k
        small = pruned.compact()
        assert len(small.arrays["value"]) == 2 * k + 1
        np.testing.assert_array_equal(small.score(users), pruned.score(users))
        assert len(np.unique(small.score(users))) <= k + 1

    @given(st.integers(0, 10**6))
    def test_no_split_outlives_its_ancestors(self, dense, seed):
        model = dense["tree"]
        left, right = model.children()
        ranks = model.bottom_up(np.random.default_rng(seed).integers(0, 4, len(left)))  # with ties
        splits = model.splits()
        np.testing.assert_array_equal(np.sort(ranks[splits]), np.arange(1, len(splits) + 1))
        for child in (left, right):
            assert (ranks[child[splits]] < ranks[splits]).all()
