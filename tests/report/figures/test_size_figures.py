"""Quality against bytes per item, and costs against the size of the catalogue."""

import numpy as np
import pandas as pd
import pytest
from fake_cells import fake_cells, fake_formats
from matplotlib.lines import Line2D

from recprune.cells.rows import write_rows
from recprune.errors import NothingToDrawError
from recprune.report import figures
from recprune.report.evidence import Evidence, StudyEvidence
from recprune.report.figures.bytes_per_item import LOOKS
from recprune.report.figures.drawing.panels import legend_columns
from recprune.report.figures.drawing.registry import REGISTRY

MODELS = ("popularity", "ease", "mult-vae")
ITEMS = 1000


def counted(study):
    study.counted = pd.DataFrame({"items": [ITEMS]})
    return study


@pytest.fixture(scope="module")
def formats():
    return counted(StudyEvidence.of(fake_formats(models=MODELS, kept=(0.5, 0.2, 0.02))))


def words_of(figure):
    texts = [text for ax in figure.axes for text in [*ax.texts, ax.title]]
    texts += [text for legend in figure.legends for text in legend.get_texts()]
    return "\n".join(text.get_text() for text in texts)


def test_a_panel_per_model_with_every_format(formats):
    figure, data = figures.bytes_per_item(formats)
    assert [ax.get_title() for ax in figure.axes if ax.get_title()] == ["EASE (CF)", "Mult-VAE (deep)"]
    for words in ("float32", "float16", "int8", "int4", "dense", "smaller dense", "pruned, best on validation"):
        assert words in words_of(figure)
    np.testing.assert_allclose(data["bytes_per_item"], data["bytes_disk"] / ITEMS)
    assert figure.axes[0].get_xscale() == "log" and (data["ratio"] >= 0.7).all()
    ease = data[data["model"] == "ease"]
    lines = [
        line.get_xydata() for line in figure.axes[0].lines if len(line.get_xydata()) and line.get_marker() != "None"
    ]
    dots = np.vstack([*lines, *(dots.get_offsets() for dots in figure.axes[0].collections)])
    drawn = {(round(x, 9), round(y, 9)) for x, y in dots}
    assert drawn == {(round(x, 9), round(y, 9)) for x, y in ease[["bytes_per_item", "ratio"]].to_numpy(float)}
    dense = data[(data["role"] == "dense") & (data["values"] == "float32")]
    assert (dense["ratio"] == 1).all()


def test_a_model_that_was_only_rounded_has_no_panel_unless_all_were(formats):
    rows = formats.formats
    rounded = rows[(rows["model"] != "mult-vae") | (rows["side"] == "dense")]
    _, data = figures.bytes_per_item(counted(StudyEvidence.of(rounded)))
    assert set(data["model"]) == {"ease"}
    _, data = figures.bytes_per_item(counted(StudyEvidence.of(rows[rows["side"] == "dense"])))
    assert set(data["model"]) == {"ease", "mult-vae"}


def test_a_legend_has_no_more_columns_than_its_rows_need():
    handles = [Line2D([], [], label="x" * 10) for _ in range(7)]
    assert [legend_columns(handles, width) for width in (100, 6.5, 1)] == [7, 4, 1]


def test_formats_look_apart_even_without_colour():
    assert len({look.marker for look in LOOKS.values()}) == len(LOOKS) == 4


def test_each_model_at_its_best_beside_what_others_published():
    rows = fake_formats(dataset="ml-20m", protocol="strong", models=MODELS, kept=(0.5, 0.2))
    study = counted(StudyEvidence.of(rows))
    figure, data = figures.bytes_per_item_models(study)
    assert set(data["metric"]) == {"ndcg@100"} and "nDCG@100" in figure.axes[0].get_ylabel()
    published = data[data["role"] == "published"]
    assert published.loc[published["label"] == "Compressed ELSA, sparse", "quality"].tolist() == [
        0.425,
        0.420,
        0.411,
        0.398,
        0.378,
    ]
    assert "Compressed ELSA, sparse" in words_of(figure)
    ours = data[data["role"] != "published"]
    assert set(ours["model"]) == {"ease", "mult-vae"}
    assert ours[ours["front"]].sort_values(["model", "bytes_disk"])["bytes_disk"].is_unique
    caption = REGISTRY["bytes-per-item-models"].caption(study, data)
    assert "splits of their authors" in caption and f"{ITEMS:,} items" in caption
    figure, data = figures.bytes_per_item_models(counted(StudyEvidence.of(rows.assign(dataset="fake-100k"))))
    assert set(data["metric"]) == {"ndcg@10"} and "published" not in set(data["role"])


def test_one_format_or_no_count_of_items_is_nothing_to_draw(formats):
    alone = counted(StudyEvidence.of(fake_cells(models=MODELS, kept=(0.5,))))
    uncounted = StudyEvidence.of(formats.formats)
    for draw in (figures.bytes_per_item, figures.bytes_per_item_models):
        with pytest.raises(NothingToDrawError, match="one value format alone"):
            draw(alone)
        with pytest.raises(NothingToDrawError, match="were not counted"):
            draw(uncounted)


@pytest.fixture
def benched(tmp_path):
    """A results folder with made-up costs: dense item-item models cost more from 4,000 items on."""
    rows = [
        {
            "n_items": n,
            "n_users": n,
            "interactions": 20 * n,
            "step": step,
            "form": form,
            "processor_seconds": s,
            "bytes": b,
        }
        for n in (1000, 10_000, 100_000)
        for form, s, b in (
            ("dense item-item", n / 4e6, 4 * n * n),
            ("sparse item-item", 1e-3, 800 * n),
            ("dense factors", n / 4e7, 512 * n),
            ("implicit", 1e-4, np.nan),
            ("sparse item-item int8", 1e-3, 230 * n),
        )
        for step in ("serve-1", "save", "fit")
    ]
    (tmp_path / "bench").mkdir()
    pd.DataFrame(rows).to_csv(tmp_path / "bench" / "sizes.csv", index=False)
    write_rows(tmp_path, fake_cells(models=("ease",), kept=(0.5,)))
    return Evidence(tmp_path)


def test_break_even_sizes_are_where_the_lines_cross(benched):
    figure, data = figures.break_even(benched)
    assert [ax.get_title() for ax in figure.axes] == ["milliseconds for one user", "bytes on disk"]
    even = data[data["role"] == "break-even"].set_index(["cost", "form", "then"])["n_items"]
    assert even["ms", "dense item-item", "sparse item-item"] == pytest.approx(4000)
    assert even["ms", "dense factors", "sparse item-item"] == pytest.approx(40_000)
    assert "sparse item-item int8" not in even["ms"].reset_index()["then"].tolist()
    assert "implicit" not in even.reset_index()["then"].tolist()
    assert "4 k" in words_of(figure) and "40 k" in words_of(figure)
    caption = REGISTRY["break-even"].caption(benched, data)
    assert "sparse item-item below dense item-item from 4 k items on" in caption and "1 k to 100 k items" in caption


def test_forms_that_never_cross_are_drawn_without_a_mark(benched):
    costs = benched.catalogues
    alone = Evidence.of(fake_cells(models=("ease",), kept=(0.5,)))
    alone.catalogues = costs[costs["cost"].eq("bytes") & costs["form"].str.contains("item-item")]
    figure, data = figures.break_even(alone)
    assert set(data["role"]) == {"measured"} and "breaks even" not in words_of(figure)
    caption = REGISTRY["break-even"].caption(alone, data)
    assert "bytes on disk, sparse item-item below dense item-item at every size." in caption


def test_it_is_drawn_once_for_the_folder_and_only_where_it_was_measured(benched, few):
    drawn = [drawing for drawing in figures.drawings(benched, (Evidence,)) if drawing.stem == "break-even"]
    assert [drawing.name for drawing in drawn] == ["break-even"]
    with pytest.raises(NothingToDrawError, match="`make bench` does"):
        figures.break_even(Evidence.of(few))


def test_published_dense_models_are_levels_in_the_metric_they_were_published_in():
    rows = fake_formats(dataset="gowalla", protocol="given", models=("ease",), kept=(0.5,))
    study = counted(StudyEvidence.of(rows))
    figure, data = figures.bytes_per_item_models(study)
    levels = data[data["role"] == "published"]
    assert set(data["metric"]) == {"ndcg@20"} and levels["bytes_per_item"].isna().all()
    assert levels.set_index("label")["quality"]["LightGCN"] == 0.155 and levels["label"].is_unique
    assert "LightGCN" in words_of(figure)
    assert "trained on the validation part too" in REGISTRY["bytes-per-item-models"].caption(study, data)
