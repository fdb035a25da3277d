"""The claims and their verdicts as tables: one of the claims, one of all comparisons behind them."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from recprune.report.claims.claim import Claim
from recprune.report.claims.compared import Compared
from recprune.report.claims.contrasts import FAMILIES, WORTH
from recprune.report.claims.measures import QUALITY
from recprune.report.claims.verdicts import depends_on, headline, verdict
from recprune.report.style import label
from recprune.report.table import Table

OVERTURNED = {
    "supported": "one comparison that says no makes it depend, the closest: {closest}; refuted, if {refuted_if}",
    "refuted": "one comparison that says yes makes it depend, the closest: {closest}; supported, if {supported_if}",
    "depends": "supported, if {supported_if}; refuted, if {refuted_if}",
    "undecided": "intervals narrow enough to say yes or no, from more users or seeds; the closest: {closest}",
    "not tested": "a test. Supported, if {supported_if}; refuted, if {refuted_if}",
}


def claims_tables(claims: tuple[Claim, ...], studied: list[Compared]) -> Iterator[Table]:
    """Claims and comparisons of every study, and the verdicts of all of them side by side."""
    verdicts = {}
    for study in studied:
        verdicts[study.where] = claims_table(claims, study.found, study.where, f"claims-{study.name}")
        yield verdicts[study.where]
        yield comparisons_table(study.found, study.where, f"comparisons-{study.name}")
    if verdicts:
        yield side_by_side(claims, verdicts)


def claims_table(claims: tuple[Claim, ...], found: pd.DataFrame, where: str, name: str = "claims") -> Table:
    """One row per claim: its verdict, the effect in CF and deep models, what it depends on, and what would overturn it."""
    rows = [_claim_row(claim, found[found["claim"] == claim.number]) for claim in claims]
    frame = pd.DataFrame(rows)
    text = pd.DataFrame(
        {
            "#": frame["claim"].astype(str),
            "claim": frame["says"],
            "verdict": frame["verdict"],
            **{label(family): [_percent(row, family) for row in rows] for family in FAMILIES},
            "CF and deep differ": [_differ(row) for row in rows],
            "yes / no / undecided": [
                f"{row['yes']} / {row['no']} / {row['undecided']}" if row["verdict"] != "not tested" else ""
                for row in rows
            ],
            "effect of": frame["contrast"],
            "depends on": frame["depends_on"],
            "evidence": frame["notebooks"],
            "what would overturn it": frame["overturned_if"],
        }
    )
    caption = (
        f"The claims of the two articles on {where}. Effects are of the contrast named, in % of the dense model's test nDCG@10 (of bytes, relative to "
        "dense), mean over a family's models, with 95 % intervals over users (paired bootstrap, all seeds together). Each comparison is one contrast in one model: yes, no or "
        "undecided at one-sided 2.5 % after Holm's correction over a claim's comparisons. Supported: all say yes; refuted: none yes, some no."
    )
    return Table(name, caption, frame, text)


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
    row = models.loc[((models["effect"] - bound).abs() / width).idxmin()]
    return f"{row['contrast']}, {label(row['model'])}, {_effect(row, row['measure'] == QUALITY)}"


def _percent(row: dict, family: str) -> str:
    """+1.2 % [+0.3, +2.1]; of another measure than quality its number; or nothing."""
    effect, lo, hi = (row[f"{family}_{end}"] for end in ("effect", "lo", "hi"))
    if pd.isna(effect):
        return ""
    return f"{100 * effect:+.1f} % [{100 * lo:+.1f}, {100 * hi:+.1f}]" if row["measure"] == QUALITY else f"{effect:.3g}"


def _differ(row: dict) -> str:
    lo, hi = row["difference_lo"], row["difference_hi"]
    if pd.isna(lo):
        return ""
    return "yes: CF more" if lo > 0 else "yes: deep more" if hi < 0 else "not shown"


def comparisons_table(found: pd.DataFrame, where: str, name: str = "comparisons") -> Table:
    """One row per comparison of every claim."""
    shown = found[found["family"] != "difference"].reset_index(drop=True)
    quality = shown["measure"] == QUALITY
    text = pd.DataFrame(
        {
            "#": shown["claim"].astype(str),
            "contrast": shown["contrast"],
            "model": [label(row.model) if row.model else f"all {label(row.family)}" for row in shown.itertuples()],
            "effect": [_effect(row, of_quality) for row, of_quality in zip(shown.itertuples(), quality, strict=True)],
            "claim holds": shown["says"],
            "points": shown["points"].astype(str),
            "chosen on validation": shown["chosen"],
        }
    )
    caption = (
        f"Every comparison behind the claims on {where}: the effect in % of the dense model's test nDCG@10 with its 95 % interval over users, or the "
        "measure named in the contrast with its t interval over seeds; whether it speaks for the claim (Holm's correction within a claim)."
    )
    return Table(name, caption, found, text)


def _effect(row, of_quality: bool) -> str:
    scale, sign, unit = (100, "+", " %") if of_quality else (1, "", "")
    if pd.isna(row.effect):
        return ""
    number = f"{scale * row.effect:{sign}.3g}{unit}"
    return number if pd.isna(row.lo) else f"{number} [{scale * row.lo:{sign}.3g}, {scale * row.hi:{sign}.3g}]"


def side_by_side(claims: tuple[Claim, ...], verdicts: dict[str, Table]) -> Table:
    """The verdicts on all data sets, one row per claim: do they agree?"""
    frame = pd.DataFrame({"claim": [claim.number for claim in claims], "says": [claim.says for claim in claims]})
    text = pd.DataFrame({"#": frame["claim"].astype(str), "claim": frame["says"]})
    for where, table in verdicts.items():
        frame[where] = table.frame["verdict"]
        text[where] = table.frame["verdict"]
        for family in FAMILIES:
            text[f"{label(family)}, {where.partition(',')[0]}"] = table.text[label(family)]
    caption = "The verdict on each claim on every data set, with the effect in CF and in deep models; the table of each data set says of which contrast."
    return Table("claims", caption, frame, text)
