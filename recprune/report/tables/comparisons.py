"""Every comparison behind the claims: what was compared, how it came out, and whether it counts."""

from __future__ import annotations

import math
from dataclasses import replace

import pandas as pd

from recprune.models import REGISTRY
from recprune.report.claims.compared import compared
from recprune.report.claims.families import DIFFERENCE
from recprune.report.claims.training import UNEQUAL
from recprune.report.claims.wording import without_one_text
from recprune.report.evidence.labels import label
from recprune.report.evidence.study import StudyEvidence
from recprune.report.tables.layout.formats import WHOLE, WORDS, Format
from recprune.report.tables.layout.registry import table
from recprune.report.tables.layout.table import Table, column


@table("comparisons")
def comparisons(study: StudyEvidence) -> Table:
    """Every comparison of every claim, one a row."""
    of = study.once(compared)
    table = comparisons_table(of.found, study.heading)
    return replace(table, caption=table.caption + of.sample)


def comparisons_table(found: pd.DataFrame, where: str) -> Table:
    """The comparisons (`claims.verdicts.comparisons`) of a study whose heading is `where`."""
    shown = found[found["family"] != DIFFERENCE].reset_index(drop=True)
    measured = [column for column in ("epochs", "epochs_b") if found[column].notna().any()]
    trained = shown["both_trained"].eq(True) & shown["model"].map(_has_epochs)
    columns = [
        column("#", WHOLE, shown["claim"]),
        column("contrast", WORDS, shown["contrast"]),
        column("model", MODEL, shown["model"], shown["family"]),
        column(
            "effect", EFFECT, *(shown[name] for name in ("effect", "lo", "hi", "measure", "without_lo", "without_hi"))
        ),
        column("claim holds", HOLDS, shown["says"], shown["left_out"]),
        column("epochs", EPOCHS, trained, shown["epochs"], shown["epochs_b"], shown["unequal"]),
        column("seconds", AGAINST, shown["train_s"].where(shown["both_trained"].eq(True)), shown["train_s_b"]),
        column("points", WHOLE, shown["points"]),
        column("seeds", WHOLE, shown["seeds"]),
        column("chosen on validation", WORDS, shown["chosen"]),
    ]
    caption = (
        f"Every comparison behind the claims on {where}: the effect in % of the dense model's test nDCG@10 "
        "with its 95 % interval over users and seeds, or the measure named in the contrast with its t interval over "
        "seeds; of a family also its range when each model in turn is left out. Whether it speaks for the claim "
        "(Holm's correction within a claim), or why it does not count. Epochs and seconds of training of both sides, "
        f"where both were trained after the dense model, means over pairs: more than {UNEQUAL:g} times as many are not "
        "compared, unless the reason stands beside them."
    )
    if not measured:
        caption += " The epochs of these cells were not recorded."
    return Table(caption, found, columns)


def _has_epochs(model: str) -> bool:
    """Whether a model is trained in epochs."""
    return model in REGISTRY and hasattr(REGISTRY[model], "descend")


def _model(model: str, family: str) -> str:
    return label(model) if model else f"all {label(family)}"


def _holds(says: str, left_out: str) -> str:
    return f"not counted: {left_out}" if left_out else says


def _epochs(trained: bool, a: float, b: float, unequal: str) -> str:
    if not trained:
        return ""
    if math.isnan(a) or math.isnan(b):
        return "not recorded"
    return f"{a:.0f} / {b:.0f}" + (f" ({unequal})" if unequal else "")


EFFECT, MODEL = Format(without_one_text), Format(_model, left=True, number=False)
HOLDS, EPOCHS = Format(_holds, left=True, number=False), Format(_epochs, left=True, number=False)
AGAINST = Format("{:.3g} / {:.3g}".format)
