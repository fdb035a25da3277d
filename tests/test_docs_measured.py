"""The pages that docs/ shows of what was measured here: what they lead to is copied; what is not there is said."""

import re
import shutil
import subprocess
import sys
import tomllib
from fnmatch import fnmatch
from pathlib import Path

import pytest

import recprune
from recprune.study.load import load_study

ROOT = Path(recprune.__file__).parents[1]
PAGE = (ROOT / "docs" / "notebooks.md").read_text("utf-8")
CONF = 'import sys\nsys.path.insert(0, "docs")\nextensions = ["myst_parser", "measured"]\nhtml_theme = "basic"\n'


def built(folder: Path) -> str:
    """The HTML of docs/index.md of a checkout, after another build of it."""
    command = [sys.executable, "-m", "sphinx", "--quiet", "--fail-on-warning", "-b", "html", "docs", "docs/_build/html"]
    subprocess.run(command, cwd=folder, check=True)
    return (folder / "docs" / "_build" / "html" / "index.html").read_text("utf-8")


@pytest.mark.slow
def test_a_page_is_copied_with_what_it_leads_to_once_it_is_there(tmp_path):
    docs, report = tmp_path / "docs", tmp_path / "results" / "quick" / "report"
    docs.mkdir()
    shutil.copy(ROOT / "docs" / "measured.py", docs)
    (docs / "conf.py").write_text(CONF)
    (docs / "index.md").write_text(
        "# Title\n\n{measured}`The page <report/index.html>`, {measured}`a run <report/*/data.html>`\n"
    )
    assert "The page (not made here), a run (not made here)" in built(tmp_path)

    (report / "studies").mkdir(parents=True)
    (report / "index.html").write_text(
        '<a href="studies/data.html">1</a><img src="../figures/a%20b.png"><a href="#x">2</a>'
    )
    (report / "studies" / "data.html").write_text('<a href="../index.html">1</a><a href="https://a.org/b">2</a>')
    (tmp_path / "results" / "quick" / "figures").mkdir()
    for name in ("a b.png", "c.png"):
        (tmp_path / "results" / "quick" / "figures" / name).write_text(name)
    text = built(tmp_path)
    assert 'href="results/quick/report/index.html"' in text
    assert 'href="results/quick/report/studies/data.html"' in text
    copied = docs / "_build" / "html" / "results"
    assert {path.relative_to(copied / "quick").as_posix() for path in copied.rglob("*") if path.is_file()} == {
        "report/index.html",
        "report/studies/data.html",
        "figures/a b.png",
    }

    (tmp_path / "results" / "report").mkdir()
    (tmp_path / "results" / "report" / "index.html").write_text("of the whole study")
    assert 'href="results/report/index.html"' in built(tmp_path), "the study's own page comes before the quick one's"


def test_every_notebook_has_its_line_and_its_question():
    lines = dict(re.findall(r"^\| `([\w-]+)` \| (.+?) \|", PAGE, re.M))
    assert list(lines) == [path.stem for path in sorted((ROOT / "notebooks").glob("*.ipynb"))]
    assert all(question.endswith("?") for question in lines.values())


def test_examples_are_runs_of_their_notebook_and_of_the_quick_study_where_it_has_one():
    with (ROOT / "study.toml").open("rb") as file:
        names = list(tomllib.load(file)["study"])
    runs = {
        name: {f"{name}/{run.id}": run.notebook for run in load_study(ROOT / "study.toml", name).runs()}
        for name in names
    }
    for notebook, pattern in re.findall(r"^\| `([\w-]+)` .*<report/notebooks/(.+)\.html>`", PAGE, re.M):
        of = {name for name in names if notebook in runs[name].values()}
        shown = {name for name in names for run, its in runs[name].items() if its == notebook and fnmatch(run, pattern)}
        assert ({"quick"} & of or {"main"} & of or of) & shown, notebook
