"""What it costs to prune: seconds of scoring and of recovery, beside training the dense model once."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from recprune.pruning import SAMPLE_UNITS
from recprune.report.evidence.labels import label
from recprune.report.evidence.methods import METHOD, ONCE, Method, method_label, method_of, methods_in_order
from recprune.report.evidence.points import paired
from recprune.report.evidence.safe import PRUNED
from recprune.report.evidence.study import StudyEvidence
from recprune.report.tables.layout.formats import MEGABYTES, WHOLE, WORDS, Format
from recprune.report.tables.layout.registry import table
from recprune.report.tables.layout.table import Column, Table, column

SPENT = ["score_s", "train_s"]
_MEANS = ["models", "cells", *SPENT, "relative", "least", "most", "peak_rss_mb"]
_OVER = (
    "Mean over models (least and most of any); memory: peak of the process, everything it holds. Times are of the "
    "machine that measured them."
)


@table("cost", needs=["dense", PRUNED])
def cost(study: StudyEvidence) -> Table:
    """The cost of pruning in two parts, which add up: of the rule (where it scores once), and of what follows the cut.

    Rules of all units are taken together, and so is what follows whichever rule.
    """
    frame = pd.DataFrame(_parts(study.once(spent)), columns=["side", "kind", "what", *_MEANS])
    frame["seconds"] = frame[SPENT].sum(axis=1)
    frame = frame.drop(columns=SPENT)
    caption = (
        f"What pruning costs on {study.heading}, a point: preparing and scoring, by rule (methods that score "
        "once), and what follows the cut, by schedule and recovery (samples: training on what stays). The two add up. "
        f"In seconds and as multiples of training the dense model once. {_OVER}"
    )
    columns = [
        column("removes", WORDS, frame["side"]),
        column("cost of", WORDS, frame["kind"].map({"rule": "the rule", "then": "what follows"})),
        column("what", WORDS, frame["what"]),
        column("models", WHOLE, frame["models"]),
        column("seconds", SECONDS, frame["seconds"]),
        *_relative(frame),
    ]
    return Table(caption, frame, columns)


@table("cost-methods", needs=["dense", PRUNED])
def cost_methods(study: StudyEvidence) -> Table:
    """The cost of each method: seconds of scoring and of training, both as multiples of one dense training, and memory.

    Means over models of their mean cells, the multiples with their range; memory is the peak of the process.
    """
    methods = study.once(spent).groupby(["side", *METHOD])
    rows = [dict(zip(["side", *METHOD], key, strict=True)) | _mean(one) for key, one in methods]
    frame = pd.DataFrame(rows, columns=["side", *METHOD, *_MEANS])
    order = methods_in_order(frame)
    place = [(row["side"] == "samples", order.index(method_of(row))) for _, row in frame.iterrows()]
    frame = frame.iloc[sorted(range(len(frame)), key=place.__getitem__)].reset_index(drop=True)
    caption = (
        f"What each method costs on {study.heading}: seconds a point for preparing and scoring, and for recovery "
        "(samples: training on what stays); both together as multiples of training the dense model once. "
        f"{_OVER}"
    )
    columns = [
        column("removes", WORDS, frame["side"]),
        column("method", WORDS, [method_label(method_of(row)) for _, row in frame.iterrows()]),
        column("models", WHOLE, frame["models"]),
        column("scoring s", SECONDS, frame["score_s"]),
        column("training s", SECONDS, frame["train_s"]),
        *_relative(frame),
    ]
    return Table(caption, frame, columns)


def spent(study: StudyEvidence) -> pd.DataFrame:
    """The mean seconds of each model under each method, with `dense_s`, those of training its dense model.

    The dense models are of the seeds of the others.
    """
    cells = paired(study.rows)
    dense = cells[cells["side"] == "dense"].groupby("model")["train_s"].mean()
    pruned = cells["side"].isin(PRUNED) | (cells["criterion"] == "smaller-dense")
    groups = cells[pruned & cells["model"].isin(dense.index)].groupby(["side", "model", *METHOD])
    means = groups[[*SPENT, "peak_rss_mb"]].mean().assign(cells=groups.size()).reset_index()
    return means.assign(dense_s=means["model"].map(dense))


def _parts(seconds: pd.DataFrame) -> Iterator[dict]:
    """The rows of the table of both parts: of parameters, then of samples, each part from the cheapest."""
    seconds = seconds.assign(part=seconds["side"].map({"samples": "samples"}).fillna("parameters"))
    once = seconds["schedule"].isin(ONCE) & (seconds["side"] != "control")
    rules = seconds.assign(train_s=0.0, what=[_rule(row) for row in seconds.itertuples()])[once]
    after = seconds.assign(score_s=0.0, what=[_after(row) for row in seconds.itertuples()])
    for part in ("parameters", "samples"):
        for kind, costs in (("rule", rules), ("then", after[after["what"] != ""])):
            mine = costs[costs["part"] == part].groupby("what")
            found = [{"side": part, "kind": kind, "what": what} | _mean(one) for what, one in mine]
            yield from sorted(found, key=lambda row: (row["relative"], row["what"]))


def _mean(seconds: pd.DataFrame) -> dict:
    """Each model once, whatever was measured on it more often."""
    seconds = seconds.assign(relative=seconds[SPENT].sum(axis=1) / seconds["dense_s"])
    models = seconds.groupby("model")[[*SPENT, "relative", "peak_rss_mb"]].mean()
    range_ = {"least": models["relative"].min(), "most": models["relative"].max()}
    return models.mean().to_dict() | range_ | {"models": len(models), "cells": int(seconds["cells"].sum())}


def _rule(row) -> str:
    """A criterion in words, whatever the unit: of samples as their figures call it."""
    return method_label(Method("interaction" if row.side == "samples" else "", row.criterion, "", ""))


def _after(row) -> str:
    """What follows the cut, in words; nothing where nothing does."""
    if row.criterion == "smaller-dense":
        return "smaller dense, trained"
    if row.recovery in ("", "none"):
        return ""
    words = label(row.recovery) if row.schedule in ONCE else f"{label(row.recovery)}, {label(row.schedule)}"
    return f"{words}, whole users" if row.unit in SAMPLE_UNITS[1:] else words


def _relative(frame: pd.DataFrame) -> list[Column]:
    times = (frame[name] for name in ("relative", "least", "most", "models"))
    return [column("/ dense training", TIMES, *times), column("memory", MEGABYTES, frame["peak_rss_mb"])]


def _seconds(value: float) -> str:
    return "0" if value < 5e-4 else f"{value:.3f}" if value < 0.1 else f"{value:.3g}"


def _times(mean: float, least: float, most: float, models: int) -> str:
    """2.1 (0.3 to 5.2), without the range of one model."""
    return _few(mean) + (f" ({_few(least)} to {_few(most)})" if models > 1 else "")


def _few(value: float) -> str:
    return f"{value:.0f}" if value >= 9.95 else f"{value:.1f}" if value >= 0.95 else f"{value:.2f}"


SECONDS, TIMES = Format(_seconds), Format(_times)
