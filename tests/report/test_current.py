"""A report that is of the rows already is not made again; whatever it is of, or any of its files, makes it be."""

import json

import pytest
from fake_cells import fake_cells

from recprune.cells.rows import write_rows
from recprune.report.current import KEPT, STAMP, USERS, Current, main


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A report of few rows, made once."""
    folder = tmp_path_factory.mktemp("checkout")
    (folder / "study.toml").write_text('extensions = ["mine.py"]\n')
    (folder / "mine.py").write_text("")
    (folder / "claims.toml").write_text("# mine\n")
    rows = fake_cells(models=("popularity", "ease"))
    write_rows(folder / "results", rows[rows["side"] == "dense"])
    (folder / "results" / "provenance.csv").write_text("run,dataset,protocol,data,parameters\n")
    arguments = [f"--results={folder / 'results'}", f"--config={folder / 'study.toml'}"]
    assert main(arguments) == 0
    return folder, arguments


@pytest.fixture
def report(made):
    folder, _ = made
    return Current(folder / "results", folder / "study.toml")


@pytest.mark.slow
def test_a_second_call_makes_nothing_and_says_what_to_open(made, capsys):
    folder, arguments = made
    page = folder / "results" / "report" / "index.html"
    before = page.stat().st_mtime_ns
    assert main(arguments) == 0
    assert capsys.readouterr().out.splitlines() == [
        "figures, tables and page are of these rows already",
        f"open {page}",
    ]
    assert page.stat().st_mtime_ns == before


@pytest.mark.slow
@pytest.mark.parametrize(
    "changed",
    [
        *("results/cells.csv", "results/tables/fake/dense.md", "results/report/index.html"),
        *("study.toml", "mine.py", "claims.toml", f"results/report/{STAMP}"),
    ],
)
def test_it_is_known_by_content(made, report, changed):
    """Of what it is made and what was made; the same bytes again are the same report, whatever their clock says."""
    path = made[0] / changed
    if "fake" in changed:
        path = next((made[0] / "results" / "tables").rglob("dense.md"))
    content = path.read_bytes()
    assert report.is_current()
    path.write_bytes(b"{}" + content[2:])
    assert not report.is_current()
    path.unlink()
    assert not report.is_current()
    path.write_bytes(content)
    assert report.is_current()


@pytest.mark.slow
def test_a_new_file_of_rows_and_a_run_count(made, report):
    for name in ("results/larger/one/cells.csv", "results/further.csv", "results/runs/main/a/run.json"):
        path = made[0] / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}")
        assert not report.is_current()
        path.unlink()
        assert report.is_current()


def test_values_of_users_gathered_again_are_left_as_the_report_left_them(tmp_path):
    """Runs gather all of them, and a report leaves those that claims compare."""
    results = tmp_path / "results"
    (results / "report").mkdir(parents=True)
    (results / "report" / "index.html").write_text("page")
    users, report = results / USERS, Current(results, tmp_path / "study.toml")
    users.write_bytes(b"all")
    before = report.inputs()
    users.write_bytes(b"some")
    report.keep(before)
    for gathered in (b"all", b"some"):
        users.write_bytes(gathered)
        assert report.is_current() and users.read_bytes() == b"some"
    users.write_bytes(b"others")
    assert not report.is_current() and users.read_bytes() == b"others"
    users.write_bytes(b"all")
    (results / "report" / KEPT / "0").unlink()
    assert not report.is_current()


def test_a_report_of_what_changed_meanwhile_has_no_stamp(tmp_path):
    report = Current(tmp_path / "results", tmp_path / "study.toml")
    (tmp_path / "results" / "report").mkdir(parents=True)
    before = report.inputs()
    (tmp_path / "results" / "cells.csv").write_text("new")
    report.keep(before)
    assert not (tmp_path / "results" / "report" / STAMP).exists()


@pytest.mark.parametrize("text", ["", "[]", '{"of": 1}', "{" * 5000, json.dumps({"of": {}, "left": {}, "written": {}})])
def test_a_damaged_stamp_is_none(text, tmp_path):
    (tmp_path / "report").mkdir()
    (tmp_path / "report" / STAMP).write_text(text)
    assert not Current(tmp_path, tmp_path / "study.toml").is_current()


def test_what_cannot_be_reported_is_the_reports_error(tmp_path, capsys):
    assert main([f"--results={tmp_path}", f"--config={tmp_path / 'study.toml'}"]) == 1
    assert "cells.csv" in capsys.readouterr().err
