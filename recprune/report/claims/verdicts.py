"""From effects to verdicts: every comparison of a claim, corrected for their number, and what follows."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pandas as pd

from recprune.evaluation import holm
from recprune.report.claims.claim import Claim
from recprune.report.claims.contrasts import Effect, cells_of, compared_pairs, effects
from recprune.report.claims.draws import Draws

LEVEL = 0.025  # one-sided
DIGITS = 6  # of numbers in tables: what the order of a processor's sums decides does not reach them


def comparisons(claims: tuple[Claim, ...], cells: pd.DataFrame, draws: Draws) -> pd.DataFrame:
    """The comparisons, one a row: each contrast of each claim in each model, each family, and the families' difference.

    cells  rows of one data set and protocol;  draws  of the values of its users
    says          "yes", "no" or "undecided" after Holm's correction over the comparisons of the claim in models;
                  "" for families
    """
    contrasts = [(claim, contrast) for claim in claims for contrast in claim.contrasts]
    pairs = [compared_pairs(contrast, cells) for _, contrast in contrasts]
    draws.of(
        [cell for (_, contrast), mine in zip(contrasts, pairs, strict=True) for cell in cells_of(contrast, mine, cells)]
    )  # all at once
    rows = [
        _row(claim, contrast, effect)
        for (claim, contrast), mine in zip(contrasts, pairs, strict=True)
        for effect in effects(contrast, mine, cells, draws)
    ]
    table = pd.DataFrame(
        rows, columns=["claim", "contrast", "measure", "expect", "than", *Effect.__dataclass_fields__, "says"]
    )
    for _, mine in table[table["model"] != ""].groupby("claim"):
        yes, no = (holm(mine[name]) <= LEVEL for name in ("p_yes", "p_no"))
        table.loc[mine.index, "says"] = np.select([yes, no], ["yes", "no"], "undecided")
    return table.round(DIGITS)


def _row(claim: Claim, contrast, effect: Effect) -> dict:
    what = {"claim": claim.number, "contrast": contrast.name, "measure": contrast.measure, "expect": contrast.expect}
    return what | {"than": contrast.than} | asdict(effect) | {"says": ""}


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


def depends_on(found: pd.DataFrame, name) -> str:
    """What a verdict hangs on, in words: for each contrast the models that say yes, no, or neither.

    found  the comparisons of one claim;  name: model -> its name for readers
    """
    parts = []
    for contrast, rows in found[found["model"] != ""].groupby("contrast", sort=False):
        answers = [
            f"{answer} for {', '.join(map(name, rows.loc[rows['says'] == answer, 'model']))}"
            for answer in ("yes", "no", "undecided")
            if (rows["says"] == answer).any()
        ]
        parts.append(f"{contrast}: {'; '.join(answers)}")
    return ". ".join(parts)


def headline(found: pd.DataFrame) -> dict[str, pd.Series | None]:
    """The effects of a claim's first contrast in the families: rows by "cf", "deep", "difference"; None without one."""
    first = found[found["contrast"] == found["contrast"].iloc[0]] if len(found) else found
    rows = {
        family: first[(first["family"] == family) & (first["model"] == "")] for family in ("cf", "deep", "difference")
    }
    return {family: None if mine.empty else mine.iloc[0] for family, mine in rows.items()}
