"""What a search of hyper-parameters looked through and found."""

from __future__ import annotations

import pandas as pd

from recprune.report.evidence.searches import Search
from recprune.report.tables.layout.formats import FOUR, LABELS, TEXT, WHOLE
from recprune.report.tables.layout.registry import table
from recprune.report.tables.layout.table import Table, column


@table("tuning", of=Search)
def tuning(search: Search) -> Table:
    """The search of each model: what was searched and chosen, validation nDCG@10 of first and best trial, the cost."""
    frame = pd.DataFrame([_row(model, found) for model, found in search.tuned.items()])
    last = list(search.tuned.values())[-1]["search"]
    columns = [
        column("model", LABELS, frame["model"]),
        column("chosen", TEXT, frame["chosen"]),
        column("searched", TEXT, frame["searched"]),
        column("first", FOUR, frame["first"]),
        column("best", FOUR, frame["best"]),
        column("trials", WHOLE, frame["trials"]),
        column("seconds", WHOLE, frame["seconds"]),
    ]
    caption = (
        f"Hyper-parameters chosen by validation nDCG@10 on {search.dataset}, protocol {search.protocol}, split seed 0: "
        "ranges searched, score of the first trial (the values without a search) and of the best. Budget of every "
        f"model: {last['trials_budget']} trials or {last['seconds_budget']:g} s of processor time."
    )
    return Table(caption, frame, columns)


def _row(model: str, found: dict) -> dict:
    search = found["search"]
    chosen = dict.fromkeys(axis.partition("[")[0] for axis in search["space"])
    return {
        "model": model,
        "chosen": ", ".join(f"{key} {_short(found[key])}" for key in chosen if key in found),
        "searched": "; ".join(f"{axis} {text}" for axis, text in search["space"].items()),
        "first": search["first_val_ndcg@10"],
        "best": search["val_ndcg@10"],
        "trials": search["trials"],
        "seconds": search["seconds"],
    }


def _short(value) -> str:
    if isinstance(value, float):
        return f"{value:.3g}"
    return "-".join(map(str, value)) if isinstance(value, list) else str(value)
