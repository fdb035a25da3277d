"""Effects in models and families: intervals that agree with a bootstrap, that hold seeds too, and cover the truth."""

import numpy as np
import pandas as pd
import pytest
from fake_cells import fake_cells
from made_up import DENSE, HALF, chance_of, effects_of, values_of

from recprune.cells.rows import CELL
from recprune.cells.users import VALUES
from recprune.errors import ReportError
from recprune.report.claims.claim import Contrast
from recprune.report.claims.influences import Users, mean_of
from recprune.report.evidence.cells import canonical

MODELS = ("ease", "ials", "bpr", "neumf", "mult-vae")
NAMED = ["model", "side", "criterion", "kept", "seed"]


@pytest.fixture(scope="module")
def rows():
    return canonical(fake_cells(models=MODELS, kept=(0.5, 0.1)))


def of(users):
    return users.set_index(NAMED)[VALUES]


def bootstrapped(statistic, n_users, draws=4000):
    """Standard deviation of a statistic of weighted users over draws of them."""
    rng = np.random.default_rng(7)
    return np.std(
        [statistic(np.bincount(rng.integers(n_users, size=n_users), minlength=n_users)) for _ in range(draws)]
    )


def half_width(effect):
    return (effect.judged.hi - effect.judged.lo) / 2


def test_the_effect_is_the_mean_over_seeds_of_the_difference_over_dense(rows):
    users = values_of(rows, lambda row: 0.9 if row.criterion == "random" else 1.0)
    effect, values = effects_of(HALF, rows, users)["ease"], of(users)
    ratios = [
        values["ease", "parameters", "random", 0.5, s].mean() / values["ease", "dense", "none", 1.0, s].mean()
        for s in range(3)
    ]
    assert effect.judged.effect == pytest.approx(np.mean(ratios) - 1)
    assert (effect.seeds, effect.points, effect.shares) == (3, 1, "50 % kept")


def test_points_count_alike_and_users_whom_a_cell_lacks_count_as_zero(rows):
    both = Contrast(name="both", a={"criterion": "random", "side": "parameters"}, b=DENSE, expect="higher")
    one = rows[rows["seed"] == 0]
    values = [np.array([1.0, np.nan, 3.0]) * {0.5: 0.8, 0.1: 0.2}.get(row.kept, 1.0) for row in one.itertuples()]
    effect = effects_of(both, one, one[list(CELL)].assign(**{VALUES: values}))["ease"]
    assert effect.judged.effect == pytest.approx(-0.5)
    assert effect.points == 2


def test_of_one_seed_the_interval_is_that_of_a_bootstrap_over_users_in_models_families_and_their_difference(rows):
    one = rows[rows["seed"] == 0]
    users = values_of(one, lambda row: 0.97 if row.criterion == "random" else 1.0, noise=0.2)
    found, values = effects_of(HALF, one, users), of(users)

    def ratio(model, times):
        a, d = (values[(model, *cell, 0)] for cell in (("parameters", "random", 0.5), ("dense", "none", 1.0)))
        return times @ a / (times @ d)

    cf = lambda times: np.mean([ratio(model, times) for model in ("ease", "ials", "bpr")])
    deep = lambda times: np.mean([ratio(model, times) for model in ("neumf", "mult-vae")])
    for name, statistic in {
        "ease": lambda times: ratio("ease", times),
        "cf": cf,
        "deep": deep,
        "difference": lambda times: cf(times) - deep(times),
    }.items():
        assert half_width(found[name]) == pytest.approx(1.96 * bootstrapped(statistic, 400), rel=0.05)


def test_relative_to_a_base_of_its_own_each_side_is_divided_by_it(rows):
    one = rows[rows["seed"] == 0]
    apart = Contrast(
        name="x",
        a={"criterion": "random", "side": "parameters"},
        b={"criterion": "magnitude-layer", "side": "parameters"},
        keep=(0.1,),
        relative_to={"kept": 0.5},
        expect="higher",
    )
    users = values_of(one, lambda row: row.kept ** (0.4 if row.criterion == "random" else 0.2), noise=0.1)
    effect, values = effects_of(apart, one, users)["ease"], of(users)

    def statistic(times):
        at = lambda criterion, kept: times @ values["ease", "parameters", criterion, kept, 0]
        return at("random", 0.1) / at("random", 0.5) - at("magnitude-layer", 0.1) / at("magnitude-layer", 0.5)

    assert effect.judged.effect == pytest.approx(statistic(np.ones(400)))
    assert half_width(effect) == pytest.approx(1.96 * bootstrapped(statistic, 400), rel=0.05)


def test_what_the_seed_does_widens_the_interval(rows):
    still, shaken = (values_of(rows, chance_of("random", sd, seed=3)) for sd in (0.0, 0.1))
    widths = [half_width(effects_of(HALF, rows, users)["ease"]) for users in (still, shaken)]
    assert widths[1] > 4 * widths[0]


def test_the_interval_covers_the_truth_where_seeds_differ():
    rng, cells, hits, trials = np.random.default_rng(5), ["a", "d"], 0, 400
    frame = pd.DataFrame([dict.fromkeys(CELL, "x") | {"side": s, "seed": n} for s in cells for n in range(5)])
    names = [[tuple(row) for row in frame.loc[frame["side"] == s, list(CELL)].to_numpy()] for s in cells]
    for _ in range(trials):
        people, chance = rng.beta(1, 2, 300), 0.97 * (1 + 0.03 * rng.standard_normal(5))
        factors = [*chance, *np.ones(5)]
        values = [people * factor + 0.1 * rng.standard_normal(300) for factor in factors]
        moved = Users(frame.assign(**{VALUES: values})).moved([names[0], names[1], names[1], names[1]], range(5))
        interval = moved.estimate.interval
        hits += interval.lo <= -0.03 <= interval.hi
    assert hits / trials == pytest.approx(0.95, abs=3 * (0.05 * 0.95 / trials) ** 0.5)


def test_models_of_other_seeds_meet_in_those_that_all_have(rows):
    users = values_of(rows, lambda row: 1 + 0.01 * row.seed if row.criterion == "random" else 1.0, noise=0.0)
    fewer = rows[~((rows["model"] == "ials") & (rows["seed"] == 2))]
    cf = effects_of(HALF, fewer[fewer["model"].isin(["ease", "ials"])], users)["cf"]
    assert cf.seeds == 2
    assert cf.judged.effect == pytest.approx(0.005)


def test_without_a_seed_in_common_nothing_is_said():
    users = Users(pd.DataFrame({name: pd.Series(dtype=object) for name in (*CELL, VALUES)}))
    nobody = users.moved([[], [], [], []], [])
    assert np.isnan(mean_of([nobody, nobody]).estimate.mean)


def test_a_family_is_shown_without_each_of_its_models(rows):
    factors = {"ease": 1.3, "ials": 1.2, "bpr": 1.1, "neumf": 0.9, "mult-vae": 0.8}
    users = values_of(rows, lambda row: factors[row.model] if row.criterion == "random" else 1.0, noise=0.0)
    found = effects_of(HALF, rows, users)
    assert found["cf"].judged.effect == pytest.approx(0.2)
    assert found["cf"].without == pytest.approx((0.15, 0.25))
    assert found["difference"].without == pytest.approx((0.30, 0.40))
    assert found["difference"].survives and found["cf"].survives


def test_a_difference_that_one_model_makes_does_not_survive(rows):
    factors = {"ease": 1.0, "ials": 1.0, "bpr": 1.0, "neumf": 1.0, "mult-vae": 0.1}
    users = values_of(rows, lambda row: factors[row.model] if row.criterion == "random" else 1.0, noise=0.02)
    difference = effects_of(HALF, rows, users)["difference"]
    assert difference.judged.lo > 0
    assert not difference.survives and abs(difference.without[0]) < 0.02


def test_a_family_of_one_model_is_that_model_and_no_difference_survives_it(rows):
    factors = {"ease": 1.3, "ials": 1.2, "mult-vae": 0.8}
    rows = rows[rows["model"].isin(factors)]
    users = values_of(rows, lambda row: factors[row.model] if row.criterion == "random" else 1.0)
    found = effects_of(HALF, rows, users)
    assert found["difference"].judged.lo > 0
    assert not found["difference"].survives and not found["deep"].survives and found["cf"].survives


def test_values_that_lack_a_cell_are_refused_rather_than_left_out(rows):
    users = values_of(rows)
    lacking = users[~((users["model"] == "ease") & (users["seed"] == 1))]
    with pytest.raises(ReportError, match="per_user.parquet"):
        effects_of(HALF, rows, lacking)
