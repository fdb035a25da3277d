import os
import re
import subprocess
import sys
from html.parser import HTMLParser

import pytest
from fake_cells import fake_cells

from recprune.report.__main__ import main
from recprune.study.rows import write_rows


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("results")
    write_rows(folder, fake_cells(models=("popularity", "ease"), kept=(0.5, 0.1)))
    run = folder / "runs" / "main" / "fake-100k" / "a b"
    run.mkdir(parents=True)
    (run / "executed.ipynb").write_text("{}")
    unfinished = folder / "runs" / "main" / ".tmp-1"
    unfinished.mkdir()
    (unfinished / "executed.ipynb").write_text("{}")
    assert main(["all", "--results", str(folder)]) == 0
    return folder


def test_all_is_figures_tables_and_page(results):
    made = set(contents(results))
    assert "report/index.html" in made
    drawn = {name.rpartition(".")[0] for name in made if name.endswith(".png")}
    assert {name for name in made if name.startswith("figures/")} == {"figures/README.md"} | {
        f"{name}.{form}" for name in drawn for form in ("csv", "pdf", "png", "svg", "tex")
    }
    assert len([name for name in made if name.startswith("tables/")]) == 9


def test_another_process_with_another_hash_seed_and_clock_makes_the_same_bytes(results, tmp_path):
    (tmp_path / "cells.csv").write_bytes((results / "cells.csv").read_bytes())
    environment = os.environ | {
        "PYTHONHASHSEED": "123",
        "SOURCE_DATE_EPOCH": "86400",
        "MPLBACKEND": "svg",
        "TZ": "Asia/Tokyo",
    }
    subprocess.run(
        [sys.executable, "-m", "recprune.report", "all", "--results", str(tmp_path)], check=True, env=environment
    )
    here, there = contents(results), contents(tmp_path)
    for name, content in there.items():
        if name != "report/index.html":  # its list of notebooks is that of the folder
            assert content == here[name], name


def test_the_page_needs_nothing_but_itself(results):
    page = (results / "report" / "index.html").read_text()
    assert "<script" not in page
    assert not re.search(r'(src|href)="(https?:)?//', page)
    assert page.count("<img ") == page.count("data:image/svg+xml;base64,") == len(list((results / "figures").glob("*.svg")))
    assert page.count("<table>") == 3
    assert 'name="viewport"' in page
    links = re.findall(r'href="([^"]+)"', page)
    assert "../runs/main/fake-100k/a%20b/executed.ipynb" in links
    assert not any(".tmp" in link for link in links)
    from urllib.parse import unquote

    for link in links:
        assert (results / "report" / unquote(link)).exists(), link


def test_the_page_is_well_formed_whatever_the_names(tmp_path):
    rows = fake_cells(dataset='<b> & "c"', models=("popularity", "ease"), kept=(0.5,))
    write_rows(tmp_path, rows.replace({"criterion": {"magnitude": "<i>x</i>"}}))
    assert main(["page", "--results", str(tmp_path)]) == 0
    tags = []

    class Tags(HTMLParser):
        def handle_starttag(self, tag, attributes):
            if tag not in ("img", "meta"):
                tags.append(tag)

        def handle_endtag(self, tag):
            if tag != "doctype":
                assert tags.pop() == tag

    parser = Tags()
    page = (tmp_path / "report" / "index.html").read_text()
    parser.feed(page)
    assert not tags
    assert "<i>x" not in page
    assert "&lt;b&gt; &amp;" in page


def test_dense_rows_alone_are_enough_for_a_report(tmp_path):
    rows = fake_cells(models=("popularity", "random", "ease"))
    write_rows(tmp_path, rows[rows["side"] == "dense"])
    assert main(["all", "--results", str(tmp_path)]) == 0
    assert {
        name.split("/")[1].rpartition("-fake")[0] for name in contents(tmp_path) if name.endswith(".png")
    } == {"pareto", "pareto-latency"}
    write_rows(tmp_path, rows[rows["model"] == "popularity"])
    assert main(["all", "--results", str(tmp_path)]) == 0


def test_faults_are_one_line_and_an_exit_code(tmp_path, capsys):
    assert main(["figures", "--results", str(tmp_path / "nowhere")]) == 1
    assert "no such file" in capsys.readouterr().err
    (tmp_path / "cells.csv").write_text("dataset,model\nx,y\n")
    assert main(["tables", "--results", str(tmp_path)]) == 1
    assert "missing columns protocol" in capsys.readouterr().err
    assert not (tmp_path / "tables").exists()
    with pytest.raises(SystemExit) as stop:
        main(["pictures"])
    assert stop.value.code == 2
