"""The expected values of docs/ are those of the rows, with the tolerance that `make verify` grants."""

from pathlib import Path

import numpy as np
import pytest
from fake_cells import fake_cells

import recprune
from recprune.cells.rows import CELL
from recprune.cells.users import VALUES
from recprune.errors import ReportError
from recprune.models import REGISTRY
from recprune.pruning import CRITERIA
from recprune.report import Evidence, StudyEvidence, docs, tables
from recprune.report.evidence.cells import canonical
from recprune.report.tables.methods import UNITS, methods

ROOT = Path(recprune.__file__).parents[1]
COMMITTED = Evidence(ROOT / "results")


def artefacts(rows):
    return tables.artefacts(StudyEvidence.of(rows))


def test_expected_values_agree_with_numbers_worked_out_by_hand():
    # nDCG@10 of fake EASE at seeds 0, 1, 2: 0.268 times 0.99, 1, 1.01
    frame = artefacts(fake_cells()).frame.set_index("what")
    row = frame.loc["best dense CF model (EASE): test nDCG@10"]
    assert row["expected"] == pytest.approx(0.268)
    assert row["tolerance"] == pytest.approx(0.00268)
    assert row["target"] == "make tables"


def test_one_seed_has_the_least_tolerance():
    assert (artefacts(fake_cells(seeds=(0,))).frame["tolerance"] == 0.002).all()


def test_every_artefact_comes_from_a_notebook_that_exists():
    for notebook in artefacts(fake_cells()).frame["notebook"]:
        assert (ROOT / "notebooks" / f"{notebook}.ipynb").exists()


def test_pages_are_changed_between_their_comments_only(tmp_path):
    cells = canonical(fake_cells(models=("ease", "mult-vae"), kept=(0.5,), seeds=(0,)))
    users = cells[list(CELL)].assign(**{VALUES: [np.linspace(0, 1, 50) for _ in range(len(cells))]})
    evidence = Evidence.of(cells)
    evidence.users = users
    with pytest.raises(ReportError, match="no such page"):
        docs.update(tmp_path, evidence)
    places: dict[str, str] = {}
    for name, (page, _) in docs.PARTS.items():
        begin, end = docs.marks(name)
        places[page] = places.get(page, "before\n") + f"{begin}\nwhat stood there\n{end}\nafter\n"
    for page, text in places.items():
        (tmp_path / page).write_text(text)
    docs.update(tmp_path, evidence)
    once = {page: (tmp_path / page).read_text() for page in places}
    docs.update(tmp_path, evidence)
    assert once == {page: (tmp_path / page).read_text() for page in places}
    for text in once.values():
        assert text.startswith("before\n<!-- ") and text.endswith("\nafter\n") and "what stood there" not in text
    assert once["expected-values.md"].count("best dense CF model") == 1
    assert once["claims.md"].count("The verdict on each claim") == 1
    (tmp_path / "articles.md").write_text("no comments")
    with pytest.raises(ReportError, match=r"articles.md: lacks the comments"):
        docs.update(tmp_path, evidence)


@pytest.mark.parametrize("part", docs.PARTS)
def test_the_pages_tell_what_the_committed_rows_say(part):
    page, write = docs.PARTS[part]
    assert write(COMMITTED) in (ROOT / "docs" / page).read_text("utf-8"), "make docs-parts"


class TestMethods:
    """The table of what works on what, asked of the registry."""

    def test_every_criterion_and_model_is_there_with_units_or_a_reason(self):
        table = methods()
        rows = table.text.set_index(["side", "criterion"])
        names = {(side, name) for name, rule in CRITERIA.items() for side in rule.sides}
        assert set(rows.index) == names
        assert rows.shape[1] == len(REGISTRY) - 2, "popularity and random have nothing to prune"
        for cell in rows.to_numpy().ravel():
            assert cell == "✓" or set(cell) <= set(UNITS.values()) or f"{cell} " in table.caption

    def test_some_cells_are_known_from_the_mathematics(self):
        rows = methods().text.set_index(["side", "criterion"]).loc["parameters"]
        assert "f" in rows.loc["principal-axes", "iALS"] and rows.loc["principal-axes", "EASE"].startswith("(")
        assert rows.loc["cost-complexity", "decision tree"] == "s" and rows.loc["cost-complexity", "BPR"].startswith(
            "("
        )
        assert "n" in rows.loc["taylor", "Mult-VAE"] and rows.loc["snip", "EASE"].startswith("(")
