"""Value formats beside pruning, and forms of a model at catalogues of several sizes."""

import numpy as np
import pandas as pd
import pytest
from fake_cells import FORMATS, fake_cells, fake_formats
from hypothesis import given, settings
from hypothesis import strategies as st

from recprune.errors import NothingToDrawError, ReportError
from recprune.report.evidence import StudyEvidence
from recprune.report.evidence.size.catalogues import break_evens, catalogues
from recprune.report.evidence.size.formats import earning, format_fronts, format_points, model_fronts, shrunk

MODELS = ("popularity", "ease", "mult-vae")


def test_a_format_is_a_point_of_its_own_beside_the_dense_model_as_trained(format_rows, formats):
    table = format_points(formats)
    assert set(table["values"]) == set(FORMATS) and set(table["role"]) == {"dense", "smaller-dense", "pruned"}
    assert not set(table["criterion"]) & {"random", "zero-reset", "stratified"}
    int8 = table[(table["model"] == "ease") & (table["role"] == "dense") & (table["values"] == "int8")].iloc[0]
    assert int8["rel_val_ndcg@10"] == pytest.approx(1 - 0.0005)
    assert int8["dense_ndcg@10"] == pytest.approx(
        format_rows.query("model == 'ease' and side == 'dense' and values == 'float32'")["test_ndcg@10"].mean()
    )


def test_the_walk_to_what_is_safe_is_that_of_each_format(formats):
    table = format_points(formats)
    for _, curve in table[table["role"] != "dense"].groupby(["model", "criterion", "unit", "recovery", "values"]):
        assert len(curve) == 3
        down = curve.sort_values("kept", ascending=False)
        np.testing.assert_allclose(down["lowest"], down["val_ratio_lower"].cummin())
    dense = table[table["role"] == "dense"]
    pd.testing.assert_series_equal(dense["lowest"], dense["val_ratio_lower"], check_names=False)


def test_what_pruning_adds_is_over_the_smallest_safe_format(formats):
    """int4 costs two per cent, so that int8 is the smallest safe format of every dense model."""
    found = shrunk(formats)
    ease = found[found["model"] == "ease"].reset_index(drop=True)
    assert ease["role"].tolist() == ["dense"] * 4 + ["pruned", "pruned", "smaller-dense"]
    assert ease["values"].tolist()[:5] == ["float32", "float16", "int8", "int4", "float32"]
    free = ease.loc[ease["values"].eq("int8") & ease["role"].eq("dense"), "bytes_disk"].item()
    best = ease[ease["role"] == "pruned"].iloc[-1]
    assert best["adds"] == pytest.approx(free / best["bytes_disk"]) and best["lowest"] >= 0.99
    table = format_points(formats)
    mine = table[(table["model"] == "ease") & (table["role"] == "pruned") & (table["lowest"] >= 0.99)]
    assert best["bytes_disk"] == mine["bytes_disk"].min()
    assert ease["adds"].notna().tolist() == [False] * 5 + [True, True]
    assert np.isnan(ease.loc[0, "test_ratio"])


def test_unsafe_on_validation_is_no_choice_whatever_test_says(format_rows):
    lucky = format_rows.copy()
    mine = (lucky["model"] == "ease") & (lucky["values"] == "int4")
    lucky.loc[mine, [name for name in lucky if name.startswith("test_ratio")]] = 1.1
    found = shrunk(StudyEvidence.of(lucky))
    assert "int4" not in set(found.loc[found["adds"].notna(), "values"])


def test_a_method_earns_its_place_where_no_rival_is_as_small(format_rows):
    found, pairs = earning(StudyEvidence.of(format_rows))
    assert pairs == len(
        format_rows[(format_rows["side"] == "parameters") & (format_rows["criterion"] != "random")].groupby(
            ["model", "unit", "criterion", "recovery"]
        )
    )
    assert ((found["gain"] > 1) | (found["gain_95"] > 1)).all()
    smaller = format_rows.copy()  # a smaller dense model that loses nothing, in next to no bytes
    smaller.loc[smaller["criterion"] == "smaller-dense", "bytes_disk"] = 1
    smaller.loc[smaller["criterion"] == "smaller-dense", "val_ratio_lower"] = 1.0
    assert earning(StudyEvidence.of(smaller))[0].empty


def test_fronts_rise_on_validation_with_every_byte(formats):
    fronts = format_fronts(formats)
    for _, line in fronts[fronts["role"] != "dense"].groupby(["model", "role", "values"]):
        line = line.sort_values("bytes_disk")
        assert line["rel_val_ndcg@10"].is_monotonic_increasing and line["bytes_disk"].is_unique
    best = model_fronts(formats)
    assert best["rel_val_ndcg@10"].groupby(best["model"]).apply(lambda values: values.is_monotonic_increasing).all()
    assert best["values"].nunique() > 1


def test_one_format_alone_is_nothing_to_compare():
    with pytest.raises(NothingToDrawError, match="in one value format alone"):
        format_points(StudyEvidence.of(fake_cells(models=MODELS, kept=(0.5,))))
    floors = fake_formats(models=("popularity",))
    ease = fake_cells(models=("ease",), kept=(0.5,))
    with pytest.raises(NothingToDrawError, match="no recommender was measured in two value formats"):
        format_points(StudyEvidence.of(pd.concat([floors, ease])))


def written(folder, **lines):
    """A sizes.csv with the seconds of `serve-1` of each form."""
    rows = [
        {
            "n_items": size,
            "step": "serve-1",
            "form": form.replace("_", " ").replace("item item", "item-item"),
            "processor_seconds": seconds,
            "bytes": np.nan,
        }
        for form, values in lines.items()
        for size, seconds in values.items()
    ]
    (folder / "bench").mkdir()
    pd.DataFrame(rows).to_csv(folder / "bench" / "sizes.csv", index=False)
    return folder


def test_two_straight_lines_break_even_where_they_cross(tmp_path):
    """Dense grows with the catalogue, sparse does not grow: they cross where n / 10,000 is 1 millisecond."""
    sizes = (1000, 3000, 30_000)
    costs = catalogues(
        written(
            tmp_path,
            dense_item_item={n: n / 10_000 / 1000 for n in sizes},
            sparse_item_item=dict.fromkeys(sizes, 1e-3),
            implicit={n: 2 * n / 10_000 / 1000 for n in sizes},
        )
    )
    even = break_evens(costs)
    assert len(even) == 1
    assert even.iloc[0][["cost", "first", "then"]].tolist() == ["ms", "dense item-item", "sparse item-item"]
    assert even.iloc[0]["n_items"] == pytest.approx(10_000) and even.iloc[0]["value"] == pytest.approx(1.0)


COST = st.floats(0.01, 100)


@settings(max_examples=30)
@given(st.lists(COST, min_size=2, max_size=6), st.lists(COST, min_size=6, max_size=6))
def test_on_either_side_of_a_break_even_the_named_form_costs_less(dense, other):
    sizes = [10**n for n in range(1, len(dense) + 1)]
    lines = {"dense item-item": dense, "sparse item-item": other[: len(dense)]}
    costs = pd.concat(
        [
            pd.DataFrame({"cost": "ms", "form": form, "n_items": sizes, "value": values})
            for form, values in lines.items()
        ]
    )
    (at,) = break_evens(costs).to_dict("records")
    if np.isnan(at["n_items"]):
        assert all(lines[at["then"]][n] <= lines[at["first"]][n] for n in range(len(sizes)))
    else:
        above = [number for number, size in enumerate(sizes) if size >= at["n_items"]]
        assert all(lines[at["then"]][n] <= lines[at["first"]][n] for n in above)
        assert lines[at["first"]][above[0] - 1] <= lines[at["then"]][above[0] - 1]


def test_no_file_is_no_rows_and_another_file_an_error(tmp_path):
    assert catalogues(tmp_path).empty
    (tmp_path / "bench").mkdir()
    (tmp_path / "bench" / "sizes.csv").write_text("n_items,step,form,processor_seconds\n1,serve-1,dense,1\n")
    with pytest.raises(ReportError, match="column 'bytes' is missing"):
        catalogues(tmp_path)
    (tmp_path / "bench" / "sizes.csv").write_text("n_items,step,form,processor_seconds,bytes\n1,fit,dense,1,\n")
    assert catalogues(tmp_path).empty


def test_what_was_measured_at_more_sizes_is_on_the_same_line(tmp_path):
    folder = written(tmp_path, dense={1000: 0.002, 4000: 0.009}, sparse={1000: 0.003})
    more = pd.DataFrame(
        {"n_items": [1000, 2000], "step": "serve-1", "form": "dense", "processor_seconds": [0.004, 0.005]}
    )
    more.to_csv(folder / "bench" / "break_even.csv", index=False)
    costs = catalogues(folder)
    assert costs[costs["form"] == "dense"]["value"].tolist() == pytest.approx([3, 5, 9])
