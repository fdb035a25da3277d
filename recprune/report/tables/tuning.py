"""What a search of hyper-parameters looked through and found."""

from __future__ import annotations

import pandas as pd

from recprune.report.evidence.searches import Search
from recprune.report.tables.layout.formats import FOUR, LABELS, TEXT, WHOLE, Format, of_numbers
from recprune.report.tables.layout.registry import table
from recprune.report.tables.layout.table import Table, column

LAST = 10  # trials whose worth is shown
WINNER = Format(lambda trial: f"trial {trial:.0f}" if trial else "not improved")
GAIN = of_numbers("+{:.4f}")


@table("tuning", of=Search)
def tuning(search: Search) -> Table:
    """The search of each model: what was searched and chosen, validation nDCG@10 of first and best trial, which that
    was, what the last ten trials brought (`searches.expected_best`), the cost."""
    frame = pd.DataFrame([_row(model, found, search.trials) for model, found in search.tuned.items()])
    last = list(search.tuned.values())[-1]["search"]
    columns = [
        column("model", LABELS, frame["model"]),
        column("chosen", TEXT, frame["chosen"]),
        column("searched", TEXT, frame["searched"]),
        column("first", FOUR, frame["first"]),
        column("best", FOUR, frame["best"]),
        column("winner", WINNER, frame["winner"]),
        column("last ten", GAIN, frame["last_ten"]),
        column("trials", WHOLE, frame["trials"]),
        column("seconds", WHOLE, frame["seconds"]),
    ]
    caption = (
        f"Hyper-parameters chosen by validation nDCG@10 on {search.dataset}, protocol {search.protocol}, split seed 0: "
        "ranges searched, score of the first trial (trial 0, the values without a search) and of the best; winner: the "
        "best trial; last ten: the best of all trials less the mean best of ten fewer, in any order. Budget of every "
        f"model: {last['trials_budget']} trials or {last['seconds_budget']:g} s of processor time."
    )
    return Table(caption, frame, columns)


def _row(model: str, found: dict, trials: pd.DataFrame) -> dict:
    search, mine = found["search"], trials[trials["model"] == model].reset_index(drop=True)
    expected, scores = mine["expected"], mine["val_ndcg@10"].fillna(0.0)
    chosen = dict.fromkeys(axis.partition("[")[0] for axis in search["space"])
    return {
        "model": model,
        "chosen": ", ".join(f"{key} {_short(found[key])}" for key in chosen if key in found),
        "searched": "; ".join(f"{axis} {text}" for axis, text in search["space"].items()),
        "first": search["first_val_ndcg@10"],
        "best": search["val_ndcg@10"],
        "winner": int(mine["trial"].iloc[int(scores.argmax())]),
        "last_ten": expected.iloc[-1] - expected.iloc[-1 - LAST] if len(mine) > LAST else float("nan"),
        "trials": search["trials"],
        "seconds": search["seconds"],
    }


def _short(value) -> str:
    if isinstance(value, float):
        return f"{value:.3g}"
    return "-".join(map(str, value)) if isinstance(value, list) else str(value)
