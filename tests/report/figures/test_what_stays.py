"""What can go, at a glance: choices of validation that test confirms, nothing else."""

import numpy as np
import pytest

from recprune.errors import NothingToDrawError
from recprune.report import figures
from recprune.report.evidence import StudyEvidence
from recprune.report.evidence.size.formats import format_points, smallest_safe
from recprune.report.figures.what_stays import NOTHING


def words_of(figure):
    return "\n".join(text.get_text() for ax in figure.axes for text in ax.texts)


def test_a_row_is_the_smallest_safe_form_and_what_it_takes(formats):
    figure, data = figures.what_stays(formats)
    assert data["model"].tolist() == ["ease", "mult-vae"], "CF before deep, and no floor"
    safe = smallest_safe(formats.once(format_points)).set_index("model").loc[data["model"]]
    np.testing.assert_array_equal(data["bytes_after"], safe["bytes_disk"])
    np.testing.assert_allclose(data["ms_after"], data["ms_before"] * safe["p50_ratio"].to_numpy())
    assert (data["bytes_after"] < data["bytes_before"]).all()
    words = words_of(figure)
    for row in data.itertuples():
        assert row.label in words and f"÷ {row.bytes_before / row.bytes_after:.3g}" in words
        assert f"{row.ndcg_before:.4f} → {row.ndcg_after:.4f}" in words
    assert "popularity" in words and "EASE (CF)" in words and "Mult-VAE (deep)" in words


def test_the_dots_are_the_data(formats):
    figure, data = figures.what_stays(formats)
    for ax, cost in zip(figure.axes[1:3], ("bytes", "ms"), strict=True):
        dots = {float(line.get_xdata()[0]) for line in ax.lines if line.get_marker() == "o"}
        assert dots == set(data[f"{cost}_before"]) | set(data[f"{cost}_after"])


def test_what_test_does_not_confirm_is_not_shown_and_the_model_says_so(format_rows):
    rows = format_rows.copy()
    rows.loc[rows["model"] == "ease", "test_ratio_lower"] = 0.5
    figure, data = figures.what_stays(StudyEvidence.of(rows))
    ease = data.set_index("model").loc["ease"]
    assert ease["label"] == NOTHING and np.isnan(ease["bytes_after"]) and np.isnan(ease["ratio"])
    assert ease["bytes_before"] > 0 and NOTHING in words_of(figure)


def test_one_format_alone_is_nothing_to_draw(few_study):
    with pytest.raises(NothingToDrawError, match="one value format"):
        figures.what_stays(few_study)
