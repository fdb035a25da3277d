"""The notebooks that show a log, executed on one that nobody prepared."""

import numpy as np
import pandas as pd
import papermill
import pytest
from test_notebooks import ROOT

NAME = "<img src=x onerror=alert(1)> $x$ {{ a_b % # & | `c`.csv"
TITLE = "<script>alert(1)</script> $x$ " + "long " * 12_000


@pytest.fixture
def executed(tmp_path, monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "module://matplotlib_inline.backend_inline")  # as a run's kernel has it

    def execute(notebook, frame, name=NAME, **parameters):
        """The outputs of a notebook on that log: (text of each, how many are pictures)."""
        frame.to_csv(tmp_path / name, index=False)
        given = {"dataset": str(tmp_path / name), "core": 0, **parameters}
        done = papermill.execute_notebook(
            ROOT / "notebooks" / f"{notebook}.ipynb", None, given, kernel_name="python3", progress_bar=False
        )
        shown = [output.data for cell in done.cells for output in cell.get("outputs", []) if "data" in output]
        return [data.get("text/html") or data.get("text/markdown", "") for data in shown], sum(
            "image/png" in data for data in shown
        )

    return execute


def log(n=3000, users=60, items=40):
    rng = np.random.default_rng(0)
    return pd.DataFrame({"user": rng.integers(0, users, n), "item": rng.integers(0, items, n)})


@pytest.mark.slow
def test_names_and_titles_are_text_and_play_counts_a_few_bars(executed):
    frame = log()
    frame["rating"] = np.random.default_rng(1).zipf(1.3, len(frame)).clip(max=30_000)
    frame["timestamp"] = 1_500_000_000.25 + np.arange(len(frame))
    frame["title"] = [TITLE if item % 2 else "a|b" for item in frame["item"]]
    texts, pictures = executed("00-data", frame)
    assert pictures == 1
    assert any("&lt;img src=x" in text for text in texts)
    assert not any("<img" in text or "<script" in text for text in texts)
    assert max(map(len, texts)) < 10_000
    assert any("2017-07-14" in text for text in texts)


@pytest.mark.slow
def test_a_log_of_pairs_alone_is_enough(executed):
    texts, pictures = executed("00-data", log(), name="pairs.csv")
    assert pictures == 1 and any("pairs" in text for text in texts)
