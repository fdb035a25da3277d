"""A figure and a table from outside the package, one file each, are among the files written and on the page."""

import pytest
from extension_texts import FIGURE, TABLE
from fake_cells import fake_cells

from recprune.cells.rows import write_rows
from recprune.report import figures
from recprune.report.__main__ import main
from recprune.report.figures.drawing import registry as of_figures
from recprune.report.tables.layout import registry as of_tables


@pytest.fixture
def registries(monkeypatch):
    """The registries as they are, whatever a test adds to them."""
    for registry in (of_figures, of_tables):
        monkeypatch.setattr(registry, "REGISTRY", dict(registry.REGISTRY))


@pytest.fixture
def study(tmp_path, registries):
    """A study.toml with two extensions beside it."""
    (tmp_path / "my_figure.py").write_text(FIGURE)
    (tmp_path / "my_table.py").write_text(TABLE)
    (tmp_path / "study.toml").write_text('extensions = ["my_figure.py", "my_table.py"]\n')
    return tmp_path / "study.toml"


def test_they_are_written_and_on_the_page(study):
    results = study.parent / "results"
    write_rows(results, fake_cells(models=("popularity", "ease"), kept=(0.5,), seeds=(0,)))
    assert main(["all", "--results", str(results), "--config", str(study)]) == 0
    for form in ("pdf", "png", "csv"):
        assert (results / "figures" / "fake-100k" / f"weights.{form}").exists()
    assert "by an outsider" in (results / "figures" / "README.md").read_text()
    assert "| EASE" in (results / "tables" / "fake-100k" / "weights.md").read_text()
    page = (results / "report" / "index.html").read_text()
    assert "What dense models of fake-100k weigh, by an outsider." in page
    assert 'id="table-weights-fake-100k"' in page
    for file in ("figures/fake-100k/weights.pdf", "figures/fake-100k/weights.csv", "tables/fake-100k/weights.tex"):
        assert page.count(f'href="../{file}"') == 1, "written before the page, so linked from it"


def test_a_name_that_is_taken_is_refused(registries):
    with pytest.raises(ValueError, match="'dense' is registered already"):
        of_tables.table("dense")(lambda study: None)
    with pytest.raises(ValueError, match="'pareto' is registered already"):
        figures.figure("pareto", caption=str)(lambda study: None)


def test_a_file_that_is_not_there_is_one_line(study, capsys):
    study.write_text('extensions = ["other.py"]\n')
    assert main(["tables", "--config", str(study)]) == 1
    assert "other.py: there is no such file" in capsys.readouterr().err
    study.write_text('extensions = ["my_figure.py"]\n')
    (study.parent / "my_figure.py").write_text("import nothing_of_that_name\n")
    assert main(["tables", "--config", str(study)]) == 1
    assert "my_figure.py: line 1: cannot be imported: ModuleNotFoundError" in capsys.readouterr().err
