"""Every criterion on every model and unit to which it applies, and what the loop promises."""

import numpy as np
import pytest
import torch

from recprune.evaluation import evaluate, footprint
from recprune.models import BPR, DLRM, EASE, IALS, ItemKNN, MultVAE, NeuMF, Popularity, SASRec, load_model
from recprune.pruning import CRITERIA, RECOVERIES, SCHEDULES, UNITS, ParameterPath, importance, prune, prune_samples
from recprune.pruning.units import Pool, values

MODELS = {
    "item-knn": ItemKNN(neighbours=20),
    "ials": IALS(factors=8, l2=5.0, iterations=5),
    "bpr": BPR(factors=8, epochs=6, batch_size=256),
    "ease": EASE(l2=50.0),
    "neumf": NeuMF(factors=8, hidden=(12, 6), epochs=3, batch_size=512),
    "mult-vae": MultVAE(hidden=24, latent=8, epochs=6, batch_size=32),
    "dlrm": DLRM(factors=8, hidden=(12, 6), epochs=3, batch_size=32),
    "sasrec": SASRec(factors=8, hidden=16, max_length=20, epochs=3, batch_size=32),
}
APPLIES = {
    "item-knn": {"weight", "neighbour"},
    "ease": {"weight", "neighbour"},
    "ials": {"weight", "factor"},
    "bpr": {"weight", "factor"},
    "neumf": {"weight", "factor", "neuron"},
    "mult-vae": {"weight", "factor", "neuron"},
    "dlrm": {"weight", "factor", "neuron"},
    "sasrec": {"weight", "neuron"},
}
CASES = [
    (model, criterion, unit)
    for model, units in APPLIES.items()
    for criterion, rule in CRITERIA.items()
    for unit in rule.units
    if rule.parameters and unit in units and all(hasattr(MODELS[model], need) for need in rule.needs)
]


@pytest.fixture(scope="module")
def dense(ratio):
    return {name: model.fit(ratio.train, ratio.validation, seed=0) for name, model in MODELS.items()}


@pytest.mark.parametrize(("name", "criterion", "unit"), CASES)
class TestEveryMethod:
    def cut(self, dense, ratio, name, criterion, unit, keep=0.4, **more):
        keep = None if criterion == "zero-reset" else keep
        return prune(dense[name], ratio, criterion=criterion, unit=unit, keep=keep, seed=3, **more)

    def test_removes_exactly_k_and_leaves_the_dense_model_alone(self, dense, ratio, name, criterion, unit):
        before = dense[name].score([0, 1])
        pruned = self.cut(dense, ratio, name, criterion, unit)
        np.testing.assert_array_equal(dense[name].score([0, 1]), before)
        n = Pool.of(dense[name], unit).n
        left = Pool.of(pruned.model, unit).n
        stays = 0 if criterion == "zero-reset" else round(0.4 * n)
        assert pruned.removed == n - stays
        assert left <= stays if CRITERIA[criterion].prepare else left == stays  # a training of its own may zero more
        for array, mask in pruned.masks.items():
            there = pruned.model.prunable().get(array)
            assert there is None or (there[~mask] == 0).all()

    def test_compact_and_saved_models_score_like_the_masked_one(self, dense, ratio, name, criterion, unit, tmp_path):
        users = np.arange(ratio.n_users)
        pruned = self.cut(dense, ratio, name, criterion, unit)
        small = pruned.compact()
        np.testing.assert_allclose(small.score(users), pruned.score(users), rtol=0, atol=1e-5)
        small.save(tmp_path / "small")
        np.testing.assert_array_equal(load_model(tmp_path / "small").score(users), small.score(users))
        assert footprint(small).bytes_disk < footprint(dense[name]).bytes_disk
        assert footprint(small).nonzeros == footprint(pruned.model).nonzeros

    def test_the_same_seed_removes_the_same(self, dense, ratio, name, criterion, unit):
        first, second = (self.cut(dense, ratio, name, criterion, unit) for _ in range(2))
        for array in first.masks:
            assert torch.equal(first.masks[array], second.masks[array])

    def test_one_shot_choices_are_nested(self, dense, ratio, name, criterion, unit):
        if criterion == "zero-reset":
            pytest.skip("there is one choice")
        small, large = (self.cut(dense, ratio, name, criterion, unit, keep=keep) for keep in (0.2, 0.6))
        for array, mask in small.masks.items():
            assert not (mask & ~large.masks[array]).any()


@pytest.mark.parametrize("name", sorted(MODELS))
def test_every_recovery_that_a_model_lists_keeps_the_support(name, dense, ratio):
    for recovery in dense[name].recoveries:
        pruned = prune(dense[name], ratio, keep=0.3, recovery=recovery, seed=0)
        assert Pool.of(pruned.model, "weight").n <= round(0.3 * Pool.of(dense[name], "weight").n)
        for array, tensor in pruned.model.prunable().items():
            assert (tensor[~pruned.masks[array]] == 0).all()
        assert pruned.recovery_seconds >= 0


@pytest.mark.parametrize(
    ("name", "recovery"), [("bpr", "fine-tune"), ("neumf", "fine-tune"), ("mult-vae", "fine-tune")]
)
def test_fine_tuning_is_never_worse_on_validation(name, recovery, dense, ratio):
    left, tuned = (prune(dense[name], ratio, keep=0.2, recovery=r, seed=0) for r in ("none", recovery))
    quality = [evaluate(p, ratio, on="validation").mean["ndcg@10"] for p in (left, tuned)]
    assert quality[1] >= quality[0]


@pytest.mark.parametrize("schedule", sorted(SCHEDULES))
@pytest.mark.parametrize("criterion", ["random", "magnitude"])
def test_every_schedule_ends_at_the_same_count(schedule, criterion, dense, ratio):
    pruned = prune(
        dense["bpr"], ratio, criterion=criterion, keep=0.15, schedule=schedule, recovery="fine-tune", rounds=3
    )
    assert Pool.of(pruned.model, "weight").n == round(0.15 * Pool.of(dense["bpr"], "weight").n)
    kept = pruned.rounds["kept"].to_numpy()
    assert (np.diff(kept) < 0).all()
    assert len(kept) == {"one-shot": 1, "linear": 3, "cubic": 3, "geometric": 9}[schedule]


def test_magnitude_keeps_the_largest_and_layerwise_the_same_share(dense, ratio):
    model = dense["mult-vae"]
    everything = prune(model, ratio, criterion="magnitude", keep=0.25)
    kept = torch.cat([t[everything.masks[n]].abs() for n, t in model.prunable().items()])
    gone = torch.cat([t[~everything.masks[n]].abs() for n, t in model.prunable().items()])
    assert kept.min() >= gone.max()
    by_layer = prune(model, ratio, criterion="magnitude-layer", keep=0.25)
    for mask in by_layer.masks.values():
        assert abs(float(mask.float().mean()) - 0.25) < 2 / mask.numel() * len(by_layer.masks) + 1e-3


def test_neighbours_are_the_largest_of_each_list(dense, ratio):
    pruned = prune(dense["ease"], ratio, unit="neighbour", keep=0.1)
    before, after = (m.arrays["item_item"].numpy() for m in (dense["ease"], pruned.model))
    counts = (after != 0).sum(axis=0)
    assert np.ptp(counts) <= 1
    for j in (0, 5):
        assert np.abs(before[after[:, j] != 0, j]).min() >= np.abs(before[(after[:, j] == 0), j]).max()


@pytest.mark.parametrize("name", ["ials", "bpr"])
class TestPrincipalAxes:
    def test_canonicalising_changes_no_score(self, name, dense, ratio):
        turned = dense[name].clone()
        s = turned.canonicalise(ratio.train)
        users = np.arange(dense[name].n_users)
        np.testing.assert_allclose(turned.score(users), dense[name].score(users), atol=1e-5)
        assert (s.diff() <= 0).all()
        item = turned.arrays["item_factors"]
        off = item.T @ item - torch.diag((item**2).sum(0))
        assert off.abs().max() < 1e-4 * (item**2).sum(0).max()

    @pytest.mark.parametrize("rank", [1, 3, 6])
    def test_truncation_is_the_best_approximation_of_its_rank(self, name, dense, ratio, rank):
        users = np.arange(dense[name].n_users)
        scores = dense[name].score(users).astype(np.float64)
        pruned = prune(dense[name], ratio, criterion="principal-axes", unit="factor", keep=rank / 8)
        u, s, vt = np.linalg.svd(scores)
        np.testing.assert_allclose(pruned.score(users), (u[:, :rank] * s[:rank]) @ vt[:rank], atol=1e-4)
        others = [prune(dense[name], ratio, criterion=c, unit="factor", keep=rank / 8) for c in ("magnitude", "random")]
        error = lambda p: np.linalg.norm(p.score(users) - scores)
        assert all(error(pruned) <= error(other) + 1e-4 for other in others)

    def test_principal_axes_do_not_depend_on_the_basis(self, name, dense, ratio):
        """Rotate the factors: the scores stay, so what the criterion removes must stay; magnitude's choice does not."""
        turned = dense[name].clone()
        q, _ = torch.linalg.qr(torch.randn(8, 8, generator=torch.Generator().manual_seed(0)))
        for array in ("user_factors", "item_factors"):
            turned.arrays[array] = turned.arrays[array] @ q
        users = np.arange(ratio.n_users)
        cut = {
            c: [prune(m, ratio, criterion=c, unit="factor", keep=0.5).score(users) for m in (dense[name], turned)]
            for c in ("principal-axes", "magnitude")
        }
        np.testing.assert_allclose(*cut["principal-axes"], atol=1e-4)
        assert np.abs(np.subtract(*cut["magnitude"])).max() > 1e-2


def test_planted_useless_factors_go_first(ratio):
    """Four factors carry the scores, four are noise a tenth of the size: principal axes drop the noise."""
    model = IALS(factors=4, l2=5.0, iterations=10).fit(ratio.train, seed=0)
    padded = model.clone()
    rng = torch.Generator().manual_seed(0)
    for array, tensor in model.arrays.items():
        padded.arrays[array] = torch.cat([tensor, 0.1 * tensor.std() * torch.randn(tensor.shape, generator=rng)], 1)
    users = np.arange(ratio.n_users)
    error = lambda c: np.abs(
        prune(padded, ratio, criterion=c, unit="factor", keep=0.5).score(users) - model.score(users)
    ).mean()
    assert error("principal-axes") < 0.1 * error("random")


def test_zero_reset_is_the_floor_and_retraining_brings_the_weights_back(dense, ratio):
    for name in MODELS:
        floor = prune(dense[name], ratio, criterion="zero-reset", keep=None)
        assert all(not t.any() for t in floor.model.prunable().values())
        assert floor.kept == 0
    again = prune(dense["mult-vae"], ratio, criterion="zero-reset", recovery="retrain")
    assert Pool.of(again.model, "weight").n > 0.9 * Pool.of(dense["mult-vae"], "weight").n


class TestBudgets:
    def test_nonzeros_and_bytes_are_met_by_the_first_model_on_the_path(self, dense, ratio):
        for limit in ({"nonzeros": 900}, {"bytes": 6000}):
            ((name, most),) = limit.items()
            pruned = prune(dense["ease"], ratio, **limit)
            cost = footprint(pruned.compact())
            assert (cost.nonzeros if name == "nonzeros" else cost.bytes_disk) <= most
            larger = pruned.rounds.loc[pruned.rounds["kept"] > pruned.kept, name]
            assert larger.iloc[-1] > most  # a step less would have been too much

    def test_a_quality_floor_holds_and_the_next_step_would_break_it(self, dense, ratio):
        reference = evaluate(dense["ease"], ratio, on="validation").mean["ndcg@10"]
        pruned = prune(dense["ease"], ratio, max_loss=0.05, recovery="refit")
        assert evaluate(pruned, ratio, on="validation").mean["ndcg@10"] >= 0.95 * reference
        assert 0 < pruned.kept < 1
        further = pruned.rounds.loc[pruned.rounds["kept"] < pruned.kept, "val_ndcg@10"]
        assert further.iloc[0] < 0.95 * reference

    def test_bisection_ends_where_walking_does(self, dense, ratio):
        """Sizes fall along the path, so both searches stop at the same step."""
        cut, walked = (prune(dense["ease"], ratio, bytes=6000, schedule=s) for s in ("one-shot", "geometric"))
        assert cut.kept == pytest.approx(walked.kept, abs=1e-3)
        assert len(cut.rounds) < len(walked.rounds)

    @pytest.mark.parametrize(
        "budget", [{}, {"keep": 0.5, "bytes": 10}, {"bytes": 0}, {"max_loss": 1.5}, {"keep": 0}, {"keep": 1.5}]
    )
    def test_bad_budgets_are_refused(self, dense, ratio, budget):
        with pytest.raises(ValueError, match="budget|bytes is|max_loss is|keep is"):
            prune(dense["ease"], ratio, **budget)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"criterion": "size"}, "unknown criterion 'size' for parameters; known: random, .*magnitude"),
        ({"criterion": "stratified"}, "unknown criterion 'stratified' for parameters"),
        ({"unit": "layer"}, "unknown unit 'layer'; known: weight"),
        ({"unit": "factor"}, "does not apply to ease: it has no latent factors; what does: random \\(weight\\)"),
        ({"criterion": "principal-axes", "unit": "weight"}, "does not apply to ease"),
        ({"schedule": "weekly"}, "unknown schedule 'weekly'; known: one-shot"),
        ({"recovery": "rest"}, "unknown recovery 'rest'; known: none"),
        ({"recovery": "fine-tune"}, "recovery 'fine-tune' does not apply to ease; known: none, refit"),
    ],
)
def test_what_is_unknown_or_impossible_lists_what_is_possible(dense, ratio, arguments, message):
    with pytest.raises(ValueError, match=message):
        prune(dense["ease"], ratio, keep=0.5, **arguments)
    with pytest.raises(ValueError, match="does not apply to popularity: .*; what does: nothing"):
        prune(Popularity().fit(ratio.train), ratio, keep=0.5)


@pytest.mark.parametrize(
    ("name", "schedule", "recovery"),
    [
        ("ease", "one-shot", "refit"),
        ("ease", "geometric", "refit"),
        ("mult-vae", "geometric", "fine-tune"),
        ("bpr", "linear", "none"),
    ],
)
def test_a_point_of_a_shared_path_is_the_one_pruned_alone(name, schedule, recovery, dense, ratio):
    path = ParameterPath(dense[name], ratio, "magnitude", schedule=schedule, recovery=recovery, seed=0, rounds=3)
    for keep in (0.6, 0.3, 0.1, 0.5):  # downwards along the trunk, then back up
        shared, alone = (
            path.cut(keep),
            prune(dense[name], ratio, keep=keep, schedule=schedule, recovery=recovery, rounds=3),
        )
        np.testing.assert_array_equal(shared.score([0, 1, 2]), alone.score([0, 1, 2]))
        assert len(shared.rounds) == len(alone.rounds)


def test_importance_is_what_pruning_goes_by(dense, ratio):
    scores = importance(dense["neumf"], ratio, "magnitude", "neuron")
    kept = prune(dense["neumf"], ratio, criterion="magnitude", unit="neuron", keep=0.5)
    alive = {name: (v != 0).any(1).numpy() for name, v in values(kept.model, "neuron").items()}
    flat, mask = (np.concatenate([d[name] for name in scores]) for d in (scores, alive))
    assert flat[mask].min() >= flat[~mask].max()


def test_the_registry_says_where_everything_comes_from():
    for name, rule in CRITERIA.items():
        assert rule.summary and rule.source
        assert rule.sides
        assert set(rule.units) <= set(UNITS)
        assert name == name.lower()
    assert set(RECOVERIES) == {"none", "refit", "fine-tune", "rewind", "retrain"}


def pairs(train) -> set:
    return set(zip(train.user.tolist(), train.item.tolist(), strict=True))


class TestSamples:
    @pytest.mark.parametrize("criterion", [n for n, c in CRITERIA.items() if c.samples])
    @pytest.mark.parametrize("keep", [0.05, 0.5, 0.97])
    def test_exactly_k_nested_and_the_test_part_untouched(self, ratio, criterion, keep):
        less = prune_samples(ratio, criterion=criterion, keep=keep, seed=1)
        assert less.train.nnz == round(keep * ratio.train.nnz)
        assert less.test is ratio.test
        assert less.validation is ratio.validation
        assert less.train.shape == ratio.train.shape
        more = prune_samples(ratio, criterion=criterion, keep=min(1.0, keep + 0.02), seed=1)
        small, large, whole = (pairs(split.train) for split in (less, more, ratio))
        assert small <= large <= whole

    def test_what_was_seen_stays_out_of_the_rankings(self, ratio):
        less = prune_samples(ratio, keep=0.3)
        for on in ("validation", "test"):
            assert (less.seen(on) != ratio.seen(on)).nnz == 0

    def test_stratified_keeps_every_users_share(self, ratio):
        spread = {}
        for criterion in ("random", "stratified"):
            less = prune_samples(ratio, criterion=criterion, keep=0.5, seed=0)
            share = np.bincount(less.train.user, minlength=ratio.n_users) / np.bincount(ratio.train.user)
            spread[criterion] = np.abs(share - 0.5).max()
        assert spread["stratified"] < 0.6 * spread["random"]

    @pytest.mark.parametrize("keep", [0, 1.2, float("nan")])
    def test_bad_shares_and_names_are_refused(self, ratio, keep):
        with pytest.raises(ValueError, match="keep is"):
            prune_samples(ratio, keep=keep)
        with pytest.raises(ValueError, match="unknown criterion 'magnitude' for samples; known: random, .*stratified"):
            prune_samples(ratio, criterion="magnitude")
