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
from recprune.study.rows.sample import MANY_USERS, SAMPLE


@dataclass(frozen=True)
class Compared:
    """The claims, and what was found of them in one study.

    found   `verdicts.comparisons`;  cells: those whose values of users they compare
    sample  a sentence, a space before it, on the users that they are of, where these are a sample; "" where all are
    """

    claims: tuple[Claim, ...]
    found: pd.DataFrame
    cells: frozenset[tuple] = frozenset()
    sample: str = ""


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
    return Compared(claims, found, frozenset(draws.cells), _sample(study, draws.n_users))


def _sample(study: StudyEvidence, known: int) -> str:
    counted = 0 if study.counted is None else int(study.counted["users"].max() if len(study.counted) else 0)
    if counted <= MANY_USERS or known > SAMPLE:
        return ""
    return (
        f" Of the {counted:,} users of {study.heading} the values of {known:,} were kept, drawn by a fixed hash, and "
        "the effects are theirs."
    )


def keep_compared(evidence: Evidence) -> list[Path]:
    """The paths of every per_user.parquet that was left without the values of cells that no claim compares: of those
    that had others.

    They are the larger half, and nobody reads them. The runs keep theirs: gathered again, all are there again.
    """
    compared_cells: set[tuple] = set()
    for study in evidence.studies:
        with suppress(NothingToDrawError):
            compared_cells |= study.once(compared).cells
    written = []
    for place, users in evidence.users_of.items():
        kept = [cell in compared_cells for cell in zip(*(users[name] for name in CELL), strict=True)]
        if any(kept) and not all(kept):
            written.append(write_per_user(place, users[kept]))
    return written
