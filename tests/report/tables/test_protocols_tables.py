"""Tables over several protocols say what is left out, and have a part of the page."""

import pytest
from fake_cells import fake_protocols

from recprune.cells.rows import write_rows
from recprune.report import tables
from recprune.report.__main__ import main
from recprune.report.evidence import Evidence, ProtocolsEvidence
from recprune.report.tables.layout.latex import to_latex


@pytest.fixture(scope="module")
def cells():
    return fake_protocols()


def test_tables_say_what_is_left_out(cells):
    by_name = {table.name: table for table in tables.tables(Evidence.of(cells), (ProtocolsEvidence,))}
    assert set(by_name) == {f"fake-100k/protocols-{what}" for what in ("order", "agreement", "safe")}
    order = by_name["fake-100k/protocols-order"]
    assert order.text.set_index("model").loc["BPR", "strong"] == ""
    assert order.text.set_index("model").loc["BPR", "loo"] == "0.1100 ± 0.0010 (1)"
    assert order.bold["ratio"].sum() == 1
    for table in by_name.values():
        assert to_latex(table).isascii()


def test_the_page_has_a_part_of_its_own_for_them(cells, tmp_path):
    dense = cells[(cells["side"] == "dense") & (cells["protocol"] != "strong")]
    write_rows(tmp_path, dense)
    assert main(["page", "--results", str(tmp_path)]) == 0
    page = (tmp_path / "report" / "index.html").read_text()
    assert page.index("Across protocols") < page.index("figures/fake-100k/protocols-order.png")
    assert page.count('src="../figures/fake-100k/protocols-order.png"') == 1
    write_rows(tmp_path, dense.assign(protocol=dense["protocol"].replace("ratio", "strong")))
    assert main(["page", "--results", str(tmp_path)]) == 0, "no study is called as the data set alone"
