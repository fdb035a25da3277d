"""The table and the figure of windows of time, from further rows."""

import itertools

import numpy as np
import pandas as pd
import pytest
from fake_cells import fake_cells as cells

from recprune.cells.further import further_rows
from recprune.errors import NothingToDrawError
from recprune.report import StudyEvidence, figures, tables

ARMS = [("dense", 1.0, "frozen"), ("dense", 1.0, "anew"), ("control", 1.0, "popularity")]
PRUNED = [("parameters", 0.2, way) for way in ("frozen", "values", "support", "anew")]


def rows():
    """Two models, two seeds, three windows; the pruned one loses a hundredth a window where it is frozen."""
    found = []
    whose = itertools.product([("ease", "cf"), ("mult-vae", "deep")], (0, 1), ARMS + PRUNED, ("dynamic", "shuffled"))
    for (model, family), seed, (side, kept, way), times in whose:
        one = {"kind": "window", "model": model, "family": family, "side": side, "kept": kept, "recovery": way}
        one |= {"seed": seed, "dataset": "d", "protocol": "temporal"}
        for w in (1, 2, 3):
            quality = 0.3 - 0.01 * w * (side == "parameters" and way == "frozen")
            at = {"at": f"{times} window {w}"}
            found.append(one | at | {"measure": "ndcg@10 warm", "value": quality, "error": 0.01})
            found.append(one | at | {"measure": "ndcg@10 cold", "value": 0.1, "error": 0.01})
            if side != "control" and w < 3:
                found.append(one | at | {"measure": "update_s", "value": 2.0 * w, "error": np.nan})
        if side == "parameters":
            found.append(one | {"at": times, "measure": "slope", "value": -0.03, "error": 0.01})
    return further_rows(pd.DataFrame(found).assign(run=""))


@pytest.fixture
def study():
    found = StudyEvidence.of(cells())
    found.further = rows()
    return found


def test_the_table_has_what_an_update_costs_and_is_worth(study):
    frame = tables.windows(study).frame.set_index(["model", "side", "recovery"])
    assert len(frame) == 2 * len(ARMS + PRUNED)
    one = frame.loc["ease", "parameters", "frozen"]
    assert one["seconds"] == pytest.approx(3.0)
    assert one["relative"] == pytest.approx(0.27 / 0.3)
    assert one["shuffled"] == pytest.approx(-0.03) and one["dynamic_error"] == pytest.approx(0.01)
    assert frame.index.get_level_values("model")[0] == "ease"
    assert "-0.030 ± 0.010" in tables.windows(study).text.to_string()


def test_the_figure_has_each_arm_in_both_orders(study):
    picture, data = figures.windows(study)
    assert len(data) == 2 * len(ARMS + PRUNED) * 2 * 3
    assert len(picture.axes) == 4
    assert all(len(ax.lines) == len(ARMS + PRUNED) for ax in picture.axes)


def test_without_windows_there_is_neither():
    nothing = StudyEvidence.of(cells())
    for make in (tables.windows, figures.windows):
        with pytest.raises(NothingToDrawError, match="followed through windows"):
            make(nothing)
