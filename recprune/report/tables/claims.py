"""The claims with their verdicts, and every comparison behind them."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from recprune.report.claims.claim import Claim
from recprune.report.claims.compared import Compared, compared
from recprune.report.claims.contrasts import FAMILIES, WORTH
from recprune.report.claims.measures import QUALITY
from recprune.report.claims.verdicts import depends_on, headline, verdict
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


@table("claims")
def claims(study: StudyEvidence) -> Table:
    """The claims, one a row: verdict, effect in CF and deep models, what it depends on and what would overturn it."""
    table = claims_table(study.once(compared), study.heading)
    return replace(table, caption=table.caption + study.warning)


def claims_table(compared: Compared, where: str) -> Table:
    """The claims with what the comparisons of a study, whose heading is `where`, say of each."""
    found = compared.found
    frame = pd.DataFrame([_claim_row(claim, found[found["claim"] == claim.number]) for claim in compared.claims])
    counts = (frame[answer] for answer in ("yes", "no", "undecided"))
    columns = [
        column("#", WHOLE, frame["claim"]),
        column("claim", WORDS, frame["says"]),
        column("verdict", WORDS, frame["verdict"]),
        *effects(frame),
        column("CF and deep differ", DIFFER, frame["difference_lo"], frame["difference_hi"]),
        column("yes / no / undecided", COUNTS, *counts, frame["verdict"]),
        column("effect of", WORDS, frame["contrast"]),
        column("depends on", WORDS, frame["depends_on"]),
        column("evidence", WORDS, frame["notebooks"]),
        column("what would overturn it", WORDS, frame["overturned_if"]),
    ]
    caption = (
        f"The claims of the two articles on {where}. Effects are of the contrast named, in % of the dense model's test "
        "nDCG@10 (of bytes, relative to dense), mean over a family's models, with 95 % intervals over users "
        "and seeds. Each comparison is one contrast in one model: yes, no or undecided at "
        "one-sided 2.5 % after Holm's correction over a claim's comparisons. Supported: all say yes; refuted: none "
        "yes, some no."
    )
    return Table(caption + compared.sample, frame, columns)


@table("comparisons")
def comparisons(study: StudyEvidence) -> Table:
    """Every comparison of every claim, one a row."""
    of = study.once(compared)
    table = comparisons_table(of.found, study.heading)
    return replace(table, caption=table.caption + of.sample)


def comparisons_table(found: pd.DataFrame, where: str) -> Table:
    """The comparisons (`claims.verdicts.comparisons`) of a study whose heading is `where`."""
    shown = found[found["family"] != "difference"].reset_index(drop=True)
    columns = [
        column("#", WHOLE, shown["claim"]),
        column("contrast", WORDS, shown["contrast"]),
        column("model", MODEL, shown["model"], shown["family"]),
        column("effect", COMPARED, *(shown[name] for name in ("effect", "lo", "hi", "measure"))),
        column("claim holds", WORDS, shown["says"]),
        column("points", WHOLE, shown["points"]),
        column("chosen on validation", WORDS, shown["chosen"]),
    ]
    caption = (
        f"Every comparison behind the claims on {where}: the effect in % of the dense model's test nDCG@10 "
        "with its 95 % interval over users, or the measure named in the contrast with its t interval over seeds; "
        "whether it speaks for the claim (Holm's correction within a claim)."
    )
    return Table(caption, found, columns)


def effects(frame: pd.DataFrame, where: str = "") -> list[Column]:
    """The columns of the effects in CF and in deep models; `where` stands in their heads."""
    ends, heads = ("effect", "lo", "hi"), {family: f"{label(family)}{where and ', ' + where}" for family in FAMILIES}
    return [
        column(head, EFFECT, *(frame[f"{family}_{end}"] for end in ends), frame["measure"])
        for family, head in heads.items()
    ]


def _claim_row(claim: Claim, found: pd.DataFrame) -> dict:
    models = found[found["model"] != ""]
    decided = verdict(models["says"])
    effect = headline(found)
    row = {"claim": claim.number, "says": claim.says, "verdict": decided, "contrast": "", "measure": ""}
    for family in (*FAMILIES, "difference"):
        of = effect[family]
        row |= {f"{family}_{end}": float("nan") if of is None else of[end] for end in ("effect", "lo", "hi")}
        row |= {} if of is None else {"contrast": of["contrast"], "measure": of["measure"]}
    words = {"supported_if": claim.supported_if, "refuted_if": claim.refuted_if, "closest": _closest(models)}
    return row | {
        **{answer: int((models["says"] == answer).sum()) for answer in ("yes", "no", "undecided")},
        "depends_on": depends_on(found, label) if decided == "depends" else "",
        "notebooks": ", ".join(claim.notebooks),
        "overturned_if": OVERTURNED[decided].format(**words),
    }


def _closest(models: pd.DataFrame) -> str:
    """The comparison whose interval comes nearest to changing its mind, in words."""
    if models.empty:
        return ""
    bound = models["than"].fillna(models["expect"].map({"higher": 0.0, "not lower": -WORTH}))
    width = (models["hi"] - models["lo"]).clip(lower=1e-6).fillna(1e-6)
    row = where_lowest(models, (models["effect"] - bound).abs() / width)
    return f"{row['contrast']}, {label(row['model'])}, {COMPARED(*row[['effect', 'lo', 'hi', 'measure']])}"


def _effect(effect: float, lo: float, hi: float, measure: str) -> str:
    """+1.2 % [+0.3, +2.1]; of another measure than quality its number."""
    return f"{100 * effect:+.1f} % [{100 * lo:+.1f}, {100 * hi:+.1f}]" if measure == QUALITY else f"{effect:.3g}"


def _compared(effect: float, lo: float, hi: float, measure: str) -> str:
    """The same to three digits, with the interval of whatever measure has one."""
    scale, sign, unit = (100, "+", " %") if measure == QUALITY else (1, "", "")
    number = f"{scale * effect:{sign}.3g}{unit}"
    return number if pd.isna(lo) else f"{number} [{scale * lo:{sign}.3g}, {scale * hi:{sign}.3g}]"


def _model(model: str, family: str) -> str:
    return label(model) if model else f"all {label(family)}"


def _differ(lo: float, hi: float) -> str:
    return "yes: CF more" if lo > 0 else "yes: deep more" if hi < 0 else "not shown"


def _counts(yes: int, no: int, undecided: int, decided: str) -> str:
    return f"{yes} / {no} / {undecided}" if decided != "not tested" else ""


EFFECT, COMPARED, COUNTS = Format(_effect), Format(_compared), Format(_counts)
MODEL, DIFFER = Format(_model, left=True, number=False), Format(_differ, left=True, number=False)
