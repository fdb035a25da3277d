"""Whether pruning takes from an attack what it gained, and which rules for samples shield it, in sentences."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from recprune.report.evidence.labels import label
from recprune.report.readable import share

RANDOM = "random"  # the rule that asks nothing
REACHED = 0.001  # of the users: fewer are almost nobody


def attacked(found: pd.DataFrame) -> str:
    """Markdown: for each kind of fake profile, how far it lifts its targets, and which pruned forms it lifts otherwise.

    found  of one model, as `recprune.report.evidence.audits.attacks` makes it
    """
    told = []
    for profiles, mine in found.groupby("profiles", sort=False):
        dense, pruned = mine[mine["side"] == "dense"].iloc[0], mine[mine["side"] != "dense"]
        told.append(" ".join(["*", *_lifted(str(profiles), dense, pruned)]))
    return "\n".join(told)


def _lifted(profiles: str, dense: pd.Series, pruned: pd.DataFrame) -> Iterator[str]:
    name = f"**{profiles.capitalize()} profiles**"
    most = max([dense["value"], *pruned["value"]])
    if most < REACHED:
        yield f"{name} bring the target to almost nobody: at most {share(most)} of the users of any form have it."
        yield from _stands(dense, pruned)
        return
    yield (
        f"{name} bring the target to {share(dense['value'])} of the users of the dense model, from "
        f"{share(dense['clean'])}."
    )
    fewer, more = pruned["hi"] < dense["lo"], pruned["lo"] > dense["hi"]
    for word, there in (("Fewer", fewer), ("More", more)):
        forms = [f"{_form(row)} ({share(row['value'])})" for row in pruned[there].to_dict("records")]
        if forms:
            yield f"{word}, by intervals apart: {'; '.join(forms)}."
    if len(pruned) and not (fewer | more).any():
        between = f"{share(pruned['value'].min())} to {share(pruned['value'].max())}"
        yield f"No pruned form is told apart from it ({between}): pruning is no defence here."


def _stands(dense: pd.Series, pruned: pd.DataFrame) -> Iterator[str]:
    """Past how many of the items the target is lifted; nothing where that was not measured."""
    if pd.notna(dense["standing"]):
        lifts = pruned["standing"] - pruned["standing_clean"]
        beside = f"; the attack moves it by {100 * (dense['standing'] - dense['standing_clean']):+.0f} points"
        if len(pruned):
            beside += f" there, in the pruned forms by {100 * lifts.min():+.0f} to {100 * lifts.max():+.0f}"
        yield f"The dense model ranks it above {share(dense['standing'])} of the other items{beside}."


def _form(row: dict) -> str:
    recovery = "" if row["recovery"] in ("none", "retrain") else f", {label(row['recovery'])}"
    return f"{share(row['kept'])} of the {label(row['unit'])}{recovery}"


def unmasked(found: pd.DataFrame) -> str:
    """Markdown: for each unit and share removed, which rule finds most fakes, and which find fewer than chance.

    found  as `recprune.report.evidence.audits.fakes` makes it
    """
    told = []
    for _, mine in found.groupby(["unit", "removed"], sort=False):
        unit, removed = mine[["unit", "removed"]].iloc[0]
        told.append(" ".join(["*", *_found(f"{share(removed)} of the {label(unit)} removed", mine)]))
    return "\n".join(told)


def _found(what: str, mine: pd.DataFrame) -> Iterator[str]:
    recall = mine.groupby("criterion")["recall"].mean().sort_values(ascending=False)
    best = str(recall.index[0])
    chance = recall.get(RANDOM)
    of_best = mine[mine["criterion"] == best].groupby("profiles")["recall"].mean()
    yield (
        f"**{what}**: `{best}` finds most of the fakes, {share(recall.iloc[0])}"
        + ("" if chance is None else f" where chance finds {share(chance)}")
        + f"; fewest of the {of_best.idxmin()} profiles, {share(of_best.min())}."
    )
    if chance is not None:
        shields = [f"`{name}` ({share(value)})" for name, value in recall.items() if value < chance / 2]
        if shields:
            yield f"Less than half of what chance finds: {', '.join(shields)}; they take real data instead."
