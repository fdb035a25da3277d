"""On users whose true loss is known, intervals and safe sparsity err as often as they say, and no more."""

import numpy as np
import pytest

from recprune.report.claims.simulation import coverage, false_safety, users

FEW = {"n_users": 300, "n_seeds": 2, "draws": 300}
TRIALS = 200
ERROR = 3 * (0.05 * 0.95 / TRIALS) ** 0.5  # of a rate of 5 %, three standard errors


@pytest.mark.parametrize("ratio", [1.0, 0.95, 0.7])
def test_the_true_ratio_of_made_up_users_is_what_was_asked_for(ratio):
    dense, (pruned,) = users(np.random.default_rng(0), 200_000, 1, [ratio])
    assert pruned[0].mean() / dense[0].mean() == pytest.approx(ratio, abs=0.005)
    assert np.corrcoef(dense[0], pruned[0])[0, 1] > 0.5


@pytest.mark.parametrize("ratio", [1.0, 0.9])
def test_intervals_hold_the_truth_as_often_as_they_say(ratio):
    found = coverage(ratio, TRIALS, **FEW)
    assert found["covered"] == pytest.approx(0.95, abs=ERROR)
    assert found["bound too high"] <= 0.05 + ERROR


@pytest.mark.parametrize("curve", [{0.5: 0.99 - 1e-9}, {0.9: 0.99 - 1e-9, 0.5: 0.99 - 1e-9, 0.2: 0.9}])
def test_what_is_not_safe_is_called_safe_no_more_often_than_promised(curve):
    assert false_safety(curve, trials=TRIALS, **FEW)["unsafe chosen"] <= 0.05 + ERROR


def test_what_loses_much_is_never_called_safe():
    assert false_safety({0.5: 0.9}, trials=50, **FEW)["unsafe chosen"] == 0
