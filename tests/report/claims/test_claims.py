"""Claims: what is compared is what claims.toml says, effects and verdicts are right where the truth is known."""

from dataclasses import replace

import pandas as pd
import pytest
from fake_cells import fake_cells
from made_up import DENSE, HALF, claim_of, effects_of, values_of

from recprune.cells.rows import CELL, write_rows
from recprune.cells.users import write_per_user
from recprune.errors import NothingToDrawError, ReportError
from recprune.report import Evidence, StudyEvidence, figures, tables
from recprune.report.claims.claim import Contrast, read_claims
from recprune.report.claims.compared import compared, keep_compared
from recprune.report.claims.influences import Users
from recprune.report.claims.verdicts import comparisons, verdict
from recprune.report.evidence.cells import canonical
from recprune.report.figures.drawing.style import render

STEMS = ("claims", "comparisons", "claims-when", "counter-examples")


@pytest.fixture(scope="module")
def rows():
    return canonical(fake_cells(models=("popularity", "ease", "ials", "mult-vae"), kept=(0.5, 0.1)))


def test_the_file_of_claims_holds_all_fourteen_each_with_what_would_decide_it():
    claims = read_claims()
    assert [claim.number for claim in claims] == list(range(1, 15))
    assert all(claim.contrasts for claim in claims)
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


@pytest.mark.parametrize(("factor", "answer"), [(1.05, "yes"), (0.9, "no")])
def test_a_large_effect_is_seen_in_every_model_and_makes_the_verdict(rows, factor, answer):
    users = values_of(rows, lambda row: factor if row.criterion == "random" else 1.0)
    found = comparisons((claim_of(HALF),), rows, Users(users))
    assert set(found.loc[found["model"] != "", "says"]) == {answer}
    assert set(found["family"]) == {"cf", "deep", "difference"}
    assert verdict(found.loc[found["model"] != "", "says"]) == {"yes": "supported", "no": "refuted"}[answer]


def test_no_effect_is_below_one_percent_and_so_says_no_but_is_no_harm(rows):
    users = values_of(rows, noise=0.005)
    claims = tuple(
        claim_of(replace(HALF, expect=expect), number=n) for n, expect in enumerate(("higher", "not lower"), 1)
    )
    found = comparisons(claims, rows, Users(users))
    models = found[found["model"] != ""]
    assert set(models.loc[models["claim"] == 1, "says"]) == {"no"}
    assert set(models.loc[models["claim"] == 2, "says"]) == {"yes"}


def test_noise_decides_nothing(rows):
    users = values_of(rows, noise=3.0)
    found = comparisons((claim_of(HALF),), rows, Users(users))
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


def chosen(effects):
    return {effect.model: effect.chosen for effect in effects.values()}


def test_the_best_is_chosen_on_validation_alone_and_never_a_control(rows):
    contrast = Contrast(name="best", a={"side": "parameters"}, b=DENSE, best="point", expect="higher")
    users = values_of(rows)
    first = chosen(effects_of(contrast, rows, users))
    other_test = rows.assign(
        **{
            column: rows[column].sample(frac=1, random_state=0).to_numpy()
            for column in rows
            if column.startswith("test_")
        }
    )
    assert chosen(effects_of(contrast, other_test, users)) == first
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
    effect = effects_of(size, rows, values_of(rows))["ease"].judged
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


def evidence_of(rows, users):
    evidence = Evidence.of(rows)
    evidence.users = users
    return evidence


def test_tables_and_figure_of_a_whole_study_whatever_the_order_of_its_rows(rows):
    users = values_of(rows, lambda row: row.kept**0.1)
    evidence = evidence_of(rows, users)
    again = evidence_of(rows.sample(frac=1, random_state=3), users.sample(frac=1, random_state=4))
    made, shuffled = ({one.name: one for one in tables.tables(each) if one.stem in STEMS} for each in (evidence, again))
    assert list(made) == ["fake-100k/claims", "fake-100k/comparisons", "claims", "claims-when", "counter-examples"]
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
