"""The paper compiles over whatever a results folder holds, the same way twice, and names what is missing."""

import re
import shutil
import subprocess

import pandas as pd
import pytest
from fake_cells import fake_cells

from recprune.cells.rows import write_rows
from recprune.errors import ReportError
from recprune.report import Evidence, tables
from recprune.report.__main__ import main
from recprune.report.numbers import numbers
from recprune.report.paper import SOURCE, _cause, compiled, write_paper

needs_latex = pytest.mark.skipif(shutil.which("pdflatex") is None, reason="needs pdflatex")
needs_text = pytest.mark.skipif(shutil.which("pdftotext") is None, reason="needs pdftotext")


def words(pdf):
    text = subprocess.run(["pdftotext", "-layout", str(pdf), "-"], check=True, capture_output=True, text=True).stdout
    return " ".join(text.split())


@pytest.fixture
def results(tmp_path, few):
    """Rows and tables, without figures, in a folder whose name has a space."""
    folder = tmp_path / "my results"
    write_rows(folder, few)
    tables.write_tables(tables.tables(Evidence.of(few)), folder)
    return folder


@pytest.mark.slow
@needs_latex
def test_the_same_rows_give_the_same_bytes_and_nothing_else_is_left(results, monkeypatch):
    first = write_paper(Evidence(results)).read_bytes()
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    assert write_paper(Evidence(results)).read_bytes() == first
    assert [path.name for path in (results / "paper").iterdir()] == ["paper.pdf"]


@pytest.mark.slow
@needs_latex
@needs_text
def test_sentences_have_numbers_and_what_is_missing_is_said(results):
    text = words(write_paper(Evidence(results)))
    assert "The dense CF model that is best on validation is EASE, with nDCG@10 0.2680 ± 0.0027 on test" in text
    assert "no such figure in these results: fake-100k/pareto" in text
    assert "no such table in these results: fake-100k/claims" in text
    assert "no such table in these results: fake-100k/dense" not in text
    assert "??" not in text and " ? " not in text


@pytest.mark.slow
@needs_latex
@needs_text
def test_other_logs_are_told_of_and_their_headlines_shown(tmp_path, few):
    both = pd.concat([few, few.assign(dataset="other-log")], ignore_index=True)
    write_rows(tmp_path, both)
    tables.write_tables(tables.tables(Evidence.of(both)), tmp_path)
    text = words(write_paper(Evidence(tmp_path), "fake-100k"))
    found = numbers(Evidence.of(both).studies[0])
    assert f"On other-log, protocol ratio, {found['disk model']} shrinks most by pruning alone" in text
    assert text.count("What each model on other-log, protocol ratio loses safely") == 1


@pytest.mark.slow
@needs_latex
@needs_text
def test_one_dense_model_under_any_name_is_enough(tmp_path):
    rows = fake_cells(dataset="50%_é & co", models=("ease",))
    write_rows(tmp_path, rows[rows["side"] == "dense"])
    text = words(write_paper(Evidence(tmp_path)))
    assert "The data set is 50-_é-co" in text, "as the rows of such a file call it"
    assert "The best deep one is" not in text and " ? " not in text


@pytest.mark.slow
@needs_latex
def test_a_study_is_chosen_by_name(tmp_path, few, capsys):
    write_rows(tmp_path, few)
    assert main(["paper", "--results", str(tmp_path), "--study", "fake-100k"]) == 0
    assert main(["paper", "--results", str(tmp_path), "--study", "other"]) == 1
    assert "study 'other' is not among the rows; known: fake-100k" in capsys.readouterr().err


@pytest.mark.slow
@needs_latex
def test_an_error_of_latex_is_one_line_with_its_place(tmp_path):
    source = tmp_path / "broken.tex"
    source.write_text("\\documentclass{article}\\begin{document}\n\\nosuchcommand\n\\end{document}\n")
    with pytest.raises(
        ReportError, match=r"broken.tex: Undefined control sequence. at line 2: \\nosuchcommand \(all of it: "
    ):
        compiled(source, "x", tmp_path, "")
    assert (tmp_path / "paper" / "paper.log").exists()


def test_without_latex_it_is_said_what_to_install(results, monkeypatch, capsys):
    monkeypatch.setenv("PATH", "/nowhere")
    assert main(["paper", "--results", str(results)]) == 1
    assert "texlive-latex-recommended texlive-fonts-recommended" in capsys.readouterr().err


def test_the_cause_is_the_message_of_latex():
    assert _cause("bla\n! Missing $ inserted.\n<inserted text>\nl.12 a_b\n") == "Missing $ inserted. at line 12: a_b"
    assert _cause("killed") == "killed" and _cause("") == "LaTeX said nothing"


def test_no_result_is_typed_into_the_text():
    body = SOURCE.read_text("utf-8")
    text = body[body.index("\\begin{abstract}") : body.index("\\begin{thebibliography}")]
    # 0.99 and 0.95 are the definition of safe; the rest of the decimals must come from the rows
    assert set(re.findall(r"\d\.\d+", text)) == {"0.99", "0.95"}
