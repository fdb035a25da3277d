"""Value formats: what shrinks a model for nothing, what pruning adds, and which methods earn their place after that."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from recprune.errors import NothingToDrawError
from recprune.report.evidence.cells import QUALITY
from recprune.report.evidence.labels import label, percent
from recprune.report.evidence.methods import METHOD, models_in_order
from recprune.report.evidence.safe import COVERAGE, FLOOR_LEVELS, is_headline, unmeasured
from recprune.report.evidence.size.formats import SHOWN, earning, shrunk, state_label
from recprune.report.evidence.study import StudyEvidence
from recprune.report.tables.layout.formats import BYTES, LABELS, STARRED, THREE_DIGITS, WORDS, Format, of_numbers
from recprune.report.tables.layout.registry import table
from recprune.report.tables.layout.standing import DAGGER, UNCONFIRMED, beside_popularity, explained
from recprune.report.tables.layout.table import Column, Table, best_of_each, column

STRICT = FLOOR_LEVELS[0]
TIMES = of_numbers("{:.3g}×")
MARKED = Format(lambda words, counts: words + ("" if counts else DAGGER), left=True, number=False)
#: share kept, format, and whether it counts
POINT = Format(
    lambda kept, values, counts: f"−{percent(1 - kept)}, {values}" + ("" if counts else DAGGER), missing="none"
)
_RATIO = ["test_ratio", "test_ratio_lo", "test_ratio_hi"]
_COLUMNS = [
    *("dataset", "protocol", "model", "family", "role", *METHOD, "kept", "values", "seeds"),
    *("bytes_disk", "bytes_ratio", "bytes_memory", "val_ratio_lower", "lowest", "safe", *_RATIO, "confirmed", "adds"),
    *("dense_ndcg@10", QUALITY, "popularity", "dense_coverage@20", COVERAGE, "counts"),
]


@table("formats", needs=["dense"])
def formats(study: StudyEvidence) -> Table:
    """What shrinks each model for nothing, and what pruning adds: bytes and quality of the dense model in each value
    format, of the smallest safe pruned point as trained and in any format, and of the smallest safe smaller model.

    Safe is what reaches 0.99 on validation (`evidence.size.formats`); test confirms it or does not. In bold, the
    smallest safe form of each model that is a headline. Raises NothingToDrawError where there is one format alone.
    """
    found = study.once(shrunk)
    safe = found["lowest"] >= STRICT
    frame = found.assign(safe=safe)[_COLUMNS]
    of_use = found["bytes_disk"].where(safe & is_headline(found))
    ratio = [frame[name] for name in (*_RATIO, "confirmed")]
    columns = [
        column("model", LABELS, frame["model"]),
        column("state", MARKED, found.apply(state_label, axis=1), frame["counts"]),
        column("values", WORDS, frame["values"]),
        column("disk", BYTES, frame["bytes_disk"], bold=best_of_each(of_use.groupby(found["model"]), min)),
        column("disk / dense", THREE_DIGITS, frame["bytes_ratio"]),
        column("test ratio", STARRED, *ratio),
        column("safe", WORDS, frame["safe"].map({True: "yes", False: "no"})),
        *beside_popularity(frame),
        column("adds", TIMES, frame["adds"]),
    ]
    caption = (
        f"What shrinks a model on {study.heading} for nothing, and what pruning adds. Each dense model in every "
        f"value format; the smallest on disk of what is pruned and safe at {STRICT:g} on validation, with its values "
        "as trained and in any format (share removed of the method's units); and the same model trained smaller. disk "
        "/ dense: of the dense model in float32; test ratio: nDCG@10 / dense in float32, 95 % interval; safe: "
        f"among all methods and formats of a model.{UNCONFIRMED} adds: bytes of the dense model in its smallest safe "
        "format / bytes of this. nDCG@10 and coverage@20: of dense in float32 → of this, on test; popularity: its "
        "nDCG@10, same seeds."
        f"{explained(not frame['counts'].all())}{study.warning}{unmeasured(study.dense)}"
    )
    return Table(caption, frame, columns)


@table("equal-bytes", needs=["parameters"])
def equal_bytes(study: StudyEvidence) -> Table:
    """The pruning methods that earn their place after value formats: at 0.99 or 0.95 of dense, safe on validation, they
    take fewer bytes than the dense model and the smaller dense models do in any format.

    In bold, what saves most of each model, of the headlines. Raises NothingToDrawError where there is one
    format alone, or where none earns it.
    """
    frame, pairs = study.once(earning)
    if frame.empty:
        raise NothingToDrawError(f"no method on {study.heading} takes fewer bytes than value formats alone do")
    columns = [
        column("model", LABELS, frame["model"]),
        column("method", WORDS, frame["label"]),
        *(one for floor, end in zip(FLOOR_LEVELS, ("", "_95"), strict=True) for one in _level(frame, floor, end)),
    ]
    pruned = models_in_order(study.pruned[study.pruned["role"] == "pruned"])
    without = ", ".join(label(model) for model in pruned if model not in set(frame["model"]))
    caption = (
        f"Which pruning earns its place on {study.heading} once values are stored in few bits: the methods whose "
        "smallest safe point, in any value format, takes fewer bytes on disk than the smallest safe one of its rivals, "
        "the dense model and the same model trained smaller, in any format. Safe at 0.99 or 0.95 is decided on "
        "validation, among all methods and formats of a model; gain: bytes of the rival / bytes of the point; ratio: "
        "nDCG@10 / dense in float32 on test, 95 % interval; "
        f"disk and rival: at {STRICT:g}.{UNCONFIRMED} {len(frame)} of {pairs} pairs of "
        f"model and method do{f'; of {without} none does' if without else ''}."
        f"{explained(not frame[['counts', 'counts_95']].all(axis=None))}{study.warning}"
    )
    return Table(caption, frame.drop(columns="label"), columns)


def _level(frame: pd.DataFrame, floor: float, end: str) -> Iterator[Column]:
    """The columns of one level."""
    mine = {name: frame[f"{name}{end}"] for name in SHOWN}
    most = best_of_each(mine["gain"].where(is_headline(pd.DataFrame(mine))).groupby(frame["model"]), max)
    yield column(f"at {floor:g}", POINT, mine["kept"], mine["values"], mine["counts"])
    if floor == STRICT:  # of the other, they are in the CSV
        yield column("disk", BYTES, mine["bytes_disk"])
        yield column("rival", WORDS, mine["rival"])
    yield column(f"gain at {floor:g}", TIMES, mine["gain"], bold=most & (mine["gain"] > 1))
    yield column(f"ratio at {floor:g}", STARRED, *(mine[name] for name in (*_RATIO, "confirmed")))
