"""The README is short, says what the committed rows say, and its commands and code do what it shows."""

import re
import shlex
import struct

import pandas as pd
import pytest

import recprune as rp
from recprune.__main__ import main
from tests.test_findings import IALS as AXES
from tests.test_findings import ROOT, SENTENCES, price_of_data, ratio, smaller
from tests.test_findings_larger import EASE, JOURNEY, SMALL, keeps, of, size

README = (ROOT / "README.md").read_text("utf-8")
FLAT = " ".join(README.replace("**", "").replace("*", "").split())
LOG = "synthetic:400x300x20000:seed=7"  # the made-up log whose output is shown
CLOCK = "ms for one user"


def blocks(language: str) -> list[str]:
    fenced = re.findall(r"^```(\w*)\n(.*?)^```$", README, re.S | re.M)
    return [text for name, text in fenced if name == language]


def test_it_is_read_in_three_minutes():
    lines = README.splitlines()
    assert len(README.split()) <= 900
    assert len(lines) <= 130
    assert max(map(len, lines)) <= 130


FINDINGS = {
    "ease": lambda: SENTENCES["ease"]().partition(";")[0],
    "products": lambda: (
        f"On 17,141 products its matrix takes {of(JOURNEY, 'bytes_disk', **EASE_DENSE) / 1e6:,.0f} MB; 0.2 % of it, "
        f"refitted, in int8, keeps {keeps(JOURNEY, **SMALL)} in {size(JOURNEY, **SMALL)}"
    ),
    "slow": lambda: f"EASE at 10 % takes {SENTENCES['slow']()} for one user",
    "data": lambda: (
        f"{price_of_data()}; half of them, the highest rated, keep "
        f"{SENTENCES['samples']().partition('keep ')[2].partition(';')[0]}"
    ),
    "smaller": lambda: (
        "25 % of the principal axes of iALS keep "
        f"{ratio(**AXES, criterion='principal-axes', recovery='none', kept=0.25)}"
        f" of it; iALS trained with 25 % of the factors keeps {smaller('test_ratio', 'ials', 0.25):.3f}"
    ),
}
EASE_DENSE = {"model": EASE["model"], "side": "dense", "values": "float32"}


@pytest.mark.parametrize("finding", FINDINGS)
def test_a_finding_is_what_was_measured(finding):
    assert FINDINGS[finding]() in FLAT


def test_the_products_are_those_that_were_counted():
    counted = pd.read_csv(ROOT / "results" / "data-sets.csv").set_index("dataset")
    assert f"{counted['items']['complete-journey']:,} products" in FLAT


def test_the_picture_is_there_and_wide_enough_to_be_read():
    (picture,) = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", README)
    head = (ROOT / picture).read_bytes()[:24]
    assert head[:8] == b"\x89PNG\r\n\x1a\n" and struct.unpack(">II", head[16:])[0] >= 1600


def test_targets_exist_and_their_numbers_are_those_of_the_page_of_commands():
    makefile = (ROOT / "Makefile").read_text("utf-8")
    for target in set(re.findall(r"(?:^|`)make ([a-z-]+)", README, re.M)):
        assert re.search(rf"^{target}:", makefile, re.M), target
    running = (ROOT / "docs" / "running.md").read_text("utf-8")
    for words in ("273 executed notebooks", "2 to 3 minutes", "1.5 to 3", "2.3 GB", "290 MB", "1.8 GB"):
        assert words in FLAT and words in running, words


@pytest.fixture
def stars(tmp_path, monkeypatch):
    """A folder with the made-up log as stars.csv, in which the commands and the code are run."""
    log = rp.load(LOG)
    frame = pd.DataFrame({"uid": log.users[log.user], "iid": log.items[log.item], "stars": log.rating})
    frame.to_csv(tmp_path / "stars.csv", index=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_command_prints_what_is_shown(stars, capsys):
    (command,) = [block for block in blocks("sh") if "recprune prune" in block]
    (shown,) = blocks("")
    words = shlex.split(command.replace("\\\n", " "))
    assert words[:3] == [".venv/bin/python", "-m", "recprune"]
    assert main(words[3:]) == 0
    printed = capsys.readouterr().out
    lines = iter(printed.splitlines())
    for line in shown.splitlines():
        assert any(_same(line, other) for other in lines), f"{line!r} is not in\n{printed}"


def _same(shown: str, printed: str) -> bool:
    """Whether a line was printed: the same words, numbers to the last digits, but for what a clock says."""
    number = re.compile(r"\d[\d,]*(?:\.\d+)?")
    if number.sub("", shown).split() != number.sub("", printed).split():
        return False
    pairs = zip(number.findall(shown), number.findall(printed), strict=True)
    near = all(float(a.replace(",", "")) == pytest.approx(float(b.replace(",", "")), rel=0.02) for a, b in pairs)
    return near or shown.startswith(CLOCK)


def test_the_python_example_runs(stars):
    (code,) = blocks("python")
    exec(compile(code, "README.md", "exec"), {})
    assert (stars / "model" / "model.safetensors").exists()
