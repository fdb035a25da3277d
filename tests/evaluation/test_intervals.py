import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recprune.evaluation import holm, paired_p, paired_ratio, safe_sparsity

P = st.lists(st.floats(0, 1), min_size=1, max_size=12)


def population(rng, n_users, n_seeds, loss=0.0):
    """Per-user quality that belongs to the person, noise that belongs to the seed; true ratio 1 - loss."""
    person, bend = rng.gamma(2, 0.1, n_users), rng.normal(1 - loss, 0.3, n_users)
    dense = [person * rng.gamma(20, 1 / 20, n_users) for _ in range(n_seeds)]
    pruned = [d * (bend + rng.normal(0, 0.05, n_users)) for d in dense]
    return pruned, dense


def test_identical_models_have_a_ratio_of_exactly_one():
    rng = np.random.default_rng(0)
    values = [rng.random(500) for _ in range(3)]
    values[1][:40] = np.nan
    for jointly in (True, False):
        assert set(vars(paired_ratio(values, values, jointly=jointly)).values()) == {1.0}
        assert paired_p(values, values, jointly=jointly) == 1.0


def test_the_estimate_is_the_mean_over_seeds_of_the_ratio_of_means():
    pruned, dense = population(np.random.default_rng(0), 300, 4)
    pruned[0][:5] = dense[0][:5] = np.nan
    expected = np.mean([np.nanmean(p) / np.nanmean(d) for p, d in zip(pruned, dense, strict=True)])
    found = paired_ratio(pruned, dense)
    assert found.estimate == pytest.approx(expected, rel=1e-12)
    assert found.lo < found.lower < found.estimate < found.hi


def test_one_seed_may_be_given_bare():
    pruned, dense = population(np.random.default_rng(0), 300, 1)
    assert paired_ratio(pruned[0], dense[0]) == paired_ratio(pruned, dense) == paired_ratio(np.array(pruned), dense)


def test_same_seed_same_interval_other_seed_another():
    pruned, dense = population(np.random.default_rng(0), 300, 2)
    assert paired_ratio(pruned, dense, seed=3) == paired_ratio(pruned, dense, seed=3)
    assert paired_ratio(pruned, dense, seed=3) != paired_ratio(pruned, dense, seed=4)


def test_a_user_missing_everywhere_changes_nothing():
    pruned, dense = population(np.random.default_rng(0), 300, 2)
    with_missing = [[np.insert(v, 7, np.nan) for v in values] for values in (pruned, dense)]
    assert paired_ratio(*with_missing) == paired_ratio(pruned, dense)


def test_the_bootstrap_agrees_with_resampling_written_out():
    pruned, dense = population(np.random.default_rng(0), 200, 2)
    rng = np.random.default_rng(1)
    ratios = []
    for _ in range(4000):
        drawn = rng.integers(200, size=200)
        ratios.append(np.mean([p[drawn].mean() / d[drawn].mean() for p, d in zip(pruned, dense, strict=True)]))
    found = paired_ratio(pruned, dense, draws=4000)
    expected = np.quantile(ratios, [0.025, 0.05, 0.975])
    assert np.allclose([found.lo, found.lower, found.hi], expected, atol=0.1 * (found.hi - found.lo))


def test_intervals_cover_the_truth_as_often_as_they_say():
    """400 studies of 150 people x 3 seeds. Two-sided 95 % and one-sided 95 %, each within 3.5 points;
    drawing people apart in each seed takes them for three times as many, and covers too seldom."""
    rng = np.random.default_rng(11)
    covered = {True: [], False: []}
    below = []
    for study in range(400):
        pruned, dense = population(rng, 150, 3, loss=0.02)
        for jointly in covered:
            interval = paired_ratio(pruned, dense, seed=study, draws=400, jointly=jointly)
            covered[jointly].append(interval.lo <= 0.98 <= interval.hi)
            if jointly:
                below.append(interval.lower <= 0.98)
    assert 0.915 <= np.mean(covered[True]) <= 0.985
    assert 0.915 <= np.mean(below) <= 0.985
    assert np.mean(covered[False]) < 0.85


def test_p_is_small_for_a_large_loss_and_uniform_enough_without_one():
    rng = np.random.default_rng(5)
    assert paired_p(*population(rng, 300, 2, loss=0.2)) == pytest.approx(2 / 2001)
    null = [paired_p(*population(rng, 150, 1), draws=300) for _ in range(200)]
    assert np.mean(np.array(null) < 0.05) < 0.1


def test_no_ratio_to_nothing():
    found = paired_ratio(np.ones(5), np.zeros(5))
    assert np.isnan([found.estimate, found.lo, found.hi, found.lower]).all()
    assert np.isnan(paired_p(np.ones(5), np.zeros(5)))


@pytest.mark.parametrize(
    "pruned, dense, message",
    [
        (np.ones(3), np.ones(4), "do not pair"),
        ([np.ones(3)], [np.ones(3)] * 2, "do not pair"),
        ([np.ones(3), np.ones(4)], [np.ones(3), np.ones(4)], "different users"),
        (np.array([1, np.nan]), np.array([np.nan, 1]), "no user with a value in both"),
        ([], [], "n_users"),
        (np.ones((2, 2, 2)), np.ones((2, 2, 2)), "n_users"),
    ],
)
def test_what_does_not_pair_is_refused(pruned, dense, message):
    with pytest.raises(ValueError, match=message):
        paired_ratio(pruned, dense)


def test_holm_on_a_textbook_family():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.01, np.nan, 0.6, 0.9]) == pytest.approx([0.03, np.nan, 1.0, 1.0], nan_ok=True)
    with pytest.raises(ValueError, match="between 0 and 1"):
        holm([0.5, 1.2])


@given(P)
def test_holm_lies_between_no_correction_and_bonferroni_and_keeps_the_order(p):
    p, adjusted = np.array(p), holm(p)
    assert (adjusted >= p).all() and (adjusted <= np.minimum(1, p * len(p))).all()
    assert (np.diff(adjusted[np.argsort(p, kind="stable")]) >= 0).all()


def curve(lower, kept=(0.9, 0.5, 0.2, 0.1), test=0.995, **columns):
    return pd.DataFrame(
        {
            "kept": kept[: len(lower)],
            "val_ratio_lower": lower,
            "test_ratio": test,
            "test_ratio_lo": test - 0.004,
            "test_ratio_hi": test + 0.004,
            "test_ratio_lower": test - 0.003,
            **columns,
        }
    )


def test_safe_sparsity_is_the_smallest_share_that_validation_vouches_for():
    found = safe_sparsity(curve([1.0, 0.991, 0.95, 0.8]))
    assert (found.kept, found.removed, found.val_lower) == (0.5, 0.5, 0.991)
    assert (found.test_ratio, found.test_lower, found.confirmed) == (0.995, 0.992, True)
    assert safe_sparsity(curve([1.0, 0.991, 0.95, 0.8]), floor=0.95).kept == 0.2


def test_a_bad_test_part_does_not_change_the_choice_but_is_said():
    found = safe_sparsity(curve([1.0, 0.991, 0.95, 0.8], test=0.9))
    assert found.kept == 0.5 and not found.confirmed


def test_the_path_from_dense_down_must_be_unbroken():
    assert safe_sparsity(curve([1.0, 0.98, 0.995, 0.8])).kept == 0.9
    assert safe_sparsity(curve([1.0, np.nan, 0.995, 0.8])).kept == 0.9


def test_nothing_safe_is_none_also_beside_the_dense_row():
    assert safe_sparsity(curve([0.98, 0.995])) is None
    assert safe_sparsity(curve([1.0, 0.9], kept=(1.0, 0.9))) is None
    assert safe_sparsity(curve([1.0], kept=(1.0,))) is None


def test_one_row_per_seed_is_one_point_per_share():
    one = curve([1.0, 0.991, 0.9])
    seeds = pd.concat([one.assign(seed=s, test_ratio=0.995 + 0.002 * (s - 1)) for s in range(3)])
    assert safe_sparsity(seeds.sample(frac=1, random_state=0)).test_ratio == pytest.approx(0.995)


def test_cells_of_two_methods_or_of_another_table_are_refused():
    two = pd.concat([curve([1.0, 0.99], criterion="random"), curve([1.0, 0.99], criterion="magnitude")])
    with pytest.raises(ValueError, match="criterion"):
        safe_sparsity(two)
    with pytest.raises(ValueError, match="val_ratio_lower"):
        safe_sparsity(two.drop(columns="val_ratio_lower"))
