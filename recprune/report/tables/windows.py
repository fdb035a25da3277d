"""What it costs to keep a model up to date, and what it is worth after the last window of time."""

from __future__ import annotations

import pandas as pd

from recprune.errors import NothingToDrawError
from recprune.growth import WAYS
from recprune.report.evidence.methods import models_in_order
from recprune.report.evidence.study import StudyEvidence
from recprune.report.tables.layout.formats import FOUR, LABELS, THREE, THREE_DIGITS, WORDS, of_numbers
from recprune.report.tables.layout.registry import table
from recprune.report.tables.layout.table import Table, column

ARM = ["model", "family", "side", "kept", "recovery"]
TIMES = ("dynamic", "shuffled")


@table("windows")
def windows(study: StudyEvidence) -> Table:
    """One row per model, share kept and way of taking a window in: seconds, quality in the last window, slopes.

    Raises NothingToDrawError where no model was followed through windows.
    """
    rows = study.further[study.further["kind"] == "window"]
    if rows.empty:
        raise NothingToDrawError("no model was followed through windows of time: `make reproduce STUDY=windows` does")
    frame = arms(rows)
    caption = (
        f"Models that live on after half of the log of {study.heading}: what it takes to take a window of new "
        "interactions in, mean seconds, and nDCG@10 in the last window of users with a history, as it is and relative "
        "to the dense model trained anew in every window. Slope: of log(pruned / dense) from window to window, and its "
        "standard error over users (mean over seeds), in the order of time and with the times shuffled. Times are of "
        "the machine that measured them."
    )
    columns = [
        column("model", LABELS, frame["model"]),
        column("kept", of_numbers("{:.0%}"), frame["kept"]),
        column("takes in", WORDS, frame["recovery"]),
        column("seconds", THREE_DIGITS, frame["seconds"]),
        column("nDCG@10 warm", FOUR, frame["warm"]),
        column("of dense anew", THREE, frame["relative"]),
        column("nDCG@10 cold", FOUR, frame["cold"]),
        *(column(f"slope, {times}", SLOPE, frame[times], frame[f"{times}_error"]) for times in TIMES),
    ]
    return Table(caption, frame, columns)


SLOPE = of_numbers("{:+.3f} ± {:.3f}")


def arms(rows: pd.DataFrame) -> pd.DataFrame:
    """One row per arm, in the order in which readers see them: means over seeds, and over windows of the seconds.

    rows  further rows of windows; seconds and qualities are those in the order of time where any are, else shuffled
    """
    times = TIMES[0] if rows["at"].str.startswith(TIMES[0]).any() else TIMES[1]
    in_time = rows[rows["at"].str.startswith(times)]
    seconds = in_time[in_time["measure"] == "update_s"].groupby(ARM)["value"].mean().rename("seconds")
    last = _in_the_last_window(in_time)
    slopes = rows[rows["measure"] == "slope"].groupby([*ARM, "at"])[["value", "error"]].mean().unstack("at")
    of_times = {}
    for times in TIMES:
        for name, part in ((times, "value"), (f"{times}_error", "error")):
            there = (part, times) in slopes.columns
            of_times[name] = slopes[part, times] if there else pd.Series(float("nan"), slopes.index)
    frame = last.join(seconds).join(pd.DataFrame(of_times)).reset_index()
    order, ways = models_in_order(rows), ["popularity", *WAYS]
    key = {"model": order.index, "recovery": ways.index, "kept": lambda share: -share}
    return frame.sort_values(["model", "kept", "recovery"], key=lambda c: c.map(key[str(c.name)]), ignore_index=True)


def _in_the_last_window(rows: pd.DataFrame) -> pd.DataFrame:
    """(arms x warm, cold, relative): mean nDCG@10 over seeds in the last window that each model was followed to."""
    found = rows[rows["measure"].str.startswith("ndcg@10")].assign(
        window=lambda r: r["at"].str.split().str[-1].astype(int)
    )
    found = found[found["window"] == found.groupby("model")["window"].transform("max")]
    wide = found.pivot_table(index=[*ARM, "seed"], columns="measure", values="value").reset_index()
    wide = wide.rename(columns={"ndcg@10 warm": "warm", "ndcg@10 cold": "cold"}).reindex(
        columns=[*ARM, "seed", "warm", "cold"]
    )
    dense = wide[(wide["side"] == "dense") & (wide["recovery"] == "anew")][["model", "seed", "warm"]]
    wide = wide.merge(dense.rename(columns={"warm": "base"}), on=["model", "seed"], how="left")
    wide["relative"] = wide["warm"] / wide["base"]
    return wide.groupby(ARM)[["warm", "cold", "relative"]].mean()
