"""Figures over several protocols hold every model and protocol."""

import pytest
from fake_cells import PROTOCOLS, fake_protocols

from recprune.errors import ReportError
from recprune.report import figures
from recprune.report.evidence import ProtocolsEvidence
from recprune.report.figures.drawing.style import render


@pytest.fixture(scope="module")
def cells():
    return fake_protocols()


@pytest.fixture(scope="module")
def protocols(cells):
    return ProtocolsEvidence.of(cells)


def test_figures_hold_every_model_and_protocol(cells, protocols):
    figure, _ = figures.protocol_order(protocols)
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
    figure, data = figures.protocol_curves(protocols)
    titles = {ax.get_title() for ax in figure.axes if ax.get_title()}
    assert titles == {f"{model}, {protocol}" for model in ("iALS", "EASE") for protocol in PROTOCOLS}
    assert set(data["protocol"]) == set(PROTOCOLS)
    with pytest.raises(ReportError, match="no parameters were pruned"):
        figures.protocol_curves(ProtocolsEvidence.of(cells[cells["side"] == "dense"]))


def test_figures_are_the_same_twice(cells):
    for draw in (figures.protocol_order, figures.protocol_curves):
        first, second = (
            render(draw(ProtocolsEvidence.of(rows))[0], "svg") for rows in (cells, cells.sample(frac=1, random_state=0))
        )
        assert first == second
