"""recprune advise: what is likely to go from which model on a log, and how to verify it; nothing is trained."""

from __future__ import annotations

import argparse
import shlex
from typing import Any

from recprune.cells.columns import parse_columns
from recprune.datasets import load
from recprune.report.evidence.data_sets import count_split
from recprune.shell.advice import Expected, expected, held
from recprune.shell.known import DataSet, known, named_as
from recprune.shell.progress import say
from recprune.splits import check_options, split

COUNTS = ("users", "items", "interactions", "density", "gini_items")
NOT_TOLD = "-"  # the rule was not measured on this data set


def run(options: argparse.Namespace) -> int:
    """The exit status; errors as `load` and `split` raise them."""
    columns = parse_columns(options.columns)
    protocol = {"protocol": options.protocol, "min_rating": options.min_rating, "core": options.core}
    check_options(seed=options.seed, **protocol)
    of = split(load(options.ratings, **columns), seed=options.seed, **protocol)
    say("counting ...")
    name, counts = named_as(options.ratings), count_split(of)
    mine: dict[str, Any] = {each: counts[each] for each in COUNTS}
    here = DataSet(dataset="this log", protocol=options.protocol, **mine)
    found = expected(known(), without=(name,))
    for line in (*sizes(here), "", *shares(found), "", *caution(name), *commands(options, found)):
        print(line)
    return 0


def sizes(here: DataSet) -> list[str]:
    """The log's own counts beside those of the studies, and a word where it lies outside of them."""
    all_ = [here, *known().data_sets]
    lines = [f"{'':24}{'users':>10}{'items':>10}{'interactions':>14}{'density':>10}{'Gini of items':>15}"]
    for one in all_:
        whole = f"{one.users:>10,}{one.items:>10,}{one.interactions:>14,}"
        lines.append(f"{one.dataset:24}{whole}{one.density:>10.2%}{one.gini_items:>15.2f}")
    outside = []
    for what in COUNTS:
        theirs = [getattr(one, what) for one in known().data_sets]
        if not min(theirs) <= getattr(here, what) <= max(theirs):
            outside.append(what.replace("gini_items", "Gini of items"))
    if outside:
        lines.append(f"outside of what was measured: {', '.join(outside)}")
    return lines


def shares(found: list[Expected]) -> list[str]:
    """A line for each model: what its rule removed on each data set, what went on all of them, and the interval."""
    names = [one.dataset for one in known().data_sets if any(one.dataset in each.removed for each in found)]
    lines = [
        "share of its units that a rule removed at a loss of 1 % of nDCG@10: safe on validation, confirmed on test",
        f"{'model':9} {'rule':40}{''.join(f'{name:>{len(name) + 2}}' for name in names)}{'on each':>9}{'interval':>14}",
    ]
    for each in found:
        cells = "".join(f"{_percent(each.removed.get(name)):>{len(name) + 2}}" for name in names)
        least = _percent(each.least if len(each.removed) > 1 else None)
        lo, hi = (f"{end * 100:.0f}" for end in each.interval)
        rule = f"{each.rule.criterion} of {each.rule.unit}s, {each.rule.recovery}"
        lines.append(f"{each.rule.model:9} {rule:40}{cells}{least:>9}{f'{lo} to {hi} %':>14}")
    return lines


def caution(name: str) -> list[str]:
    """How far all that can be trusted."""
    right, of = held(known())
    parts = known().parts
    lines = [
        "`on each`, what went on every data set of several, is the prediction. The interval is the range, widened by",
        "the farthest that a data set lay outside of that of the others, of any model; where one tells, all there is.",
        "The data sets are few, so it is wide, and the counts above change nothing in it. Each data set left out, the",
        f"interval of the others held what went in {right} of {of}; of parts of two in {parts.held} of {parts.of}.",
        "Only these commands say what goes here:",
    ]
    if any(one.dataset == name for one in known().data_sets):
        lines.append(
            f"This log is {name}, of the studies: its rows are left out above; results/tables/{name} has them."
        )
    return lines


def commands(options: argparse.Namespace, found: list[Expected]) -> list[str]:
    """The command that verifies it, of each model from which something went."""
    words = [shlex.quote(options.ratings)]
    for option in ("columns", "protocol", "min_rating", "core"):
        value = getattr(options, option)
        if value not in ("", None, "ratio"):
            words.append(f"--{option.replace('_', '-')} {shlex.quote(str(value))}")
    some = [each.rule.model for each in found if max(each.removed.values()) > 0]
    return [*(f"recprune prune {' '.join(words)} --model {one} --out small-{one}/" for one in some)]


def _percent(share: float | None) -> str:
    """A share, as exact as shares near all need it."""
    return NOT_TOLD if share is None else f"{share * 100:.4g} %"
