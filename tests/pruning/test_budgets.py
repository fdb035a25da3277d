"""Budgets over shares and value formats: what fits, what is lost, and which format is chosen."""

import numpy as np
import pytest

from recprune.evaluation import evaluate, footprint
from recprune.models import EASE, quantize
from recprune.models.quantization import FORMATS
from recprune.pruning import ParameterPath, prune


@pytest.fixture(scope="module")
def model(ratio):
    return EASE(l2=20.0).fit(ratio.train, ratio.validation, seed=0)


def quality(pruned, ratio) -> float:
    return evaluate(pruned.compact(), ratio, on="validation", k=(10,)).mean["ndcg@10"]


def size(pruned) -> int:
    return footprint(pruned.compact()).bytes_disk


@pytest.fixture
def cuts(monkeypatch):
    """The shares that models are pruned to."""
    shares = []
    cut = ParameterPath.cut
    monkeypatch.setattr(ParameterPath, "cut", lambda path, keep: shares.append(keep) or cut(path, keep))
    return shares


@pytest.mark.parametrize(
    ("limit", "schedule"),
    [({"bytes": 4000}, "one-shot"), ({"max_loss": 0.08}, "one-shot"), ({"max_loss": 0.08}, "geometric")],
    ids=str,
)
def test_the_format_is_the_best_that_fits_or_the_smallest_within_the_loss(model, ratio, limit, schedule, cuts):
    each = {f: prune(model, ratio, recovery="refit", schedule=schedule, values=f, **limit) for f in FORMATS}
    cuts.clear()
    chosen = prune(model, ratio, recovery="refit", schedule=schedule, values="auto", **limit)
    assert len(set(cuts)) == len(cuts), "each share is pruned to once, for all formats"
    same = each[chosen.values]
    assert chosen.kept == same.kept and size(chosen) == size(same)
    np.testing.assert_array_equal(chosen.compact().score([0, 1]), same.compact().score([0, 1]))
    if "bytes" in limit:
        assert size(chosen) <= 4000
        assert quality(chosen, ratio) == max(quality(one, ratio) for one in each.values())
    else:
        reference = evaluate(model, ratio, on="validation", k=(10,)).mean["ndcg@10"]
        assert quality(chosen, ratio) >= 0.92 * reference
        assert size(chosen) == min(size(one) for one in each.values())
        assert size(chosen) < size(each["float32"]), "fewer bits for no more loss"


def test_bytes_and_loss_are_both_met_or_said_to_be_too_little(model, ratio):
    reference = evaluate(model, ratio, on="validation", k=(10,)).mean["ndcg@10"]
    both = prune(model, ratio, recovery="refit", bytes=4000, max_loss=0.2, values="auto")
    assert size(both) <= 4000 and quality(both, ratio) >= 0.8 * reference
    alone = prune(model, ratio, recovery="refit", bytes=4000, values="auto")
    assert (both.values, both.kept) == (alone.values, alone.kept)
    with pytest.raises(
        ValueError, match=r"bytes is 900, max_loss 0.01: the best model of magnitude \(weight\) that fits"
    ):
        prune(model, ratio, recovery="refit", bytes=900, max_loss=0.01, values="auto")
    with pytest.raises(
        ValueError, match=r"bytes is 10, .* magnitude \(weight\) comes to in float32, float16, int8, int4"
    ):
        prune(model, ratio, bytes=10, max_loss=0.01, values="auto")


def test_what_a_format_alone_loses_counts(model, ratio):
    dense = prune(model, ratio, max_loss=0.0, criterion="random")
    assert dense.kept == 1 and dense.values == "float32", "nothing is lost where nothing is removed"
    lost = (
        1
        - evaluate(quantize(model, "int4"), ratio, on="validation", k=(10,)).mean["ndcg@10"]
        / evaluate(model, ratio, on="validation", k=(10,)).mean["ndcg@10"]
    )
    assert lost > 0, "of this seed"
    with pytest.raises(
        ValueError, match=r"max_loss is 0, and the dense model in int4 loses \d+\.\d\d%: more is needed"
    ):
        prune(model, ratio, max_loss=0.0, criterion="random", values="int4")


def test_a_dense_model_that_fits_in_some_format_is_the_largest_of_that_format(model, ratio):
    limit = footprint(quantize(model, "int8")).bytes_disk
    pruned = prune(model, ratio, bytes=limit, values="auto")
    assert pruned.kept == 1 and pruned.values in ("int8", "int4")
    assert prune(model, ratio, bytes=limit, values="float16").kept < 1


def test_a_pruned_model_scores_like_its_compact_form_in_its_format(model, ratio):
    pruned = prune(model, ratio, keep=0.2, values="int4")
    plain = prune(model, ratio, keep=0.2)
    users = np.arange(5)
    expected = quantize(plain, "int4").score(users)
    np.testing.assert_array_equal(pruned.compact().score(users), expected)
    np.testing.assert_array_equal(pruned.score(users), expected)
    np.testing.assert_array_equal(pruned.fold_in(model.history[users]), expected)
    rankings = (evaluate(one, ratio, k=(10,)).mean for one in (pruned, pruned.compact()))
    assert next(rankings) == next(rankings) != evaluate(plain, ratio, k=(10,)).mean
    assert pruned.compact().values == "int4" and plain.compact().values == "float32"
    assert np.abs(plain.score(users) - expected).max() > 0


def test_rounds_have_a_row_for_each_format_and_seconds_once(model, ratio, cuts):
    pruned = prune(model, ratio, max_loss=0.05, recovery="refit", values=["int8", "float32"])
    rows = pruned.rounds
    assert set(rows["values"]) == {"float32", "int8"} and not rows.duplicated(["kept", "values"]).any()
    paid = rows[rows["score_s"] + rows["recovery_s"] > 0]
    assert len(paid) == len(cuts) == rows["kept"].nunique()


@pytest.mark.parametrize(
    ("budget", "message"),
    [
        ({"keep": 0.5, "values": "int9"}, "unknown values 'int9'; known: float32, .*auto; did you mean 'int"),
        ({"max_loss": 0.1, "values": ["int8", "int9"]}, "unknown values 'int9'"),
        ({"max_loss": 0.1, "values": ()}, r"values is \(\); one of float32, float16, int8, int4 or more are needed"),
        ({"keep": 0.5, "values": "auto"}, "values is 'auto', and keep does not choose among formats: give one of"),
        ({"nonzeros": 50, "values": ["int8", "int4"]}, "and nonzeros does not choose among formats"),
        ({"nonzeros": 50, "bytes": 50}, "one budget is needed .*together.*, got nonzeros, bytes"),
        ({"criterion": "zero-reset", "values": "int8"}, "zero-reset removes everything: .* and no values"),
    ],
)
def test_what_cannot_be_asked_for_together(model, ratio, budget, message):
    with pytest.raises(ValueError, match=message):
        prune(model, ratio, **budget)
