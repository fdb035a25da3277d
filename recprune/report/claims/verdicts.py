"""From effects to verdicts: every comparison of a claim, corrected for their number, and what follows."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pandas as pd

from recprune.cells.further import no_further_rows
from recprune.evaluation import holm
from recprune.report.claims.beside import in_models_beside
from recprune.report.claims.claim import Claim, Contrast
from recprune.report.claims.contrasts import Effect, in_models
from recprune.report.claims.counted import left_out
from recprune.report.claims.families import DIFFERENCE, FAMILIES, of_families
from recprune.report.claims.influences import Users
from recprune.report.claims.pairs import compared_pairs

LEVEL = 0.025  # one-sided
DIGITS = 6  # of numbers in tables: what the order of a processor's sums decides does not reach them
COLUMNS = (
    *(
        "claim",
        "contrast",
        "short",
        "measure",
        "expect",
        "than",
        "family",
        "model",
        "effect",
        "lo",
        "hi",
        "p_yes",
        "p_no",
    ),
    *("points", "seeds", "shares", "chosen", "epochs", "epochs_b", "train_s", "train_s_b", "both_trained", "unequal"),
    *("without_lo", "without_hi", "survives", "left_out", "says"),
)


def comparisons(
    claims: tuple[Claim, ...], cells: pd.DataFrame, users: Users, further: pd.DataFrame | None = None
) -> pd.DataFrame:
    """The comparisons, one a row: each contrast of each claim in each model, each family, and the families' difference.

    cells  rows of one data set and protocol;  users  the values of its users;  further  its rows beside the cells
    left_out      why a comparison does not count; "" where it does, and for families
    says          "yes", "no" or "undecided" after Holm's correction over the comparisons of the claim that count;
                  "" for families, and for what does not count
    The other columns are those of an `Effect`, taken apart.
    """
    without = left_out(cells)
    beside = no_further_rows() if further is None else further
    rows = []
    for claim, contrast in ((one, contrast) for one in claims for contrast in one.contrasts):
        if contrast.kind:
            found = in_models_beside(contrast, beside, without)
        else:
            found = in_models(contrast, compared_pairs(contrast, cells), cells, users, without)
        effects = [*(each.effect for each in found), *of_families(contrast, found)]
        rows += [_row(claim, contrast, effect) for effect in effects]
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    for _, mine in counted(table).groupby("claim"):
        yes, no = (holm(mine[name]) <= LEVEL for name in ("p_yes", "p_no"))
        table.loc[mine.index, "says"] = np.select([yes, no], ["yes", "no"], "undecided")
    return table.round(DIGITS)


def counted(found: pd.DataFrame) -> pd.DataFrame:
    """The comparisons, among all, that a verdict is made of: single models, without what does not count."""
    return found[(found["model"] != "") & (found["left_out"] == "")]


def _row(claim: Claim, contrast: Contrast, effect: Effect) -> dict:
    what = {"claim": claim.number, "contrast": contrast.name, "short": contrast.short or contrast.name}
    what |= {"measure": contrast.measure, "expect": contrast.expect, "than": contrast.than, "unequal": contrast.unequal}
    ends = dict(zip(("without_lo", "without_hi"), effect.without, strict=True))
    flat = vars(effect) | effect.judged._asdict() | asdict(effect.training) | ends
    return what | {"says": ""} | {name: flat[name] for name in COLUMNS if name in flat}


def verdict(says: pd.Series) -> str:
    """The verdict that the comparisons of one claim add up to: the rule at the head of claims.toml."""
    yes, no = (says == "yes").sum(), (says == "no").sum()
    if len(says) == 0:
        return "not tested"
    if yes == len(says):
        return "supported"
    if yes:
        return "depends"
    return "refuted" if no else "undecided"


def headline(found: pd.DataFrame) -> dict[str, pd.Series | None]:
    """The effects in the families of a claim's first contrast that counts (of its first, where none does): rows by
    "cf", "deep", "difference"; None without one."""
    names = [*counted(found)["contrast"], *found["contrast"]]
    first = found[found["contrast"] == names[0]] if names else found
    rows = {family: first[(first["family"] == family) & (first["model"] == "")] for family in (*FAMILIES, DIFFERENCE)}
    return {family: None if mine.empty else mine.iloc[0] for family, mine in rows.items()}
