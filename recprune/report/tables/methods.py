"""Which method works on which model: asked of the registry, not written down."""

from __future__ import annotations

import pandas as pd

from recprune import datasets, splits
from recprune.models import REGISTRY, Recommender
from recprune.pruning import CRITERIA, Criterion, units
from recprune.report.evidence.labels import label
from recprune.report.evidence.methods import FLOORS
from recprune.report.tables.layout.formats import TEXT
from recprune.report.tables.layout.table import Table, column

UNITS = {
    "weight": "w",
    "n-of-m": "m",
    "neighbour": "l",
    "factor": "f",
    "neuron": "n",
    "item-row": "i",
    "user-row": "u",
    "split": "s",
}


def methods() -> Table:
    """The units that each criterion (a row) can remove from each model (a column), or why there are none.

    Asked of each model, trained for a moment on a small synthetic log: nothing in the table is written by hand.
    """
    models = _models()
    reasons: dict[str, str] = {}
    rows = [_row(name, rule, models, reasons) for name, rule in CRITERIA.items() if "parameters" in rule.sides]
    on_samples = [name for name, rule in CRITERIA.items() if "samples" in rule.sides]
    rows += [{"side": "samples", "criterion": name} | dict.fromkeys(models, "✓") for name in on_samples]
    text = pd.DataFrame(rows).rename(columns=label)
    names = ", ".join(f"{sign} {label(unit)}" for unit, sign in UNITS.items())
    why = "; ".join(f"({sign}) {reason}" for reason, sign in reasons.items())
    caption = (
        f"What each criterion can remove from each model: {names}. Samples: ✓, the model is trained on what stays "
        f"(recency needs times, weight needs ratings or event weights). Where nothing is possible: {why}."
    )
    columns = [column(str(head), TEXT, text[head]) for head in text]
    return Table(caption, text, columns, stem="methods")


def _models() -> dict[str, Recommender]:
    split = splits.split(datasets.load("synthetic:60x40x1500:seed=1"), protocol="ratio", seed=0, core=2)
    kinds = {name: kind for name, kind in REGISTRY.items() if name not in FLOORS}
    return {name: kind(**kind.tiny).fit(split.train, split.validation, seed=0) for name, kind in kinds.items()}


def _row(name: str, rule: Criterion, models: dict[str, Recommender], reasons: dict[str, str]) -> dict:
    row = {"side": "parameters", "criterion": name}
    for key, model in models.items():
        works = "".join(sign for unit, sign in UNITS.items() if rule.applies(model, unit))
        if not works:
            reason = rule.rules_out(model, _there(model, rule))
            if len(rule.units) > 1 and not any(units.there(model, unit) for unit in rule.units):
                reason = "it has none of the units that the criterion scores"
            works = f"({reasons.setdefault(reason, chr(ord('a') + len(reasons)))})"
        row[key] = works
    return row


def _there(model: Recommender, rule: Criterion) -> str:
    """A unit of the criterion that the model has, or else any."""
    return next((unit for unit in rule.units if units.there(model, unit)), rule.units[0])
