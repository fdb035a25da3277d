"""What is given by mistake is refused in one sentence, by what is wrong with it, before anything is computed."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

import recprune as rp
from recprune.evaluation import check_belongs
from recprune.models import BPR, EASE, IALS, REGISTRY, ItemKNN, MultVAE, Popularity, build
from recprune.pruning import importance
from recprune.splits import split as split_log


@pytest.fixture(scope="module")
def log():
    return rp.load("synthetic:120x80x3500:seed=7", quiet=True)


@pytest.fixture(scope="module")
def ratio(log):
    return split_log(log, core=5)


@pytest.fixture(scope="module")
def other(log):
    return split_log(log, core=5, seed=1)


@pytest.fixture(scope="module")
def ease(ratio):
    return EASE(l2=50.0).fit(ratio.train)


@pytest.fixture(scope="module")
def vae(ratio):
    return MultVAE(hidden=16, latent=4, epochs=2).fit(ratio.train, ratio.validation)


class TestBelonging:
    """A model that has seen what it is asked scores .43 where .29 is true; so it is not asked."""

    @pytest.mark.parametrize("on", ["validation", "test", "train"])
    def test_a_model_of_another_seed_is_not_judged(self, ease, other, on):
        with pytest.raises(
            ValueError, match=r"trained on \d+ interactions that are not in the training part .* seed 1"
        ):
            rp.evaluate(ease, other, on=on)

    def test_nor_pruned_nor_scored_whatever_its_form(self, ease, other, ratio, tmp_path):
        pruned = rp.prune(ease, ratio, keep=0.2)
        pruned.compact().save(tmp_path / "m")
        for model in (pruned, pruned.compact(), rp.load_model(tmp_path / "m")):
            assert rp.evaluate(model, ratio).mean["ndcg@10"] > 0
            with pytest.raises(ValueError, match="belongs to another split"):
                rp.evaluate(model, other)
        for use in (rp.prune, importance):
            with pytest.raises(ValueError, match="belongs to another split"):
                use(ease, other)

    @pytest.mark.parametrize("protocol", ["strong", "temporal", "loo"])
    def test_nor_one_of_another_protocol(self, ease, log, protocol):
        with pytest.raises(ValueError, match="belongs to another"):
            rp.evaluate(ease, split_log(log, protocol, core=5))

    def test_other_users_or_items_are_another_data_set(self, ease):
        with pytest.raises(ValueError, match=r"other (users|items) .* than the split has"):
            rp.evaluate(ease, split_log(rp.load("synthetic:120x60x2500", quiet=True), core=5))

    def test_the_same_content_belongs_however_it_came(self, ease, log):
        again = split_log(rp.load("synthetic:120x80x3500:seed=7", quiet=True), core=5)
        assert rp.evaluate(ease, again).mean == rp.evaluate(ease, split_log(log, core=5)).mean

    def test_a_model_of_fewer_samples_belongs_to_both(self, ratio, other):
        less = rp.prune_samples(ratio, keep=0.5)
        model = EASE(l2=50.0).fit(less.train)
        check_belongs(model, less)
        check_belongs(model, ratio)
        with pytest.raises(ValueError, match="belongs to another split"):
            check_belongs(model, other)

    def test_one_that_was_trained_on_validation_too_is_judged_on_test_alone(self, ratio):
        frame = pd.concat([pd.DataFrame({"user": p.user, "item": p.item}) for p in (ratio.train, ratio.validation)])
        both = replace(rp.Interactions.from_frame(frame), users=ratio.users, items=ratio.items)
        model = EASE(l2=50.0).fit(both)
        assert rp.evaluate(model, ratio, on="test").mean["ndcg@10"] > 0
        with pytest.raises(ValueError, match="belongs to another split"):
            rp.evaluate(model, ratio, on="validation")

    def test_held_out_users_are_no_other_users(self, log):
        strong = split_log(log, "strong", core=5, min_rating=0)
        assert rp.evaluate(EASE().fit(strong.train), strong).n_users > 0

    def test_the_model_says_what_it_was_trained_on(self, ratio, tmp_path):
        model = Popularity().fit(ratio.train, seed=3)
        assert model.trained_on == {"content": ratio.train.content_hash, "seed": 3}
        model.save(tmp_path / "m")
        assert rp.load_model(tmp_path / "m").trained_on == model.trained_on


class TestBudgets:
    @pytest.mark.parametrize("budget", [{"bytes": 900}, {"nonzeros": 1}])
    def test_one_that_no_model_meets_is_not_met_in_silence(self, ratio, budget):
        model = IALS(factors=4, iterations=2).fit(ratio.train)
        with pytest.raises(
            ValueError, match=r"is (900|1), and the smallest model that magnitude \(factor\) comes to has"
        ):
            rp.prune(model, ratio, unit="factor", **budget)

    def test_one_that_is_met_is_met(self, ease, ratio):
        whole = rp.footprint(ease).bytes_disk
        for limit in (whole, whole // 3, 3000):
            assert rp.footprint(rp.prune(ease, ratio, bytes=limit).compact()).bytes_disk <= limit

    def test_a_loss_that_preparing_alone_exceeds_leaves_the_dense_model(self, ratio):
        """proximal L1 trains the model to zeros before anything is cut, and that is a loss as well."""
        model = BPR(factors=4, epochs=15, batch_size=256, learning_rate=0.02).fit(ratio.train, ratio.validation)
        dense = rp.evaluate(model, ratio, on="validation", k=(10,)).mean["ndcg@10"]
        pruned = rp.prune(model, ratio, "proximal-l1", max_loss=0.0)
        assert rp.evaluate(pruned, ratio, on="validation", k=(10,)).mean["ndcg@10"] >= dense

    def test_of_n_of_m_the_shares_that_there_are_are_searched(self, ease, ratio):
        whole = rp.footprint(ease).bytes_disk
        pruned = rp.prune(ease, ratio, unit="n-of-m", bytes=int(0.6 * whole))
        assert pruned.kept in (0.25, 0.5, 0.75)
        assert rp.footprint(pruned.compact()).bytes_disk <= 0.6 * whole

    @pytest.mark.parametrize(
        "budget",
        [
            {},
            {"keep": 0.5, "bytes": 100},
            {"keep": True},
            {"keep": "0.5"},
            {"keep": float("nan")},
            {"bytes": 0},
            {"bytes": True},
            {"bytes": "1000"},
            {"nonzeros": float("nan")},
            {"max_loss": 1},
            {"max_loss": -0.1},
            {"max_loss": float("nan")},
            {"max_loss": "1%"},
        ],
    )
    def test_what_is_no_budget_is_named(self, ease, ratio, budget):
        with pytest.raises(ValueError, match="is needed"):
            rp.prune(ease, ratio, **budget)

    @pytest.mark.parametrize("options", [{"rounds": 0}, {"rounds": 1.5}, {"seed": -1}, {"seed": True}])
    def test_rounds_and_seeds_are_whole_numbers(self, ease, ratio, options):
        with pytest.raises(ValueError, match="a whole number from . on is needed"):
            rp.prune(ease, ratio, keep=0.5, schedule="linear", **options)


class TestHyperparameters:
    @pytest.mark.parametrize(
        ("name", "wrong"),
        [
            ("ials", {"factors": 0}),
            ("bpr", {"epochs": -1}),
            ("mult-vae", {"dropout": 5}),
            ("neumf", {"learning_rate": -1}),
            ("item-knn", {"neighbours": 0}),
            ("item-knn", {"similarity": "jaccard"}),
            ("ease", {"l2": -1.0}),
            ("ease", {"l2": float("nan")}),
            ("ease", {"l2": "300"}),
            ("ease", {"l2": True}),
            ("ease", {"l2": None}),
            ("ials", {"factors": 8.5}),
            ("ials", {"factors": 10**12}),
            ("dlrm", {"hidden": 8}),
            ("dlrm", {"hidden": [8, 0]}),
            ("sasrec", {"heads": 0}),
            ("tree", {"max_leaf_nodes": -5}),
        ],
    )
    def test_one_out_of_its_range_is_named(self, name, wrong):
        ((key, _),) = wrong.items()
        with pytest.raises(ValueError, match=f"^{name}: {key}"):
            build(name, **wrong)
        with pytest.raises(ValueError, match=f"^{name}: {key}"):
            replace(build(name), **wrong)

    def test_numbers_of_numpy_and_whole_numbers_for_others_are_fine(self):
        assert (
            build("ials", factors=np.int64(8), l2=3).hyperparameters() | {} == IALS(factors=8, l2=3.0).hyperparameters()
        )

    @pytest.mark.parametrize("name", sorted(REGISTRY))
    def test_every_number_has_a_range(self, name):
        """Not-a-number is out of each of them, and so is a word."""
        for key, default in build(name).hyperparameters().items():
            for wrong in (float("nan"), "many") if not isinstance(default, bool) else ("many", 1):
                with pytest.raises(ValueError, match=f"^{name}: {key}"):
                    build(name, **{key: wrong})


class TestTypes:
    @pytest.mark.parametrize(
        "use",
        [
            lambda model, split: rp.evaluate(model, split),
            lambda model, split: rp.prune(model, split, keep=0.5),
            lambda model, split: importance(model, split),
            lambda model, split: rp.footprint(model),
            lambda model, split: model.compact(),
            lambda model, split: model.score([0]),
            lambda model, split: model.recommend([0]),
            lambda model, split: model.fold_in(split.train.tocsr()),
            lambda model, split: model.save("/nowhere"),
        ],
    )
    @pytest.mark.parametrize("name", ["ease", "bpr", "tree"])
    def test_an_untrained_model_says_so(self, use, name, ratio):
        with pytest.raises(ValueError, match="is not trained: call fit"):
            use(build(name), ratio)

    @pytest.mark.parametrize(
        ("use", "words"),
        [
            (lambda model, split: rp.evaluate("ease", split), "a trained model is needed.*not a str"),
            (lambda model, split: rp.prune("ease", split, keep=0.5), "a trained recommender is needed, not a str"),
            (lambda model, split: rp.footprint("ease"), "a trained recommender is needed, not a str"),
            (lambda model, split: rp.evaluate(model, split.train), "a Split is needed.*not a Interactions"),
            (lambda model, split: rp.prune(model, pd.DataFrame(), keep=0.5), "a Split is needed.*not a DataFrame"),
            (lambda model, split: rp.prune_samples(split.train), "a Split is needed.*not a Interactions"),
            (lambda model, split: EASE().fit(pd.DataFrame()), "Interactions are needed.*not a DataFrame"),
            (lambda model, split: EASE().fit(split), "Interactions are needed.*not a Split"),
            (lambda model, split: EASE().fit(split.train, split), "validation: Interactions are needed"),
            (lambda model, split: model.fold_in([[1, 2]]), "histories are a sparse matrix.*not a list"),
            (
                lambda model, split: rp.prune(rp.prune(model, split, keep=0.5), split, keep=0.2),
                "it is pruned already: give the dense model and less to keep",
            ),
        ],
    )
    def test_something_else_is_called_by_its_name(self, use, words, ease, ratio):
        with pytest.raises(TypeError, match=words):
            use(ease, ratio)

    @pytest.mark.parametrize("users", [[-1], [10_000], [1.5], ["a"], [None], [True], [[0]], "0", 0])
    def test_users_are_codes(self, ease, users):
        for use in (ease.score, ease.recommend):
            with pytest.raises(ValueError, match="user"):
                use(users)

    def test_no_users_have_no_scores(self, ease):
        assert ease.score([]).shape == (0, ease.n_items)
        assert ease.recommend([], 5).shape == (0, 5)

    @pytest.mark.parametrize("k", [0, -1, 1.5, "5", True, None])
    def test_k_is_a_whole_number(self, ease, k):
        with pytest.raises(ValueError, match="k is .*; a whole number from 1 on is needed"):
            ease.recommend([0], k)

    def test_histories_are_of_this_catalogue_and_finite(self, ease):
        with pytest.raises(ValueError, match="histories have 3 items"):
            ease.fold_in(sparse.csr_array((1, 3)))
        with pytest.raises(ValueError, match="not finite"):
            ease.fold_in(np.full((1, ease.n_items), np.nan))

    def test_a_compact_model_is_cut_but_not_trained(self, ease, vae, ratio, tmp_path):
        small = rp.prune(vae, ratio, unit="neuron", keep=0.5).compact()
        small.save(tmp_path / "m")
        for model in (small, rp.load_model(tmp_path / "m"), ease.compact()):
            recovery = "refit" if model.name == "ease" else "fine-tune"
            with pytest.raises(ValueError, match=f"a compact {model.name} has lost what recovery '{recovery}' needs"):
                rp.prune(model, ratio, keep=0.5, recovery=recovery)
            assert rp.prune(model, ratio, keep=0.5).kept == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize(
    ("use", "words"),
    [
        (lambda model, split: build("eaes"), "did you mean 'ease'"),
        (lambda model, split: build("ease", max_itms=1), "did you mean 'max_items'"),
        (lambda model, split: rp.evaluate(model, split, on="tset"), "did you mean 'test'"),
        (lambda model, split: rp.prune(model, split, "magnitud", keep=0.5), "did you mean 'magnitude'"),
        (lambda model, split: rp.prune(model, split, unit="wieght", keep=0.5), "did you mean 'weight'"),
        (lambda model, split: rp.prune(model, split, schedule="oneshot", keep=0.5), "did you mean 'one-shot'"),
        (lambda model, split: rp.prune(model, split, recovery="finetune", keep=0.5), "did you mean 'fine-tune'"),
        (lambda model, split: rp.prune_samples(split, "randm"), "did you mean 'random'"),
    ],
)
def test_a_name_nearly_right_is_pointed_at(use, words, ease, ratio):
    with pytest.raises(ValueError, match=words):
        use(ease, ratio)


@pytest.mark.parametrize("seed", [-1, 1.5, True, None])
def test_a_seed_is_a_whole_number(ratio, seed):
    with pytest.raises(ValueError, match="seed is .*; a whole number from 0 on is needed"):
        EASE().fit(ratio.train, seed=seed)


class TestFailedTraining:
    def test_leaves_the_model_untrained(self, ratio, tmp_path):
        class Interrupted(ItemKNN):
            def _fit(self, *arguments):
                super()._fit(*arguments)
                raise KeyboardInterrupt

        for model in (Interrupted(), Interrupted().clone()):
            with pytest.raises(KeyboardInterrupt):
                model.fit(ratio.train)
            with pytest.raises(ValueError, match="is not trained"):
                model.save(tmp_path / "m")
        assert not (tmp_path / "m").exists()

    def test_to_numbers_that_are_not_finite_is_no_training(self, ratio):
        class Infinite(Popularity):
            def _fit(self, *arguments):
                super()._fit(*arguments)
                self.arrays = {name: array / 0.0 for name, array in self.arrays.items()}

        with pytest.raises(ValueError, match="popularity: .* holds values that are not finite"):
            Infinite().fit(ratio.train)
