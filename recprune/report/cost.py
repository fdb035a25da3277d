"""What it costs to prune: seconds of scoring and of recovery, beside training the dense model once."""

from __future__ import annotations

import math

import pandas as pd

from recprune.report.cells import METHOD, canonical, heading, method_of, methods_in_order, paired
from recprune.report.safe import PRUNED
from recprune.report.style import SAMPLES, Method, label, method_label
from recprune.report.table import Table

SECONDS = ("score_s", "train_s")


def cost_methods(cells: pd.DataFrame, name: str = "cost-methods") -> Table:
    """One row per method: seconds of scoring and of training (means over models of their mean cells), both together as
    multiples of one dense training (mean and range over models), and the memory of the process at its peak."""
    spent = _spent(cells)
    rows = [
        dict(zip(["side", *METHOD], key, strict=True)) | _mean(one) for key, one in spent.groupby(["side", *METHOD])
    ]
    frame = pd.DataFrame(rows, columns=["side", *METHOD, *_NUMBERS])
    methods = methods_in_order(frame)
    place = [(row["side"] == "samples", methods.index(method_of(row))) for _, row in frame.iterrows()]
    frame = frame.iloc[sorted(range(len(frame)), key=place.__getitem__)].reset_index(drop=True)
    what = {"removes": frame["side"], "method": [method_label(method_of(row)) for _, row in frame.iterrows()]}
    caption = (
        f"What each method costs on {heading(canonical(cells))}: seconds a point for preparing and scoring, and for recovery (samples: "
        f"training on what stays); both together as multiples of training the dense model once. {_OVER}"
    )
    return _table(name, caption, frame, what)


def cost(cells: pd.DataFrame, name: str = "cost") -> Table:
    """The same in two parts, which add up: what the rule costs (of methods that score once), and what follows the cut.

    Rules of all units are taken together, and so is what follows whichever rule.
    """
    spent = _spent(cells)
    spent["part"] = spent["side"].map({"samples": "samples"}).fillna("parameters")
    once = spent["schedule"].isin(["", "one-shot"]) & (spent["side"] != "control")
    rules = spent.assign(train_s=0.0, what=[_rule(row) for row in spent.itertuples()])[once]
    after = spent.assign(score_s=0.0, what=[_after(row) for row in spent.itertuples()])
    after = after[after["what"] != ""]
    rows = []
    for part in ("parameters", "samples"):
        for kind, seconds in (("rule", rules), ("then", after)):
            mine = seconds[seconds["part"] == part]
            found = [{"side": part, "kind": kind, "what": what} | _mean(one) for what, one in mine.groupby("what")]
            rows += sorted(found, key=lambda row: (row["relative"], row["what"]))
    frame = pd.DataFrame(rows, columns=["side", "kind", "what", *_NUMBERS])
    frame["seconds"] = frame[list(SECONDS)].sum(axis=1)
    frame = frame.drop(columns=list(SECONDS))
    caption = (
        f"What pruning costs on {heading(canonical(cells))}, a point: preparing and scoring, by rule (methods that score "
        "once), and what follows the cut, by schedule and recovery (samples: training on what stays). The two add up. "
        f"In seconds and as multiples of training the dense model once. {_OVER}"
    )
    return _table(
        name,
        caption,
        frame,
        {
            "removes": frame["side"],
            "cost of": frame["kind"].map({"rule": "the rule", "then": "what follows"}),
            "what": frame["what"],
        },
    )


_NUMBERS = ["models", "cells", *SECONDS, "relative", "least", "most", "peak_rss_mb"]
_OVER = "Mean over models (least and most of any); memory: peak of the process, everything it holds. Times are of the machine that measured them."


def _spent(cells: pd.DataFrame) -> pd.DataFrame:
    """Mean seconds of each model under each method, with `dense_s`, those of training the dense model of the same seeds."""
    cells = paired(canonical(cells))
    dense = cells[cells["side"] == "dense"].groupby("model")["train_s"].mean()
    cells = cells[
        (cells["side"].isin(PRUNED) | (cells["criterion"] == "smaller-dense")) & cells["model"].isin(dense.index)
    ]
    keys = ["side", "model", *METHOD]
    groups = cells.groupby(keys)
    spent = groups[[*SECONDS, "peak_rss_mb"]].mean().assign(cells=groups.size()).reset_index()
    return spent.assign(dense_s=spent["model"].map(dense))


def _mean(spent: pd.DataFrame) -> dict:
    """Each model once, whatever was measured on it more often."""
    spent = spent.assign(relative=spent[list(SECONDS)].sum(axis=1) / spent["dense_s"])
    models = spent.groupby("model")[[*SECONDS, "relative", "peak_rss_mb"]].mean()
    range_ = {"least": models["relative"].min(), "most": models["relative"].max()}
    return models.mean().to_dict() | range_ | {"models": len(models), "cells": int(spent["cells"].sum())}


def _rule(row) -> str:
    """A criterion in words, whatever the unit: of samples as their figures call it."""
    return method_label(Method("interaction" if row.side == "samples" else "", row.criterion, "", ""))


def _after(row) -> str:
    """What follows the cut, in words; nothing where nothing does."""
    if row.criterion == "smaller-dense":
        return "smaller dense, trained"
    if row.recovery in ("", "none"):
        return ""
    words = label(row.recovery) if row.schedule in ("", "one-shot") else f"{label(row.recovery)}, {label(row.schedule)}"
    return f"{words}, whole users" if row.unit in SAMPLES[1:] else words


def _table(name: str, caption: str, frame: pd.DataFrame, what: dict) -> Table:
    text = pd.DataFrame(
        {
            **what,
            "models": frame["models"].astype(str),
            **(
                {"seconds": frame["seconds"].map(_seconds)}
                if "seconds" in frame
                else {"scoring s": frame["score_s"].map(_seconds), "training s": frame["train_s"].map(_seconds)}
            ),
            "/ dense training": [_times(row) for row in frame.itertuples()],
            "memory": frame["peak_rss_mb"].map(lambda v: "" if math.isnan(v) else f"{v:,.0f} MB"),
        }
    )
    return Table(name, caption, frame, text)


def _seconds(value: float) -> str:
    return "" if math.isnan(value) else "0" if value < 5e-4 else f"{value:.3f}" if value < 0.1 else f"{value:.3g}"


def _times(row) -> str:
    """2.1 (0.3 to 5.2), without the range of one model."""
    if math.isnan(row.relative):
        return ""
    return _few(row.relative) + (f" ({_few(row.least)} to {_few(row.most)})" if row.models > 1 else "")


def _few(value: float) -> str:
    return f"{value:.0f}" if value >= 9.95 else f"{value:.1f}" if value >= 0.95 else f"{value:.2f}"
