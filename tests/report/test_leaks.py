"""The tables and the figure of audits and attacks, of further rows made for the purpose."""

import numpy as np
import pandas as pd
import pytest

from recprune.errors import NothingToDrawError
from recprune.report import figures, tables
from recprune.report.evidence.audits.leaks import leaks, over_seeds, shown
from recprune.report.evidence.study import StudyEvidence

BASE = {"dataset": "fake-100k", "protocol": "ratio", "family": "cf", "values": "float32", "schedule": "", "unit": ""}


def audit(seed, auc, ratio, at="", gain=None, **whose):
    row = BASE | {"kind": "membership", "model": "ease", "recovery": "none", "seed": seed, "at": at} | whose
    found = [row | {"measure": "auc", "value": auc, "error": 0.01}]
    if gain is not None:
        found.append(row | {"measure": "auc_gain", "value": gain, "error": 0.002})
    return [*found, row | {"at": "", "measure": "ratio", "value": ratio, "error": np.nan}]


@pytest.fixture
def audited(few):
    rows = []
    for seed in (0, 1):
        rows += audit(seed, 0.7 + 0.02 * seed, 1.0, side="dense", criterion="none", kept=1.0)
        for kept, auc, ratio in ((0.5, 0.65, 0.99), (0.1, 0.6, 0.96), (0.01, 0.52, 0.8)):
            method = {"side": "parameters", "criterion": "magnitude", "unit": "weight", "kept": kept}
            rows += audit(seed, auc, ratio, gain=auc - 0.7, **method)
    study = StudyEvidence.of(few)
    study.further = pd.DataFrame(rows)
    return study


def test_the_table_shows_the_smallest_model_that_is_still_useful(audited):
    table = tables.privacy(audited)
    assert list(table.text["what"]) == ["dense", "pruned, magnitude (global)"]
    assert list(table.text["kept"]) == ["1", "0.1"]
    assert table.text["AUC"][0].startswith("0.710 [") and table.text["gain"][1].startswith("-0.100 [")
    assert list(table.bold["gain"]) == [False, True]
    assert len(table.frame) == 4 and list(table.text["AUC, as served"]) == ["", ""]


def test_where_nothing_is_useful_the_most_is_shown(audited):
    points = tables.privacy(audited).frame
    assert list(shown(points.assign(ratio=0.5))["kept"]) == [1.0, 0.5]


def test_the_figure_has_a_panel_a_model_and_a_line_a_method(audited):
    picture, data = figures.leak(audited)
    assert len(picture.axes) == 1 and len(picture.axes[0].containers) == 2
    assert list(data["role"]) == ["dense", *["parameters"] * 3]


def test_smaller_models_of_one_shape_are_one_point_whatever_share_the_seed_makes_of_it(audited):
    rows = []
    for seed in (0, 1):
        for kept, auc in ((0.5, 0.65), (0.06, 0.6)):
            small = {"side": "control", "criterion": "smaller-dense", "unit": "model", "kept": kept + 1e-5 * seed}
            rows += audit(seed, auc, 0.99, **small)
    small = leaks(pd.concat([audited.further, pd.DataFrame(rows)], ignore_index=True)).query("role == 'smaller'")
    assert small["auc"].tolist() == [0.65, 0.6]
    assert small["kept"].tolist() == pytest.approx([0.500005, 0.060005], abs=1e-9)


def test_audits_of_users_have_a_table_of_their_own(audited):
    users = audited.further.assign(protocol="strong", value=0.9)
    both = pd.concat([audited.further, users], ignore_index=True)
    pd.testing.assert_frame_equal(leaks(both), leaks(audited.further))
    audited.further = both
    assert list(tables.privacy_users(audited).text["AUC"].str[:5]) == ["0.900", "0.900"]
    assert tables.privacy(audited).text["AUC"][0].startswith("0.710 [")


def test_the_interval_over_seeds_holds_users_and_seeds():
    rows = pd.DataFrame({"value": [0.6, 0.8], "error": [0.03, 0.04], "name": "one"})
    found = over_seeds(rows, ["name"]).iloc[0]
    width = 1.96 * np.sqrt((0.03**2 + 0.04**2) / 2 + 0.02 / 2)
    assert found["value"] == pytest.approx(0.7) and found["hi"] - found["lo"] == pytest.approx(2 * width)


def attacked(**whose):
    row = BASE | {"kind": "attack", "recovery": "none", "kept": 1.0, "seed": 0, "error": np.nan} | whose
    return [row | {"at": f"{kind} {item}"} for kind in ("none", "average") for item in (3, 4)]


def test_tables_of_attacks_and_of_fakes(few):
    study = StudyEvidence.of(few)
    whose = {"model": "ease", "side": "dense", "criterion": "none", "measure": "hit@10"}
    rows = [row | {"value": 0.3 if "average" in row["at"] else 0.01} for row in attacked(**whose)]
    for criterion, recall in (("random", 0.3), ("k-core", 0.9)):
        rule = {"model": "", "family": "", "side": "samples", "unit": "user", "criterion": criterion, "kept": 0.7}
        rows += [row | {"value": recall, "measure": "recall"} for row in attacked(**rule) if "average" in row["at"]]
    study.further = pd.DataFrame(rows)
    table = tables.attack(study)
    assert list(table.text["hit rate without"]) == ["0.0100"] and table.text["hit rate attacked"][0].startswith("0.300")
    found = tables.fakes(study)
    assert sorted(found.text["30% removed"]) == ["0.30", "0.90"]
    assert found.bold["30% removed"].sum() == 1


def test_nothing_is_shown_of_what_was_not_measured(few):
    study = StudyEvidence.of(few)
    for make in (tables.privacy, tables.attack, tables.fakes, figures.leak):
        with pytest.raises(NothingToDrawError):
            make(study)
