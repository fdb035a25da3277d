"""Attacks by fake profiles: how far targets are lifted, and which fakes rules for samples remove."""

from __future__ import annotations

from recprune.report.evidence.audits.attacks import attacks
from recprune.report.evidence.audits.attacks import fakes as recalls
from recprune.report.evidence.labels import label
from recprune.report.evidence.study import StudyEvidence
from recprune.report.tables.layout.formats import LABELS, RATIO, WORDS, of_numbers
from recprune.report.tables.layout.registry import table
from recprune.report.tables.layout.table import Table, best_of_each, column


@table("attack")
def attack(study: StudyEvidence) -> Table:
    """The hit rate of the items attacked for, dense and pruned. In bold, what lifts them least of each model and kind
    of profile. Raises NothingToDrawError where nothing was attacked."""
    frame = attacks(study.further)
    least = best_of_each(frame.groupby(["model", "profiles"])["value"], min)
    columns = [
        column("model", LABELS, frame["model"]),
        column("profiles", WORDS, frame["profiles"]),
        column("what", WORDS, [_what(row) for row in frame.itertuples()]),
        column("kept", of_numbers("{:.3g}"), frame["kept"]),
        column("hit rate without", of_numbers("{:.4f}"), frame["clean"]),
        column("hit rate attacked", RATIO, frame["value"], frame["lo"], frame["hi"], bold=least),
        column("standing without", of_numbers("{:.3f}"), frame["standing_clean"]),
        column("standing attacked", of_numbers("{:.3f}"), frame["standing"]),
    ]
    caption = (
        f"Attacks by fake profiles on {study.heading}, as many as 1 % of the users, each for one unpopular item: the "
        "share of the real users who have it among their 10 best, without an attack and with it, mean over targets and "
        "seeds with its 95 % interval over these. standing: the share of the other items that are scored below it."
    )
    return Table(caption, frame, columns)


@table("fakes")
def fakes(study: StudyEvidence) -> Table:
    """The share of the fake interactions that each rule for samples removes, by the share of all that it removes.

    In bold, the best of each unit and share. Raises NothingToDrawError where none was measured."""
    frame = recalls(study.further)
    mean = frame.groupby(["unit", "criterion", "removed"], sort=False)["recall"].mean().unstack("removed").reset_index()
    shares = [name for name in mean.columns if not isinstance(name, str)]
    columns = [
        column("unit", LABELS, mean["unit"]),
        column("rule", WORDS, [label(name) for name in mean["criterion"]]),
        *(
            column(
                f"{share:.0%} removed",
                of_numbers("{:.2f}"),
                mean[share],
                bold=best_of_each(mean.groupby("unit")[share], max),
            )
            for share in shares
        ),
    ]
    caption = (
        f"Recall of fakes on {study.heading}: of the interactions of fake profiles (random, average, bandwagon; 1 % of "
        "the users), the share that a rule for samples removes when it removes so much of all, by interactions or by "
        "whole users. Random removal finds as many as it removes."
    )
    return Table(caption, frame, columns)


def _what(row) -> str:
    if row.side == "dense":
        return "dense"
    recovery = "" if row.recovery in ("none", "retrain", "") else f", {label(row.recovery)}"
    words = label(row.criterion) if row.side == "samples" else label(row.criterion, row.unit)
    return ("samples pruned, " if row.side == "samples" else "pruned, ") + words + recovery
