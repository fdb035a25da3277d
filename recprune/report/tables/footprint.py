"""What a model weighs and how long it takes: dense, pruned as far as is safe, and trained smaller."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from recprune.report.evidence.labels import percent
from recprune.report.evidence.methods import CURVE, FLOORS, METHOD, controls, models_in_order
from recprune.report.evidence.points import NOT_ABOVE
from recprune.report.evidence.study import StudyEvidence
from recprune.report.tables.layout.formats import BYTES, COUNT, LABELS, STARRED, TWO, TWO_DIGITS, Format
from recprune.report.tables.layout.registry import table
from recprune.report.tables.layout.standing import DAGGER, UNCONFIRMED, explained
from recprune.report.tables.layout.table import Column, Table, column

_RATIO = ["test_ratio", "test_ratio_lo", "test_ratio_hi"]
STATE = Format(lambda state, counts: state + ("" if counts else DAGGER), left=True, number=False)
_COLUMNS = [
    *("dataset", "protocol", "model", "family", "state", *METHOD, "kept"),
    *("parameters", "nonzeros", "bytes_disk", "bytes_ratio", "bytes_memory", "macs"),
    *("p50_ms", "p50_ratio", "users_per_s", *_RATIO, "confirmed", "counts"),
]


@table("footprint", needs=["dense", "parameters"])
def footprint(study: StudyEvidence) -> Table:
    """The footprint of each model: dense, pruned as far as is safe, and trained smaller. Means over seeds."""
    frame = study.once(smallest)
    caption = (
        f"Footprint on {study.heading}: each dense model, and the smallest on disk of what is safe at 0.99 on "
        "validation among all methods (share removed of the method's units), and the same model trained smaller where "
        "that is safe. Compact form, indices counted; p50: median milliseconds to recommend to one user; users/s in "
        "batches; "
        "multiply-adds for one user; test ratio: nDCG@10 / dense, 95 % interval."
        f"{UNCONFIRMED} "
        "Milliseconds are of the machine and the moment; their ratio is measured in one process, in turns with the "
        f"dense model.{explained(not frame['counts'].all())}{study.warning}"
    )
    return Table(caption, frame, _columns(frame))


def smallest(study: StudyEvidence) -> pd.DataFrame:
    """The dense points of a study, and below each the smallest safe pruned one and the smallest safe smaller model."""
    points = study.paired[~study.paired["model"].isin(FLOORS)]
    safe = study.chosen[study.chosen["kept"].notna()]
    rows = [row for model in models_in_order(points) for row in _states(points[points["model"] == model], safe)]
    frame = pd.DataFrame(rows, columns=_COLUMNS)
    frame.loc[frame["state"] == "dense", _RATIO] = float("nan")  # of itself: 1
    return frame


def _states(points: pd.DataFrame, safe: pd.DataFrame) -> Iterator[dict]:
    """The rows of one model. Of all points that are safe at 0.99, each method's furthest, the one of fewest bytes."""
    for _, row in points[points["side"] == "dense"].iterrows():
        yield row.to_dict() | {"state": "dense", "confirmed": True, "counts": row["standing"] != NOT_ABOVE}
    mine = safe[safe["model"] == points["model"].iloc[0]]
    pruned = mine[(mine["side"] == "parameters") & ~mine["criterion"].isin(controls())]
    for there in (pruned, mine[mine["criterion"] == "smaller-dense"]):
        if len(there):
            least = there.sort_values(["bytes_disk", "kept"], kind="stable").iloc[0]
            same = (points[CURVE] == least[CURVE]).all(axis=1) & (points["kept"] == least["kept"])
            state = f"{least['label']}, −{percent(least['removed_99'])}"
            yield points[same].iloc[0].to_dict() | {
                "state": state,
                **{name: bool(least[name]) for name in ("confirmed", "counts")},
            }


def _columns(frame: pd.DataFrame) -> list[Column]:
    changed = frame["state"] != "dense"
    return [
        column("model", LABELS, frame["model"]),
        column("state", STATE, frame["state"], frame["counts"]),
        column("parameters", COUNT, frame["parameters"]),
        column("non-zeros", COUNT, frame["nonzeros"]),
        column("disk", BYTES, frame["bytes_disk"]),
        column("disk / dense", TWO_DIGITS, frame["bytes_ratio"].where(changed)),
        column("memory", BYTES, frame["bytes_memory"]),
        column("multiply-adds", COUNT, frame["macs"]),
        column("p50 ms", TWO, frame["p50_ms"]),
        column("ms / dense", TWO, frame["p50_ratio"].where(changed)),
        column("users/s", COUNT, frame["users_per_s"]),
        column("test ratio", STARRED, *(frame[name] for name in (*_RATIO, "confirmed"))),
    ]
