"""The comparisons that decide the claims, study by study."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from recprune.errors import NothingToDrawError
from recprune.report.claims.claim import Claim, read_claims
from recprune.report.claims.verdicts import comparisons
from recprune.report.evidence.study import StudyEvidence


@dataclass(frozen=True)
class Compared:
    """The claims, and what was found of them: `verdicts.comparisons` of one study."""

    claims: tuple[Claim, ...]
    found: pd.DataFrame


def compared(study: StudyEvidence) -> Compared:
    """The comparisons of the claims of claims.toml in a study: ask for `study.once(compared)`, they take a while.

    Raises NothingToDrawError without the values of its users, and without cells that a claim compares.
    """
    if study.users is None or study.users.empty:
        raise NothingToDrawError(f"{study.heading}: the values of its users, which claims need, were not kept")
    claims = read_claims()
    found = comparisons(claims, study.rows, study.users)
    if not (found["model"] != "").any():
        raise NothingToDrawError(f"{study.heading}: there are no cells that a claim compares")
    return Compared(claims, found)
