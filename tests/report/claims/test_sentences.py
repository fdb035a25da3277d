"""The sentences of when a claim holds, and what speaks against those that are supported."""

import pandas as pd
import pytest
from fake_cells import fake_cells
from made_up import DENSE, HALF, claim_of, values_of

from recprune.report import StudyEvidence
from recprune.report.claims.claim import Contrast
from recprune.report.claims.compared import Compared
from recprune.report.claims.counter import counter_examples
from recprune.report.claims.influences import Users
from recprune.report.claims.sentences import MOST, when
from recprune.report.claims.verdicts import comparisons
from recprune.report.evidence.cells import canonical
from recprune.report.tables.claims import claims_table

WAYS = {"random": {"criterion": "random", "side": "parameters"}, "layer": {"criterion": "magnitude-layer"}}


def said(*rows):
    """Comparisons of quality: (contrast, model, says, effect in %), with what else a sentence needs."""
    columns = ["short", "model", "says", "effect"]
    found = pd.DataFrame(rows, columns=columns).assign(measure="quality", expect="higher", left_out="")
    found["effect"] /= 100
    found = found.assign(lo=found["effect"] - 0.01, hi=found["effect"] + 0.01, contrast=found["short"])
    return found.assign(chosen="", shares="10 % kept")


def test_one_contrast_is_said_by_the_models_of_each_answer_and_their_extremes():
    found = said(
        ("x", "bpr", "yes", 3.0), ("x", "mult-vae", "yes", 12.3), ("x", "ials", "yes", 5), ("x", "ease", "no", -4.0),
        ("x", "dlrm", "undecided", 0.5),
    )  # fmt: skip
    assert when(found, 1) == (
        "Yes for BPR, Mult-VAE and iALS: +3.0 % [+2.0, +4.0] (BPR) to +12.3 % [+11.3, +13.3] (Mult-VAE, 10 % kept); "
        "no for EASE: -4.0 % [-5.0, -3.0] (10 % kept); undecided for DLRM."
    )


def test_several_contrasts_are_named_beside_their_models():
    found = said(("rounds", "bpr", "yes", 3.0), ("rounds", "ease", "no", -4.0), ("loop", "bpr", "yes", 1.0))
    assert when(found, 2) == (
        "Yes for BPR (rounds; loop): +1.0 % [+0.0, +2.0] (BPR, loop) to +3.0 % [+2.0, +4.0] (BPR, rounds, 10 % kept); "
        "no for EASE (rounds): -4.0 % [-5.0, -3.0] (10 % kept)."
    )


def test_what_validation_chose_stands_for_the_share():
    found = said(("best", "bpr", "yes", 3.0)).assign(chosen="magnitude (global) + fine-tune, 10 % kept")
    assert when(found, 1) == "Yes for BPR: +3.0 % [+2.0, +4.0] (magnitude (global) + fine-tune, 10 % kept)."


def test_contrasts_that_were_not_compared_are_missed_and_what_does_not_count_is_left_out():
    found = said(("rounds", "bpr", "yes", 3.0), ("loop", "bpr", "", 1.0))
    found.loc[1, "left_out"] = "unequal training: 20 epochs against 10"
    assert when(found, 3) == "Yes for BPR: +3.0 % [+2.0, +4.0] (10 % kept). Compared: 1 of 3 contrasts."
    assert when(found.iloc[[1]], 3) == "Nothing that counts was compared (unequal training: 20 epochs against 10)."
    assert when(found.iloc[:0], 3) == ""


def test_of_many_comparisons_the_numbers_and_the_loudest_are_left():
    models = ("item-knn", "ials", "bpr", "ease", "neumf", "mult-vae", "dlrm", "sasrec")
    rows = [
        (f"{name} over magnitude", model, "yes" if place % 3 else "no", 2.0 * place - 5 + at / 10)
        for place, name in enumerate(("a", "b", "c", "d", "e", "f", "g", "h", "i"))
        for at, model in enumerate(models[: 8 - place % 4])
    ]
    text = when(said(*rows), 9)
    assert sum(any(letter.isalpha() for letter in word) for word in text.split()) <= MOST + 10
    assert text.startswith("Yes in ") and " of 60 comparisons, always with b over magnitude" in text
    assert "; no in " in text and "+11." in text and "-5.0 %" in text


@pytest.fixture(scope="module")
def study():
    rows = canonical(fake_cells(models=("popularity", "ease", "ials", "mult-vae"), kept=(0.5, 0.1)))
    users = values_of(
        rows, lambda row: {0.5: 1.2, 0.1: 1.05}.get(row.kept, 1.0) if row.criterion == "random" else 1.0, noise=0.01
    )
    lost = (users["model"] == "ials") & (users["criterion"] == "random") & (users["kept"] == 0.1)
    users.loc[lost, "test_ndcg@10"] = users.loc[lost, "test_ndcg@10"] * 0.9
    return StudyEvidence(rows, users=users)


def compared_in(study, *contrasts):
    claims = (claim_of(*contrasts),)
    return Compared(claims, comparisons(claims, study.rows, Users(study.users)))


ALL = Contrast(name="all shares", a={"criterion": "random", "side": "parameters"}, b=DENSE, expect="higher")


class TestCounterExamples:
    def test_they_are_the_single_points_that_go_against_a_supported_claim_most(self, study):
        found = counter_examples(study, compared_in(study, ALL))
        assert len(found) == 3
        assert found[["model", "a", "b"]].iloc[0].tolist() == ["ials", "random, 10 % kept", "dense"]
        assert found["effect"].iloc[0] == pytest.approx(1.05 * 0.9 - 1, abs=0.01)
        assert list(found["against"]) == ["yes", "no", "no"]
        assert found["effect"].is_monotonic_increasing

    def test_what_is_not_supported_needs_none(self, study):
        assert counter_examples(study, compared_in(study, HALF, ALL.__class__(**vars(ALL) | {"keep": (0.1,)}))).empty


def test_depends_never_stands_without_its_sentence_and_the_share_of_yes(study):
    tenth = Contrast(**vars(ALL) | {"keep": (0.1,), "name": "tenth"})
    table = claims_table(compared_in(study, tenth), "here")
    row = table.text.iloc[0]
    assert row[["verdict", "yes / no / undecided", "yes, of decided"]].tolist() == ["depends", "2 / 1 / 0", "67 %"]
    assert row["when"].startswith("Yes for EASE and Mult-VAE: ") and "; no for iALS: -5." in row["when"]


def test_families_are_said_to_differ_only_where_they_do_without_any_one_of_their_models():
    names = ("ease", "ials", "bpr", "neumf", "mult-vae")
    rows = canonical(fake_cells(models=names, kept=(0.5,)))
    for factors, models, words in (
        ((1.3, 1.2, 1.1, 0.9, 0.8), names, "yes: CF more"),
        ((1.0, 1.0, 1.0, 1.0, 0.1), names, "not whichever model is left out"),
        ((1.3, 1.2, 1.1, 0.9, 0.8), names[:4], "not shown: a family of one model"),
        ((1.0, 1.0, 1.0, 1.0, 1.0), names, "not shown"),
    ):
        factor = dict(zip(names, factors, strict=True))
        mine = rows[rows["model"].isin(models)]
        users = values_of(
            mine, lambda row, factor=factor: factor[row.model] if row.criterion == "random" else 1.0, noise=0.02
        )
        table = claims_table(compared_in(StudyEvidence(mine, users=users), HALF), "here")
        assert table.text["CF and deep differ"][0] == words
