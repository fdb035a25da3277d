"""One shot against rounds: does removing little by little keep more than removing all at once?"""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd
from matplotlib.figure import Figure

from recprune.errors import NothingToDrawError
from recprune.report import style
from recprune.report.cells import CONTROLS, RANDOM, methods_in_order
from recprune.report.curves import curves
from recprune.report.relative import chosen, relative
from recprune.report.style import BLUE, GREEN, ORANGE, PURPLE, Look, Method, label, method_label, method_looks
from recprune.report.tradeoff import handles_of, small_multiples

ONCE = ("", "one-shot")
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


def rounds(cells: pd.DataFrame, side: str = "parameters") -> tuple[Figure, pd.DataFrame]:
    """Test nDCG@10 relative to dense against the share kept: rounds, and what was removed in one shot, one panel a model.

    Parameters: each criterion and unit that was removed in rounds, beside the same in one shot with the same recovery.
    Samples: rules that ask anew in every round have no one-shot form; beside them stands the model's best rule of one shot
    (chosen on validation, of those trained anew on what stays). The controls are those of a trade-off figure.
    Returns the figure and its points (`curves`). Raises NothingToDrawError where nothing was removed in rounds.
    """
    mine = comparable(cells, side)
    data = curves(mine, side)
    looks = _looks(data)
    with style.paper():
        handles = handles_of(looks, data)
        for handle, method in zip(handles, looks, strict=False):
            if len(_rules(looks)) == 1 and _rule(method) in _rules(
                looks
            ):  # one rule: its name is said once, in the caption
                handle.set_label(schedule_label(method))
        figure = small_multiples(data, looks, side, handles)
    return figure, data


def schedule_label(method: Method) -> str:
    """Schedule and recovery in words."""
    schedule = "one shot" if method.schedule in ONCE else f"{label(method.schedule)} rounds"
    return schedule if method.recovery in ("", "none") else f"{schedule} + {label(method.recovery)}"


def rules_of(data: pd.DataFrame) -> list[str]:
    """The rules that are compared, in words."""
    return sorted(
        {method_label(Method(*rule, "", "")) for rule in _rules(methods_in_order(data[data["role"] == "pruned"]))}
    )


def comparable(cells: pd.DataFrame, side: str) -> pd.DataFrame:
    """The rows to draw: rounds, their one-shot counterparts, the dense models and the controls."""
    mine = cells["side"] == side
    many = cells[mine & ~cells["schedule"].isin(ONCE) & ~cells["criterion"].isin(RANDOM)]
    if many.empty:
        raise NothingToDrawError(f"no {side} were removed in rounds")
    once = cells[mine & cells["schedule"].isin(ONCE)]
    if side == "samples":
        keep = _best_once(cells, once, set(many["model"]))
    else:
        wanted = many.assign(recovery=many["recovery"].replace(ALIKE))
        names = ["model", "unit", "criterion", "recovery"]
        pairs = pd.MultiIndex.from_frame(wanted[names].drop_duplicates())
        controls = pd.MultiIndex.from_frame(wanted[names].assign(criterion="random").drop_duplicates())
        keep = once[pd.MultiIndex.from_frame(once[names]).isin(pairs.union(controls, sort=False))]
    there = cells["model"].isin(many["model"])
    other = (cells["side"] == "dense") | ((cells["criterion"] == "smaller-dense") & (side == "parameters"))
    return pd.concat([many, keep, cells[there & other]])


def _best_once(cells: pd.DataFrame, once: pd.DataFrame, models: set[str]) -> pd.DataFrame:
    """One-shot rows of samples: random removal, and the rule of each model that is best on validation, over all shares."""
    once = once[once["model"].isin(models) & (once["unit"] == "interaction") & (once["recovery"] == "retrain")]
    rules = once[~once["criterion"].isin(RANDOM)]
    table = relative(pd.concat([rules, cells[cells["side"] == "dense"]]), ["val_ndcg@10"]) if len(rules) else rules
    keep = [once[once["criterion"] == "random"]]
    for model in sorted(set(rules["model"])):
        points = table[(table["model"] == model) & (table["side"] == "samples")]
        first = chosen(points)["criterion"].mode().iloc[0]  # best at most shares; of several, the first by name
        keep.append(rules[(rules["model"] == model) & (rules["criterion"] == first)])
    return pd.concat(keep)


def _rule(method: Method) -> tuple[str, str]:
    return method.unit, method.criterion


def _rules(methods: Iterable[Method]) -> set[tuple[str, str]]:
    """What is compared: units and criteria, without the controls."""
    return {_rule(method) for method in methods if method.criterion not in CONTROLS}


def _looks(data: pd.DataFrame) -> dict[Method, Look]:
    """Of one rule the schedule is what differs, and has the colour; of several the criterion has it."""
    methods = methods_in_order(data[data["role"] != "dense"])
    looks, rules = method_looks(methods), _rules(methods)
    for method in methods:
        if len(rules) == 1 and _rule(method) in rules:
            looks[method] = Look(*SCHEDULES.get(method.schedule, (style.GREY, "s")), looks[method].line)
    return looks
