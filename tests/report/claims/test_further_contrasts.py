"""Contrasts of further rows: what an audit found of one side less the other, over seeds and users."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from fake_cells import fake_cells
from made_up import claim_of, values_of

from recprune.cells.further import further_rows
from recprune.errors import ReportError
from recprune.report.claims.beside import in_models_beside
from recprune.report.claims.claim import Contrast, read_claims
from recprune.report.claims.influences import Users
from recprune.report.claims.verdicts import comparisons
from recprune.report.evidence.cells import canonical
from recprune.report.tables.claims import _closest

WITH, WITHOUT = {"side": "dense"}, {"criterion": "without-user-id"}
LOWER = Contrast(name="id", kind="membership", measure="auc", a=WITH, b=WITHOUT, expect="lower")
SLOPES = Contrast(
    name="slopes", kind="window", measure="slope", a={"family": "cf"}, b={"family": "deep"}, expect="higher"
)


def audits(model, dense, control, error=0.01, family="deep", kind="membership", measure="auc"):
    """Rows of an audit of a dense model and its control, a value a seed."""
    whose = {"dataset": "d", "protocol": "ratio", "kind": kind, "model": model, "family": family, "measure": measure}
    sides = [("dense", "none", dense), ("control", "without-user-id", control)]
    return pd.DataFrame(
        [
            whose | {"side": side, "criterion": criterion, "seed": seed, "value": value, "error": error}
            for side, criterion, values in sides
            for seed, value in enumerate(values)
        ]
    )


def test_the_effect_is_the_mean_difference_and_its_error_holds_users_and_seeds():
    rows = further_rows(audits("dlrm", [0.6, 0.7, 0.8], [0.5, 0.5, 0.5], error=0.03))
    ((effect, moved, counts),) = in_models_beside(LOWER, rows, {})
    assert (effect.judged.effect, effect.seeds, moved, counts) == (pytest.approx(0.2), 3, None, True)
    shared, own = 2 * 0.03**2, 0.01 / 3
    half = effect.judged.hi - effect.judged.effect
    assert 1.96 < half / np.sqrt(shared + own) < 4.31, "between Student's t of many degrees of freedom and of two"
    assert effect.judged.p_no < 0.05 < effect.judged.p_yes


def test_only_seeds_of_both_sides_count_and_one_seed_has_the_users_error():
    rows = further_rows(audits("dlrm", [0.6, 0.9], [0.5], error=0.03))
    ((effect, *_),) = in_models_beside(LOWER, rows, {})
    assert (effect.judged.effect, effect.seeds) == (pytest.approx(0.1), 1)
    assert effect.judged.hi == pytest.approx(0.1 + 1.96 * 0.03 * np.sqrt(2), abs=1e-4)
    bare = further_rows(audits("dlrm", [0.6], [0.5], error=np.nan))
    ((effect, *_),) = in_models_beside(LOWER, bare, {})
    assert np.isnan(effect.judged.p_yes), "one seed without an error decides nothing"


def test_families_are_held_against_each_other_without_models_that_do_not_count():
    slope = {"kind": "window", "measure": "slope"}
    rows = [
        audits("ease", [-0.01, -0.01], [], family="cf", **slope),
        audits("bpr", [-0.30, -0.30], [], family="cf", **slope),
        audits("mult-vae", [-0.10, -0.10], [], **slope),
        audits("neumf", [-0.20, -0.20], [], **slope),
        audits("sasrec", [5.0, 5.0], [], **slope),
    ]
    found = in_models_beside(SLOPES, further_rows(pd.concat(rows)), {"sasrec": "weak", "bpr": "weak"})
    effects = {effect.model: (effect.judged.effect, effect.left_out, counts) for effect, _, counts in found}
    assert effects == {"ease": (pytest.approx(0.14), "", True), "bpr": (pytest.approx(-0.15), "weak", False)}


def test_audits_under_two_protocols_are_not_mixed():
    rows = audits("dlrm", [0.6, 0.6], [0.5, 0.5])
    both = further_rows(pd.concat([rows, rows.assign(protocol="strong", value=0.9)]))
    with pytest.raises(ReportError, match=r"contrast 'id': its rows are of the protocols ratio, strong"):
        in_models_beside(LOWER, both, {})
    sides = {"a": WITH | {"protocol": "ratio"}, "b": WITHOUT | {"protocol": "ratio"}}
    ((effect, *_),) = in_models_beside(replace(LOWER, **sides), both, {})
    assert effect.judged.effect == pytest.approx(0.1)


def test_a_verdict_follows_and_without_rows_nothing_was_compared():
    rows = further_rows(audits("dlrm", [0.5, 0.51, 0.5], [0.7, 0.71, 0.72], error=0.001))
    cells = canonical(fake_cells(models=("ease", "mult-vae"), kept=(0.5,)))
    users = Users(values_of(cells))
    none = comparisons((claim_of(LOWER),), cells, users)
    assert none.empty
    (row,) = comparisons((claim_of(LOWER),), cells, users, rows).query("model != ''").itertuples()
    assert (row.model, row.says) == ("dlrm", "yes")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('expect = "not lower"', "expect"),
        ('expect = "lower"\nkeep = [0.5]', "`keep` goes with cells"),
        ('expect = "lower"\nb = {}', "`b` is missing"),
    ],
)
def test_what_goes_with_cells_is_refused(tmp_path, line, said):
    b = "" if "b =" in line else 'b = { at = "x" }\n'
    text = 'number = 1\nsays = "s"\nsupported_if = "a"\nrefuted_if = "b"\n[[claim.contrast]]\nname = "n"\n'
    rest = f'kind = "membership"\nmeasure = "auc"\na = {{ at = "" }}\n{b}{line}\n'
    (tmp_path / "claims.toml").write_text(f"[[claim]]\n{text}{rest}")
    with pytest.raises(ReportError, match=said):
        read_claims(tmp_path / "claims.toml")


def test_cells_have_no_place(tmp_path):
    text = 'number = 1\nsays = "s"\nsupported_if = "a"\nrefuted_if = "b"\n[[claim.contrast]]\nname = "n"\n'
    rest = 'a = { at = "" }\nb = "dense"\nexpect = "higher"\n'
    (tmp_path / "claims.toml").write_text(f"[[claim]]\n{text}{rest}")
    with pytest.raises(ReportError, match="`at` is a column of further rows"):
        read_claims(tmp_path / "claims.toml")


@pytest.mark.parametrize("expect", ["higher", "lower"])
def test_what_nearly_changed_its_mind_is_named_whichever_way_is_expected(expect):
    row = {"contrast": "near", "model": "ease", "expect": expect, "than": np.nan, "measure": "auc"}
    near = row | {"effect": 0.01, "lo": 0.0, "hi": 0.02}
    far = row | {"contrast": "far", "effect": 0.5, "lo": 0.49, "hi": 0.51}
    assert _closest(pd.DataFrame([far, near])).startswith("near, EASE, ")
