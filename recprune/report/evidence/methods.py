"""A method is one way to prune, a control what a rule should beat; models and methods have one order for readers."""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd

from recprune.models import REGISTRY, Popularity, Random
from recprune.pruning import CRITERIA, SAMPLE_UNITS
from recprune.report.evidence.frames import rows_as
from recprune.report.evidence.labels import FAMILIES, label, named_with_unit


class Method(NamedTuple):
    """One way to prune: a line of a figure, a row of a table."""

    unit: str
    criterion: str
    schedule: str
    recovery: str


METHOD = list(Method._fields)
#: what the points of one curve have in common
CURVE = ["dataset", "protocol", "model", "family", "side", *METHOD]

FLOORS = (Popularity.name, Random.name)  # nobody prunes them: the level below which nothing is of use
ONCE = ("", "one-shot")


def of_kind(*kinds: str) -> tuple[str, ...]:
    """Names of the criteria of these kinds (see `recprune.pruning.criterion.KINDS`), registered ones included."""
    return tuple(name for kind in kinds for name, rule in CRITERIA.items() if rule.kind == kind)


def is_kind(rows: pd.DataFrame, *kinds: str) -> pd.Series:
    """Which of the rows have a criterion of one of these kinds."""
    return rows["criterion"].isin(of_kind(*kinds))


def controls() -> tuple[str, ...]:
    """Names of what a rule should beat: no choice of a rule may end at one."""
    return (*of_kind("control", "floor"), "train-on", "smaller-dense")


def role(side: str, criterion: str) -> str:
    """What a point is: "dense", "pruned" by a rule, or the control that it is, by its name in `controls`."""
    if side == "dense":
        return "dense"
    return criterion if criterion in controls() else "pruned"


def apart(roles: pd.Series, *controls: str) -> pd.Series:
    """Roles for a figure that shows only these controls apart: the others count as pruned."""
    return roles.where(roles.isin(["dense", "pruned", *controls]), "pruned")


def method_of(row: pd.Series) -> Method:
    """The method of one curve point."""
    return Method(*(row[name] for name in METHOD))


def method_label(method: Method) -> str:
    """A method in words. What goes without saying is left out: whole-model or single-weight units, one shot,
    no recovery, and retraining where the criterion cannot do without it."""
    unit, criterion, schedule, recovery = method
    text = label(criterion, unit)
    if not named_with_unit(criterion, unit) and unit not in ("", "weight", "interaction", "model"):
        text += f", {label(unit)}"
    if schedule not in ONCE:
        text += f", {label(schedule)}"
    implied = criterion == "smaller-dense" or unit in SAMPLE_UNITS
    if recovery not in ("", "none") and not (implied and recovery == "retrain"):
        text += f" + {label(recovery)}"
    return text


def labels_of(table: pd.DataFrame) -> pd.Series:
    """The method of each row in words, "dense" for dense models."""
    names = [method_label(method) for method in rows_as(Method, table)]
    return pd.Series(names, table.index, dtype=object).mask(table["side"] == "dense", "dense")


def models_in_order(cells: pd.DataFrame) -> list[str]:
    """Names of the models in `cells`: CF, then deep, then other; known ones first in each family."""
    families, known = [*FAMILIES, ""], list(REGISTRY)
    pairs = cells[["model", "family"]].drop_duplicates().itertuples(index=False)

    def place(pair) -> tuple:
        model, family = pair
        rank = known.index(model) if model in known else len(known)
        return (families.index(family) if family in families else len(families), model in FLOORS, rank, model)

    return list(dict.fromkeys(model for model, _ in sorted(pairs, key=place)))


def by_model(order: list[str]):
    """A key for `sort_values`: the column `model` in that order, other columns as they are."""
    return lambda column: column.map(order.index) if column.name == "model" else column


def methods_in_order(table: pd.DataFrame) -> list[Method]:
    """Methods in `table`: by unit and criterion, plain before recovered; the controls last."""
    units, last = ["weight", "neighbour"], controls()

    def place(method: Method) -> tuple:
        control = last.index(method.criterion) + 1 if method.criterion in last else 0
        unit = units.index(method.unit) if method.unit in units else len(units)
        plain = (method.schedule not in ONCE, method.recovery not in ("", "none"))
        return (control, unit, method.unit, method.criterion, *plain, method)

    return sorted(set(rows_as(Method, table)), key=place)
