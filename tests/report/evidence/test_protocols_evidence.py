"""What is said about protocols is what the rows say."""

import numpy as np
import pandas as pd
import pytest
from fake_cells import PROTOCOLS, fake_cells, fake_protocols
from scipy.stats import kendalltau

from recprune.errors import ReportError
from recprune.report.evidence import Evidence, ProtocolsEvidence, StudyEvidence


@pytest.fixture(scope="module")
def cells():
    return fake_protocols()


@pytest.fixture(scope="module")
def protocols(cells):
    return ProtocolsEvidence.of(cells)


def test_levels_and_ranks(cells, protocols):
    table = protocols.levels.set_index(["protocol", "model"])
    assert table.loc[("ratio", "ease"), "ndcg@10"] == pytest.approx(0.27)
    assert table.loc[("ratio", "ease"), "sd"] == pytest.approx(0.001)
    assert [table.loc[(name, "ease"), "rank"] for name in PROTOCOLS] == [1, 1, 2]
    assert ("strong", "bpr") not in table.index
    assert list(dict.fromkeys(table.index.get_level_values(0))) == ["ratio", "strong", "loo"]
    with pytest.raises(ReportError, match="one data set"):
        _ = ProtocolsEvidence.of(cells[cells["side"] != "dense"]).levels


def test_tau_is_kendalls(protocols):
    table = protocols.agreement.set_index(["first", "second"])
    real = ["ials", "bpr", "ease", "mult-vae"]
    ratio, loo = ([PROTOCOLS[name][model] for model in real] for name in ("ratio", "loo"))
    assert table.loc[("ratio", "loo"), "tau"] == pytest.approx(kendalltau(ratio, loo).statistic)
    assert table.loc[("ratio", "strong"), "models"] == 3
    assert table.loc[("ratio", "strong"), "tau"] == pytest.approx(
        kendalltau([0.26, 0.27, 0.25], [0.20, 0.22, 0.21]).statistic
    )
    assert (table["lo"] <= table["tau"]).all() and (table["tau"] <= table["hi"]).all()
    assert (table["within"] == 1).all(), "all seeds of a protocol have one order"
    assert (table["across"] == table["tau"]).all()


def test_seeds_that_shuffle_the_models_agree_less():
    rng = np.random.default_rng(0)
    rows = pd.concat(
        [fake_cells(protocol=p, models=tuple(PROTOCOLS["ratio"])) for p in ("ratio", "loo")], ignore_index=True
    )
    rows = rows[rows["side"] == "dense"].copy()
    rows["test_ndcg@10"] = rng.random(len(rows))
    table = ProtocolsEvidence.of(rows).agreement
    assert table["within"].iloc[0] < 0.9 and table["lo"].iloc[0] < table["hi"].iloc[0]
    one = ProtocolsEvidence.of(rows[rows["seed"] == 0]).agreement
    assert one["within"].isna().all() and (one["lo"] == one["hi"]).all()


def test_safe_shares_are_those_of_each_protocol_alone(cells, protocols):
    wide = protocols.safe_shares
    for protocol in PROTOCOLS:
        alone = StudyEvidence.of(cells[cells["protocol"] == protocol]).safe["removed_99"].fillna(0.0)
        assert wide[protocol].tolist() == alone.tolist()


def test_the_words_follow_the_rows(cells, protocols):
    first, orders, *methods = protocols.in_words()
    assert first.startswith("No one model is best under all 3 protocols")
    assert "**EASE** under ratio, strong" in first and "**BPR** under loo" in first
    assert "changes the order more than the seed does" in orders
    assert any(
        "magnitude (global) + refit keeps more than magnitude (global) at 6 of 6 points" in text for text in methods
    )
    same = cells.copy()
    same.loc[(same["protocol"] == "loo") & (same["model"] == "bpr") & (same["side"] == "dense"), "test_ndcg@10"] = 0.01
    assert ProtocolsEvidence.of(same).in_words()[0].startswith("One model is best under all 3 protocols")
    magnitude = (cells["protocol"] == "loo") & (cells["criterion"] == "magnitude") & (cells["unit"] == "weight")
    other = cells.assign(test_ratio=cells["test_ratio"].mask(magnitude & (cells["recovery"] == "none"), 0.999))
    assert any(
        "the exceptions are under loo (1 of 3 protocols)" in text for text in ProtocolsEvidence.of(other).in_words()
    )


def test_models_that_were_told_more_are_no_pruned_models(cells):
    told = cells[(cells["side"] == "dense") & (cells["protocol"] == "loo")]
    told = told.assign(side="control", unit="history", criterion="train+validation", recovery="none")
    both = pd.concat([cells, told], ignore_index=True)
    without, with_them = (StudyEvidence.of(rows[rows["protocol"] == "loo"]) for rows in (cells, both))
    assert with_them.paired.equals(without.paired)
    assert with_them.safe.equals(without.safe)


def test_one_protocol_has_none_of_this(cells, protocols):
    assert Evidence.of(cells[cells["protocol"] == "ratio"]).protocols == []
    assert [several.name for several in Evidence.of(cells).protocols] == ["fake-100k"]
