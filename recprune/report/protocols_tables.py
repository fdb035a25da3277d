"""Tables of what changes with the protocol: dense models, agreement of their orders, safe shares."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from recprune.datasets.naming import name_of
from recprune.report.cells import FLOORS, models_in_order
from recprune.report.heatmap import percent
from recprune.report.protocols import agreement, levels, protocols_in_order, safe_shares, several
from recprune.report.style import label
from recprune.report.table import Table, best, plus_minus, written


def protocol_tables(cells: pd.DataFrame) -> Iterator[Table]:
    """Every table across protocols that the rows suffice for, data set after data set."""
    for name, rows in several(cells):
        yield order(rows, f"protocols-order-{name}")
        if len(agreement(rows)):
            yield agreeing(rows, f"protocols-agreement-{name}")
        if rows["side"].isin(["parameters", "samples"]).any():
            yield safe(rows, f"protocols-safe-{name}")


def order(cells: pd.DataFrame, name: str = "protocols-order") -> Table:
    """Dense models by protocol: test nDCG@10 and rank. In bold, the best of a protocol."""
    frame = levels(cells)
    models, protocols = models_in_order(frame), protocols_in_order(frame)
    text = pd.DataFrame({"model": [label(model) for model in models]})
    bold = pd.DataFrame(False, index=text.index, columns=["model", *protocols])
    for protocol in protocols:
        mine = frame[frame["protocol"] == protocol].set_index("model").reindex(models)
        text[protocol] = [
            f"{plus_minus(row['ndcg@10'], row['sd'])} ({row['rank']:.0f})" if row["seeds"] > 0 else ""
            for _, row in mine.iterrows()
        ]
        bold[protocol] = (mine["rank"] == 1).to_numpy()
    caption = (
        f"Dense models on {name_of(frame['dataset'].iloc[0])} by protocol: test nDCG@10, mean ± standard deviation over "
        f"{frame['seeds'].max()} seeds (rank among the protocol's models). Empty: the protocol leaves the model out."
    )
    return Table(name, caption, frame, text, bold)


def agreeing(cells: pd.DataFrame, name: str = "protocols-agreement") -> Table:
    """How far two protocols order the dense models alike (`agreement`)."""
    frame = agreement(cells)
    text = pd.DataFrame(
        {
            "protocols": frame["first"] + ", " + frame["second"],
            "models": frame["models"].astype(str),
            "tau of means": [
                f"{tau:.2f} [{lo:.2f}, {hi:.2f}]" for tau, lo, hi in frame[["tau", "lo", "hi"]].itertuples(index=False)
            ],
            "seed by seed": written(frame["across"], "{:.2f}".format),
            "within one protocol": written(frame["within"], "{:.2f}".format),
        }
    )
    caption = (
        "Do two protocols order the dense models alike? Kendall's tau (1: one order, 0: unrelated) without "
        f"{' and '.join(FLOORS)}: of means over seeds, with a 95 % interval (seeds resampled); of single seeds, one "
        "under each protocol; and of two seeds under one of them, which is what chance alone does (loo and temporal: chance "
        "in training, not in the split, which all their seeds share but for ties in time)."
    )
    return Table(name, caption, frame, text)


def safe(cells: pd.DataFrame, name: str = "protocols-safe") -> Table:
    """What is removed safely, by protocol. In bold, the protocols under which most is, where they differ."""
    frame = safe_shares(cells)
    protocols = protocols_in_order(cells[cells["protocol"].isin(frame.columns)])
    text = pd.DataFrame({"model": frame["model"].map(label), "method": frame["label"]})
    bold = pd.DataFrame(False, index=text.index, columns=["model", "method", *protocols])
    for protocol in protocols:
        text[protocol] = ["" if pd.isna(share) else percent(share) for share in frame[protocol]]
    for place, row in frame.iterrows():
        shares = row[protocols].astype(float)
        bold.loc[place, protocols] = best(shares, max) & (shares.nunique() > 1)
    caption = (
        f"Safe sparsity on {name_of(cells['dataset'].iloc[0])} by protocol: the largest share removed whose one-sided 95 % "
        "lower bound of pruned / dense nDCG@10 on validation is at least 0.99. A wider interval (fewer test users, one "
        "test item each) makes less look safe."
    )
    return Table(name, caption, frame, text, bold)
