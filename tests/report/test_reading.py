"""What notebooks say of their rows: numbers as people write them, and sentences that no table has."""

import numpy as np
import pandas as pd
import pytest
from fake_cells import fake_cells

from recprune.report import StudyEvidence
from recprune.report.meaning import leaked, meaning
from recprune.report.readable import duration, readable, share


def test_numbers_are_written_as_people_write_them():
    index = pd.MultiIndex.from_tuples([("none", 0.05), ("refit", 0.5)], names=["recovery", "kept"])
    values = {
        "bytes_disk": [242_474, 4_129_454],
        "bytes_ratio": [0.05872, 1.0],
        "nonzeros": [51_560, 412],
        "p50_ms": [0.1234, 2.0],
        "train_s": [1.9e-5, 130.0],
        "test_ratio": [0.9651, np.nan],
        "test_ratio_lo": [0.9477, np.nan],
        "test_ratio_hi": [0.9821, np.nan],
        "test_ndcg@10": [0.27223, 0.1],
        "of whom": ["all", "some"],
    }
    shown = readable(pd.DataFrame(values, index=index))
    assert list(shown.index) == [("none", "5 %"), ("refit", "50 %")]
    assert dict(shown.iloc[0]) == {
        "bytes on disk": "242 kB",
        "bytes / dense": "5.9 %",
        "non-zeros": "51.6 k",
        "one user (median)": "0.123 ms",
        "training": "< 1 ms",
        "test nDCG@10 / dense": "0.965 [0.948, 0.982]",
        "test nDCG@10": "0.2722",
        "of whom": "all",
    }
    assert list(shown.iloc[1])[:6] == ["4.13 MB", "100 %", "412", "2 ms", "2 min", ""]


def test_an_end_of_an_interval_without_its_middle_stays_a_column():
    assert list(readable(pd.DataFrame({"test_ratio_lo": [0.5]})).iloc[0]) == ["0.5000"]


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.0005, "< 1 ms"), (0.0123, "12 ms"), (0.354, "350 ms"), (3.21, "3.2 s"), (130, "2 min")]
)
def test_durations(seconds, words):
    assert duration(seconds) == words


@pytest.mark.parametrize(("part", "words"), [(0.00432, "0.43 %"), (0.2, "20 %"), (1.184, "118 %"), (0.999, "100 %")])
def test_shares(part, words):
    assert share(part) == words


def curve(*bounds, criterion="magnitude", ratio=0.995):
    """A study of one dense model and one curve, with these bounds of validation from the largest share down."""
    rows = fake_cells()
    rows = rows[(rows["dataset"] == rows["dataset"].iloc[0]) & (rows["model"] == "ease") & (rows["seed"] == 0)]
    dense = rows[rows["side"] == "dense"].iloc[[0]]
    pruned = [
        dense.assign(
            side="parameters", unit="weight", criterion=criterion, schedule="one-shot", kept=kept,
            val_ratio=bound, val_ratio_lower=bound, test_ratio=ratio, test_ratio_lo=ratio - 0.004,
            test_ratio_hi=ratio + 0.004, test_ratio_lower=ratio - 0.003, bytes_ratio=kept,
        )
        for kept, bound in zip((0.5, 0.2, 0.1), bounds, strict=False)
    ]  # fmt: skip
    return StudyEvidence.of(pd.concat([dense, *pruned], ignore_index=True))


def test_what_is_safe_is_said_with_what_test_says_of_it():
    safe = meaning(curve(0.995, 0.991, 0.9))
    assert "80 % of the weights can go and 99 % of the quality stays for sure, by validation (bound 0.991)" in safe
    assert "; test confirms it: 0.995 [0.991, 0.999]." in safe
    assert "**test does not confirm it**: 0.970" in meaning(curve(0.995, 0.991, 0.9, ratio=0.97))
    assert "No share keeps 99 % for sure. 80 % of the weights can go and 95 %" in meaning(curve(0.98, 0.96, 0.9))
    unsafe = meaning(curve(0.9, 0.8))
    assert "No share keeps even 95 % for sure: with 50 % of the weights kept, validation's bound is 0.900." in unsafe
    assert "This is a control" not in unsafe
    assert "This is a control" in meaning(curve(0.9, criterion="random"))


def leak(role, kept, ratio, auc, gain=-0.07, half=0.01, criterion="magnitude"):
    return {
        "role": role, "criterion": criterion, "kept": kept, "ratio": ratio, "auc": auc, "auc_gain": gain,
        "auc_gain_lo": gain - half, "auc_gain_hi": gain + half, "beside_auc": 0.8 if role == "parameters" else np.nan,
    }  # fmt: skip


def test_a_leak_is_set_beside_a_smaller_model_of_that_quality_or_none():
    rows = [leak("dense", 1.0, 1.0, 0.68), leak("parameters", 0.05, 0.985, 0.612), leak("smaller", 0.25, 0.98, 0.621)]
    (line,) = leaked(pd.DataFrame(rows)).splitlines()
    assert "**5 % of the parameters** (magnitude) give away less than the dense model" in line
    assert "pruning adds -0.009" in line and "tells members at 0.800" in line
    (line,) = leaked(
        pd.DataFrame([leak("samples", 0.5, 0.84, 0.63, gain=0.001, criterion="random"), rows[2]])
    ).splitlines()
    assert "neither less nor more for sure" in line and "No model trained smaller is within 0.02" in line
