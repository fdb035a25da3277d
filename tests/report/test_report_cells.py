import numpy as np
import pandas as pd
import pytest
from fake_cells import fake_cells

from recprune.cells.rows import write_rows
from recprune.errors import ReportError
from recprune.report.cells import NEEDED, canonical, models_in_order, points, read_cells, studies
from recprune.report.grouping import MODELLED, SPARSE
from recprune.report.style import CRITERIA, MODELS, Method, label, method_label, method_looks, model_look


def test_rows_come_back_from_their_file(tmp_path, few):
    path = write_rows(tmp_path, few)
    pd.testing.assert_frame_equal(points(read_cells(path)), points(canonical(few)))


def test_bad_files_are_named_with_what_is_wrong(tmp_path, few):
    with pytest.raises(ReportError, match="no such file"):
        read_cells(tmp_path / "cells.csv")
    path = tmp_path / "cells.csv"
    few.drop(columns=["bytes_disk", "test_ratio"]).to_csv(path, index=False)
    with pytest.raises(ReportError, match="missing columns test_ratio, bytes_disk"):
        read_cells(path)
    few.head(0).to_csv(path, index=False)
    with pytest.raises(ReportError, match="holds no rows"):
        read_cells(path)
    path.write_text("")
    with pytest.raises(ReportError, match="missing columns"):
        read_cells(path)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ReportError):
        read_cells(path)
    few.astype({"test_ratio": object}).assign(test_ratio="much").to_csv(path, index=False)
    with pytest.raises(ReportError, match="test_ratio"):
        read_cells(path)


def test_a_point_is_the_mean_over_seeds(few):
    row = points(canonical(few)).query("model == 'ease' and side == 'dense'").iloc[0]
    values = few.query("model == 'ease' and side == 'dense'")["test_ndcg@10"]
    assert row["seeds"] == 3
    assert row["test_ndcg@10"] == pytest.approx(values.mean())
    assert row["test_ndcg@10_sd"] == pytest.approx(values.std())


def test_smaller_models_whose_share_differs_between_seeds_are_one_curve(few):
    rows = few.copy()
    smaller = rows["criterion"] == "smaller-dense"
    rows.loc[smaller, "kept"] *= 1 + 0.01 * rows.loc[smaller, "seed"]
    curve = points(canonical(rows)).query("model == 'ease' and criterion == 'smaller-dense'")
    assert curve["kept"].tolist() == pytest.approx([0.0202, 0.202, 0.505])
    assert (curve["seeds"] == 3).all()


def test_models_stand_in_families():
    rows = pd.DataFrame(
        {
            "model": ["mult-vae", "random", "own", "ease", "tree", "item-knn"],
            "family": ["deep", "other", "cf", "cf", "other", "cf"],
        }
    )
    assert models_in_order(rows) == ["item-knn", "ease", "own", "mult-vae", "tree", "random"]


def test_each_study_has_a_file_name_of_its_own():
    odd = ["ml-100k", "my ratings (2024) ü", "a b", "/far/away/a_b.tsv.gz", "data/A-B.csv"]
    rows = pd.concat([fake_cells(dataset=name, models=("popularity",)) for name in odd])
    rows = pd.concat([rows, fake_cells(protocol="strong", dataset="ml-100k", models=("popularity",))])
    names = [name for name, _ in studies(rows)]
    assert {"ml-100k", "ml-100k-strong", "a_b"} <= set(names)
    assert len({name.lower() for name in names}) == len(names) == 6
    assert all(set(name) <= set("abcdefghijklmnopqrstuvwxyzAB0123456789._-") for name in names)
    assert sum(len(part) for _, part in studies(rows)) == len(rows)


def test_names_for_readers_and_names_that_stand_for_themselves():
    assert method_label(Method("weight", "magnitude", "one-shot", "refit")) == "magnitude (global) + refit"
    assert (
        method_label(Method("neuron", "magnitude", "geometric", "rewind")) == "magnitude, neurons, geometric + rewind"
    )
    assert method_label(Method("interaction", "stratified", "one-shot", "retrain")) == "stratified"
    assert method_label(Method("model", "smaller-dense", "", "retrain")) == "smaller dense"
    assert method_label(Method("shard", "my-rule", "sometimes", "prayer")) == "my-rule, shard, sometimes + prayer"
    assert label("nobody-knows") == "nobody-knows"


IN_ROUNDS = ("representative", "segment", "segment-learnt")  # drawn in a figure of their own


def test_no_two_series_look_alike_even_without_colour():
    models = [model_look(name, "deep" if name in ("neumf", "mult-vae", "dlrm", "sasrec") else "cf") for name in MODELS]
    assert len({(look.marker, look.fill) for look in models}) == len(models)
    together = [
        SPARSE,
        MODELLED,
        [name for name in CRITERIA if name not in (*SPARSE, *MODELLED, *IN_ROUNDS)],
    ]  # in a figure
    for criteria in together:
        methods_look_apart([*criteria, "random", "magnitude", "new"])


def methods_look_apart(criteria):
    methods = [
        Method(unit, criterion, "one-shot", recovery)
        for criterion in dict.fromkeys(criteria)
        for unit in ("weight", "neuron", "factor")
        for recovery in ("none", "refit")
    ]
    looks = method_looks(methods)
    assert len(set(looks.values())) == len(methods)


def test_rows_without_a_measurement_become_missing_values(few):
    part = canonical(few[[*NEEDED[:11], "test_ndcg@10", "test_ratio"]])
    assert np.isnan(points(part)["bytes_disk"]).all()
    with pytest.raises(ReportError, match="no rows"):
        canonical(few.head(0))
