"""What a model weighs and how long it takes: dense, pruned as far as is safe, and trained smaller."""

from __future__ import annotations

import pandas as pd

from recprune.report.cells import CONTROLS, CURVE, FLOORS, METHOD, canonical, heading, models_in_order, paired, points
from recprune.report.heatmap import percent
from recprune.report.safe import safe_points
from recprune.report.style import label
from recprune.report.table import Table, count, human, interval, starred, written

MEASURED = ("nonzeros", "bytes_memory", "macs", "users_per_s")
_FRAME = [
    "dataset",
    "protocol",
    "model",
    "family",
    "state",
    *METHOD,
    "kept",
    "parameters",
    "nonzeros",
    "bytes_disk",
    "bytes_ratio",
    "bytes_memory",
    "macs",
    "p50_ms",
    "p50_ratio",
    "users_per_s",
    "test_ratio",
    "test_ratio_lo",
    "test_ratio_hi",
    "confirmed",
]


def footprint(cells: pd.DataFrame, name: str = "footprint", found: pd.DataFrame | None = None) -> Table:
    """Per model: the dense one; of all points that are safe at 0.99 on validation, each method's furthest, the one of fewest
    bytes; and the smaller dense model at its own safe point. Means over seeds. found: the rows' `safe_points`, where they are known.
    """
    cells = canonical(cells)
    table = points(paired(cells), also=MEASURED)
    table = table[~table["model"].isin(FLOORS)]
    safe = safe_points(cells) if found is None else found
    safe = safe[safe["kept"].notna()]
    rows = []
    for model in models_in_order(table):
        dense = table[(table["model"] == model) & (table["side"] == "dense")]
        rows += [row.to_dict() | {"state": "dense", "confirmed": True} for _, row in dense.iterrows()]
        mine = safe[safe["model"] == model]
        pruned = mine[(mine["side"] == "parameters") & ~mine["criterion"].isin(CONTROLS)]
        for there in (pruned, mine[mine["criterion"] == "smaller-dense"]):
            if len(there):
                least = there.sort_values(["bytes_disk", "kept"], kind="stable").iloc[0]
                rows.append(_at(table, least) | {"state": f"{least['label']}, −{percent(least['removed_99'])}"})
    frame = pd.DataFrame(rows, columns=_FRAME)
    changed = frame["state"] != "dense"
    frame.loc[~changed, ["test_ratio", "test_ratio_lo", "test_ratio_hi"]] = float("nan")  # of itself: 1
    ratios = frame[["test_ratio", "test_ratio_lo", "test_ratio_hi", "confirmed"]]
    text = pd.DataFrame(
        {
            "model": frame["model"].map(label),
            "state": frame["state"],
            "parameters": written(frame["parameters"], count),
            "non-zeros": written(frame["nonzeros"], count),
            "disk": written(frame["bytes_disk"], human),
            "disk / dense": written(frame["bytes_ratio"].where(changed), "{:.2g}".format),
            "memory": written(frame["bytes_memory"], human),
            "multiply-adds": written(frame["macs"], count),
            "p50 ms": written(frame["p50_ms"], "{:.2f}".format),
            "ms / dense": written(frame["p50_ratio"].where(changed), "{:.2f}".format),
            "users/s": written(frame["users_per_s"], count),
            "test ratio": [
                starred(interval(*numbers), confirmed) for *numbers, confirmed in ratios.itertuples(index=False)
            ],
        }
    )
    caption = (
        f"Footprint on {heading(cells)}: each dense model, and the smallest on disk of what is safe at 0.99 on validation (share "
        "removed of the method's units), and the same model trained smaller where that is safe. Compact form, indices "
        "counted; p50: median milliseconds to recommend to one user; users/s in batches; multiply-adds for one user; test "
        "ratio: nDCG@10 / dense, 95 % interval (*: test does not confirm it). Milliseconds are of the machine and the moment; "
        "their ratio is measured in one process, in turns with the dense model."
    )
    return Table(name, caption, frame, text)


def _at(table: pd.DataFrame, safe: pd.Series) -> dict:
    """The curve point that a safe point stands for."""
    same = (table[CURVE] == safe[CURVE]).all(axis=1) & (table["kept"] == safe["kept"])
    return table[same].iloc[0].to_dict() | {"confirmed": bool(safe["confirmed"])}
