"""The verdicts on the claims, data set beside data set."""

from __future__ import annotations

from contextlib import suppress

import pandas as pd

from recprune.errors import NothingToDrawError
from recprune.report.claims.compared import Compared, compared
from recprune.report.evidence.results import Evidence
from recprune.report.evidence.study import StudyEvidence
from recprune.report.tables.claims import claims_table, effects
from recprune.report.tables.layout.formats import TEXT, WHOLE, WORDS
from recprune.report.tables.layout.registry import table
from recprune.report.tables.layout.table import Table, column


@table("claims", of=Evidence)
def verdicts(evidence: Evidence) -> Table:
    """The verdicts on all data sets, one row per claim: do they agree?"""
    known = _of_studies(evidence)
    frames = {study.heading: claims_table(of, study.heading).frame for study, of in known}
    if not frames:
        raise NothingToDrawError("no study has the values of users that the claims need")
    first = next(iter(frames.values()))
    frame = first[["claim", "says"]].assign(**{where: of["verdict"] for where, of in frames.items()})
    columns = [column("#", WHOLE, frame["claim"]), column("claim", WORDS, frame["says"])]
    short = pd.Series({where: where.partition(",")[0] for where in frames})
    short = short.where(~short.duplicated(keep=False), short.index.to_series())
    for where, of in frames.items():
        columns += [column(where, TEXT, frame[where]), *effects(of, short[where])]
    caption = (
        "The verdict on each claim on every data set, with the effect in CF and in deep models; the table of each data "
        "set says of which contrast."
    )
    caption += "".join(of.sample for _, of in known)
    caption += "".join(f" {study.heading}:{study.warning}" for study in evidence.studies if study.warning)
    return Table(caption, frame, columns)


def _of_studies(evidence: Evidence) -> list[tuple[StudyEvidence, Compared]]:
    """Each study that has cells which the claims compare, with what was found of them."""
    found = []
    for study in evidence.studies:
        with suppress(NothingToDrawError):
            found.append((study, study.once(compared)))
    return found
