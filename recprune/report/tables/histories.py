"""What a model is trained on, and what its users are served from: the one pruned alone, and both."""

from __future__ import annotations

import pandas as pd

from recprune.errors import NothingToDrawError
from recprune.report.evidence.methods import METHOD, by_model, labels_of, models_in_order
from recprune.report.evidence.points import points
from recprune.report.evidence.study import StudyEvidence
from recprune.report.tables.layout.formats import LABELS, RATIO, WORDS, of_numbers
from recprune.report.tables.layout.registry import table
from recprune.report.tables.layout.table import Table, best_of_each, column

ABOUT = 0.5  # the share that readers see: of each method, the one closest to it
TUNED = "retrain-tuned"  # a recovery that stands beside the plain one of the same method
_RATIO = ["test_ratio", "test_ratio_lo", "test_ratio_hi"]


@table("histories", needs=["samples"])
def histories(study: StudyEvidence) -> Table:
    """Test quality of models trained on pruned samples, served from full histories, from pruned ones, and tuned again.

    In bold, the method that keeps most of each model, served from full histories. Raises NothingToDrawError where only
    one of the ways was measured.
    """
    frame = _wide(study)
    if frame["pruned_test_ratio"].isna().all() and frame["tuned_test_ratio"].isna().all():
        raise NothingToDrawError("users were served from full histories alone")
    away = (frame["kept"] - ABOUT).abs()
    shown = frame.loc[away.groupby([frame["model"], frame["label"]], sort=False).idxmin()]
    columns = [
        column("model", LABELS, shown["model"]),
        column("rule", WORDS, shown["label"]),
        column("kept", of_numbers("{:.0%}"), shown["kept"]),
        _ratio("full histories", shown, "full", best_of_each(shown.groupby("model")["full_test_ratio"], max)),
        _ratio("pruned histories", shown, "pruned"),
        _ratio("full, tuned again", shown, "tuned"),
    ]
    caption = (
        f"Training samples pruned on {study.heading}: test nDCG@10 / dense, 95 % interval, at the share closest to "
        f"{ABOUT:.0%}. What is pruned is what a model trains on; it serves users from all that they did (full "
        "histories), or, when the log is gone for serving too, from what stayed (pruned; empty: the model does not "
        "look at histories when it scores). Tuned again: penalty and confidence chosen on validation at that share."
    )
    return Table(caption, frame.drop(columns="label"), columns)


def _wide(study: StudyEvidence) -> pd.DataFrame:
    """One row per model, rule and share kept: the ratios of each way to serve, and of the model tuned again."""
    dense = study.rows["side"] == "dense"
    found = []
    for history, rows in study.cells[study.cells["side"] == "samples"].groupby("history"):
        mine = points(pd.concat([study.rows[dense], rows], ignore_index=True))
        found.append(mine[mine["side"] == "samples"].assign(way=history))
    table = pd.concat(found, ignore_index=True)
    tuned = table["recovery"] == TUNED
    table = table[~tuned | (table["way"] == "full")]
    table["way"] = table["way"].mask(tuned, "tuned")
    table["recovery"] = table["recovery"].replace(TUNED, "retrain")
    keys = ["dataset", "protocol", "model", "family", *METHOD, "kept"]
    wide = table.drop_duplicates([*keys, "way"]).pivot(index=keys, columns="way", values=_RATIO)
    wide.columns = ["_".join(reversed(pair)) for pair in wide.columns.to_flat_index()]
    names = [f"{way}_{name}" for way in ("full", "pruned", "tuned") for name in _RATIO]
    wide = wide.reindex(columns=names).reset_index()
    wide = wide.assign(label=labels_of(wide.assign(side="samples")))
    order = by_model(models_in_order(wide))
    return wide.sort_values(["model", *METHOD, "kept"], key=order, kind="stable", ignore_index=True)


def _ratio(head: str, frame: pd.DataFrame, way: str, bold: pd.Series | None = None):
    return column(head, RATIO, *(frame[f"{way}_{name}"] for name in _RATIO), bold=bold)
