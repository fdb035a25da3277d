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
from recprune.report.claims.influences import Users
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
    claims, users = read_claims(), Users(of_users(study))
    found = comparisons(claims, study.rows, users, study.further)
    if not (found["model"] != "").any():
        raise NothingToDrawError(f"{study.heading}: there are no cells that a claim compares")
    return Compared(claims, found, frozenset(users.asked), _sample(study, users.n_users))


def of_users(study: StudyEvidence) -> pd.DataFrame:
    """The values of the users of a study. Raises NothingToDrawError where they were not kept."""
    if study.users is None or study.users.empty:
        raise NothingToDrawError(f"{study.heading}: the values of its users, which claims need, were not kept")
    return study.users


def _sample(study: StudyEvidence, known: int) -> str:
    """The sentence, where the values of `known` users are those of a sample."""
    counted = 0 if study.counted is None or study.counted.empty else int(study.counted["users"].iloc[0])
    if counted <= MANY_USERS or known > SAMPLE:
        return ""
    return (
        f" Of the {counted:,} users of {study.heading} the values of {known:,} were kept, drawn by a fixed hash, and "
        "the effects are theirs."
    )


def compared_studies(evidence: Evidence) -> list[tuple[StudyEvidence, Compared]]:
    """Each study that has cells which the claims compare, with what was found of them. Raises NothingToDrawError."""
    found = []
    for study in evidence.studies:
        with suppress(NothingToDrawError):
            found.append((study, study.once(compared)))
    if not found:
        raise NothingToDrawError("no study has the values of users that the claims need")
    return found


def keep_compared(evidence: Evidence) -> list[Path]:
    """The paths of every per_user.parquet that was left without the values of cells that no claim compares: of those
    that had others.

    They are the larger half, and nobody reads them; nor what a file has of cells that one before it has. The runs keep
    theirs: gathered again, all are there again. Studies that no claim compares keep all.
    """
    wanted: set[tuple] = set()
    studies: set[tuple] = set()  # data set and protocol, which a cell begins with
    for study in evidence.studies:
        with suppress(NothingToDrawError):
            wanted |= study.once(compared).cells
            studies.add((study.dataset, study.protocol))
    written = []
    for place, users in evidence.users_of.items():
        cells = list(zip(*(users[name] for name in CELL), strict=True))
        kept = [cell in wanted or cell[:2] not in studies for cell in cells]
        wanted -= set(cells)
        if not all(kept):
            written.append(write_per_user(place, users[kept]))
    return written
