"""Claims: what is compared is what claims.toml says, effects and verdicts are right where the truth is known."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from fake_cells import fake_cells

from recprune.cells.rows import CELL, write_rows
from recprune.cells.users import VALUES, write_per_user
from recprune.errors import NothingToDrawError, ReportError
from recprune.evaluation import paired_ratio
from recprune.report import Evidence, StudyEvidence, figures, tables
from recprune.report.claims.claim import Claim, Contrast, read_claims
from recprune.report.claims.compared import compared, keep_compared
from recprune.report.claims.contrasts import compared_pairs, effects
from recprune.report.claims.draws import Draws
from recprune.report.claims.verdicts import comparisons, verdict
from recprune.report.evidence.cells import canonical
from recprune.report.figures.drawing.style import render

STEMS = ("claims", "comparisons")
DENSE = {"side": "dense"}
HALF = Contrast(name="half", a={"criterion": "random", "side": "parameters"}, b=DENSE, keep=(0.5,), expect="higher")


@pytest.fixture(scope="module")
def rows():
    return canonical(fake_cells(models=("popularity", "ease", "ials", "mult-vae"), kept=(0.5, 0.1)))


def effects_of(contrast, rows, users):
    return effects(contrast, compared_pairs(contrast, rows), rows, Draws(users))


def values_of(rows, factor=lambda row: 1.0, n=400, noise=0.05):
    """Per-user values of the same people in all cells, each `factor` times as good as the dense one of its seed."""
    people = np.random.default_rng(0).beta(1, 2, n)
    rng = np.random.default_rng(1)
    values = [people * factor(row) + noise * rng.standard_normal(n) for row in rows.itertuples()]
    return rows[list(CELL)].assign(**{VALUES: values})


def test_the_file_of_claims_holds_all_fourteen_each_with_what_would_decide_it():
    claims = read_claims()
    assert [claim.number for claim in claims] == list(range(1, 15))
    assert {claim.number for claim in claims if not claim.contrasts} == {12, 13}
    assert all(claim.supported_if and claim.refuted_if for claim in claims)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('expect = "lower"', "expect.*higher, not lower"),
        ('measure = "beauty"', "beauty.*known: .*quality"),
        ('a = { creterion = "random" }', "creterion"),
        ("than = 1.0", "than"),
        ('best = "all"', "method, point"),
        ('colour = "red"', "colour"),
    ],
)
def test_a_mistake_in_the_file_is_named(tmp_path, line, message):
    key = line.partition(" =")[0]
    lines = {
        "name": 'name = "x"',
        "a": 'a = { criterion = "random" }',
        "b": 'b = "dense"',
        "expect": 'expect = "higher"',
    } | {key: line}
    head = '[[claim]]\nnumber = 3\nsays = "s"\nsupported_if = "a"\nrefuted_if = "b"\n[[claim.contrast]]\n'
    (tmp_path / "claims.toml").write_text(head + "\n".join(lines.values()))
    with pytest.raises(ReportError, match=f"claim 3.*{message}"):
        read_claims(tmp_path / "claims.toml")


def test_the_effect_is_the_mean_over_seeds_of_the_difference_over_dense(rows):
    users = values_of(rows, lambda row: 0.9 if row.criterion == "random" else 1.0)
    found = {effect.model: effect for effect in effects_of(HALF, rows, users)}
    by_cell = users.set_index(["model", "side", "criterion", "kept", "seed"])[VALUES]
    expected = np.mean(
        [
            by_cell["ease", "parameters", "random", 0.5, s].mean() / by_cell["ease", "dense", "none", 1.0, s].mean() - 1
            for s in range(3)
        ]
    )
    assert found["ease"].effect == pytest.approx(expected)
    assert found["ease"].seeds == 3 and found["ease"].points == 1


def test_against_dense_the_interval_is_that_of_the_paired_ratio(rows):
    users = values_of(rows, lambda row: 0.97 if row.criterion == "random" else 1.0, noise=0.2)
    effect = next(e for e in effects_of(HALF, rows, users) if e.model == "ease")
    of = lambda side, kept: list(
        users[
            (users["model"] == "ease")
            & (users["side"] == side)
            & (users["kept"] == kept)
            & users["criterion"].isin(["random", "none"])
        ].sort_values("seed")[VALUES]
    )
    ratio = paired_ratio(of("parameters", 0.5), of("dense", 1.0), draws=10_000)
    assert (effect.lo, effect.hi) == pytest.approx((ratio.lo - 1, ratio.hi - 1), abs=0.002)


@pytest.mark.parametrize(("factor", "answer"), [(1.05, "yes"), (0.9, "no")])
def test_a_large_effect_is_seen_in_every_model_and_makes_the_verdict(rows, factor, answer):
    users = values_of(rows, lambda row: factor if row.criterion == "random" else 1.0)
    claim = Claim(number=1, says="s", supported_if="a", refuted_if="b", contrasts=(HALF,))
    found = comparisons((claim,), rows, Draws(users))
    assert set(found.loc[found["model"] != "", "says"]) == {answer}
    assert set(found["family"]) == {"cf", "deep", "difference"}
    assert verdict(found.loc[found["model"] != "", "says"]) == {"yes": "supported", "no": "refuted"}[answer]


def test_no_effect_is_below_one_percent_and_so_says_no_but_is_no_harm(rows):
    users = values_of(rows, noise=0.005)
    claims = tuple(
        Claim(number=n, says="s", supported_if="a", refuted_if="b", contrasts=(replace(HALF, expect=expect),))
        for n, expect in enumerate(("higher", "not lower"), 1)
    )
    found = comparisons(claims, rows, Draws(users))
    models = found[found["model"] != ""]
    assert set(models.loc[models["claim"] == 1, "says"]) == {"no"}
    assert set(models.loc[models["claim"] == 2, "says"]) == {"yes"}


def test_noise_decides_nothing(rows):
    users = values_of(rows, noise=3.0)
    found = comparisons(
        (Claim(number=1, says="s", supported_if="a", refuted_if="b", contrasts=(HALF,)),), rows, Draws(users)
    )
    assert set(found.loc[found["model"] != "", "says"]) == {"undecided"}


@pytest.mark.parametrize(
    ("says", "expected"),
    [
        ([], "not tested"),
        (["yes", "yes"], "supported"),
        (["yes", "no"], "depends"),
        (["yes", "undecided"], "depends"),
        (["no", "undecided"], "refuted"),
        (["undecided"], "undecided"),
    ],
)
def test_what_comparisons_add_up_to(says, expected):
    assert verdict(pd.Series(says, dtype=str)) == expected


def test_the_best_is_chosen_on_validation_alone_and_never_a_control(rows):
    contrast = Contrast(name="best", a={"side": "parameters"}, b=DENSE, best="point", expect="higher")
    users = values_of(rows)
    first = {e.model: e.chosen for e in effects_of(contrast, rows, users)}
    other_test = rows.assign(
        **{
            column: rows[column].sample(frac=1, random_state=0).to_numpy()
            for column in rows
            if column.startswith("test_")
        }
    )
    assert {e.model: e.chosen for e in effects_of(contrast, other_test, users)} == first
    assert first["ease"] and "random" not in first["ease"]


def test_a_contrast_that_means_two_methods_is_refused(rows):
    vague = Contrast(name="vague", a={"side": "parameters", "criterion": "magnitude"}, b=DENSE, expect="higher")
    with pytest.raises(ReportError, match="vague.*several methods"):
        effects_of(vague, rows, values_of(rows))


def test_a_number_of_a_cell_is_judged_by_its_spread_over_seeds(rows):
    size = Contrast(
        name="bytes",
        a={"criterion": "magnitude", "unit": "weight", "side": "parameters", "recovery": "none"},
        keep=(0.1,),
        measure="bytes / dense",
        expect="lower",
        than=1.0,
    )
    effect = next(e for e in effects_of(size, rows, values_of(rows)) if e.model == "ease")
    mine = rows[
        (rows["model"] == "ease")
        & (rows["criterion"] == "magnitude")
        & (rows["unit"] == "weight")
        & (rows["recovery"] == "none")
        & (rows["kept"] == 0.1)
    ]
    dense = rows[(rows["model"] == "ease") & (rows["side"] == "dense")]
    assert effect.effect == pytest.approx(
        (mine["bytes_disk"].to_numpy(float) / dense["bytes_disk"].to_numpy(float)).mean()
    )
    assert effect.p_yes < 0.025


def test_values_that_lack_a_cell_are_refused_rather_than_left_out(rows):
    users = values_of(rows)
    lacking = users[~((users["model"] == "ease") & (users["seed"] == 1))]
    with pytest.raises(ReportError, match="per_user.parquet"):
        effects_of(HALF, rows, lacking)


def evidence_of(rows, users):
    evidence = Evidence.of(rows)
    evidence.users = users
    return evidence


def test_tables_and_figure_of_a_whole_study_whatever_the_order_of_its_rows(rows):
    users = values_of(rows, lambda row: row.kept**0.1)
    evidence = evidence_of(rows, users)
    again = evidence_of(rows.sample(frac=1, random_state=3), users.sample(frac=1, random_state=4))
    made, shuffled = ({one.name: one for one in tables.tables(each) if one.stem in STEMS} for each in (evidence, again))
    assert list(made) == ["fake-100k/claims", "fake-100k/comparisons", "claims"]
    assert len(made["fake-100k/claims"].frame) == len(made["claims"].frame) == 14
    for name, table in made.items():
        pd.testing.assert_frame_equal(table.frame, shuffled[name].frame)
    figure, data = figures.claims(evidence.studies[0])
    assert set(data["model"]) == {"ease", "ials", "mult-vae"}
    assert render(figure, "svg") == render(figures.claims(again.studies[0])[0], "svg")


def test_without_values_of_users_there_are_no_claims(rows):
    with pytest.raises(NothingToDrawError, match="values of its users"):
        compared(StudyEvidence.of(rows))
    assert not [table for table in tables.tables(Evidence.of(rows)) if table.stem in STEMS]


def test_what_no_claim_compares_is_not_kept_and_the_claims_stay_as_they_are(tmp_path, rows):
    write_rows(tmp_path, rows)
    write_per_user(tmp_path, values_of(rows, lambda row: row.kept**0.1, n=60))
    before = Evidence(tmp_path)
    (study,) = before.studies
    assert keep_compared(before) == [tmp_path / "per_user.parquet"]
    after = Evidence(tmp_path)
    assert 0 < len(after.users) < len(before.users)
    assert set(zip(*(after.users[name] for name in CELL), strict=True)) == study.once(compared).cells
    pd.testing.assert_frame_equal(after.studies[0].once(compared).found, study.once(compared).found)
    assert keep_compared(after) == [], "nothing is left to take away"
    write_rows(tmp_path / "none", rows)
    assert keep_compared(Evidence(tmp_path / "none")) == []
