"""A headline is what validation vouches for among all methods and test confirms: other choices are shown and marked."""

import numpy as np
import pandas as pd
import pytest
from fake_cells import fake_cells, fake_formats
from scipy import stats

from recprune.report import StudyEvidence, tables
from recprune.report.evidence.safe import together
from recprune.report.numbers import numbers
from recprune.report.page.choice import ranked

TEST = ["test_ratio_lo", "test_ratio_lower"]


@pytest.fixture
def rows():
    """Popularity, EASE and iALS, share 0.5: on validation all is safe beyond doubt, on test too."""
    rows = fake_cells(models=("popularity", "ease", "ials"), kept=(0.5,), seeds=(0, 1))
    for part in ("val", "test"):
        rows[[f"{part}_ratio{end}" for end in ("", "_lo", "_hi", "_lower")]] = 0.999
    return rows


def of_ease(rows):
    return (rows["model"] == "ease") & rows["side"].isin(["parameters", "control"])


def test_bounds_hold_for_all_methods_of_a_model_and_side(rows):
    """Of many degrees of freedom; EASE has four methods beside random removal, and one of samples."""
    rows["val_ratio_hi"] = 0.999 + 0.01 * stats.norm.ppf(0.975)
    rows["val_ratio_lower"] = 0.999 - 0.01 * stats.norm.ppf(0.95)
    points = StudyEvidence.of(rows).points
    found = together(points)
    bound = {many: 0.999 - 0.01 * stats.norm.ppf(1 - 0.05 / many) for many in (1, 4)}
    mine = found[found["model"] == "ease"]
    assert mine.loc[mine["side"] == "parameters", "criterion"].value_counts()["magnitude"] == 3
    for side, many in {"parameters": 4, "samples": 1, "dense": 1}.items():
        assert mine.loc[mine["side"] == side, "val_ratio_lower"].to_numpy() == pytest.approx(bound[many], abs=1e-5)
    smaller = mine.loc[mine["criterion"] == "smaller-dense", "val_ratio_lower"]
    assert smaller.to_numpy() == pytest.approx(bound[1], abs=1e-5), "a rival counts for itself"
    assert points.drop(columns="val_ratio_lower").equals(found.drop(columns="val_ratio_lower"))


def test_what_is_safe_for_itself_alone_is_no_choice_among_many(rows):
    mine = (rows["model"] == "ease") & (rows["side"] == "parameters")
    rows.loc[mine, ["val_ratio_hi", "val_ratio_lower"]] = [1.0175, 0.9905]  # far from 0.99 by a single bound's width
    study = StudyEvidence.of(rows)
    alone, chosen = (
        table[(table["model"] == "ease") & (table["side"] == "parameters")] for table in (study.safe, study.chosen)
    )
    assert alone["removed_99"].eq(0.5).all() and chosen["removed_99"].isna().all()
    text = tables.headline(study).text
    assert text.loc[(text["model"] == "EASE") & (text["removes"] == "parameters"), "safe at 0.99"].item() == "none"
    alone = tables.safe_sparsity(study)
    place = (alone.text["model"] == "EASE") & (alone.frame["side"] == "parameters").to_numpy()
    assert set(alone.text.loc[place, "safe at 0.99"]) == {"50 %"} and not alone.bold.loc[place, "safe at 0.99"].any()
    assert ranked([study]).query("model == 'ease' and side == 'parameters'")["own"].lt(0.99).all()


def test_what_test_does_not_confirm_is_shown_and_marked_but_no_headline(rows):
    rows.loc[of_ease(rows), ["bytes_disk", "bytes_ratio"]] = [100, 0.001]
    rows.loc[of_ease(rows), TEST] = [0.98, 0.985]
    study = StudyEvidence.of(rows)
    table = tables.headline(study)
    place = (table.text["model"] == "EASE") & (table.text["removes"] == "parameters")
    assert table.text.loc[place, "safe at 0.99"].item() == "50 %" and table.text.loc[
        place, "ratio at 0.99"
    ].item().endswith("*")
    assert not table.bold[place].to_numpy().any()
    assert "*: test does not confirm it" in table.caption and "no headline" in table.caption
    assert not any(
        "EASE" in what for what in tables.artefacts(study).frame["what"] if "weight" in what or "parameter" in what
    )
    assert numbers(study)["disk model"] == "iALS"
    assert "*" in "".join(tables.footprint(study).text["test ratio"])


def test_confirmed_it_is_a_headline(rows):
    rows.loc[of_ease(rows), ["bytes_disk", "bytes_ratio"]] = [100, 0.001]
    study = StudyEvidence.of(rows)
    table = tables.headline(study)
    place = (table.text["model"] == "EASE") & (table.text["removes"] == "parameters")
    assert table.bold.loc[place, "disk"].item() and "*" not in "".join(table.text.loc[place, "ratio at 0.99"])
    assert numbers(study)["disk model"] == "EASE"


def test_formats_in_bold_are_confirmed():
    rows = fake_formats(models=("popularity", "ease"), kept=(0.5,))
    rows.loc[(rows["values"] == "int8") & (rows["side"] != "dense"), TEST] = 0.9
    table = tables.formats(StudyEvidence.of(rows))
    bold = table.text[table.bold["disk"]]
    assert len(bold) and not bold["test ratio"].str.endswith("*").any()
    assert "no headline" in table.caption


def test_rows_without_the_upper_end_take_the_users_for_many(rows):
    points = StudyEvidence.of(rows.drop(columns="val_ratio_hi")).points
    found = together(points)["val_ratio_lower"]
    assert np.isfinite(found[points["side"] != "dense"]).all()
    assert isinstance(found, pd.Series)
