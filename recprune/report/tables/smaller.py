"""Pruned against trained smaller, at equal bytes and in the same value format."""

from __future__ import annotations

from recprune.errors import NothingToDrawError
from recprune.report.evidence.size.smaller import LEVEL, LOSES, WINS, beside_smaller
from recprune.report.evidence.study import StudyEvidence
from recprune.report.tables.layout.formats import BYTES, LABELS, RATIO, WORDS, Format, of_numbers
from recprune.report.tables.layout.registry import table
from recprune.report.tables.layout.table import Table, column

GAIN = Format("{:+.3f} [{:+.3f}, {:+.3f}]".format)
SHARE = of_numbers("{:.3g}")
_RATIO = ["test_ratio", "test_ratio_lo", "test_ratio_hi"]


@table("smaller", needs=["parameters", "control"])
def smaller(study: StudyEvidence) -> Table:
    """Each smaller dense model of the front beside what was pruned to its bytes. In bold, where pruning wins.

    Raises NothingToDrawError where nothing was pruned to the size of a smaller model in the same format.
    """
    frame = study.once(beside_smaller)
    if frame.empty:
        raise NothingToDrawError(f"no model on {study.heading} was both trained smaller and pruned to that size")
    columns = [
        column("model", LABELS, frame["model"]),
        column("values", WORDS, frame["values"]),
        column("trained smaller", WORDS, frame["label"]),
        column("parameters / dense", SHARE, frame["kept"]),
        column("disk", BYTES, frame["bytes_disk"]),
        column("ratio", RATIO, *(frame[name] for name in _RATIO)),
        column("pruned", WORDS, frame["label_pruned"]),
        column("kept", SHARE, frame["kept_pruned"]),
        column("its disk", BYTES, frame["bytes_disk_pruned"]),
        column("its ratio", RATIO, *(frame[f"{name}_pruned"] for name in _RATIO)),
        column("gain", GAIN, frame["gain"], frame["lo"], frame["hi"], bold=frame["wins"] == WINS),
    ]
    counts = {name: int((frame["wins"] == name).sum()) for name in (WINS, LOSES, LEVEL)}
    caption = (
        f"Pruned or trained smaller, on {study.heading}? Each smaller dense model that beats every smaller one on "
        "validation (the best of several shapes; taught by the dense model or not; with item tables alone where users "
        "can be folded in), beside what is best on validation of all that was pruned to at most its bytes in the same "
        "value format. ratio: test nDCG@10 / dense in float32; gain: pruned less smaller, its interval as if the two "
        f"were independent. Pruning wins {counts[WINS]} times, loses {counts[LOSES]} times; {counts[LEVEL]} are level."
    )
    return Table(caption, frame, columns)
