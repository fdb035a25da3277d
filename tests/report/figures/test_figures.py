import io

import numpy as np
import pandas as pd
import pytest
from fake_cells import fake_cells
from matplotlib.text import Text
from PIL import Image

from recprune.cells.names import known
from recprune.errors import ReportError
from recprune.report import figures
from recprune.report.evidence import Evidence, StudyEvidence
from recprune.report.figures.drawing import style
from recprune.report.figures.drawing.style import DOUBLE, SINGLE, render
from recprune.report.figures.safe_sparsity import LETTERS, ROUNDS


def lines_of(ax):
    """{label-free key: (x, y)} of the curves of one panel: those with more than the two points of a level line."""
    return [
        np.asarray(line.get_xydata(), float)
        for line in ax.lines
        if line.get_linestyle() != "None" and len(line.get_xydata()) > 2
    ]


def words_of(figure):
    return "\n".join(text.get_text() for ax in figure.axes for text in [*ax.texts, ax.title]) + "\n".join(
        text.get_text() for legend in figure.legends for text in legend.get_texts()
    )


def test_a_panel_per_model_with_every_method_and_control(few_study):
    figure, data = figures.tradeoff(few_study)
    assert [ax.get_title() for ax in figure.axes if ax.get_title()] == ["EASE (CF)", "Mult-VAE (deep)"]
    legend = words_of(figure)
    for series in (
        "magnitude (global)",
        "magnitude (global) + refit",
        "magnitude (per layer)",
        "neighbours per item",
        "random",
        "smaller dense",
        "zero reset",
        "dense",
        "99 % of dense",
        "95 % interval, 3 seeds",
    ):
        assert series in legend
    assert {"random", "smaller-dense", "zero-reset", "dense"} <= set(data["role"])
    assert figure.get_size_inches()[0] == pytest.approx(DOUBLE)
    ax = figure.axes[0]
    assert ax.get_xscale() == "log"
    assert {
        line.get_ydata()[0]
        for line in ax.lines
        if len(line.get_ydata()) == 2 and line.get_ydata()[0] == line.get_ydata()[1]
    } >= {1, 0.99}


def test_the_data_are_what_is_drawn(few, few_study):
    figure, data = figures.tradeoff(few_study)
    for ax, model in zip(figure.axes, ["ease", "mult-vae"], strict=True):
        mine = data[data["model"] == model]
        drawn = np.vstack([*lines_of(ax), *(line.get_xydata() for line in ax.lines if line.get_marker() == "*")])
        drawn = {(round(x, 9), round(y, 9)) for x, y in drawn}
        assert drawn == {(round(x, 9), round(y, 9)) for x, y in mine[["x", "ratio"]].to_numpy(float)}
        carets = [line for line in ax.lines if line.get_marker() == 7 and len(line.get_xdata())]
        assert sum(len(line.get_xdata()) for line in carets) == mine["below"].sum() > 0
    magnitude = few.query(
        "model == 'ease' and criterion == 'magnitude' and unit == 'weight' and recovery == 'refit' and kept == 0.2"
    )
    row = data.query(
        "model == 'ease' and criterion == 'magnitude' and unit == 'weight' and recovery == 'refit' and kept == 0.2"
    ).iloc[0]
    assert row["ratio"] == pytest.approx(magnitude["test_ratio"].mean())
    assert row["lo"] == pytest.approx(magnitude["test_ratio_lo"].iloc[0])


def test_single_parameters_and_structures_are_figures_of_their_own():
    rows = fake_cells(models=("ials", "bpr"), kept=(0.5, 0.1))
    drawn = {drawing.stem: drawing for drawing in figures.drawings(Evidence.of(rows[rows["side"] != "samples"]))}
    assert set(drawn["tradeoff-parameters"].data["unit"]) == {"", "weight", "model"}
    structure = drawn["tradeoff-structure-axes"].data
    assert set(structure["unit"]) == {"", "factor", "model"}
    assert set(structure["model"]) == {"ials", "bpr"}
    assert "smaller-dense" in set(structure["role"])


def test_samples_and_chosen_models(few, few_study):
    figure, data = figures.tradeoff(few_study, side="samples", models=["mult-vae"])
    assert set(data["model"]) == {"mult-vae"}
    assert set(data["criterion"]) == {"none", "random", "stratified"}
    assert figure.get_size_inches()[0] == pytest.approx(SINGLE)
    assert "interactions" in figure.axes[0].get_xlabel()
    with pytest.raises(ReportError, match="popularity"):
        figures.tradeoff(few_study, models=["popularity"])
    with pytest.raises(ReportError, match="side 'weights'"):
        figures.tradeoff(few_study, side="weights")
    with pytest.raises(ReportError, match="several data sets"):
        figures.tradeoff(StudyEvidence.of(pd.concat([few, fake_cells(dataset="other")])))


@pytest.mark.parametrize("missing", ["random", "smaller-dense"])
def test_a_missing_control_is_noted_where_it_is_missed(few, missing, few_study):
    figure, _ = figures.tradeoff(StudyEvidence.of(few[few["criterion"] != missing]))
    notes = [text.get_text() for ax in figure.axes for text in ax.texts]
    assert sum(f"no {missing.replace('-', ' ')} control" in note for note in notes) == 2
    whole, _ = figures.tradeoff(few_study)
    assert "control" not in words_of(whole)


def test_without_a_dense_model_the_ratios_still_stand(few):
    figure, data = figures.tradeoff(StudyEvidence.of(few[few["side"] != "dense"]))
    assert "no dense model" in words_of(figure)
    assert data["ratio"].notna().all()


def test_one_seed_without_intervals():
    rows = fake_cells(models=("popularity", "ease"), seeds=(0,), kept=(0.5, 0.1))
    rows[[f"{part}_ratio_{end}" for part in ("val", "test") for end in ("lo", "hi", "lower")]] = np.nan
    for drawing in figures.drawings(Evidence.of(rows)):
        assert drawing.rendered("svg")
    figure, data = figures.tradeoff(StudyEvidence.of(rows))
    assert "1 seed, no intervals" in words_of(figure)
    assert data.loc[data["role"] != "dense", ["lo", "hi"]].isna().all(axis=None)


def test_a_curve_for_a_notebook_names_its_lines(few, few_study):
    rows = few[
        (few["model"] == "ease")
        & (few["side"].eq("dense") | (few["criterion"].eq("magnitude") & few["unit"].eq("weight")))
    ]
    figure, data = figures.curve(StudyEvidence.of(rows))
    written = [text.get_text() for text in figure.axes[0].texts]
    assert {"magnitude (global)", "magnitude (global) + refit", "dense"} <= set(written)
    assert not figure.legends
    assert len(data) == 7
    many, _ = figures.curve(StudyEvidence.of(few[(few["model"] == "ease") & (few["side"] != "samples")]))
    assert many.legends
    with pytest.raises(ReportError, match="one model"):
        figures.curve(few_study)


def test_the_front_of_a_family_is_what_nothing_else_beats(study):
    _, data = figures.pareto(study)
    for _, family in data.groupby("family"):
        for _, point in family.iterrows():
            size, quality = family["bytes_disk"], family["val_ndcg@10"]
            beaten = ((size <= point["bytes_disk"]) & (quality > point["val_ndcg@10"])) | (
                (size < point["bytes_disk"]) & (quality >= point["val_ndcg@10"])
            )
            assert point["front"] == (not beaten.any() and point["family"] in ("cf", "deep"))


def test_what_is_best_on_test_alone_is_on_no_front(cells):
    lucky = (cells["model"] == "ease") & (cells["criterion"] == "random") & (cells["kept"] == 0.2)
    assert lucky.any()
    _, plain = figures.pareto(StudyEvidence.of(cells))
    _, data = figures.pareto(StudyEvidence.of(cells.assign(**{"test_ndcg@10": cells["test_ndcg@10"].mask(lucky, 0.9)})))
    columns = ["model", "criterion", "kept", "front"]
    pd.testing.assert_frame_equal(data[columns], plain[columns])


@pytest.mark.parametrize("cost", ["bytes_disk", "p50_ms"])
def test_pareto_shows_all_models_the_floor_and_the_safe_points(cells, cost, study):
    figure, data = figures.pareto(study, cost=cost)
    ax = figure.axes[0]
    scattered = np.vstack([collection.get_offsets() for collection in ax.collections])
    assert len(scattered) == len(data) + data["safe"].sum()  # a safe point has its ring
    floor = cells.query("model == 'popularity'")["test_ndcg@10"].mean()
    assert any(np.allclose(line.get_ydata(), floor) for line in ax.lines)
    assert data["ndcg@10"].min() >= floor
    assert set(data.loc[~data["front"] & ~data["safe"], "role"]) == {"dense"} and "pruned" in set(data["role"])
    written = words_of(figure)
    for name in ("item-kNN", "iALS", "BPR", "EASE", "NeuMF", "Mult-VAE", "CF front", "deep front", "kept"):
        assert name in written
    assert data.loc[data["safe"], "model"].is_unique
    with pytest.raises(ReportError, match="known: bytes_disk, p50_ms"):
        figures.pareto(study, cost="euros")


def test_every_recovery_has_a_letter_of_its_own_in_safe_sparsity():
    assert set(LETTERS) == set(known("recovery")) - {"none", ""}, "a word runs over the next number"
    assert len({*LETTERS.values(), ROUNDS}) == len(LETTERS) + 1


def test_safe_sparsity_says_none_and_stars_what_test_does_not_confirm(few):
    rows = few.copy()
    rows.loc[(rows["model"] == "ease") & (rows["criterion"] == "magnitude-layer"), "test_ratio_lower"] = 0.5
    figure, data = figures.safe_sparsity(StudyEvidence.of(rows))
    written = [text.get_text() for ax in figure.axes for text in ax.texts]
    assert written.count("–") == data["removed_99"].isna().sum() > 0
    assert "50*" in written and "80 s" in written  # solved again, not one shot and nothing after it
    assert sum(len([t for t in ax.texts if "\n" not in t.get_text()]) for ax in figure.axes) == len(data)
    with pytest.raises(ReportError, match="nothing was pruned"):
        figures.safe_sparsity(StudyEvidence.of(few[few["side"] == "dense"]))


def test_unknown_and_odd_names_are_drawn_as_they_are():
    odd = {"ease": "my_model $x^2$", "magnitude": "50%_of_\\alpha & {co}", "weight": "<unit>"}
    rows = fake_cells(dataset="Ünïcode $ & <b>", models=("popularity", "ease"), kept=(0.5, 0.1))
    rows[["model", "criterion", "unit"]] = rows[["model", "criterion", "unit"]].replace(odd)
    drawn = list(figures.drawings(Evidence.of(rows)))
    names = {drawing.stem for drawing in drawn}
    assert {
        "tradeoff-structure",
        "tradeoff-structure-recovery",
        "safe-sparsity",
    } < names  # a unit that nobody knows is a structure
    for drawing in drawn:
        assert drawing.rendered("pdf")
    assert "my_model $x^2$ (CF)" in words_of(figures.tradeoff(StudyEvidence.of(rows))[0])


def test_the_same_rows_in_any_order_give_the_same_bytes(few, drawn):
    for again in figures.drawings(Evidence.of(few.sample(frac=1, random_state=0))):
        first = drawn[again.stem]
        assert first.data.to_csv() == again.data.to_csv()
        assert first.rendered("svg") == again.rendered("svg") == render(first.figure, "svg")


def test_files_carry_no_date_and_fonts_that_can_be_edited(drawn):
    for drawing in drawn.values():
        assert b"CreationDate" not in drawing.rendered("pdf")
        assert b"/Type3" not in drawing.rendered("pdf")
        assert b"dc:date" not in drawing.rendered("svg")


def test_a_png_has_few_colours_and_looks_the_same(drawn):
    figure = drawn["safe-sparsity"].figure
    plain = io.BytesIO()
    with style.paper():
        figure.savefig(plain, format="png")
    few, all_ = Image.open(io.BytesIO(drawn["safe-sparsity"].rendered("png"))), Image.open(plain)
    assert few.mode == "P" and len(few.getcolors()) <= 256 and few.info["dpi"] == all_.info["dpi"]
    apart = np.asarray(few.convert("RGB"), int) - np.asarray(all_.convert("RGB"), int)
    assert apart.shape[:2] == (all_.height, all_.width) and np.abs(apart).max() < 32
    assert few.convert("RGB").getpixel((0, 0)) == (255, 255, 255)
    assert len(drawn["safe-sparsity"].rendered("png")) < len(plain.getvalue()) / 2
    assert render(figure, "png") == render(figure, "png")


def test_every_figure_has_its_files_and_the_csv_its_data(drawn, tmp_path):
    paths = figures.write_figures(drawn.values(), tmp_path)
    names = {
        "best",
        "best-column",
        "pareto",
        "pareto-column",
        "pareto-latency",
        "safe-sparsity",
        "time-saved",
        "tradeoff-parameters",
        "tradeoff-recovery",
        "tradeoff-recovered",
        "tradeoff-samples",
    }
    assert {drawing.name for drawing in drawn.values()} == {f"fake-100k/{name}" for name in names}
    expected = {f"fake-100k/{name}.{form}" for name in drawn for form in ("csv", "pdf", "png", "svg", "tex")}
    expected |= {"README.md", "captions.json"}
    there = [path for path in (tmp_path / "figures").rglob("*") if path.is_file()]
    assert sorted(paths) == sorted(there)
    assert {str(path.relative_to(tmp_path / "figures")) for path in there} == expected
    for drawing in drawn.values():
        text = (tmp_path / "figures" / f"{drawing.name}.csv").read_text()
        read = pd.read_csv(io.StringIO(text), keep_default_na=True)
        assert list(read.columns) == list(drawing.data.columns)
        assert len(read) == len(drawing.data)
        for column in read.select_dtypes("number"):
            np.testing.assert_array_equal(read[column], drawing.data[column].astype(float))


def test_words_can_be_read_at_the_width_they_are_printed_at(drawn):
    for drawing in drawn.values():
        width = drawing.figure.get_size_inches()[0]
        assert width == style.SINGLE if drawing.stem.endswith("-column") else width in (style.SINGLE, style.DOUBLE)
        words = [text for text in drawing.figure.findobj(Text) if text.get_visible() and text.get_text().strip()]
        assert min(text.get_fontsize() for text in words) >= 6, drawing.name


def test_the_readers_own_settings_stay_and_change_nothing(few_study):
    import matplotlib as mpl

    plain = render(figures.tradeoff(few_study)[0], "svg")
    with mpl.rc_context({"font.size": 20, "axes.facecolor": "red", "svg.hashsalt": "other"}):
        assert render(figures.tradeoff(few_study)[0], "svg") == plain
        assert mpl.rcParams["font.size"] == 20
