"""The pages of docs/: links lead somewhere, examples run, lines are short, and each page is in the contents."""

import re
import runpy
from pathlib import Path

import pandas as pd
import pytest

import recprune

ROOT = Path(recprune.__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = {path.name: path.read_text("utf-8") for path in sorted(DOCS.glob("*.md"))}
LINKED = PAGES | {f"../{name}": (ROOT / name).read_text("utf-8") for name in ("README.md", "CONTRIBUTING.md")}
LINK = re.compile(r"\]\(([^)\s]+)\)")
MADE = re.compile(r"<!-- \w+: written by .*?<!-- end of \w+ -->", re.S)


def anchors(path: Path) -> set[str]:
    """The anchors of the headings of a page and of what it includes, as forges and MyST make them."""
    text = path.read_text("utf-8")
    heads = re.findall(r"^#+ (.+)$", re.sub(r"```.*?```", "", text, flags=re.S), re.M)
    found = {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}
    return found.union(*(anchors(path.parent / name) for name in re.findall(r"```\{include\} (\S+)", text)))


@pytest.mark.parametrize("page", LINKED)
def test_every_link_leads_to_a_file_and_a_heading(page):
    here = (DOCS / page).resolve()
    for link in LINK.findall(LINKED[page]):
        name, _, anchor = link.partition("#")
        if not name.startswith("http"):
            there = here.parent / name if name else here
            assert there.exists(), f"{page}: {link}"
            assert not anchor or anchor in anchors(there), f"{page}: {link}"


@pytest.mark.parametrize("page", PAGES)
def test_prose_has_lines_that_fit_a_screen(page):
    outside = re.sub(r"^```.*?^```$", "", MADE.sub("", PAGES[page]), flags=re.S | re.M)
    for line in outside.splitlines():
        assert line.startswith("|") or len(line) <= 130, f"{page}: {line}"


def test_every_page_is_in_the_contents_once():
    contents = re.findall(
        r"^([a-z-]+)$", "\n".join(re.findall(r"```\{toctree\}\n(.*?)```", PAGES["index.md"], re.S)), re.M
    )
    assert len(contents) == len(set(contents))
    assert {f"{name}.md" for name in contents} == set(PAGES) - {"index.md"}


def test_targets_that_pages_name_exist():
    makefile = (ROOT / "Makefile").read_text("utf-8")
    for page, text in LINKED.items():
        for target in set(re.findall(r"(?:^|`)make ([a-z-]+)", text, re.M)):
            assert re.search(rf"^{target}:", makefile, re.M), f"{page}: make {target}"


def test_every_public_name_is_in_the_api():
    named = set(re.findall(r"^\.\. (?:autofunction|autoclass|autoexception|data):: (\w+)$", PAGES["api.md"], re.M))
    assert named | {"models"} == set(recprune.__all__)


def test_the_example_of_own_data_runs(tmp_path, monkeypatch, log):
    code = next(
        block for block in re.findall(r"```python\n(.*?)```", PAGES["own-data.md"], re.S) if "rp.load(" in block
    )
    frame = pd.DataFrame(
        {"uid": log.users[log.user], "iid": log.items[log.item], "stars": log.rating, "ts": log.timestamp}
    )
    frame.to_csv(tmp_path / "stars.csv", index=False)
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "docs/own-data.md", "exec"), {})
    assert (tmp_path / "model" / "model.safetensors").exists()


to_rst = runpy.run_path(str(DOCS / "docstrings.py"))["to_rst"]


def test_columns_of_a_docstring_become_definitions_and_signs_stay_signs():
    text = """What comes out: a * b, x_i.

keep       share of the units;
           of all that are there
on, off    `two_names`

    code(a, *b)

Raises ValueError for |x| > 1."""
    assert "\n".join(to_rst(text.splitlines())).rstrip() == (
        r"What comes out: a \* b, x\_i."
        "\n\nkeep\n    share of the units;\n    of all that are there\non, off\n    ``two_names``"
        "\n\n::\n\n        code(a, *b)"
        "\n\n" + r"Raises ValueError for \|x\| > 1."
    )


def test_a_list_of_names_in_the_middle_of_a_paragraph_is_set_apart():
    assert to_rst(["Adds", "level   the mean", "and so on."]) == [
        "Adds",
        "",
        "level",
        "    the mean",
        "",
        "and so on.",
        "",
    ]
