"""Safe sparsity by model and method, and what it buys."""

from __future__ import annotations

import pandas as pd

from recprune.report.evidence.methods import METHOD
from recprune.report.evidence.safe import PRUNED, is_headline
from recprune.report.evidence.study import StudyEvidence
from recprune.report.tables.layout.formats import LABELS, RATIO, THREE_DIGITS, TWO, WORDS
from recprune.report.tables.layout.registry import table
from recprune.report.tables.layout.standing import SAFE, WORTH, beside_popularity, worth
from recprune.report.tables.layout.table import Table, best_of_each, column

_NUMBERS = [
    *("removed_99", "removed_95", "kept", "test_ratio", "test_lo", "test_hi", "confirmed"),
    *("bytes_ratio", "p50_ratio", "bytes_disk", "p50_ms", "test_ndcg@10", *WORTH),
]


@table("safe-sparsity", needs=[PRUNED])
def safe_sparsity(study: StudyEvidence) -> Table:
    """The largest share that each method removes safely from each model, and what test, disk and clock say there.

    It is chosen on validation (`evidence.safe`). In bold, the most that is removed from a model, of parameters and of
    samples, of what is a headline (`is_headline`) and safe among all methods too.
    """
    frame = study.safe
    part = frame["side"].replace("control", "parameters")
    of_use = {end: _headlines(study, end, at) for end, at in (("_99", ""), ("_95", "_95"))}
    most = {end: best_of_each(of.groupby([frame["model"], part]), max) for end, of in of_use.items()}
    confirmed = frame["confirmed"].map({True: "confirmed", False: "not confirmed"}).where(frame["kept"].notna(), "")
    columns = [
        column("model", LABELS, frame["model"]),
        column("removes", WORDS, part),
        column("method", WORDS, frame["label"]),
        column("safe at 0.99", SAFE, frame["removed_99"], frame["counts"], bold=most["_99"]),
        column("safe at 0.95", SAFE, frame["removed_95"], frame["counts_95"], bold=most["_95"]),
        column("test ratio", RATIO, frame["test_ratio"], frame["test_lo"], frame["test_hi"]),
        column("on test", WORDS, confirmed),
        *beside_popularity(frame),
        column("bytes / dense", THREE_DIGITS, frame["bytes_ratio"]),
        column("p50 / dense", TWO, frame["p50_ratio"]),
    ]
    caption = (
        f"Safe sparsity on {study.heading}: the largest share removed whose one-sided 95 % lower bound "
        "of pruned / dense nDCG@10 on validation is at least 0.99 (0.95), with no unsafe share before it. "
        "Right of it, at the 0.99 point: the ratio on test with its two-sided 95 % interval, "
        "whether the one-sided bound holds on test too, and size and latency relative to dense. "
        "Each interval stands for itself; none is widened for the number of methods. In bold, the most that is safe "
        "among all methods of a model too (the table of headlines), and confirmed; never by loops that only train on, "
        "whose model has seen what goes." + worth(study)
    )
    return Table(caption, frame[["dataset", "protocol", "model", "family", "side", *METHOD, *_NUMBERS]], columns)


def _headlines(study: StudyEvidence, end: str, at: str) -> pd.Series:
    """The shares removed that are headlines, though the bounds hold for all methods at once; NaN elsewhere."""
    removed = study.safe[f"removed{end}"]
    return removed.where(is_headline(study.safe, at) & removed.eq(study.chosen[f"removed{end}"]))
