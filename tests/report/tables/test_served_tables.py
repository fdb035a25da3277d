"""What is trained on and what is served, apart; strangers apart; pruned and trained smaller at equal bytes."""

import pandas as pd
import pytest
from fake_cells import fake_cells, fake_protocols

from recprune.errors import NothingToDrawError
from recprune.report import ProtocolsEvidence, StudyEvidence, tables


@pytest.fixture(scope="module")
def cells() -> pd.DataFrame:
    """Rows served from full histories; the same a tenth worse from pruned ones; EASE tuned again, a tenth better."""
    rows = fake_cells(models=("popularity", "ease", "bpr"))
    samples = rows[rows["side"] == "samples"]
    ratios = [name for name in rows if name.startswith("test_ratio")]
    ease = samples[samples["model"] == "ease"]
    forgot, tuned = ease.assign(history="pruned"), ease.assign(recovery="retrain-tuned")
    forgot[ratios], tuned[ratios] = 0.9 * forgot[ratios], 1.1 * tuned[ratios]
    return pd.concat([rows.assign(history="full"), forgot, tuned.assign(history="full")], ignore_index=True)


def test_the_study_is_of_users_served_from_all_that_they_did(cells):
    study = StudyEvidence.of(cells)
    assert set(study.rows["history"]) == {"full"} and len(study.cells) == len(cells)
    assert len(study.rows) == (cells["history"] == "full").sum()


def test_each_rule_has_its_three_ways(cells):
    table = tables.histories(StudyEvidence.of(cells))
    of_ease = table.frame[table.frame["model"] == "ease"]
    assert (of_ease["pruned_test_ratio"] / of_ease["full_test_ratio"]).tolist() == pytest.approx([0.9] * len(of_ease))
    assert (of_ease["tuned_test_ratio"] / of_ease["full_test_ratio"]).tolist() == pytest.approx([1.1] * len(of_ease))
    of_bpr = table.frame[table.frame["model"] == "bpr"]
    assert of_bpr["full_test_ratio"].notna().all() and of_bpr["pruned_test_ratio"].isna().all()
    shown = table.text[table.text["model"] == "EASE"]
    assert shown["rule"].is_unique and set(shown["kept"]) == {"50%"}
    assert table.text.loc[table.text["model"] == "BPR", "pruned histories"].tolist() == ["", ""]


def test_without_another_way_there_is_no_such_table():
    with pytest.raises(NothingToDrawError, match="full histories alone"):
        tables.histories(StudyEvidence.of(fake_cells(models=("ease",))))


def test_strangers_stand_apart_where_a_protocol_has_some():
    cells = fake_protocols()
    loo = (cells["protocol"] == "loo") & (cells["side"] == "dense")
    level = cells["test_ndcg@10"].astype(float)
    cells["test_ndcg@10_users_warm"] = level.where(loo) * cells["model"].map(lambda name: 1 if name == "ease" else 0.5)
    cells["test_ndcg@10_users_cold"] = (0 * level + 0.2).where(loo)
    table = tables.protocols_strangers(ProtocolsEvidence.of(cells))
    assert set(table.frame["protocol"]) == {"loo"}
    found = table.text.set_index("model")
    assert found.loc["EASE", "loo: with a history"].endswith("(1)") and table.bold["loo: with a history"].sum() == 1
    assert set(found["without"]) == {"0.2000 ± 0.0000"}
    with pytest.raises(NothingToDrawError, match="every test user has a history"):
        tables.protocols_strangers(ProtocolsEvidence.of(fake_protocols()))


def test_pruned_and_smaller_meet_at_equal_bytes_and_in_the_same_format():
    rows = fake_cells(models=("popularity", "bpr"))
    rows = rows[rows["side"].isin(["dense", "control", "parameters"])]
    packed = rows.assign(values="int8", bytes_disk=(rows["bytes_disk"].astype(float) / 4).round())
    frame = tables.smaller(StudyEvidence.of(pd.concat([rows, packed], ignore_index=True))).frame
    assert set(frame["values"]) == {"float32", "int8"}
    assert (frame["bytes_disk_pruned"] <= 1.01 * frame["bytes_disk"]).all()
    gain = frame["test_ratio_pruned"] - frame["test_ratio"]
    assert frame["gain"].tolist() == pytest.approx(gain.tolist())
    assert ((frame["lo"] > 0) == (frame["wins"] == "pruned")).all()
    assert ((frame["hi"] < 0) == (frame["wins"] == "smaller")).all()
    for _, row in frame.iterrows():
        there = rows if row["values"] == "float32" else packed
        ours = there[(there["side"] == "parameters") & (there["bytes_disk"] <= 1.01 * row["bytes_disk"])]
        best = ours.astype({"val_ndcg@10": float}).groupby(["unit", "criterion", "recovery", "kept"])["val_ndcg@10"]
        assert best.mean().idxmax()[-1] == row["kept_pruned"]
