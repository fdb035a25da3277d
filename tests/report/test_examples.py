"""Examples say what the models say, in titles."""

import sys

import numpy as np
import pytest

from recprune.evaluation import evaluate
from recprune.models import EASE, IALS, MultVAE
from recprune.pruning import importance, prune
from recprune.report import examples, figures


@pytest.fixture(scope="module")
def ease(ratio):
    return EASE(l2=50.0).fit(ratio.train)


def test_before_and_after_are_the_lists_that_are_evaluated(ratio, ease):
    pruned = prune(ease, ratio, keep=0.05)
    user = examples.typical_user(ratio)
    table = examples.before_after(ratio, {"dense": ease, "pruned": pruned}, user, k=10)
    liked = set(ratio.test.titles(ratio.test.item[ratio.test.user == user]))
    for heading, model in (("dense", ease), ("pruned", pruned)):
        titles = ratio.train.titles(evaluate(model, ratio, on="test", k=10).lists[user])
        assert [text.removeprefix("★ ") for text in table[heading]] == titles
        assert {text.removeprefix("★ ") for text in table[heading] if text.startswith("★")} == liked & set(titles)


def test_under_strong_the_user_is_folded_in(strong):
    model = EASE(l2=50.0).fit(strong.train)
    user = examples.typical_user(strong)
    assert user in strong.test.user
    assert len(examples.before_after(strong, {"dense": model}, k=5)) == 5


def test_what_changes_speaks_of_each_kind_of_model(ratio, ease):
    lists = examples.what_changes(ratio, ease, prune(ease, ratio, keep=0.02).model, "weight")
    assert (lists.iloc[:, 2] != "").sum() < (lists.iloc[:, 0] != "").sum() == len(lists)
    factors = IALS(factors=6, iterations=5).fit(ratio.train)
    ends = examples.what_changes(ratio, factors, prune(factors, ratio, unit="factor", keep=0.5).model, "factor")
    assert len(ends) == 3
    assert (ends["strength"].diff().dropna() <= 0).all()
    vae = MultVAE(hidden=16, latent=4, epochs=3).fit(ratio.train, ratio.validation)
    lost = examples.what_changes(ratio, vae, prune(vae, ratio, keep=0.05).model, "weight")
    assert lost.iloc[0, 1] >= lost.iloc[0, 2]


def test_most_changed_is_ordered_by_what_was_lost(ratio):
    before = np.arange(ratio.n_items)
    table = examples.most_changed(ratio, before, np.zeros(ratio.n_items, int), "things", k=3)
    assert table["things, before"].tolist() == before[::-1][:3].tolist()


def test_the_importance_figure_shows_every_tensor_and_the_cut(ratio):
    vae = MultVAE(hidden=16, latent=4, epochs=1).fit(ratio.train)
    few, _ = figures.importance(importance(vae, ratio, "magnitude", "neuron"), "magnitude", "neuron", keep=0.5)
    assert len(few.axes[0].lines) == 3  # two layers and the cut
    scores = importance(vae, ratio, "magnitude", "weight")
    many, summary = figures.importance(scores, "magnitude", "weight", keep=0.1)
    assert summary.index.tolist() == list(scores)
    above = (summary["above the cut"] * summary["weights"]).sum()
    assert above == pytest.approx(0.1 * summary["weights"].sum(), rel=0.01)
    assert len(many.axes[0].patches) == len(scores)


def test_the_importance_figure_of_many_units_draws_some_that_stand_for_all(monkeypatch):
    scores = {"weights": np.random.default_rng(0).random(200_000, np.float32)}
    _, exact = figures.importance(scores, "magnitude", "weight", keep=0.1)
    monkeypatch.setattr(sys.modules["recprune.report.figures.importance"], "MANY", 20_000)
    picture, summary = figures.importance(scores, "magnitude", "weight", keep=0.1)
    (bars,) = picture.axes[0].patches
    assert bars.get_data().values.sum() == pytest.approx(200_000)
    assert summary.loc["weights", ["weights", "mean", "largest"]].equals(
        exact.loc["weights", ["weights", "mean", "largest"]]
    )
    assert summary.loc["weights", "above the cut"] == pytest.approx(0.1, abs=0.01)
