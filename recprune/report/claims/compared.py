"""The comparisons that decide the claims, study by study."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from recprune.report.cells import canonical, heading, of_study, studies
from recprune.report.claims.claim import Claim
from recprune.report.claims.verdicts import comparisons


@dataclass(frozen=True)
class Compared:
    """The comparisons of one study: its name for files, its heading for readers, and `verdicts.comparisons` of it."""

    name: str
    where: str
    found: pd.DataFrame


def compared(cells: pd.DataFrame, users: pd.DataFrame, claims: tuple[Claim, ...]) -> list[Compared]:
    """Each study in the rows that has the values of its users, and cells that a claim compares."""
    studied = []
    for name, rows in studies(canonical(cells)):
        mine = of_study(users, rows["dataset"].iloc[0], rows["protocol"].iloc[0])
        found = comparisons(claims, rows, mine) if len(mine) else pd.DataFrame({"model": []})
        if (found["model"] != "").any():
            studied.append(Compared(name, heading(rows), found))
    return studied
