"""Rows in a notebook with the numbers as people write them, and heads in words."""

from __future__ import annotations

import re
from collections.abc import Callable

import pandas as pd

from recprune.report.evidence.labels import label
from recprune.report.tables.layout.formats import BYTES, COUNT, FOUR, RATIO, THREE, Format, of_numbers, per_cent


def duration(seconds: float) -> str:
    """Seconds in words, to two digits: 3.2 s, 15 min; what no clock of ours tells apart is "< 1 ms"."""
    if seconds < 1e-3:
        return "< 1 ms"
    if seconds < 1:
        return f"{float(format(1000 * seconds, '.2g')):g} ms"
    return f"{seconds:.1f} s" if seconds < 100 else f"{seconds / 60:.0f} min"


def share(part: float) -> str:
    """A share or a ratio of costs in per cent, to two digits below a hundred: 22 %, 1.3 %, 118 %."""
    return f"{100 * part:.0f} %" if part >= 1 else per_cent(part)


_SHARE, _SECONDS = Format(share), Format(duration)
#: what the name of a column is like -> how its numbers are written; the first that fits
_WRITTEN: dict[str, Callable[..., str]] = {
    r"bytes_(disk|memory|served)": BYTES,
    r"(bytes|p50|p95)_ratio|kept|samples_kept|removed|share .*|left": _SHARE,
    r"parameters|nonzeros|macs|epochs|users_per_s|updates|values": COUNT,
    r"p\d\d_ms": of_numbers("{:.3g} ms"),
    r"(\w+_)?s|seconds": _SECONDS,
    r"(test|val)_ratio": THREE,
    r".*": FOUR,
}
_PARTS = {"test": "test", "val": "validation", "train": "training"}
_HEADS = {
    "bytes_ratio": "bytes / dense",
    "p50_ratio": "milliseconds / dense",
    "test_ratio": "test nDCG@10 / dense",
    "val_ratio": "validation nDCG@10 / dense",
    "test_jaccard@20": "top 20 in common (Jaccard)",
    "p50_ms": "one user (median)",
    "p95_ms": "one user (95 of 100)",
    "users_per_s": "users a second",
    "train_s": "training",
    "score_s": "scoring the samples",
    "saved_s": "training saved",
}


def readable(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame as text, to be shown: bytes in kB, counts in k and M, shares in per cent, durations in words.

    frame  columns named as those of the rows (`bytes_disk`, `test_ratio`, ...), and any others; a ratio whose ends
           (`_lo`, `_hi`) are there has its interval beside it, instead of two columns more
    Numbers that no name says anything about have four digits after the point; words stay.
    """
    levels = [name for name in frame.index.names if name is not None]
    flat = frame.reset_index() if levels else frame
    columns = {}
    for name in flat.columns:
        ends = [f"{name}_lo", f"{name}_hi"]
        if set(ends) <= set(flat.columns):
            rows = flat[[name, *ends]].astype(float).itertuples(index=False)
            columns[head(name)] = [RATIO(*row) for row in rows]
        elif not (re.search("_(lo|hi)$", str(name)) and name[:-3] in flat.columns):
            columns[head(name)] = [_text(str(name), value) for value in flat[name]]
    shown = pd.DataFrame(columns, index=flat.index)
    return shown.set_index([head(str(name)) for name in levels]) if levels else shown


def head(name: str) -> str:
    """The words for a column: "test nDCG@10" for test_ndcg@10; a name that nothing is known about stays."""
    part, _, metric = str(name).partition("_")
    if name in _HEADS:
        return _HEADS[name]
    return f"{_PARTS[part]} {label(metric)}" if part in _PARTS and "@" in metric else label(str(name))


def _text(name: str, value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    return "" if pd.isna(value) else next(write for like, write in _WRITTEN.items() if re.fullmatch(like, name))(value)
