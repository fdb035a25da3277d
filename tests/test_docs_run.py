"""The examples of docs/serving.md and docs/extending.md run as they stand there, and the study in them too."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from recprune import models, pruning

ROOT = Path(__file__).resolve().parents[1]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NAMED = re.compile(r"# (\S+\.\w+)\n")


def blocks(page):
    """(language, text) of the examples of a page, in their order."""
    return BLOCK.findall((ROOT / "docs" / page).read_text("utf-8"))


def run(page):
    """Run the Python of a page in the current folder; a block that begins with a file's name is written to it."""
    names = {"__name__": page}
    for number, (language, text) in enumerate(blocks(page), 1):
        if file := NAMED.match(text):
            Path(file[1]).write_text(text)
        elif language == "python":
            exec(compile(text, f"{page}, example {number}", "exec"), names)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder of one's own, from which files are imported; what they register is forgotten afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    for registry in (models.REGISTRY, pruning.CRITERIA):
        for name in ("together", "largest-entry"):
            monkeypatch.delitem(registry, name, raising=False)
    yield tmp_path
    for name in ("my_rule", "my_model"):
        sys.modules.pop(name, None)
    models.REGISTRY.pop("together", None)
    pruning.CRITERIA.pop("largest-entry", None)


def test_serving(folder):
    pytest.importorskip("onnxruntime", reason="the extra `onnx` is not installed")
    run("serving.md")
    assert (folder / "export" / "arrays" / "item_item.npz").exists()
    assert (ROOT / "docs" / "examples" / "serve.py").exists()


@pytest.mark.slow
def test_extending_and_its_study(folder):
    run("extending.md")
    (command,) = [text for language, text in blocks("extending.md") if language == "sh"]
    words = [sys.executable if word == "python" else word for word in shlex.split(command.replace("\\\n", " "))]
    words[words.index("../recprune/notebooks")] = str(ROOT / "notebooks")
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    subprocess.run(words, cwd=folder, env=environment, check=True, timeout=600)
    (cells,) = (folder / "results" / "own").glob("*/cells.csv")
    rows = pd.read_csv(cells)
    assert set(rows["model"]) == {"together"}
    assert set(rows.loc[rows["criterion"] == "largest-entry", "kept"]) == {0.5, 0.2}
    assert (rows["test_ndcg@10"] > 0).all()


@pytest.mark.parametrize("page", ["serving.md", "extending.md"])
def test_lines_are_short(page):
    assert all(len(line) <= 130 for line in (ROOT / "docs" / page).read_text("utf-8").splitlines())
