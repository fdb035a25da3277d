import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from fake_cells import fake_cells

from recprune.cells.rows import write_rows
from recprune.errors import ReportError
from recprune.evaluation import safe_sparsity
from recprune.report.evidence import Evidence, StudyEvidence, label, method_label, read_cells
from recprune.report.evidence import study as study_module
from recprune.report.evidence.cells import NEEDED, canonical, studies
from recprune.report.evidence.groups import GROUPS
from recprune.report.evidence.labels import shortened
from recprune.report.evidence.methods import CURVE, Method, models_in_order
from recprune.report.evidence.points import points
from recprune.report.evidence.safe import best_of_rules, safe_ends

LOW = "test_recall@20_items_low"


def test_rows_come_back_from_their_file(tmp_path, few):
    rows = read_cells(write_rows(tmp_path, few))
    again = read_cells(write_rows(tmp_path / "again", rows))
    pd.testing.assert_frame_equal(points(again), points(rows))
    pd.testing.assert_frame_equal(points(rows)[CURVE], points(canonical(few))[CURVE])


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


def test_the_most_measured_data_set_comes_first():
    rows = pd.concat(
        [
            fake_cells(dataset="a", models=("popularity",)),
            fake_cells(dataset="b", models=("popularity", "ease")),
            fake_cells(dataset="b", protocol="loo", models=("popularity",)),
        ]
    )
    assert [name for name, _ in studies(rows)] == ["b-loo", "b", "a"]


def test_names_for_readers_and_names_that_stand_for_themselves():
    assert method_label(Method("weight", "magnitude", "one-shot", "refit")) == "magnitude (global) + refit"
    assert (
        method_label(Method("neuron", "magnitude", "geometric", "rewind")) == "magnitude, neurons, geometric + rewind"
    )
    assert method_label(Method("interaction", "stratified", "one-shot", "retrain")) == "stratified"
    assert method_label(Method("model", "smaller-dense", "", "retrain")) == "smaller dense"
    assert method_label(Method("shard", "my-rule", "sometimes", "prayer")) == "my-rule, shard, sometimes + prayer"
    assert label("nobody-knows") == "nobody-knows"


def test_rows_without_a_measurement_become_missing_values(few):
    part = canonical(few[[*NEEDED[:11], "test_ndcg@10", "test_ratio"]])
    assert np.isnan(points(part)["bytes_disk"]).all()
    with pytest.raises(ReportError, match="no rows"):
        canonical(few.head(0))


def test_a_share_of_the_dense_model_is_that_of_its_own_seed():
    rows = fake_cells(models=("ease",), seeds=(0, 1), kept=(0.5,))
    rows = rows[(rows["side"] == "dense") | (rows["criterion"] == "magnitude-layer")].copy()
    rows.loc[rows["side"] == "dense", LOW] = [0.1, 0.2]
    rows.loc[rows["side"] != "dense", LOW] = [0.05, 0.4]
    table = StudyEvidence.of(rows.sample(frac=1, random_state=1)).pruned
    assert table.loc[table["side"] == "parameters", f"rel_{LOW}"].item() == pytest.approx((0.05 / 0.1 + 0.4 / 0.2) / 2)
    rows.loc[(rows["side"] == "dense") & (rows["seed"] == 0), LOW] = (
        0.0  # nothing to be a share of: that seed is left out
    )
    table = StudyEvidence.of(rows).pruned
    assert table.loc[table["side"] == "parameters", f"rel_{LOW}"].item() == pytest.approx(2.0)


def test_the_safe_end_of_a_rule_is_the_one_of_the_evaluation(few):
    table = points(canonical(few))
    ends = safe_ends(table, 0.95).set_index(CURVE)["kept"].to_dict()
    found = {key: safe_sparsity(curve, 0.95) for key, curve in table[table["kept"] < 1].groupby(CURVE)}
    assert ends == {key: safe.kept for key, safe in found.items() if safe is not None}
    assert 0 < len(ends) < len(found)


def test_the_best_of_a_rule_removes_most(few_study):
    found = few_study.safe
    data = best_of_rules(found)
    assert not data.duplicated(["removed from", "model", "unit", "criterion"]).any()
    for row in data.itertuples():
        same = found[
            (found["model"] == row.model) & (found["unit"] == row.unit) & (found["criterion"] == row.criterion)
        ]
        assert row.removed_99 == same["removed_99"].max() or same["removed_99"].isna().all()


def test_safe_points_are_those_of_the_evaluation(study):
    table = study.points
    for row in study.safe.itertuples():
        curve = table[(table[CURVE] == [getattr(row, name) for name in CURVE]).all(axis=1)]
        for level, kept, test, confirmed in (
            (0.99, row.kept, row.test_ratio, row.confirmed),
            (0.95, row.kept_95, row.test_ratio_95, row.confirmed_95),
        ):
            safe = safe_sparsity(curve, level)
            assert (
                np.isnan(kept)
                if safe is None
                else (kept, test, confirmed) == (safe.kept, safe.test_ratio, safe.confirmed)
            )
    assert study.safe["kept"].isna().any() and study.safe["kept"].notna().any()


def test_samples_that_a_model_has_seen_were_not_done_without(few):
    """A loop that trains its model on, not anew, has learnt from what it drops: nothing is safe to drop by it."""
    loops = few["side"].eq("samples") & few["kept"].lt(1)
    seen = StudyEvidence.of(few.assign(recovery=few["recovery"].mask(loops, "fine-tune")))
    assert loops.any() and not seen.safe["side"].eq("samples").any()
    assert StudyEvidence.of(few).safe["side"].eq("samples").any()
    others = [
        study.chosen[lambda rows: rows["side"] != "samples"].reset_index(drop=True)
        for study in (seen, StudyEvidence.of(few))
    ]
    pd.testing.assert_frame_equal(*others)


def test_evidence_draws_nothing():
    code = "import sys, recprune.report.evidence; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_everything_of_a_study_is_computed_once(few, monkeypatch):
    calls = []
    for name in ("points", "canonical", "safe_points"):
        real = getattr(study_module, name)
        monkeypatch.setattr(study_module, name, lambda frame, name=name, real=real: calls.append(name) or real(frame))

    def derive(study):
        calls.append("derived")
        return study.name

    study = StudyEvidence.of(few)
    for _ in range(2):
        for each in (study.points, study.paired, study.pruned, study.safe, study.dense, study.best_dense):
            assert len(each)
        assert [group.of(study).points["side"].nunique() for group in GROUPS if group.of(study)]
        assert study.once(derive) == "fake-100k"
    assert sorted(calls) == ["canonical", "derived", "points", "safe_points"]


def test_only_who_asks_for_formats_sees_those_of_quantized_models(few):
    """Better in int8 than as trained, which would move every mean, front and choice that took both for one."""
    coded = few.assign(values="int8", **{"val_ndcg@10": 2 * few["val_ndcg@10"], "bytes_disk": few["bytes_disk"] // 4})
    both, alone = StudyEvidence.of(pd.concat([few, coded])), StudyEvidence.of(few)
    for found in ("rows", "points", "paired", "safe", "best_dense"):
        pd.testing.assert_frame_equal(getattr(both, found), getattr(alone, found))
    assert len(both.formats) == 2 * len(few) and len(alone.formats) == len(few)
    (found,) = Evidence.of(pd.concat([few, coded])).studies
    assert len(found.rows) == len(few) and set(found.formats["values"]) == {"float32", "int8"}


def test_a_part_of_a_study_has_its_points(few):
    """Dense models are averaged over the seeds of what is drawn beside them."""
    rows = few[(few["side"] == "dense") | (few["criterion"] != "magnitude-layer") | (few["seed"] < 2)]
    study = StudyEvidence.of(rows)
    part = study.part(study.rows["side"].eq("dense") | study.rows["criterion"].eq("magnitude-layer"))
    pd.testing.assert_frame_equal(part.paired, StudyEvidence.of(part.rows).paired)
    dense = part.paired[part.paired["side"] == "dense"]
    assert (dense["seeds"] == 2).all() and (study.paired.loc[study.paired["side"] == "dense", "seeds"] == 3).all()


def test_the_best_dense_model_of_a_family_is_chosen_on_validation(few):
    rows = few.copy()
    rows.loc[rows["model"] == "popularity", "val_ndcg@10"] = 0.9
    rows.loc[(rows["model"] == "ease") & (rows["side"] != "dense"), "val_ndcg@10"] = 0.9
    best = StudyEvidence.of(rows).best_dense
    assert dict(zip(best["family"], best["model"], strict=True)) == {"cf": "ease", "deep": "mult-vae"}


def test_several_studies_are_no_study(few):
    with pytest.raises(ReportError, match="several data sets or protocols"):
        StudyEvidence.of(pd.concat([few, fake_cells(protocol="strong", models=("ease",))]))


def test_a_folder_has_its_studies_and_those_of_make_protocols(tmp_path, few):
    write_rows(tmp_path, few)
    write_rows(tmp_path / "protocols", pd.concat([few, few.assign(protocol="strong")]))
    evidence = Evidence(tmp_path)
    assert [study.name for study in evidence.studies] == ["fake-100k"]
    assert [study.name for study in evidence.explored] == ["fake-100k", "fake-100k-strong"]
    assert [list(several.studies) for several in evidence.protocols] == [["ratio", "strong"]]
    assert evidence.searches == [] and evidence.users.empty
    with pytest.raises(ReportError, match="no such file"):
        _ = Evidence(tmp_path / "nowhere").studies


@pytest.mark.parametrize(
    ("text", "expected"),
    [("short", "short"), ("two words here", "two …"), ("x" * 20, "x" * 9 + "…"), (" " * 20, " " * 9 + "…")],
)
def test_a_long_text_is_cut_at_a_space_where_it_has_one(text, expected):
    assert shortened(text, 10) == expected
