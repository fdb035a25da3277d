"""The claims with their verdicts, and every comparison behind them."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from recprune.report.claims.claim import WORTH, Claim
from recprune.report.claims.compared import Compared, compared
from recprune.report.claims.families import DIFFERENCE, FAMILIES
from recprune.report.claims.sentences import when
from recprune.report.claims.verdicts import counted, headline, verdict
from recprune.report.claims.wording import BY_ARITHMETIC, effect_of, left_out_text, without_one_text
from recprune.report.evidence.frames import where_lowest
from recprune.report.evidence.labels import label
from recprune.report.evidence.study import StudyEvidence
from recprune.report.tables.layout.formats import WHOLE, WORDS, Format
from recprune.report.tables.layout.registry import table
from recprune.report.tables.layout.table import Column, Table, column

OVERTURNED = {
    "supported": "one comparison that says no makes it depend, the closest: {closest}; refuted, if {refuted_if}",
    "refuted": "one comparison that says yes makes it depend, the closest: {closest}; supported, if {supported_if}",
    "depends": "supported, if {supported_if}; refuted, if {refuted_if}",
    "undecided": "intervals narrow enough to say yes or no, from more users or seeds; the closest: {closest}",
    "not tested": "a test. Supported, if {supported_if}; refuted, if {refuted_if}",
}
RULE = (
    "Each comparison is one contrast in one model: yes, no or undecided at one-sided 2.5 % after Holm's correction "
    "over those of a claim that count. Supported: all say yes; refuted: none yes, some no; undecided: none of either; "
    "depends: else, as the sentence beside it says."
)


@table("claims")
def claims(study: StudyEvidence) -> Table:
    """The claims, one a row: verdict, effect in CF and deep models, what it depends on and what would overturn it."""
    table = claims_table(study.once(compared), study.heading)
    return replace(table, caption=table.caption + study.warning)


def claims_table(compared: Compared, where: str) -> Table:
    """The claims with what the comparisons of a study, whose heading is `where`, say of each."""
    found = compared.found
    frame = pd.DataFrame([_claim_row(claim, found[found["claim"] == claim.number]) for claim in compared.claims])
    counts = [frame[answer] for answer in ("yes", "no", "undecided")]
    columns = [
        column("#", WHOLE, frame["claim"]),
        column("claim", WORDS, frame["says"]),
        column("verdict", WORDS, frame["verdict"]),
        column("when", WORDS, frame["when"]),
        column("yes / no / undecided", COUNTS, *counts, frame["verdict"]),
        column("yes, of decided", SHARE, frame["yes"], frame["no"]),
        *effects(frame),
        column(
            "CF and deep differ",
            DIFFER,
            *(frame[f"difference_{end}"] for end in ("lo", "hi", "survives")),
            frame[[f"{family}_without_lo" for family in FAMILIES]].isna().any(axis=1),
        ),
        column("effect of", WORDS, frame["contrast"]),
        column("not counted", WORDS, frame["not_counted"]),
        column("evidence", WORDS, frame["notebooks"]),
        column("what would overturn it", WORDS, frame["overturned_if"]),
    ]
    caption = (
        f"The claims of the two articles on {where}, and when each holds. {RULE} CF, deep: the effect of the contrast "
        "named, in % of the dense model's test nDCG@10 (of another measure its number), mean over a family's models, "
        "with its 95 % interval over users and seeds, and its range when each model in turn is left out; CF and deep "
        "differ where they do so whichever model is left out."
    )
    return Table(caption + left_out_text(found) + compared.sample, frame, columns)


def effects(frame: pd.DataFrame) -> list[Column]:
    """The columns of the effects in CF and in deep models."""
    parts = ("effect", "lo", "hi", "measure", "without_lo", "without_hi")
    return [
        column(label(family), EFFECT, *(frame[part if part == "measure" else f"{family}_{part}"] for part in parts))
        for family in FAMILIES
    ]


def _claim_row(claim: Claim, found: pd.DataFrame) -> dict:
    models = counted(found)
    decided = verdict(models["says"])
    effect = headline(found)
    row = {"claim": claim.number, "says": claim.says, "verdict": decided, "contrast": "", "measure": ""}
    for family in (*FAMILIES, DIFFERENCE):
        of, parts = effect[family], ("effect", "lo", "hi", "without_lo", "without_hi")
        row |= {f"{family}_{part}": float("nan") if of is None else of[part] for part in parts}
        row |= {} if of is None else {"contrast": of["contrast"], "measure": of["measure"]}
    survives = effect[DIFFERENCE]
    words = {"supported_if": claim.supported_if, "refuted_if": claim.refuted_if, "closest": _closest(models)}
    return row | {
        f"{DIFFERENCE}_survives": survives is not None and bool(survives["survives"]),
        **{answer: int((models["says"] == answer).sum()) for answer in ("yes", "no", "undecided")},
        "when": when(found, sum(not contrast.identity for contrast in claim.contrasts)),
        "not_counted": _not_counted(found),
        "notebooks": ", ".join(claim.notebooks),
        "overturned_if": OVERTURNED[decided].format(**words),
    }


def _not_counted(found: pd.DataFrame) -> str:
    """What does not count, and why: whole contrasts by name, else models."""
    said, silent = [], ~found["model"].isin(counted(found)["model"])
    for reason, rows in found[found["left_out"] != ""].groupby("left_out", sort=False):
        whole = str(reason).startswith(BY_ARITHMETIC)
        names = rows["short"] if whole else rows["model"].map(label)
        if not whole:
            names = names.where(silent[rows.index], names + " (" + rows["short"] + ")")
        said.append(f"{', '.join(dict.fromkeys(names))}: {reason}")
    return "; ".join(said)


def _closest(models: pd.DataFrame) -> str:
    """The comparison whose interval comes nearest to changing its mind, in words; "" where nothing was measured."""
    models = models[models["effect"].notna()]
    if models.empty:
        return ""
    bound = models["than"].fillna(models["expect"].map({"higher": 0.0, "lower": 0.0, "not lower": -WORTH}))
    width = (models["hi"] - models["lo"]).clip(lower=1e-6).fillna(1e-6)
    row = where_lowest(models, (models["effect"] - bound).abs() / width)
    return f"{row['contrast']}, {label(row['model'])}, {effect_of(row)}"


def _differ(lo: float, hi: float, survives: bool, alone: bool) -> str:
    if lo <= 0 <= hi:
        return "not shown"
    if alone:
        return "not shown: a family of one model"
    return ("yes: CF more" if lo > 0 else "yes: deep more") if survives else "not whichever model is left out"


def _counts(yes: int, no: int, undecided: int, decided: str) -> str:
    return f"{yes} / {no} / {undecided}" if decided != "not tested" else ""


def _share(yes: int, no: int) -> str:
    return f"{100 * yes / (yes + no):.0f} %" if yes + no else ""


EFFECT, COUNTS, SHARE = Format(without_one_text), Format(_counts), Format(_share)
DIFFER = Format(_differ, left=True, number=False)
