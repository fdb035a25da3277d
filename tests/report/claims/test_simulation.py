"""On users whose true loss is known, intervals, safe sparsity and headlines err as often as they say, and no more."""

import numpy as np
import pytest

from recprune.report.claims.simulation import Users, coverage, false_headlines, false_safety

TRIALS = 400
ERROR = 3 * (0.05 * 0.95 / TRIALS) ** 0.5  # of a rate of 5 %, three standard errors
FEW = {"n_users": 300, "n_seeds": 2}


@pytest.mark.parametrize("ratio", [1.0, 0.95, 0.7])
def test_the_true_ratio_of_made_up_users_is_what_was_asked_for(ratio):
    dense, (pruned,) = Users(np.random.default_rng(0), 200_000, 1, [ratio]).part()
    assert pruned.mean() / dense.mean() == pytest.approx(ratio, abs=0.005)
    assert np.corrcoef(dense[0], pruned[0])[0, 1] > 0.5


def test_what_a_seed_does_to_a_model_shows_in_both_parts():
    users = Users(np.random.default_rng(0), 20_000, 30, [0.9, 0.9], sd=0.1)
    (of_val, one), (of_test, other) = users.part(), users.part()
    ratios = [
        [model.mean(axis=1) / dense.mean(axis=1) for model in models]
        for dense, models in ((of_val, one), (of_test, other))
    ]
    assert np.std(ratios[0][0]) == pytest.approx(0.1, rel=0.4)
    assert np.corrcoef(ratios[0][0], ratios[1][0])[0, 1] > 0.9, "the same trained model"
    assert abs(np.corrcoef(ratios[0][0], ratios[0][1])[0, 1]) < 0.6, "another method has a chance of its own"


@pytest.mark.parametrize(("ratio", "n_seeds", "sd"), [(1.0, 3, 0), (0.9, 5, 0), (0.99, 3, 0.02), (0.99, 5, 0.02)])
def test_intervals_hold_the_truth_as_often_as_they_say(ratio, n_seeds, sd):
    found = coverage(ratio, TRIALS, n_users=900, n_seeds=n_seeds, sd=sd)
    assert 0.95 - ERROR <= found["covered"] <= 0.99
    assert found["bound too high"] <= 0.05 + ERROR
    assert sd == 0 or found["users alone"] < 0.9


@pytest.mark.parametrize("curve", [{0.5: 0.99 - 1e-9}, {0.9: 0.99 - 1e-9, 0.5: 0.99 - 1e-9, 0.2: 0.9}])
@pytest.mark.parametrize("sd", [0, 0.02])
def test_what_is_not_safe_is_called_safe_no_more_often_than_promised(curve, sd):
    assert false_safety(curve, trials=TRIALS, sd=sd, **FEW)["unsafe chosen"] <= 0.05 + ERROR


def test_what_loses_much_is_never_called_safe():
    assert false_safety({0.5: 0.8}, trials=50, **FEW)["unsafe chosen"] == 0


def test_a_headline_among_many_methods_is_false_no_more_often_than_promised():
    """Each for itself, validation and test share their luck, and a choice among 39 is often false."""
    one, many = false_headlines((1, 39), trials=100, n_users=300, sd=0.02)
    assert many["chosen, each for itself"] > 0.3
    assert many["chosen, together"] <= 0.05 + 0.065
    assert many["confirmed, together"] <= 0.05
    assert one["chosen, each for itself"] == one["chosen, together"]
