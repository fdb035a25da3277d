"""What models give away of the interactions that they were trained on, dense and pruned."""

from __future__ import annotations

import pandas as pd

from recprune.report.evidence.audits.leaks import ROLES, USEFUL, leaks, shown
from recprune.report.evidence.labels import label
from recprune.report.evidence.study import StudyEvidence
from recprune.report.tables.layout.formats import LABELS, RATIO, WORDS, Format, of_numbers
from recprune.report.tables.layout.registry import table
from recprune.report.tables.layout.table import Column, Table, column

GAIN = Format("{:+.3f} [{:+.3f}, {:+.3f}]".format)


@table("privacy-users")
def privacy_users(study: StudyEvidence) -> Table:
    """The same of users: were they trained on? Raises NothingToDrawError where nothing was audited under `strong`."""
    some = shown(frame := leaks(study.further, users=True))
    columns = [
        *_audited(some),
        column("true positives at 1 % false", RATIO, *_with_ends(some, "tpr_at_1_fpr")),
    ]
    caption = (
        f"Membership inference on {study.dataset}, protocol strong: can users who were trained on be told from those "
        "held out, by how well a model ranks what they did? AUC, .5 is chance, with its 95 % interval over users and "
        f"seeds. Of each method the least kept at {USEFUL:.0%} of the dense quality, else the most."
    )
    return Table(caption, frame, columns)


@table("privacy")
def privacy(study: StudyEvidence) -> Table:
    """The AUC of membership inference of dense models and of what was made of them, beside their quality.

    In bold, where a model gives away less than its dense one by more than chance. Raises NothingToDrawError where
    nothing was audited.
    """
    frame = leaks(study.further)
    some = shown(frame)
    columns = [
        *_audited(some),
        column("gain", GAIN, *_with_ends(some, "auc_gain"), bold=some["auc_gain_hi"] < 0),
        column("true positives at 1 % false", RATIO, *_with_ends(some, "tpr_at_1_fpr")),
        column("AUC, as served", RATIO, *_with_ends(some, "served_auc")),
        column("AUC, dense seen too", RATIO, *_with_ends(some, "beside_auc")),
        column("AUC, by retrainings", RATIO, *_with_ends(some, "retrained_auc")),
    ]
    caption = (
        f"Membership inference on {study.heading}: can a user's training interactions be told from the test ones? AUC "
        "within users, .5 is chance, with its 95 % interval over users and seeds; each interaction asked for is hidden "
        "from the history. gain: the AUC less that of the dense model. As served: nothing is hidden, and tables of "
        "users are asked as they are. Dense seen too: the attacker has the scores of both. By retrainings: who attacks "
        f"trains models like it on halves of the data. Of each method the least kept at {USEFUL:.0%} of the dense "
        "quality, else the most."
    )
    return Table(caption, frame, columns)


def _audited(some: pd.DataFrame) -> list[Column]:
    """What was audited, how good it is, and how well it was told."""
    return [
        column("model", LABELS, some["model"]),
        column("what", WORDS, [what(row) for row in some.itertuples()]),
        column("kept", of_numbers("{:.3g}"), some["kept"]),
        column("quality / dense", of_numbers("{:.3f}"), some["ratio"]),
        column("AUC", RATIO, *_with_ends(some, "auc")),
    ]


def what(row) -> str:
    """A point of `leaks` in words."""
    words = ROLES[row.role]
    if row.role == "format":
        return row.values
    if row.role == "parameters":
        words = f"{words}, {label(row.criterion, row.unit)}"
    elif row.role == "samples":
        words = f"{words}, {label(row.criterion)}"
    elif row.role == "id":
        return words + (", trained so" if row.recovery == "retrain" else "")
    return words + (f", {label(row.recovery)}" if row.recovery not in ("", "none", "retrain") else "")


def _with_ends(frame: pd.DataFrame, name: str) -> list[pd.Series]:
    return [frame[name + end] for end in ("", "_lo", "_hi")]
