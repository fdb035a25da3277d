"""The articles' demands: none is left out, and what is said to show one is there."""

import json
import re
from pathlib import Path

import pytest

import recprune
from recprune import growth
from recprune.errors import ReportError
from recprune.report import docs
from recprune.report.articles import articles, read_articles
from recprune.typed import read_toml

ROOT = Path(recprune.__file__).parents[1]
DOCS = ROOT / "docs"


def test_there_are_seventeen_and_the_page_has_them_as_the_file_says():
    assert len(read_articles()) == 17
    begin, end = docs.marks("articles")
    page = (DOCS / "articles.md").read_text("utf-8")
    assert page.split(begin)[1].split(end)[0].strip() == articles("../").strip()


def test_commands_name_targets_studies_and_models_that_exist():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    studies = set(read_toml(ROOT / "study.toml")["study"])
    for row in read_articles():
        make, target, *given = row.command.split()
        assert make == "make" and target in targets, row.command
        settings = dict(each.split("=") for each in given)
        assert settings.get("STUDY", "main") in studies, row.command
        assert settings.get("MODELS", "ease") in recprune.models.REGISTRY, row.command


def test_every_notebook_is_seen_or_is_no_method():
    seen = {Path(name).name for row in read_articles() for name in row.see}
    left = {path.name for path in (ROOT / "notebooks").glob("2*.ipynb")} - seen
    assert left == {"23-prune-both.ipynb"}
    assert all(json.loads((ROOT / "notebooks" / name).read_text()) for name in seen if name.endswith(".ipynb"))


def test_the_example_of_an_update_is_the_one_that_a_test_runs():
    page = (DOCS / "growth.md").read_text("utf-8")
    code = next(block for block in re.findall(r"```python\n(.*?)```", page, re.S) if "rp.windows" in block)
    ran = growth.__doc__.split("\n\n")[1].strip()
    assert [" ".join(line.split()) for line in code.strip().splitlines()] == [
        " ".join(x.split()) for x in ran.splitlines()
    ]
    assert len(code.strip().splitlines()) <= 10


def test_a_place_that_is_gone_is_said(tmp_path):
    path = tmp_path / "articles.toml"
    path.write_text('[[row]]\nasks = "a"\nhere = "b"\ncommand = "make quick"\nsee = ["gone.py"]\n')
    with pytest.raises(ReportError, match=r"row\[1\].see: there is no gone.py"):
        read_articles(path)
