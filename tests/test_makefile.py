"""The Makefile as a user meets it: every target explained, nothing run twice, no help from the surroundings."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from recprune.study.__main__ import main
from recprune.study.choice import Choice
from recprune.study.makefile import path_for

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "Makefile").read_text()


def make(*arguments: str, folder: Path = ROOT, **environment: str) -> subprocess.CompletedProcess:
    clean = {"PATH": "/usr/local/bin:/usr/bin:/bin"} | environment
    return subprocess.run(["make", *arguments], cwd=folder, env=clean, capture_output=True, text=True, timeout=60)


@pytest.fixture
def checkout(tmp_path) -> Path:
    """The Makefile in a folder whose name has a space, with an environment that is this one, marked as ready."""
    folder = tmp_path / "a checkout"
    folder.mkdir()
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, folder)
    (folder / ".venv/bin").mkdir(parents=True)
    python = folder / ".venv/bin/python"
    # says how it was called, and that there is something to do
    asks = 'case "$*" in *--make*) ;; *recprune.shell.current*) exit 1 ;; esac'
    python.write_text(f'#!/bin/sh\nfor word in "$@"; do printf "[%s] " "$word"; done; echo\n{asks}\n')
    python.chmod(0o755)
    command = "{ pwd; cat pyproject.toml constraints.txt; } | cksum | cut -d' ' -f1"
    checksum = subprocess.run(command, shell=True, cwd=folder, capture_output=True, text=True).stdout.strip()
    (folder / f".venv/.ready-{checksum}").touch()
    return folder


def targets() -> set[str]:
    phony = re.search(r"^\.PHONY: (.*)$", TEXT, re.M)
    return set(phony.group(1).split())


def test_help_is_the_default_and_explains_every_target_and_variable():
    done = make()
    assert done.returncode == 0, done.stderr
    explained = set(re.findall(r"^  ([a-z-]+) +\S", done.stdout, re.M))
    assert explained == targets()
    assert {
        "reproduce",
        "quick",
        "test",
        "figures",
        "tables",
        "report",
        "verify",
        "lab",
        "doctor",
        "clean",
    } <= explained
    for variable in ("STUDY", "DATASET", "MODELS", "JOBS", "LAUNCH", "PYTHON", "COLUMNS", "TORCH_INDEX"):
        assert re.search(rf"^  {variable} ", done.stdout, re.M)


@pytest.mark.parametrize("target", sorted(targets()))
def test_every_target_can_be_shown_without_being_run(checkout, target):
    done = make("-n", target, folder=checkout)
    assert done.returncode == 0, done.stderr
    assert (checkout / ".venv/bin/python").exists()


def test_one_primary_target_a_rule_and_nothing_that_old_make_lacks():
    for line in TEXT.splitlines():
        rule = re.match(r"^([^\s#=:.][^=:]*):(?!=)", line)
        if rule:
            assert len(rule.group(1).split()) == 1, line
    assert "&:" not in TEXT and ".PRECIOUS" not in TEXT and ".ONESHELL" not in TEXT
    assert ".DELETE_ON_ERROR:" in TEXT and ".SECONDARY:" in TEXT


def test_a_path_with_spaces_and_column_names_arrive_whole(checkout):
    done = make("runs", "DATASET=/my logs/shop 1.csv", "COLUMNS=user=uid item='Item Id'", "JOBS=3", folder=checkout)
    assert done.returncode == 0, done.stderr
    assert "[--dataset=/my logs/shop 1.csv] [--columns=user=uid item='Item Id']" in done.stdout
    assert "[--jobs=3]" in done.stdout


def variables() -> set[str]:
    """What the help explains, and ONLY, which `make dense` sets."""
    return {"ONLY", *re.findall(r"^  ([A-Z_]+) +\S", make().stdout, re.M)}


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("MODEL", "MODELS"),
        ("DATASETS", "DATASET"),
        ("models", "MODELS"),
        ("COLUMN", "COLUMNS"),
        ("TORCHINDEX", "TORCH_INDEX"),
    ],
)
def test_a_variable_that_nothing_reads_is_refused_with_the_nearest(typed, meant):
    done = make("reproduce", f"{typed}=ease")
    assert done.returncode == 2 and done.stdout == ""
    assert f"{typed}=: there is no such variable; known: " in done.stderr
    assert done.stderr.rstrip().endswith(f"; did you mean {meant}?.  Stop.")


def test_a_name_that_is_near_none_gets_the_list_alone(checkout):
    """Without the tool beside it, too; and every variable of the help is known."""
    for folder in (ROOT, checkout):
        done = make("-n", "help", "A'B=1", folder=folder)
        known = done.stderr.partition("known: ")[2].partition(".  Stop")[0]
        assert done.returncode == 2 and set(known.split()) == variables()
    assert make("-n", "help", *(f"{name}=1" for name in variables())).returncode == 0


ODD = ("ratings (1).csv", "R&D.csv", "it's.csv", "#1.csv", "100%.csv", "a$b.csv", "$HOME.csv", "~x.csv", "größe.csv")
ODD += ('"q".csv', "a;b.csv", "a|b.csv", "back\\slash.csv", "trailing ", "-x.csv", "two\nlines.csv", "$(HOME).csv", "*")
HARM = (
    "`touch harm`",
    "$(shell touch harm)",
    "$$(touch harm)",
    "$(touch harm)",
    '"; touch harm; "',
    "'; touch harm; '",
)
HARM += ("\ntouch harm\n", "&& touch harm #", "$(eval harm := $(shell touch harm))", "${shell touch harm}")
GIVEN = {"STUDY": "study", "DATASET": "dataset", "COLUMNS": "columns", "MODELS": "models", "ONLY": "only"}
GIVEN |= {"JOBS": "jobs", "PROTOCOL": "protocol", "ENGINE": "engine", "PROFILE": "profile"}


@pytest.mark.parametrize("target", ["reproduce", "tune"])
def test_what_a_user_gives_is_text_whatever_is_in_it(checkout, target):
    """On the command line and from the environment, for make and for the make that it calls: nothing is executed."""
    apart = ("PROTOCOL",) if target == "reproduce" else ("ONLY", "ENGINE", "PROFILE")
    asked = {name: option for name, option in GIVEN.items() if name not in apart}
    for text in (*ODD, *HARM):
        for name, option in asked.items():
            calls = [make(target, f"{name}={text}", folder=checkout)]
            calls += [make(target, folder=checkout, **{name: text})] if name != "COLUMNS" else []
            for done in calls:
                assert done.returncode == 0, (name, text, done.stderr)
                # make itself takes blanks and line ends from the start of a value on its command line
                assert f"[--{option}={text}]" in done.stdout or f"[--{option}={text.lstrip()}]" in done.stdout
            assert not (checkout / "harm").exists(), (name, text)


def test_the_terminals_width_is_no_column_name(checkout):
    done = make("runs", folder=checkout, COLUMNS="120")
    assert "[--columns=]" in done.stdout


def test_plans_of_different_commands_do_not_meet():
    choices = [Choice(), Choice(dataset="a b/c.csv"), Choice(dataset="a-b/c.csv"), Choice(study="quick")]
    choices += [Choice(models=("ease",)), Choice(only="dense"), Choice(columns="user=a"), Choice(only="'$(x)\n")]
    paths = [path_for(choice) for choice in choices] + [path_for(Choice(), kind="tune")]
    assert len(set(paths)) == len(paths)
    assert all(re.fullmatch(r"results/runs/(plan|tune)-[0-9a-f]{12}\.mk", path.as_posix()) for path in paths)


def test_quick_is_the_study_quick_whatever_was_said(checkout):
    done = make("quick", "STUDY=main", folder=checkout)
    assert "[--study=quick]" in done.stdout and "[--study=main]" not in done.stdout


def test_a_number_of_runs_at_a_time_that_is_none(capsys):
    for jobs in ("0", "-1", "two", "", "2; true"):
        assert main(["plan", f"--jobs={jobs}"]) == 1
        assert f"JOBS: {jobs!r}; a whole number from 1 on is needed" in capsys.readouterr().err


def test_reproduce_verifies_only_what_is_committed(checkout):
    assert "[verify]" in make("reproduce", folder=checkout).stdout
    assert "[verify]" not in make("reproduce", "DATASET=x.csv", folder=checkout).stdout


def test_clean_keeps_environment_downloads_and_committed_results(checkout):
    for name in (
        "results/runs/main",
        "results/quick",
        "results/own/x",
        "results/tables",
        "data/cache",
        "recprune",
        "tests",
        "tools",
    ):
        (checkout / name).mkdir(parents=True)
    (checkout / "results/cells.csv").touch()
    assert make("clean", folder=checkout).returncode == 0
    assert sorted(path.name for path in (checkout / "results").iterdir()) == ["cells.csv", "tables"]
    assert (checkout / "data/cache").exists() and (checkout / ".venv").exists()
    assert make("distclean", folder=checkout).returncode == 0
    assert not (checkout / ".venv").exists() and not (checkout / "data/cache").exists()


def test_an_old_python_is_told_what_to_do(checkout):
    old = checkout / "python3.8"
    old.write_text(
        f'#!/bin/sh\nexec {sys.executable} -c "\nimport sys\nsys.version_info = (3, 8, 0)\n'
        'sys.argv = sys.argv[1:]\nimport runpy\nrunpy.run_path(sys.argv[0], run_name=\'__main__\')" "$@"\n'
    )
    old.chmod(0o755)
    (checkout / "tools").mkdir()
    shutil.copy(ROOT / "tools/env.py", checkout / "tools")
    with (checkout / "constraints.txt").open("a") as file:
        file.write("# changed\n")
    done = make("env", f"PYTHON='{old}'", folder=checkout)
    assert done.returncode != 0 and "is Python 3.8; 3.11 or newer is needed" in done.stderr
    assert (checkout / ".venv").exists(), "nothing is thrown away before there is something better"


def test_the_environment_is_left_alone_while_its_files_do_not_change(checkout):
    assert make("env", folder=checkout).returncode == 0
    assert (
        "up to date" in make("env", folder=checkout).stdout
        or "Nothing to be done" in make("env", folder=checkout).stdout
    )
    with (checkout / "constraints.txt").open("a") as file:
        file.write("# changed\n")
    assert "tools/env.py" in make("-n", "env", folder=checkout).stdout


def test_an_interrupted_environment_is_made_anew(tmp_path):
    """No stamp: what is there is half of one. A Python that cannot make one stands for the interruption."""
    (tmp_path / ".venv/lib").mkdir(parents=True)
    shutil.copy(ROOT / "constraints.txt", tmp_path)
    command = [sys.executable, str(ROOT / "tools/env.py"), ".venv/.ready-1"]
    # no index, and no folder that the user's pip knows: the install must fail, and say so
    environment = {"PATH": "/usr/bin:/bin", "PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": "/dev/null"}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1 and "pip could not install the project" in done.stderr
    assert not list(tmp_path.glob(".venv/.ready-*"))
