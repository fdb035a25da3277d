"""Captions: what a figure shows, of which data, over how many seeds, and what its bands and marks mean."""

from __future__ import annotations

import pandas as pd

from recprune.datasets.naming import name_of
from recprune.report.curves import DRAWN_CONTROLS, LOWEST
from recprune.report.heatmap import LETTERS, ROUNDS
from recprune.report.rounds import rules_of
from recprune.report.safe import FLOOR_LEVELS
from recprune.report.style import label
from recprune.report.time_saved import DEAREST
from recprune.report.who_pays import ENOUGH, LEVEL

INTERVAL = "95 %"  # what the rows hold: recprune.evaluation.significance
STRICT = FLOOR_LEVELS[0]
RULE = (
    f"the largest share removed whose one-sided {INTERVAL} lower bound of validation nDCG@10 is at least {{}} of the dense "
    "model's, with no unsafe share before it"
)


def where(data: pd.DataFrame) -> str:
    """Data set and protocol of the points drawn."""
    protocols = ", ".join(dict.fromkeys(data["protocol"]))
    name = name_of(data["dataset"].iloc[0])
    return f"{name}, protocol{'s' * (', ' in protocols)} {protocols}" if protocols else name


def over(data: pd.DataFrame) -> str:
    """How many seeds the means are over."""
    pruned = data[data["role"] != "dense"] if "role" in data and (data["role"] != "dense").any() else data
    least, most = (int(n) for n in (pruned["seeds"].dropna().min(), pruned["seeds"].dropna().max()))
    return (
        f"means over {least} to {most} seeds"
        if least < most
        else f"means over {most} seeds"
        if most > 1
        else "one seed"
    )


def bands(data: pd.DataFrame) -> str:
    """What the bands are, where the rows have intervals."""
    pruned = data[data["role"] != "dense"] if "role" in data else data
    known = pruned[["lo", "hi"]].notna().any(axis=None)
    return f"bands: {INTERVAL} intervals, paired bootstrap over users" if known else "the rows hold no intervals"


def pareto(data: pd.DataFrame, words: str) -> str:
    return (
        f"Quality against {words} on {where(data)}: mean test nDCG@10 of every dense and pruned model ({over(data)}). Steps are the "
        "fronts of CF and of deep models: nothing of the family is both cheaper and better. Large marks are dense models, small "
        "ones pruned, black-edged ones smaller dense models, grey ones random removal. A ring marks the cheapest point of a model "
        f"that is safe at {STRICT:g}, chosen on validation; the best dense model of each family has that point named. Models pruned "
        "by their samples are left out: they are not smaller. Points below the popularity recommender are counted, not drawn."
    )


def safe_sparsity(data: pd.DataFrame) -> str:
    signs = set("".join(data.loc[data["removed_99"] > 0, "sign"]))
    letters = [f"{sign}: {label(name)}" for name, sign in LETTERS.items() if sign in signs]
    letters += [f"{ROUNDS}: removed in rounds"] if ROUNDS in signs else []
    known = f" Letters say how ({'; '.join(letters)}; none: in one shot, nothing after it)." if letters else ""
    return (
        f"Safe sparsity on {where(data)}, in per cent: {RULE.format(f'{STRICT:g}')}. Rules in rows, by the units they remove; a cell "
        f"is the best of the rule's schedules and recoveries by that bound.{known} Shares are of the units named, which are rows, "
        "neurons or splits where whole ones go. A dash: no measured share is safe; an empty cell: not measured; a star: the same "
        "bound does not hold on test. No bound is widened for the number of rules."
    )


def tradeoff(data: pd.DataFrame, what: str, side: str) -> str:
    controls = [label(name) for name in DRAWN_CONTROLS[side] if name in set(data["role"])]
    beside = f" Controls in every panel that has them: {' and '.join(controls)}." if controls else ""
    return (
        f"Test nDCG@10 relative to the dense model against the share kept, on {where(data)}: {what}. {_mean(data)}{beside} "
        f"Solid line: dense; dotted: {STRICT:g} of it; the right axis is the absolute value. Triangles at the foot lie below the axis, "
        f"which ends no lower than {LOWEST:g}."
    )


def best(data: pd.DataFrame) -> str:
    both_families = {"cf", "deep"} <= set(data["family"])
    who = (
        "CF (filled marks, solid lines) against deep recommenders (hollow, dashed)"
        if both_families
        else "The best rule of each model"
    )
    return (
        f"{who} on {where(data)}: what is retained of the dense "
        "model's nDCG@10 at each budget. At every budget a model shows the point, of all rules, schedules and recoveries that keep "
        "no more, that is best on validation; test nDCG@10 is drawn. Parameters are counted as non-zeros relative to the dense "
        f"model. {_mean(data)} Pale: random removal and smaller dense models, chosen alike; dotted: {STRICT:g} of dense."
    )


def rounds(data: pd.DataFrame, side: str) -> str:
    rules = rules_of(data)
    same = f" ({rules[0]})" if len(rules) == 1 else ""
    beside = (
        f"the same rule{same} with the same recovery in one shot; rewound rounds stand beside one-shot pruning that is retrained"
        if side == "parameters"
        else "each model's best one-shot rule, chosen on validation; rounds that are fine-tuned have seen all the data at first"
    )
    return (
        f"{side.capitalize()} removed in rounds, against one shot, on {where(data)}: test nDCG@10 relative to dense against the share "
        f"kept. Beside rounds stands {beside}. {_mean(data)} Dotted: {STRICT:g} of dense; triangles at the foot lie below the axis."
    )


def time_saved(data: pd.DataFrame) -> str:
    return (
        f"What fewer training samples save, and cost, on {where(data)}: test nDCG@10 relative to dense against the share of the dense "
        "training seconds that is saved. A dot is a rule at one share of the samples; its seconds are those of scoring and training, "
        "and, where rounds or fine-tuning set out from it, those of the dense model. The line passes through the points that beat "
        f"every cheaper one on validation, with the share of the samples kept beside them. {_mean(data)} Left of zero pruning costs "
        "more than it saves: closed-form models train so fast that scores rarely pay. Points that cost more than "
        f"{1 - DEAREST:g} times the dense training, or retain less than {LOWEST:g}, are not drawn. Times are of the machine that "
        "measured them."
    )


def who_pays(data: pd.DataFrame) -> str:
    return (
        f"Who pays for pruning, on {where(data)}. Of every rule its safe point at {LEVEL:g} is drawn ({RULE.format(f'{LEVEL:g}')}): a dot, "
        f"as a share of the dense model's quality on test, {over(data)}, each seed against its own dense model. Large marks and bars: "
        "median and quartiles over a model's rules. The black bar is their overall nDCG@10: groups left of it lose more than the "
        "average tells. Users: thirds by their number of training interactions. Items: by theirs, each group with a third of all "
        "interactions, so that the long tail holds many items and the most popular are few. Right: items that occur in any top 20, "
        "relative to dense, and the mean Jaccard overlap of each user's top 20 with the dense model's. Hollow squares and crosses: "
        "safe points of smaller dense models and of random removal; triangles lie beyond the axis. Groups in which a dense model "
        f"reaches less than {ENOUGH:g} are left out."
    )


def both(data: pd.DataFrame) -> str:
    return (
        f"Does less training data change how prunable a model is? On {where(data)}, parameters were removed from models that were "
        "trained on all samples, or on fewer. Left: test nDCG@10; right: relative to the dense model of the same samples. "
        f"{_mean(data)} Solid line: dense; dotted: {STRICT:g} of it. Lines that coincide on the right mean that it does not."
    )


def protocol_order(data: pd.DataFrame) -> str:
    return (
        f"Dense models under each protocol, {where(data)}: test nDCG@10 with its {INTERVAL} bootstrap interval over users, each seed as "
        f"a dot, and the rank ({over(data)}). A value at the edge lies left of the scale, which differs between protocols."
    )


def protocol_curves(data: pd.DataFrame) -> str:
    return (
        f"Does pruning keep as much under other protocols? {where(data)}: test nDCG@10 relative to the dense model against the share of "
        f"parameters kept. {_mean(data)} Dotted: {STRICT:g} of dense; triangles at the foot lie below the axis."
    )


def _mean(data: pd.DataFrame) -> str:
    text = f"{over(data)}; {bands(data)}."
    return text[0].upper() + text[1:]
