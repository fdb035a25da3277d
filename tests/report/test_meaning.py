"""What notebooks say of grids, attacks, windows of time and whole studies: sentences that follow from their numbers."""

import numpy as np
import pandas as pd
import pytest
from fake_cells import fake_cells

from recprune.report import StudyEvidence
from recprune.report.meaning import attacked, compared, independent, lived, unmasked

METHOD = {"model": "ease", "unit": "weight", "criterion": "magnitude", "recovery": "refit"}


def grid(most, least, half=0.01):
    """Ratios at 100 %, 10 % and 1 % kept, of a model of all the data (nDCG 0.3) and of one of a tenth (0.2)."""
    rows = [
        METHOD | {"samples_kept": samples, "kept": kept, "ndcg": level * ratio, "ratio": ratio, "lo": ratio - half,
                  "hi": ratio + half}
        for samples, level, ratios in ((1.0, 0.3, most), (0.1, 0.2, least))
        for kept, ratio in zip((1.0, 0.1, 0.01), ratios, strict=True)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def test_losses_that_multiply_leave_prunability_to_itself():
    text = independent(grid((1, 0.99, 0.9), (1, 0.985, 0.9)))
    assert "**does not depend on its data**" in text and "at all 2 shares kept" in text
    assert "1 % of the weights keep 0.900 [0.890, 0.910] of the dense model of 100 % of the interactions" in text
    assert "Both cuts together keep 0.600 of the whole; the data alone 0.667" in text
    assert "it would be 0.600." in text


def test_where_intervals_are_apart_the_grid_says_who_is_more_prunable():
    text = independent(grid((1, 0.99, 0.8), (1, 0.99, 0.9)))
    assert "The model of 10 % of the interactions is **more prunable** than that of 100 %" in text
    assert "apart at 1 %." in text and "does not depend" not in text
    assert "**less prunable**" in independent(grid((1, 0.99, 0.9), (1, 0.99, 0.8)))


@pytest.mark.parametrize("column", ["samples_kept", "kept"])
def test_a_grid_of_one_share_compares_nothing(column):
    whole = grid((1, 0.99, 0.9), (1, 0.99, 0.9))
    assert independent(whole[whole[column] == 1]).startswith("Only one share")


def attack(side, value, half=0.01, kept=1.0, recovery="none", standing=0.6):
    return {
        "profiles": "random", "side": side, "unit": "weight", "recovery": recovery, "kept": kept, "value": value,
        "lo": value - half, "hi": value + half, "clean": 0.0, "standing": standing, "standing_clean": 0.5,
    }  # fmt: skip


def test_a_pruned_form_that_an_attack_reaches_less_is_named():
    rows = [attack("dense", 0.1), attack("parameters", 0.05, kept=0.01), attack("parameters", 0.2, kept=0.1)]
    (line,) = attacked(pd.DataFrame(rows)).splitlines()
    assert "**Random profiles** bring the target to 10 % of the users of the dense model, from 0 %." in line
    assert "Fewer, by intervals apart: 1 % of the weights (5 %)." in line
    assert "More, by intervals apart: 10 % of the weights (20 %)." in line and "no defence" not in line


def test_what_intervals_do_not_tell_apart_is_no_defence():
    line = attacked(pd.DataFrame([attack("dense", 0.1), attack("parameters", 0.095, kept=0.01)]))
    assert "No pruned form is told apart from it (9.5 % to 9.5 %): pruning is no defence here." in line


def test_an_attack_that_reaches_nobody_is_told_by_where_the_target_stands():
    rows = [attack("dense", 0.0002), attack("parameters", 0.0, kept=0.1, standing=0.55)]
    line = attacked(pd.DataFrame(rows))
    assert "almost nobody: at most 0.02 % of the users of any form" in line
    assert "above 60 % of the other items; the attack moves it by +10 points there, in the pruned forms by +5" in line


def test_rules_that_find_fakes_and_rules_that_shield_them():
    rows = [("k-core", 0.9), ("random", 0.3), ("loss", 0.01), ("leverage", 0.2)]
    found = pd.DataFrame(
        [
            {"unit": "user", "criterion": name, "removed": 0.3, "profiles": profiles, "recall": recall + more}
            for name, recall in rows
            for profiles, more in (("random", 0.05), ("average", -0.05 if name == "k-core" else 0.0))
        ]
    )
    (line,) = unmasked(found).splitlines()
    assert "**30 % of the users removed**: `k-core` finds most of the fakes, 90 % where chance finds 32 %" in line
    assert "fewest of the average profiles, 85 %" in line
    assert "Less than half of what chance finds: `loss`" in line and "`leverage`" not in line


def windows(slope, error=0.01, times="dynamic", popular=0.1):
    """The further rows of one pruned arm and the dense one, each trained anew in two windows."""
    arms = [("control", 1.0, "popularity", popular), ("dense", 1.0, "anew", 0.2), ("parameters", 0.05, "anew", 0.19)]
    rows = []
    for side, kept, way, warm in arms:
        one = {"model": "ease", "family": "cf", "side": side, "kept": kept, "recovery": way, "seed": 0, "error": np.nan,
               "unit": "weight" if side == "parameters" else "", "kind": "window"}  # fmt: skip
        for window in (1, 2):
            at = f"{times} window {window}"
            rows += [one | {"at": at, "measure": "ndcg@10 warm", "value": warm}]
            rows += [one | {"at": at, "measure": "update_s", "value": 4.0 * kept}] if side != "control" else []
        if side == "parameters":
            rows.append(one | {"at": times, "measure": "slope", "value": slope, "error": error})
    return pd.DataFrame(rows)


@pytest.mark.parametrize(
    ("slope", "words"),
    [(0.01, "keeps step with"), (-0.05, "falls behind"), (0.05, "gains on"), (-0.02, "falls behind")],
)
@pytest.mark.parametrize("times", ["dynamic", "shuffled"])
def test_a_pruned_model_keeps_step_unless_its_slope_is_not_0(slope, words, times):
    line, popular = lived(windows(slope, times=times)).splitlines()
    assert f"**5 % of the weights, `anew`** {words} the dense model: {100 * slope:+.1f} % a window" in line
    assert "0.950 of the dense model trained anew, for 5 % of its time (200 ms a window)" in line
    assert popular.endswith("has 0.1000 in the last one and loses to every one of them.")


def test_arms_that_popularity_beats_are_named():
    *_, popular = lived(windows(0.0, popular=0.195)).splitlines()
    assert popular.endswith("does not lose to 5 % kept, `anew`.")


def test_a_study_says_what_is_cheapest_near_the_best_and_what_test_confirms():
    text = compared(StudyEvidence.of(fake_cells()))
    assert "The best dense model, by validation, is **EASE**: test nDCG@10 0.26" in text
    assert "The smallest within 1 % of it on validation: of CF models **EASE**" in text
    assert "; of deep models none." in text
    assert "CF models that were pruned" in text and "deep models that were pruned" in text


def test_a_study_without_pruned_models_says_only_what_it_has():
    cells = fake_cells(models=("popularity", "ease"))
    lines = compared(StudyEvidence.of(cells[cells["side"] == "dense"])).splitlines()
    assert len(lines) == 3 and "(dense)" in lines[1]
