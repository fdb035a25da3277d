"""What is said about protocols is what the rows say."""

import numpy as np
import pandas as pd
import pytest
from fake_cells import fake_cells
from scipy.stats import kendalltau

from recprune.cells.rows import write_rows
from recprune.report import ReportError, figures, protocols, protocols_tables, tables
from recprune.report.__main__ import main
from recprune.report.curves import curves
from recprune.report.pareto import pareto_points
from recprune.report.style import render

MODELS = ("popularity", "ials", "bpr", "ease", "mult-vae")
FOUND = {  # made up: mean test nDCG@10 by protocol, in the order of MODELS; BPR cannot fold users in
    "ratio": (0.10, 0.26, 0.24, 0.27, 0.25),
    "strong": (0.08, 0.20, None, 0.22, 0.21),
    "loo": (0.05, 0.09, 0.11, 0.10, 0.08),
}


@pytest.fixture(scope="module")
def cells():
    """EASE is best under ratio and strong, BPR under loo; magnitude with refit always keeps more than without."""
    parts = []
    for protocol, values in FOUND.items():
        level = {model: value for model, value in zip(MODELS, values, strict=True) if value}
        rows = fake_cells(protocol=protocol, models=tuple(level), kept=(0.5, 0.1))
        rows = rows[(rows["side"] == "dense") | rows["model"].isin(["ease", "ials"])].copy()
        at = rows["side"] == "dense"
        rows.loc[at, "test_ndcg@10"] = rows["model"].map(level) + 0.001 * (rows["seed"] - 1)
        parts.append(rows)
    return pd.concat(parts, ignore_index=True)


def test_levels_and_ranks(cells):
    table = protocols.levels(cells).set_index(["protocol", "model"])
    assert table.loc[("ratio", "ease"), "ndcg@10"] == pytest.approx(0.27)
    assert table.loc[("ratio", "ease"), "sd"] == pytest.approx(0.001)
    assert [table.loc[(name, "ease"), "rank"] for name in FOUND] == [1, 1, 2]
    assert ("strong", "bpr") not in table.index
    assert list(dict.fromkeys(table.index.get_level_values(0))) == ["ratio", "strong", "loo"]
    with pytest.raises(ReportError, match="one data set"):
        protocols.levels(cells[cells["side"] != "dense"])


def test_tau_is_kendalls(cells):
    table = protocols.agreement(cells).set_index(["first", "second"])
    real = [m for m in range(len(MODELS)) if MODELS[m] != "popularity"]
    ratio, loo = ([FOUND[name][m] for m in real] for name in ("ratio", "loo"))
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
    rows = pd.concat([fake_cells(protocol=p, models=MODELS) for p in ("ratio", "loo")], ignore_index=True)
    rows = rows[rows["side"] == "dense"].copy()
    rows["test_ndcg@10"] = rng.random(len(rows))
    table = protocols.agreement(rows)
    assert table["within"].iloc[0] < 0.9 and table["lo"].iloc[0] < table["hi"].iloc[0]
    one = protocols.agreement(rows[rows["seed"] == 0])
    assert one["within"].isna().all() and (one["lo"] == one["hi"]).all()


def test_safe_shares_are_those_of_each_protocol_alone(cells):
    wide = protocols.safe_shares(cells)
    for protocol in FOUND:
        alone = tables.safe_sparsity(cells[cells["protocol"] == protocol]).frame["removed_99"].fillna(0.0)
        assert wide[protocol].tolist() == alone.tolist()


def test_the_words_follow_the_rows(cells):
    first, orders, *methods = protocols.in_words(cells)
    assert first.startswith("No one model is best under all 3 protocols")
    assert "**EASE** under ratio, strong" in first and "**BPR** under loo" in first
    assert "changes the order more than the seed does" in orders
    assert any(
        "magnitude (global) + refit keeps more than magnitude (global) at 6 of 6 points" in text for text in methods
    )
    same = cells.copy()
    same.loc[(same["protocol"] == "loo") & (same["model"] == "bpr") & (same["side"] == "dense"), "test_ndcg@10"] = 0.01
    assert protocols.in_words(same)[0].startswith("One model is best under all 3 protocols")
    magnitude = (cells["protocol"] == "loo") & (cells["criterion"] == "magnitude") & (cells["unit"] == "weight")
    other = cells.assign(test_ratio=cells["test_ratio"].mask(magnitude & (cells["recovery"] == "none"), 0.999))
    assert any("the exceptions are under loo (1 of 3 protocols)" in text for text in protocols.in_words(other))


def test_figures_hold_every_model_and_protocol(cells):
    figure, _ = figures.protocol_order(cells)
    assert [ax.get_title() for ax in figure.axes] == ["ratio", "strong", "loo"]
    written = [[text.get_text() for text in ax.texts] for ax in figure.axes]
    assert "left out" in written[1] and "left out" not in written[0]
    assert any(text.startswith("◂ 0.050") for text in written[2]), "a floor off the scale is written at its edge"
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == [
        "EASE",
        "iALS",
        "Mult-VAE",
        "BPR",
        "popularity",
    ]
    figure, data = figures.protocol_curves(cells)
    titles = {ax.get_title() for ax in figure.axes if ax.get_title()}
    assert titles == {f"{model}, {protocol}" for model in ("iALS", "EASE") for protocol in FOUND}
    assert set(data["protocol"]) == set(FOUND)
    with pytest.raises(ReportError, match="no parameters were pruned"):
        figures.protocol_curves(cells[cells["side"] == "dense"])


def test_tables_say_what_is_left_out(cells):
    by_name = {table.name: table for table in protocols_tables.protocol_tables(cells)}
    assert set(by_name) == {f"protocols-{what}-fake-100k" for what in ("order", "agreement", "safe")}
    order = by_name["protocols-order-fake-100k"]
    assert order.text.set_index("model").loc["BPR", "strong"] == ""
    assert order.text.set_index("model").loc["BPR", "loo"] == "0.1100 ± 0.0010 (1)"
    assert order.bold["ratio"].sum() == 1
    for table in by_name.values():
        assert tables.to_latex(table).isascii()


def test_models_that_were_told_more_are_no_pruned_models(cells):
    told = cells[(cells["side"] == "dense") & (cells["protocol"] == "loo")]
    told = told.assign(side="control", unit="history", criterion="train+validation", recovery="none")
    both = pd.concat([cells, told], ignore_index=True)
    without, with_them = (rows[rows["protocol"] == "loo"] for rows in (cells, both))
    assert curves(with_them, "parameters").equals(curves(without, "parameters"))
    assert pareto_points(with_them, "bytes_disk")[0].equals(pareto_points(without, "bytes_disk")[0])


def test_one_protocol_has_none_of_this(cells):
    one = cells[cells["protocol"] == "ratio"]
    assert not list(protocols_tables.protocol_tables(one))
    assert not list(protocols.several(one)), "and so no figure"


def test_figures_are_the_same_twice(cells):
    for draw in (figures.protocol_order, figures.protocol_curves):
        first, second = (render(draw(rows)[0], "svg") for rows in (cells, cells.sample(frac=1, random_state=0)))
        assert first == second


def test_the_page_has_a_part_of_its_own_for_them(cells, tmp_path):
    dense = cells[(cells["side"] == "dense") & (cells["protocol"] != "strong")]
    write_rows(tmp_path, dense)
    assert main(["page", "--results", str(tmp_path)]) == 0
    page = (tmp_path / "report" / "index.html").read_text()
    assert page.index("Across protocols") < page.index("protocols-order-fake-100k.pdf")
    assert page.count("protocols-order-fake-100k.pdf") == 1
    write_rows(tmp_path, dense.assign(protocol=dense["protocol"].replace("ratio", "strong")))
    assert main(["page", "--results", str(tmp_path)]) == 0, "no study is called as the data set alone"
