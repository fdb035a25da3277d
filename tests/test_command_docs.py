"""docs/command.md: its examples are what the command prints, and every option and command in it is there."""

import re
import shlex
from pathlib import Path

import pytest

import recprune
from recprune.__main__ import _parser, main

ROOT = Path(recprune.__file__).parents[1]
TEXT = (ROOT / "docs" / "command.md").read_text("utf-8")
EXAMPLES = re.findall(r"^```console\n\$ recprune ([^\n]*)\n(.*?)^```", TEXT, re.S | re.M)
CLOCK = "ms for one user"


def number(word: str) -> float | None:
    try:
        return float(word.replace(",", "").rstrip("%"))
    except ValueError:
        return None


def same(shown: str, printed: str) -> bool:
    """Whether two lines are alike, numbers to two per cent: other processors round otherwise."""
    if shown.startswith(CLOCK):
        return printed.startswith(CLOCK)
    one, other = shown.split(), printed.split()
    pairs = [(a, b, number(a.strip("(),;")), number(b.strip("(),;"))) for a, b in zip(one, other, strict=False)]
    return len(one) == len(other) and all(
        a == b or (x is not None and y is not None and abs(x - y) <= 0.02 * abs(x)) for a, b, x, y in pairs
    )


@pytest.mark.parametrize(("arguments", "shown"), EXAMPLES, ids=[words.split()[0] for words, _ in EXAMPLES])
def test_an_example_is_what_is_printed(arguments, shown, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(shlex.split(arguments)) == 0
    printed = capsys.readouterr().out.rstrip().splitlines()
    lines = shown.rstrip().splitlines()
    assert len(lines) == len(printed)
    for line, found in zip(lines, printed, strict=True):
        assert same(line, found.rstrip()), (line, found)


def test_there_is_an_example_of_each_command_that_tells_most():
    assert [words.split()[0] for words, _ in EXAMPLES] == ["prune", "advise"]


@pytest.mark.parametrize("line", sorted(set(re.findall(r"^recprune [a-z][^#\n]*", TEXT, re.M))))
def test_every_command_is_understood(line):
    _parser().parse_args(shlex.split(line)[1:])


def test_lines_are_short():
    assert max(len(line) for line in TEXT.splitlines()) <= 130
