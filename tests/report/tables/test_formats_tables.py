"""The tables of value formats, and what others published of sizes."""

import numpy as np
import pytest

from recprune.errors import NothingToDrawError, ReportError
from recprune.report import tables
from recprune.report.evidence import StudyEvidence
from recprune.report.numbers import numbers
from recprune.report.tables.published_sizes import published_sizes, sizes_of


def test_bytes_and_quality_of_each_format_and_what_pruning_adds(formats):
    table = tables.formats(formats)
    text = table.text
    ease = text[text["model"] == "EASE"].reset_index(drop=True)
    assert ease["values"].tolist()[:4] == ["float32", "float16", "int8", "int4"]
    assert ease["disk / dense"].tolist()[:4] == ["", "0.5", "0.25", "0.125"]
    assert ease["safe"].tolist()[:4] == ["yes", "yes", "yes", "no"]
    assert ease["test ratio"].tolist()[2:4] == ["0.999 [0.999, 0.999]", "0.980 [0.980, 0.980]*"]
    assert ease.loc[3, "nDCG@10"] == "0.2680 → 0.2626" and ease.loc[0, "popularity"] == "0.1050"
    assert ease["adds"].tolist()[:5] == [""] * 5 and ease["adds"].iloc[5].endswith("×")
    bold = table.bold["disk"] & (text["model"] == "EASE")
    assert text.loc[bold, "state"].item().startswith("magnitude (global) + refit, −")


def test_what_does_not_beat_popularity_is_marked_and_never_bold(format_rows):
    poor = format_rows.copy()
    mine = (poor["model"] == "ease") & (poor["values"] == "int8")
    poor.loc[mine, ["test_ndcg@10", "test_ndcg@10_lo"]] = 0.01
    table = tables.formats(StudyEvidence.of(poor))
    marked = table.text["state"].str.endswith("†")
    assert set(table.text.loc[marked, "values"]) == {"int8"} and set(table.text.loc[marked, "model"]) == {"EASE"}
    assert not (table.bold["disk"] & marked).any() and "†:" in table.caption


def test_methods_that_earn_their_place_stand_beside_their_rivals(formats):
    table = tables.equal_bytes(formats)
    first = table.text[table.text["model"] == "EASE"].iloc[0]
    assert first["at 0.99"] == "−80 %, int8" and first["rival"] == "smaller dense, −50 %, int8"
    assert first["gain at 0.99"] == "2.5×" and "ratio at 0.95" in table.text
    assert f"{len(table.frame)} of " in table.caption
    assert (table.frame[["gain", "gain_95"]].max(axis=1) > 1).all()


def test_where_no_method_earns_it_there_is_no_table(format_rows):
    smaller = format_rows.copy()
    smaller.loc[smaller["criterion"] == "smaller-dense", ["bytes_disk", "val_ratio_lower"]] = 1
    with pytest.raises(NothingToDrawError, match="fewer bytes than value formats alone"):
        tables.equal_bytes(StudyEvidence.of(smaller))


def test_rows_in_one_format_have_neither_table(few_study):
    for make in (tables.formats, tables.equal_bytes):
        with pytest.raises(NothingToDrawError, match="in one value format alone"):
            make(few_study)


def test_the_numbers_of_the_paper_are_those_of_the_table(formats, few_study):
    found, best = numbers(formats), tables.formats(formats).frame
    best = best[best["adds"].notna() & (best["role"] == "pruned")]
    least = best.loc[best["bytes_ratio"].idxmin()]
    assert (found["format model"], found["format values"]) == ("EASE", least["values"])
    assert found["format ratio"] == f"{100 * least['bytes_ratio']:.2g} %"
    assert found["format adds"] == f"{least['adds']:.2g}" and found["cells"] == f"{len(formats.formats):,}"
    assert not [name for name in numbers(few_study) if name.startswith("format")]


def test_published_sizes_fall_with_the_bytes():
    for curve in published_sizes():
        assert np.all(np.diff(curve.bytes_per_item) < 0) and np.all(np.diff(curve.values) < 0)
        assert curve.value >= curve.values[0] and curve.source
    found = sizes_of("ml-20m", "strong")
    assert found.query("model == 'compressed-elsa' and bytes_per_item == 256")["value"].tolist() == [0.411]
    assert sizes_of("ml-100k", "strong").empty


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("values = [0.4]\n", "1 values at 2 bytes_per_item"),
        ("values = [0.4, 4.0]\n", r"curves\[1\].values: numbers from 0 to 1"),
        ('metric = "ndcg@7"\n', "metric"),
        ("bytes_per_item = [8.0, 0.0]\n", r"bytes_per_item: 0; numbers above 0"),
    ],
)
def test_a_fault_is_named_by_its_place(tmp_path, change, message):
    entry = {
        "model": '"elsa"',
        "form": '"sparse"',
        "dataset": '"ml-20m"',
        "protocol": '"strong"',
        "metric": '"ndcg@100"',
        "value": "0.5",
        "bytes_per_item": "[8.0, 4.0]",
        "values": "[0.4, 0.3]",
        "source": '"made up"',
    }
    path = tmp_path / "sizes.toml"
    name, _, value = change.strip().partition(" = ")
    path.write_text("[[curves]]\n" + "".join(f"{key} = {text}\n" for key, text in (entry | {name: value}).items()))
    with pytest.raises(ReportError, match=message):
        published_sizes(path)


@pytest.mark.parametrize("left", ["dense models alone", "no dense models", "no intervals", "no float32"])
def test_few_rows_are_shown_or_left_out(format_rows, left):
    some = {
        "dense models alone": format_rows[format_rows["side"] == "dense"],
        "no dense models": format_rows[format_rows["side"] != "dense"],
        "no intervals": format_rows.assign(**{name: np.nan for name in format_rows if "_ratio_" in name}),
        "no float32": format_rows[format_rows["values"] != "float32"],
    }[left]
    study = StudyEvidence.of(some)
    for make in (tables.formats, tables.equal_bytes):
        try:
            assert len(make(study).text)
        except NothingToDrawError as error:
            assert str(error)
