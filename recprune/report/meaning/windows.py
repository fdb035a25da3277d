"""Whether a pruned model keeps step with its dense one as the log grows, and what that costs, in sentences."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from recprune.report.evidence.audits.leaks import over_seeds
from recprune.report.evidence.labels import label
from recprune.report.readable import duration, share
from recprune.report.tables.windows import arms

ANEW = "anew"  # the way that all others save on


def lived(rows: pd.DataFrame) -> str:
    """Markdown: for each pruned model and way, whether it keeps step, where it ends, and what it saves; and popularity.

    rows  the further rows of one model's run, as `recprune.cells.curves.windows.windows_rows` makes them
    """
    frame = arms(rows)
    slopes = over_seeds(rows[rows["measure"] == "slope"], ["kept", "recovery"]).set_index(["kept", "recovery"])
    pruned = frame[frame["side"] == "parameters"]
    units = rows.loc[rows["side"] == "parameters", "unit"]
    dense = frame[(frame["side"] == "dense") & (frame["recovery"] == ANEW)].iloc[0]
    told = []
    for row in pruned.to_dict("records"):
        name = f"**{share(row['kept'])} of the {label(units.iloc[0])}, `{row['recovery']}`**"
        told.append(" ".join(["*", *_sentences(name, row, slopes.loc[(row["kept"], row["recovery"])], dense)]))
    return "\n".join([*told, *_popular(frame)])


def _sentences(name: str, row: dict, slope: pd.Series, dense: pd.Series) -> Iterator[str]:
    step = "keeps step with" if slope["lo"] <= 0 <= slope["hi"] else "falls behind" if slope["hi"] < 0 else "gains on"
    low, high = f"{100 * slope['lo']:+.1f}", f"{100 * slope['hi']:+.1f} %"
    yield f"{name} {step} the dense model: {100 * slope['value']:+.1f} % a window [{low}, {high}]."
    end = f"In the last window it has {row['relative']:.3f} of the dense model trained anew"
    if not row["seconds"] > 0 or not dense["seconds"] > 0:
        yield f"{end}."
    else:
        part = share(row["seconds"] / dense["seconds"])
        yield f"{end}, for {part} of its time ({duration(row['seconds'])} a window)."


def _popular(frame: pd.DataFrame) -> Iterator[str]:
    control, models = frame[frame["side"] == "control"], frame[frame["side"] != "control"]
    if control.empty:
        return
    floor = control["warm"].iloc[0]
    below = models[models["warm"] <= floor]
    told = [
        f"{'dense' if row['side'] == 'dense' else share(row['kept']) + ' kept'}, `{row['recovery']}`"
        for row in below.to_dict("records")
    ]
    beaten = f"does not lose to {'; '.join(told)}" if told else "loses to every one of them"
    yield f"* Popularity, brought up to date in every window, has {floor:.4f} in the last one and {beaten}."
