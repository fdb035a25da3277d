"""Names of anything: figures, tables, page and paper of data sets, models and criteria that may be called so."""

import os
import shutil

import pytest
from fake_cells import fake_cells

from recprune.cells.rows import write_rows
from recprune.report import Evidence, figures, tables
from recprune.report.__main__ import main
from recprune.report.evidence.cells import study_name
from recprune.report.evidence.labels import visible
from recprune.report.page.html import rendered
from recprune.report.paper import write_paper
from recprune.report.tables.layout.writing import _plain

NAMES = (
    "<img src=x onerror=alert(1)>",
    "a|b $x$ 100 % # & ~ ^ { } {{ 7 * 7 }} \\input{x} _under_ *star* `tick`",
    "\u202egnp.exe",
    "名前 مثال Ünïcödé 🎬",
    "x" * 200,
)


def named(dataset, model, criterion):
    """Rows in which a data set, a model and a criterion are called so."""
    rows = fake_cells(dataset=f"/somewhere/{dataset}.csv", models=("popularity", "ease"), kept=(0.5,), seeds=(0,))
    return rows.replace({"criterion": {"magnitude": criterion}, "model": {"ease": model}})


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Glyph")  # the fonts of figures have no pictures and not every script
def test_everything_is_written_of_any_name(tmp_path):
    html, syntax, reversed_, scripts, long = NAMES
    write_rows(tmp_path, named(long, f"{html} {reversed_}", f"{syntax} {scripts}"))
    assert main(["all", "--results", str(tmp_path), "--config", os.devnull]) == 0
    page = (tmp_path / "report" / "index.html").read_text()
    assert "<img src=x" not in page and "\u202e" not in page.split('id="data"')[0]
    assert list((tmp_path / "tables").rglob("headline.md"))
    if shutil.which("pdflatex"):
        assert write_paper(Evidence(tmp_path)).read_bytes().startswith(b"%PDF")


@pytest.mark.parametrize("name", NAMES)
def test_markdown_has_no_element_and_no_formula_of_a_name(name):
    text = _plain(f"{name} [x](javascript:alert(1)) ![y][z] &lt;b&gt; ~~gone~~")
    for sign, escaped in (("<", r"\<"), ("$", r"\$"), ("|", r"\|"), ("](", r"\]("), ("][", r"\]["), ("&lt;", r"\&lt;")):
        assert text.count(sign) == text.count(escaped)
    assert r"\~\~gone\~\~" in text
    assert "\u202e" not in text


def test_what_is_not_seen_is_named():
    assert visible("a\u202eb\u200bc\x07d") == "a[U+202E]b[U+200B]c[U+0007]d"
    assert visible("tab\tنمی\u200cخواهم") == "tab\tنمی\u200cخواهم"


def test_a_page_names_it_too():
    text = rendered("notebook.html", mark="", policy="", name="a\u202eb<i>", style="", report="", source="", body="")
    assert "a[U+202E]b&lt;i&gt;" in text


@pytest.mark.parametrize("name", NAMES)
def test_a_study_is_a_folder_that_any_disk_takes(name):
    found = study_name(f"/logs/{name}.csv", "temporal")
    assert found.isascii() and len(found) < 120 and "/" not in found
    assert study_name("ml-100k", "strong") == "ml-100k-strong"
    assert study_name("x" * 200, "ratio") != study_name("x" * 201, "ratio")


@pytest.mark.parametrize(
    "some",
    [
        {"models": ("popularity",)},
        {"models": ("ease",), "seeds": (0,)},
        {"models": ("popularity", "mult-vae")},
        {"models": ("popularity", "random")},
    ],
)
def test_few_rows_are_drawn_or_left_out(some):
    rows = fake_cells(kept=(0.5,), **some)
    for part in (rows, rows[rows["side"] == "dense"], rows.iloc[:1]):
        evidence = Evidence.of(part)
        assert list(tables.tables(evidence))
        list(figures.drawings(evidence))
