"""Work that is done is not done again; whatever it is of, and any of its files, makes it be."""

import json
from pathlib import Path

import pytest

from recprune.shell.current import CHOICE, DEVICE, USERS, Current, main

CHOSEN = dict.fromkeys(CHOICE, "") | {"study": "quick"}
FILES = (
    *("results/quick/cells.csv", "results/quick/tables/fake/dense.md", "results/quick/report/index.html"),
    *("results/runs/quick/ease/run.json", "results/tuning/stars/ratio/tuned.toml"),
    *(
        "study.toml",
        "mine.py",
        "claims.toml",
        "notebooks/10-dense.ipynb",
        "data/registry.toml",
        f"results/quick/{USERS}",
    ),
)


@pytest.fixture
def made(tmp_path, monkeypatch):
    """A checkout with a report that was just finished, and its stamp; the log lies beside it."""
    monkeypatch.chdir(tmp_path)
    for name in (*FILES, "stars.csv"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text("of the work")
    Path("study.toml").write_text('extensions = ["mine.py"]')
    finish()
    return tmp_path


def current(**choice: str) -> Current:
    return Current(Path("results"), Path("study.toml"), CHOSEN | choice)


def finish(**choice: str) -> None:
    report = Path("results/quick")
    current(**choice).keep(report, current(**choice).sums(report))


def test_what_is_done_is_said_with_what_to_open(made, capsys):
    assert main(["--study=quick"]) == 0 and capsys.readouterr().out == ""
    assert main(["--study=quick", "--make"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("nothing to do") and said[1:] == ["open results/quick/report/index.html"]


@pytest.mark.parametrize("name", FILES)
def test_it_is_known_by_content(made, name):
    """The same bytes again are the same work, whatever their clock says."""
    path = made / name
    content = path.read_bytes()
    assert current().page() == Path("results/quick/report/index.html")
    path.write_bytes(content + b" ")
    assert current().page() is None and main(["--study=quick"]) == 1
    path.unlink()
    assert current().page() is None
    path.write_bytes(content)
    assert current().page() is not None


@pytest.mark.parametrize(
    "name", ["results/quick/further.csv.gz", "results/runs/quick/ials/run.json", "notebooks/me.ipynb"]
)
def test_a_new_file_counts(made, name):
    path = made / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("new")
    assert current().page() is None
    path.unlink()
    assert current().page() is not None


def test_another_choice_is_other_work(made, monkeypatch):
    for choice in ({"study": "main"}, {"dataset": "stars.csv"}, {"models": "ease"}, {"only": "dense"}):
        assert current(**choice).page() is None
    finish(dataset="stars.csv")
    assert current(dataset="stars.csv").page() is not None
    (made / "stars.csv").write_text("edited")
    assert current(dataset="stars.csv").page() is None and current().page() is not None
    monkeypatch.setenv(DEVICE, "cuda")
    assert current().page() is None


@pytest.mark.parametrize(("name", "kept"), [(f"results/quick/{USERS}", True), ("results/quick/cells.csv", False)])
def test_a_report_may_leave_less_of_the_users_and_nothing_else(made, name, kept):
    """What changed while it was made would else be taken for what it is of."""
    before = current().sums(Path("results/quick"))
    (made / name).write_text("less")
    (made / "results/quick/report/index.html").write_text("new")
    current().keep(Path("results/quick"), before)
    assert (current().page() is not None) == kept


@pytest.mark.parametrize(
    "text", ["", "[]", '{"sums": 1}', "{" * 5000, json.dumps({"reported": "results/quick", "sums": {}})]
)
def test_a_damaged_stamp_is_none(made, text):
    current().stamp.write_text(text)
    assert current().page() is None
