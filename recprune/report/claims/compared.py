"""The comparisons that decide the claims, study by study."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from recprune.cells.rows import CELL
from recprune.cells.users import write_per_user
from recprune.errors import NothingToDrawError
from recprune.report.claims.claim import Claim, read_claims
from recprune.report.claims.draws import Draws
from recprune.report.claims.verdicts import comparisons
from recprune.report.evidence.results import Evidence
from recprune.report.evidence.study import StudyEvidence


@dataclass(frozen=True)
class Compared:
    """The claims, and what was found of them in one study.

    found  `verdicts.comparisons`;  cells: those whose values of users they compare
    """

    claims: tuple[Claim, ...]
    found: pd.DataFrame
    cells: frozenset[tuple] = frozenset()


def compared(study: StudyEvidence) -> Compared:
    """The comparisons of the claims of claims.toml in a study: ask for `study.once(compared)`, they take a while.

    Raises NothingToDrawError without the values of its users, and without cells that a claim compares.
    """
    if study.users is None or study.users.empty:
        raise NothingToDrawError(f"{study.heading}: the values of its users, which claims need, were not kept")
    claims, draws = read_claims(), Draws(study.users)
    found = comparisons(claims, study.rows, draws)
    if not (found["model"] != "").any():
        raise NothingToDrawError(f"{study.heading}: there are no cells that a claim compares")
    return Compared(claims, found, frozenset(draws.cells))


def keep_compared(evidence: Evidence) -> Path | None:
    """The path of per_user.parquet, less the values of cells that no claim compares; None where it has no others.

    They are the larger half, and nobody reads them. The runs keep theirs: gathered again, all are there again.
    """
    compared_cells: set[tuple] = set()
    for study in evidence.studies:
        with suppress(NothingToDrawError):
            compared_cells |= study.once(compared).cells
    users = evidence.users
    kept = [cell in compared_cells for cell in zip(*(users[name] for name in CELL), strict=True)]
    return write_per_user(evidence.folder, users[kept]) if any(kept) and not all(kept) else None
