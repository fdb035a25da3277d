import os
import subprocess
import sys

import pytest
from fake_cells import fake_cells

from recprune.cells.rows import write_rows
from recprune.report.__main__ import main


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("results")
    write_rows(folder, fake_cells(models=("popularity", "ease"), kept=(0.5, 0.1)))
    assert main(["all", "--results", str(folder)]) == 0
    return folder


def test_all_is_figures_tables_and_page(results):
    made = set(contents(results))
    assert "report/index.html" in made
    drawn = {name.rpartition(".")[0] for name in made if name.endswith(".png")}
    assert {name for name in made if name.startswith("figures/")} == {"figures/README.md", "figures/captions.json"} | {
        f"{name}.{form}" for name in drawn for form in ("csv", "pdf", "png", "svg", "tex")
    }
    assert len([name for name in made if name.startswith("tables/")]) == 21


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
        assert content == here[name], name


def test_dense_rows_alone_are_enough_for_a_report(tmp_path):
    rows = fake_cells(models=("popularity", "random", "ease"))
    write_rows(tmp_path, rows[rows["side"] == "dense"])
    assert main(["all", "--results", str(tmp_path)]) == 0
    assert {name.rpartition("/")[2].removesuffix(".png") for name in contents(tmp_path) if name.endswith(".png")} == {
        "pareto",
        "pareto-column",
        "pareto-latency",
    }
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
