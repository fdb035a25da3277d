"""The dense models of one study: quality on test, and what they cost."""

from __future__ import annotations

import pandas as pd

from recprune.report.evidence.labels import label
from recprune.report.evidence.methods import FLOORS, models_in_order
from recprune.report.evidence.points import LEVEL
from recprune.report.evidence.safe import unmeasured
from recprune.report.evidence.study import StudyEvidence
from recprune.report.tables.layout.formats import BETWEEN, BYTES, FOUR, GROUPED, LABELS, MEAN, THREE_DIGITS
from recprune.report.tables.layout.registry import table
from recprune.report.tables.layout.table import Column, Table, best, column
from recprune.report.tables.published import published_of

QUALITY = ("ndcg@10", "recall@20", "mrr@10", "coverage@20")
COSTS = {
    "parameters": ("parameters", GROUPED),
    "bytes_disk": ("disk", BYTES),
    "train_s": ("training s", THREE_DIGITS),
    "p50_ms": ("p50 ms", THREE_DIGITS),
}


@table("dense", needs=["dense"])
def dense(study: StudyEvidence) -> Table:
    """The dense models on test: quality as mean ± standard deviation over seeds, and what they cost.

    Where the rows have it, the 95 % interval of mean nDCG@10 over users stands beside it, and where others published
    an nDCG@10 of one of the models under this protocol, that does. Best of the recommenders in bold; popularity and
    random, the floors, stand below and take no part in that.
    """
    points = _floors_last(study.dense)
    numbers = [name for metric in QUALITY for name in (f"test_{metric}", f"test_{metric}_sd")]
    known = bool(points[LEVEL].notna().any(axis=None))
    frame = points[["dataset", "protocol", "model", "family", "seeds", *numbers, *COSTS, *(LEVEL if known else [])]]
    published = frame["model"].map(published_of(study.dataset, study.protocol, QUALITY[0])).astype(float)
    if published.notna().any():
        frame = frame.assign(**{f"published_{QUALITY[0]}": published})
    return Table(_caption(study, frame, known, bool(published.notna().any())), frame, _columns(frame))


def _floors_last(points: pd.DataFrame) -> pd.DataFrame:
    models = models_in_order(points)
    order = [model for model in models if model not in FLOORS] + [model for model in FLOORS if model in models]
    return points.sort_values("model", key=lambda names: names.map(order.index), kind="stable", ignore_index=True)


def _columns(frame: pd.DataFrame) -> list[Column]:
    contest = ~frame["model"].isin(FLOORS)
    columns = [column("model", LABELS, frame["model"]), column("family", LABELS, frame["family"])]
    for metric in QUALITY:
        mean, spread = frame[f"test_{metric}"], frame[f"test_{metric}_sd"]
        columns.append(column(label(metric), MEAN, mean, spread, bold=best(mean.where(contest), max)))
        if metric == QUALITY[0] and LEVEL[0] in frame:
            columns.append(column("95 % interval", BETWEEN, *(frame[end] for end in LEVEL)))
        if metric == QUALITY[0] and f"published_{metric}" in frame:
            columns.append(column("published", FOUR, frame[f"published_{metric}"]))
    for name, (head, format) in COSTS.items():
        columns.append(column(head, format, frame[name], bold=best(frame[name].where(contest), min)))
    return columns


def _caption(study: StudyEvidence, frame: pd.DataFrame, known: bool, published: bool) -> str:
    seeds = int(frame["seeds"].max())
    spread = f"mean ± standard deviation over {seeds} seeds" if seeds > 1 else "one seed"
    users = " The interval is of the mean nDCG@10, over users and seeds." if known else ""
    if published:
        users += " Published: nDCG@10 of the same model under the same protocol by others."
    return (
        f"Dense models on {study.heading}: test quality ({spread}, full catalogue ranked) and cost.{users} "
        f"Times are of the machine that measured them.{study.warning}{unmeasured(study.dense)}"
    )
