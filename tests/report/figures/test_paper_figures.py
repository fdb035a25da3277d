"""The figures that carry a message: best rules, who pays, rounds against one shot, time saved; and their captions."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from matplotlib.axis import Tick
from matplotlib.text import Text

from recprune.errors import NothingToDrawError
from recprune.report import figures
from recprune.report.evidence import Evidence, StudyEvidence
from recprune.report.evidence.methods import is_kind
from recprune.report.evidence.payments import payments
from recprune.report.figures.best import best_points
from recprune.report.figures.drawing import words
from recprune.report.figures.drawing.style import render
from recprune.report.figures.rounds import caption as caption_of_rounds
from recprune.report.figures.time_saved import time_points

LOW, HIGH = "test_recall@20_items_low", "test_recall@20_items_high"


@pytest.fixture(scope="module")
def groups(few):
    """`few` with thirds of the items: the tail loses twice what is lost overall, the head nothing."""
    level = few["side"].eq("dense") | few["model"].eq("popularity")
    loss = 1 - few["test_ratio"]
    return few.assign(
        **{LOW: np.where(level, 0.1, 0.1 * (1 - 2 * loss)), HIGH: 0.5, "test_jaccard@20": np.where(level, 1.0, 0.6)}
    )


@pytest.fixture(scope="module")
def looped(few):
    """`few` with magnitude removed in rounds, and a rule of samples asked anew in every round."""
    once = few[
        (few["criterion"] == "magnitude") & (few["unit"] == "weight") & few["recovery"].isin(["refit", "fine-tune"])
    ]
    samples = few[few["criterion"] == "stratified"].assign(criterion="segment", schedule="linear")
    return pd.concat([few, once.assign(schedule="geometric"), samples], ignore_index=True)


def shuffled(rows):
    return rows.sample(frac=1, random_state=1)


@pytest.mark.filterwarnings("error")
def test_best_leaves_out_what_has_no_weight_left(few):
    rows = few.copy()
    gone = (rows["side"] == "parameters") & (rows["kept"] == rows.loc[rows["side"] == "parameters", "kept"].min())
    rows.loc[gone, "nonzeros"] = 0
    _, data = figures.best(StudyEvidence.of(rows))
    assert (data["x"] > 0).all() and (data["x"] < 1).any()


def test_best_is_chosen_on_validation_and_drawn_on_test(few):
    rows = few.copy()
    loser = (rows["model"] == "ease") & (rows["criterion"] == "magnitude-layer") & (rows["kept"] == 0.2)
    rows.loc[loser, "test_ratio"] = 1.2  # best on test alone: must not be chosen
    figure, data = figures.best(StudyEvidence.of(shuffled(rows)))
    assert not ((data["ratio"] > 1.1) & (data["role"] == "best")).any()
    for _, line in data[data["role"] == "best"].groupby(["side", "model"]):
        assert line["x"].is_monotonic_increasing and line["val_ratio"].is_monotonic_increasing
    table = StudyEvidence.of(rows).pruned
    mine = table[(table["model"] == "ease") & (table["side"] == "parameters") & ~is_kind(table, "control")]
    least = mine[mine["kept"] == mine["kept"].min()]
    first = data[(data["model"] == "ease") & (data["side"] == "parameters") & (data["role"] == "best")].iloc[0]
    assert first["val_ratio"] == pytest.approx(least["rel_val_ndcg@10"].max())
    assert {"best", "random", "smaller-dense"} == set(data["role"])
    marks = np.vstack([line.get_xydata() for line in figure.axes[0].lines if line.get_linestyle() == "None"])
    drawn = data[(data["side"] == "parameters") & (data["role"] == "best")]
    assert {tuple(pair) for pair in marks} == set(drawn[["x", "ratio"]].itertuples(index=False, name=None))


def test_a_budget_counts_parameters_and_not_rows_or_neurons(few):
    rows = few.copy()
    rows.loc[(rows["criterion"] == "magnitude") & (rows["model"] == "ease") & (rows["kept"] == 0.02), "nonzeros"] = (
        936_000
    )
    data = best_points(StudyEvidence.of(rows))
    mine = data[(data["model"] == "ease") & (data["kept"] == 0.02) & (data["criterion"] == "magnitude")]
    assert (mine["x"] > 0.5).all()


def test_the_tail_pays_in_the_figure_what_it_pays_in_the_rows(groups):
    data = payments(StudyEvidence.of(shuffled(groups)))
    medians = data[(data["role"] == "median") & (data["measure"] == "recall@20_items_low")]
    rules = data[(data["role"] == "rule") & (data["measure"] == "recall@20_items_low")]
    assert len(medians) >= 2
    for median in medians.itertuples():
        mine = rules[(rules["model"] == median.model) & (rules["side"] == median.side)]
        assert (median.value, median.rules) == (pytest.approx(mine["value"].median()), len(mine))
        assert (median.low, median.high) == (
            pytest.approx(mine["value"].quantile(0.25)),
            pytest.approx(mine["value"].quantile(0.75)),
        )
    lost = groups.merge(rules, on=["model", "side", "unit", "criterion", "schedule", "recovery", "kept"])
    point = lost.groupby(["model", "side", "unit", "criterion", "recovery", "kept"])
    expected, got = point["test_ratio"].mean(), point["value"].first()
    np.testing.assert_allclose(got, 1 - 2 * (1 - expected))
    assert (data.loc[data["measure"] == "recall@20_items_high", "value"] == 1).all()
    assert set(data.loc[(data["measure"] == "jaccard@20") & (data["role"] == "rule"), "value"].round(9)) == {0.6}


def test_a_group_that_the_dense_model_does_not_serve_says_nothing(groups):
    rows = groups.assign(**{LOW: groups[LOW] / 100})
    assert "recall@20_items_low" not in set(payments(StudyEvidence.of(rows))["measure"])


def test_who_pays_draws_its_points(groups):
    figure, data = figures.who_pays(StudyEvidence.of(groups))
    drawn = np.concatenate(
        [line.get_xdata() for ax in figure.axes for line in ax.lines if line.get_marker() not in ("<", ">")]
    )
    inside = data[data["role"] == "median"]
    assert all(np.isclose(drawn.astype(float), value).any() for value in inside["value"])


def test_rounds_stand_beside_the_same_rule_in_one_shot(looped):
    figure, data = figures.rounds(StudyEvidence.of(shuffled(looped)))
    pruned = data[data["role"] == "pruned"]
    assert set(pruned["criterion"]) == {"magnitude"} and set(pruned["unit"]) == {"weight"}
    assert set(pruned["schedule"]) == {"one-shot", "geometric"} and "none" not in set(pruned["recovery"])
    assert {"smaller-dense", "dense"} < set(data["role"])
    texts = [text.get_text() for text in figure.legends[0].get_texts()]
    assert {
        "one shot + refit",
        "geometric rounds + refit",
        "one shot + fine-tune",
        "geometric rounds + fine-tune",
    } <= set(texts)
    _, samples = figures.rounds(StudyEvidence.of(looped), "samples")
    assert {"segment", "stratified", "random"} <= set(samples["criterion"])


def test_time_saved_counts_scoring_and_the_dense_model_behind_rounds(looped):
    rows = looped.copy()
    rows.loc[rows["side"] == "dense", ["train_s", "score_s"]] = [10.0, 0.0]
    rows.loc[rows["side"] == "samples", ["train_s", "score_s"]] = [4.0, 1.0]
    data = time_points(StudyEvidence.of(shuffled(rows)))
    once = data[data["criterion"].isin(["stratified", "random"])]
    assert once["saved"].to_numpy() == pytest.approx(0.5)
    assert data.loc[data["criterion"] == "segment", "saved"].to_numpy() == pytest.approx(-0.5)
    assert (data.loc[data["role"] == "dense", "saved"] == 0).all()


def test_figures_are_absent_where_the_rows_do_not_suffice(few, few_study):
    with pytest.raises(NothingToDrawError, match="rounds"):
        figures.rounds(few_study)
    with pytest.raises(NothingToDrawError, match="fewer than two models"):
        figures.best(StudyEvidence.of(few[few["model"] == "ease"]))
    with pytest.raises(NothingToDrawError, match="no samples"):
        figures.time_saved(StudyEvidence.of(few[few["side"] != "samples"]))
    with pytest.raises(NothingToDrawError, match="no group"):
        figures.who_pays(StudyEvidence.of(few[few["side"] == "dense"]))
    dense = few[(few["model"] == "popularity") | (few["side"] == "dense")]
    assert {drawing.stem for drawing in figures.drawings(Evidence.of(dense))} == {
        "pareto",
        "pareto-column",
        "pareto-latency",
    }


@pytest.mark.parametrize("draw", [figures.who_pays, figures.rounds], ids=lambda draw: draw.__name__)
def test_other_orders_of_the_rows_give_the_same_bytes(draw, groups, looped):
    rows = groups if draw is figures.who_pays else looped
    (first, data), (again, other) = draw(StudyEvidence.of(rows)), draw(StudyEvidence.of(shuffled(rows)))
    assert data.to_csv() == other.to_csv()
    assert render(first, "svg") == render(again, "svg")


def test_no_words_leave_a_figure(drawn):
    for drawing in drawn.values():
        figure = drawing.figure
        figure.draw_without_rendering()  # whoever saved it before, at another resolution, left his sizes behind
        page = figure.bbox
        ticks = {
            label for tick in figure.findobj(Tick) for label in (tick.label1, tick.label2)
        }  # some beyond their axis, unseen
        for text in set(figure.findobj(Text)) - ticks:
            box = text.get_window_extent()
            inside = page.x0 - 1 <= box.x0 and box.x1 <= page.x1 + 1 and page.y0 - 1 <= box.y0 and box.y1 <= page.y1 + 1
            assert inside or not text.get_text(), (drawing.name, text.get_text(), box)


def test_figures_fit_a_page_and_a_column(drawn):
    for drawing in drawn.values():
        width, height = drawing.figure.get_size_inches()
        assert width in (3.3, 6.9) and height <= 8.5, drawing.name


def test_captions_say_the_data_the_seeds_and_the_bands(drawn):
    for name, drawing in drawn.items():
        assert "fake-100k, protocol ratio" in drawing.caption, name
        assert drawing.caption.endswith("."), name
    assert "3 seeds" in drawn["tradeoff-parameters"].caption
    assert "intervals over users and seeds" in drawn["tradeoff-parameters"].caption
    one = pd.DataFrame({"role": ["pruned", "pruned"], "seeds": [3, 5], "lo": np.nan, "hi": np.nan})
    assert words.over(one) == "means over 3 to 5 seeds"
    assert words.bands(one) == "the rows hold no intervals"


def test_latex_and_markdown_print_names_as_they_stand(drawn, tmp_path):
    odd = replace(drawn["pareto"], caption="a_b 50 % & [x] *y*")
    tex = figures.to_latex(odd)
    assert r"\caption{a\_b 50~\% \& [x] *y*}" in tex
    assert tex.startswith("\\begin{figure*}") and "\\includegraphics{fake-100k/pareto.pdf}" in tex
    assert "\\label{fig:pareto-fake-100k}" in tex
    figures.write_figures([odd], tmp_path)
    assert "\na\\_b 50 % & \\[x\\] \\*y\\*\n" in (tmp_path / "figures" / "README.md").read_text()


def test_the_list_of_figures_keeps_what_is_still_there(drawn, tmp_path):
    first, second = drawn["pareto"], drawn["safe-sparsity"]
    figures.write_figures([second], tmp_path)
    figures.write_figures([first], tmp_path)
    text = (tmp_path / "figures" / "README.md").read_text()
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == ["fake-100k/pareto", "fake-100k/safe-sparsity"]
    assert f"\n![fake-100k/safe-sparsity](fake-100k/safe-sparsity.png)\n\n{second.caption}\n" in text
    figures.write_figures([first, second], tmp_path)
    assert (tmp_path / "figures" / "README.md").read_text() == text
    (tmp_path / "figures" / "fake-100k" / "safe-sparsity.png").unlink()
    figures.write_figures([first], tmp_path)
    assert "safe-sparsity" not in (tmp_path / "figures" / "README.md").read_text()


def test_one_rule_in_rounds_is_named_in_the_caption(looped):
    study = StudyEvidence.of(looped)
    assert "(magnitude (global))" in caption_of_rounds(study, figures.rounds(study)[1], "parameters")
