"""The grid of samples by parameters: its points, and what is safe at each share of the data."""

import pandas as pd
import pytest
from fake_cells import fake_cells

from recprune.errors import ReportError
from recprune.report import figures
from recprune.report.evidence import Evidence, StudyEvidence
from recprune.report.figures.samples_and_parameters import grid


@pytest.fixture(scope="module")
def cells():
    rows = fake_cells(models=("ease",), kept=(0.5, 0.1))
    pruned = rows[(rows["side"] == "parameters") & (rows["unit"] == "weight") & (rows["recovery"] == "refit")]
    dense = rows[rows["side"] == "dense"].assign(
        unit="weight", criterion="magnitude", schedule="one-shot", recovery="refit"
    )
    both = [part.assign(side="both", samples_kept=share) for share in (1.0, 0.5) for part in (dense, pruned)]
    return pd.concat([rows, *both], ignore_index=True)


def test_the_points_are_means_over_seeds_of_the_rows(cells):
    figure, data = figures.both(StudyEvidence.of(cells))
    assert len(data) == 2 * 3 and (data["seeds"] == 3).all()
    point = data[(data["kept"] == 0.1) & (data["samples_kept"] == 0.5)].iloc[0]
    rows = cells[(cells["side"] == "both") & (cells["kept"] == 0.1) & (cells["samples_kept"] == 0.5)]
    assert point["ratio"] == pytest.approx(rows["test_ratio"].mean())
    assert point["ndcg"] == pytest.approx(rows["test_ndcg@10"].mean())
    assert len(figure.axes) == 2


def test_what_is_safe_is_asked_for_each_share_of_the_samples(cells):
    table = figures.safe_by_samples(StudyEvidence.of(cells))
    assert table["samples kept"].tolist() == [1.0, 0.5]
    assert table["removed at 0.95"].between(0, 1).all()


def test_rows_without_a_grid_are_refused(cells):
    with pytest.raises(ReportError, match="no cells prune both"):
        grid(StudyEvidence.of(cells[cells["side"] != "both"]))


def test_the_figure_is_among_those_of_a_study(cells):
    assert "fake-100k/samples-and-parameters" in {drawing.name for drawing in figures.drawings(Evidence.of(cells))}


def test_the_grid_is_in_no_curve(cells):
    assert set(StudyEvidence.of(cells).points["side"]) == set(cells["side"]) - {"both"}
    _, drawn = figures.pareto(StudyEvidence.of(cells), "bytes_disk")
    _, without = figures.pareto(StudyEvidence.of(cells[cells["side"] != "both"]), "bytes_disk")
    pd.testing.assert_frame_equal(drawn, without)
