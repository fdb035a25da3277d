"""One shot against rounds: does removing little by little keep more than removing all at once?"""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd
from matplotlib.figure import Figure

from recprune.errors import NothingToDrawError
from recprune.report.evidence.curves import curves
from recprune.report.evidence.fronts import chosen
from recprune.report.evidence.labels import label
from recprune.report.evidence.methods import ONCE, Method, controls, is_kind, method_label, methods_in_order
from recprune.report.evidence.study import StudyEvidence
from recprune.report.figures.drawing import style
from recprune.report.figures.drawing.panels import handles_of, small_multiples
from recprune.report.figures.drawing.registry import figure
from recprune.report.figures.drawing.style import BLUE, GREEN, ORANGE, PURPLE, Look, method_looks
from recprune.report.figures.drawing.words import STRICT, means

#: one colour and marker per schedule; the line says the recovery
SCHEDULES = {
    "one-shot": (BLUE, "o"),
    "": (BLUE, "o"),
    "linear": (ORANGE, "v"),
    "cubic": (PURPLE, "D"),
    "geometric": (GREEN, "^"),
}
#: what one shot is to rounds that go back to early weights: both train what stays from (nearly) the start
ALIKE = {"rewind": "retrain"}


def caption(study: StudyEvidence, data: pd.DataFrame, side: str) -> str:
    rules = rules_of(data)
    same = f" ({rules[0]})" if len(rules) == 1 else ""
    beside = (
        f"the same rule{same} with the same recovery in one shot; rewound rounds stand beside one-shot pruning that is "
        "retrained"
        if side == "parameters"
        else "each model's best one-shot rule, chosen on validation; rounds that are fine-tuned have seen all the data "
        "at first"
    )
    return (
        f"{side.capitalize()} removed in rounds, against one shot, on {study.heading}: test nDCG@10 relative to dense "
        f"against the share kept. Beside rounds stands {beside}. {means(data)} Dotted: {STRICT:g} of dense; triangles "
        "at the foot lie below the axis."
    )


@figure("rounds-samples", caption=caption, side="samples")
@figure("rounds", caption=caption, side="parameters")
def rounds(study: StudyEvidence, side: str = "parameters") -> tuple[Figure, pd.DataFrame]:
    """Test nDCG@10 relative to dense against the share kept: rounds, and what was removed in one shot, one panel a
    model.

    Parameters: each criterion and unit that was removed in rounds, beside the same in one shot with the same recovery.
    Samples: rules that ask anew in every round have no one-shot form; beside them stands the model's best rule of one
    shot (chosen on validation, of those trained anew on what stays). The controls are those of a trade-off figure.
    Returns the figure and its points (`curves`). Raises NothingToDrawError where nothing was removed in rounds.
    """
    data = curves(study.part(comparable(study, side)), side)
    looks = _looks(data)
    rules = _rules(looks)
    with style.paper():
        handles = handles_of(looks, data)
        for handle, method in zip(handles, looks, strict=False):
            if len(rules) == 1 and _rule(method) in rules:  # its name is said once, in the caption
                handle.set_label(schedule_label(method))
        picture = small_multiples(data, looks, side, handles)
    return picture, data


def schedule_label(method: Method) -> str:
    """Schedule and recovery in words."""
    schedule = "one shot" if method.schedule in ONCE else f"{label(method.schedule)} rounds"
    return schedule if method.recovery in ("", "none") else f"{schedule} + {label(method.recovery)}"


def rules_of(data: pd.DataFrame) -> list[str]:
    """The rules that are compared, in words."""
    return sorted(
        {method_label(Method(*rule, "", "")) for rule in _rules(methods_in_order(data[data["role"] == "pruned"]))}
    )


def comparable(study: StudyEvidence, side: str) -> pd.Series:
    """Which of the rows to draw: rounds, their one-shot counterparts, the dense models and the controls."""
    cells = study.rows
    mine = cells["side"] == side
    many = mine & ~cells["schedule"].isin(ONCE) & ~is_kind(cells, "control")
    if not many.any():
        raise NothingToDrawError(f"no {side} were removed in rounds")
    once, there = mine & cells["schedule"].isin(ONCE), cells["model"].isin(cells.loc[many, "model"])
    keep = _alike(cells, many) & once if side == "parameters" else _best_once(study, once & there)
    control = (cells["criterion"] == "smaller-dense") if side == "parameters" else False
    return many | keep | (there & ((cells["side"] == "dense") | control))


def _alike(cells: pd.DataFrame, many: pd.Series) -> pd.Series:
    """Rows of the same units of the same models with the same recovery, by the same rule or at random."""
    names = ["model", "unit", "criterion", "recovery"]
    wanted = cells.loc[many, names].replace({"recovery": ALIKE})
    pairs = pd.concat([wanted, wanted.assign(criterion="random")]).drop_duplicates()
    return pd.Series(pd.MultiIndex.from_frame(cells[names]).isin(pd.MultiIndex.from_frame(pairs)), cells.index)


def _best_once(study: StudyEvidence, once: pd.Series) -> pd.Series:
    """One-shot rows of samples: random removal, and each model's rule that is best on validation, over all shares."""
    cells, points = study.rows, study.pruned
    once = once & (cells["unit"] == "interaction") & (cells["recovery"] == "retrain")
    rules = once & ~is_kind(cells, "control")
    ours = points["unit"].eq("interaction") & points["recovery"].eq("retrain") & points["schedule"].isin(ONCE)
    points = points[ours & (points["side"] == "samples") & ~is_kind(points, "control")]
    keep = once & (cells["criterion"] == "random")
    for model, mine in points[points["model"].isin(cells.loc[rules, "model"])].groupby("model"):
        first = chosen(mine)["criterion"].mode().iloc[0]  # best at most shares; of several, the first by name
        keep |= rules & (cells["model"] == model) & (cells["criterion"] == first)
    return keep


def _rule(method: Method) -> tuple[str, str]:
    return method.unit, method.criterion


def _rules(methods: Iterable[Method]) -> set[tuple[str, str]]:
    """What is compared: units and criteria, without the controls."""
    return {_rule(method) for method in methods if method.criterion not in controls()}


def _looks(data: pd.DataFrame) -> dict[Method, Look]:
    """Of one rule the schedule is what differs, and has the colour; of several the criterion has it."""
    methods = methods_in_order(data[data["role"] != "dense"])
    looks, rules = method_looks(methods), _rules(methods)
    for method in methods:
        if len(rules) == 1 and _rule(method) in rules:
            looks[method] = Look(*SCHEDULES.get(method.schedule, (style.GREY, "s")), looks[method].line)
    return looks
