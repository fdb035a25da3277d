"""Files of results that are empty, cut, binary or of another encoding: one sentence names the file and what to do."""

from __future__ import annotations

import random
import shutil

import pytest

from recprune.cells.users import FILE, read_per_user
from recprune.datasets.registry import ROOT
from recprune.errors import ReportError, StudyError
from recprune.report.__main__ import main
from recprune.report.evidence.cells import read_cells
from recprune.report.evidence.data_sets import _made_of, read_data_sets
from recprune.report.evidence.searches import searches
from recprune.report.tables.reference import _settings

RESULTS = ROOT / "results"
DAMAGES = {
    "empty": lambda raw: b"",
    "blank": lambda raw: b"\n\n",
    "cut": lambda raw: raw[: len(raw) // 3],
    "nul": lambda raw: b"\x00" * 400,
    "binary": lambda raw: bytes(range(256)) * 8,
    "latin-1": lambda raw: b"dataset,protocol\ncaf\xe9,ratio\n",
    "utf-16": lambda raw: raw.decode("utf-8", "ignore").encode("utf-16"),
    "ragged": lambda raw: raw + b"1,2,3,4" * 99,
    "prose": lambda raw: b"there was a table here once",
}
READERS = {
    "cells.csv": lambda folder: read_cells(folder / "cells.csv"),
    "data-sets.csv": read_data_sets,
    "provenance.csv": _made_of,
    "reference/provenance.csv": lambda folder: _settings(folder / "reference" / "provenance.csv"),
    FILE: read_per_user,
    "tuning/ml-100k/ratio/tuned.toml": lambda folder: [one.trials for one in searches(folder)],
    "tuning/ml-100k/ratio/ease.csv": lambda folder: [one.trials for one in searches(folder)],
}


@pytest.fixture
def folder(tmp_path):
    """The committed results, of which a test damages one."""
    for name in ("cells.csv", *READERS):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    for name in ("data-sets.csv", "provenance.csv", FILE, "reference/provenance.csv"):
        shutil.copy(RESULTS / name, tmp_path / name)
    rows = (RESULTS / "cells.csv").read_text("utf-8").splitlines(keepends=True)
    (tmp_path / "cells.csv").write_text("".join(rows[:200]), "utf-8")  # quick to read
    shutil.copytree(RESULTS / "tuning" / "ml-100k" / "ratio", tmp_path / "tuning/ml-100k/ratio", dirs_exist_ok=True)
    return tmp_path


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", READERS)
def test_a_damaged_file_is_named(name, damage, folder):
    path = folder / name
    READERS[name](folder)
    path.write_bytes(DAMAGES[damage](path.read_bytes()))
    try:
        READERS[name](folder)
    except (ReportError, StudyError) as refused:
        assert str(path) in str(refused) and len(str(refused).splitlines()) == 1
    else:
        assert damage == "cut" and path.suffix in (".csv", ".toml"), "only what was cut between two rows can be read"


@pytest.mark.parametrize("name", READERS)
def test_flipped_bytes_are_read_or_named(name, folder):
    path, chance = folder / name, random.Random(0)
    good = path.read_bytes()
    for _ in range(6):
        raw = bytearray(good)
        for _ in range(chance.choice((1, 10, 200))):
            raw[chance.randrange(len(raw))] = chance.randrange(256)
        path.write_bytes(raw)
        try:
            READERS[name](folder)
        except (ReportError, StudyError) as refused:
            assert str(path) in str(refused)


@pytest.mark.parametrize("name", ["cells.csv", "data-sets.csv", FILE])
def test_the_command_says_it_in_one_line(name, folder, capsys, monkeypatch):
    monkeypatch.chdir(ROOT)
    (folder / name).write_bytes(b"\x00\xff" * 100)
    assert main(["tables", "--results", str(folder)]) == 1
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1 and name in said[0]
