"""The verdicts on the claims, data set beside data set."""

from __future__ import annotations

import pandas as pd

from recprune.errors import NothingToDrawError
from recprune.report.claims.compared import compared
from recprune.report.evidence.results import Evidence
from recprune.report.tables.claims import claims_table, effects
from recprune.report.tables.layout.formats import TEXT, WHOLE, WORDS
from recprune.report.tables.layout.registry import table
from recprune.report.tables.layout.table import Table, column


@table("claims", of=Evidence)
def verdicts(evidence: Evidence) -> Table:
    """The verdicts on all data sets, one row per claim: do they agree?"""
    frames = {heading: table.frame for heading, table in _of_studies(evidence).items()}
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
    caption += "".join(f" {study.heading}:{study.warning}" for study in evidence.studies if study.warning)
    return Table(caption, frame, columns)


def _of_studies(evidence: Evidence) -> dict[str, Table]:
    """Heading -> the table of claims, of each study that has one."""
    found = {}
    for study in evidence.studies:
        try:
            found[study.heading] = claims_table(study.once(compared), study.heading)
        except NothingToDrawError:
            continue
    return found
