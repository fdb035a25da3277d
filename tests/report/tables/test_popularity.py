"""Safe is no headline where popularity does better: marked, not in bold, not chosen, and said in the captions."""

import pandas as pd
import pytest
from fake_cells import fake_cells, fake_protocols

from recprune.report import Evidence, StudyEvidence, figures, tables
from recprune.report.evidence import ProtocolsEvidence
from recprune.report.numbers import numbers

LEVEL = ["test_ndcg@10_lo", "test_ndcg@10_hi"]


def fake(**quality):
    """Popularity, EASE and iALS, everything safe at share 0.5; `quality` replaces a model's test nDCG@10."""
    rows = fake_cells(models=("popularity", "ease", "ials"), kept=(0.5,), seeds=(0, 1))
    rows["val_ratio_lower"] = 0.995
    for model, value in quality.items():
        mine = rows["model"] == model
        rows.loc[mine, "test_ndcg@10"] = value
        rows.loc[mine, LEVEL] = [value - 0.01, value + 0.01]
    return rows


def of(table, model):
    """Text and bold of a model's row for parameters."""
    place = (table.text["model"] == model) & (table.text["removes"] == "parameters")
    return table.text[place].iloc[0], table.bold[place].iloc[0]


def test_beside_every_verdict_stand_quality_popularity_and_coverage():
    for make in (tables.headline, tables.safe_sparsity):
        table = make(StudyEvidence.of(fake(popularity=0.105)))
        row, _ = of(table, "EASE")
        assert row["popularity"] == "0.1050"
        assert row["nDCG@10"].startswith("0.26") and " → " in row["nDCG@10"]
        assert " → " in row["coverage@20"]
        assert "†" not in "".join(row) and "Warning" not in table.caption
        assert table.frame["counts"].all()


def test_a_dense_model_below_popularity_is_marked_and_never_in_bold():
    study = StudyEvidence.of(fake(popularity=0.2, ease=0.19))
    for make in (tables.headline, tables.safe_sparsity):
        table = make(study)
        row, bold = of(table, "EASE")
        assert row["safe at 0.99"] == "50 %†" and not bold.any()
        assert of(table, "iALS")[0]["safe at 0.99"] == "50 %"
        assert "Warning: EASE (0.1900) is not shown to beat popularity (0.2000;" in table.caption
    assert "EASE (0.1900)" in tables.dense(study).caption
    for model, state in tables.footprint(study).text[["model", "state"]].itertuples(index=False):
        assert state.endswith("†") == (model == "EASE")
    safe = [what for what in tables.artefacts(study).frame["what"] if "safely" in what]
    assert safe and not any("EASE" in what for what in safe)


def test_the_lower_end_of_the_interval_has_to_be_above():
    for quality, counts in ((0.209, False), (0.211, True)):
        frame = tables.headline(StudyEvidence.of(fake(popularity=0.2, ease=quality))).frame
        assert frame.loc[frame["model"] == "ease", "counts"].eq(counts).all()


def test_without_an_interval_the_mean_has_to_be():
    rows = fake(popularity=0.2, ease=0.201)
    rows[LEVEL] = float("nan")
    assert tables.headline(StudyEvidence.of(rows)).frame["counts"].all()


def test_a_pruned_model_alone_below_popularity_is_marked_and_the_mark_explained():
    rows = fake(popularity=0.2)
    rows.loc[(rows["model"] == "ease") & (rows["side"] == "parameters"), "test_ndcg@10"] = 0.15
    for make in (tables.headline, tables.safe_sparsity):
        table = make(StudyEvidence.of(rows))
        assert of(table, "EASE")[0]["safe at 0.99"] == "50 %†"
        assert "†: the dense or the pruned model is not shown to beat popularity" in table.caption
        assert "Warning" not in table.caption


def test_popularity_of_other_seeds_says_nothing():
    rows = fake()
    rows = rows[(rows["model"] != "popularity") | (rows["seed"] == 0)]
    table = tables.headline(StudyEvidence.of(rows))
    assert set(table.text["popularity"]) == {"not measured"}
    assert "Popularity was not measured with these seeds" in table.caption
    assert "not measured with these seeds" in tables.dense(StudyEvidence.of(rows)).caption


def test_the_papers_sentences_count_what_is_of_use():
    few, all_ = (numbers(StudyEvidence.of(fake(popularity=level, ease=0.22))) for level in (0.215, 0.1))
    assert int(few["safe pairs"]) < int(all_["safe pairs"])
    assert few["disk model"] == "iALS"


def test_every_caption_of_a_study_warns():
    evidence = Evidence.of(fake(popularity=0.2, ease=0.19))
    drawn = [figure for figure in figures.drawings(evidence) if figure.of is StudyEvidence]
    assert drawn and all("Warning: EASE" in figure.caption for figure in drawn)


def test_protocols_are_told_apart():
    rows = fake_protocols()
    rows["val_ratio_lower"] = 0.995
    rows.loc[(rows["protocol"] == "loo") & (rows["model"] == "popularity"), "test_ndcg@10"] = 0.4
    table = tables.protocols_safe(ProtocolsEvidence.of(rows))
    marked = table.text[["ratio", "strong", "loo"]].map(lambda text: "†" in text).any()
    assert marked.to_dict() == {"ratio": False, "strong": False, "loo": True}
    assert not table.bold["loo"].any()
    assert "Under loo: Warning:" in table.caption and "Under ratio" not in table.caption


@pytest.mark.parametrize("sides", [["dense"], ["dense", "samples"], ["dense", "parameters"], ["parameters"]])
def test_any_part_of_the_rows_can_be_shown(sides):
    rows = fake(popularity=0.2, ease=0.19)
    made = list(tables.tables(Evidence.of(rows[rows["side"].isin(sides)])))
    assert isinstance(made, list)
    assert not any(pd.isna(text) for table in made for text in table.text.to_numpy().ravel())
