"""The verdicts on the claims, data set beside data set."""

from __future__ import annotations

import pandas as pd

from recprune.errors import NothingToDrawError
from recprune.report.claims.compared import compared_studies
from recprune.report.claims.wording import left_out_text
from recprune.report.evidence.results import Evidence
from recprune.report.tables.claims import RULE, claims_table
from recprune.report.tables.layout.formats import TEXT, WHOLE, WORDS
from recprune.report.tables.layout.registry import table
from recprune.report.tables.layout.table import Table, column


@table("claims", of=Evidence)
def verdicts(evidence: Evidence) -> Table:
    """The verdicts on all data sets, one row per claim: do they agree?"""
    known = compared_studies(evidence)
    frames = {study.heading: claims_table(of, study.heading).frame for study, of in known}
    first = next(iter(frames.values()))
    frame = first[["claim", "says"]].assign(**{where: of["verdict"] for where, of in frames.items()})
    columns = [column("#", WHOLE, frame["claim"]), column("claim", WORDS, frame["says"])]
    columns += [column(where, TEXT, frame[where]) for where in frames]
    caption = (
        "The verdict on each claim on every data set; the next table says when each holds: one yes among many "
        "noes makes it depend."
    )
    caption += "".join(of.sample for _, of in known)
    caption += "".join(f" {study.heading}:{text}" for study, of in known if (text := left_out_text(of.found)))
    caption += "".join(f" {study.heading}:{study.warning}" for study in evidence.studies if study.warning)
    return Table(caption, frame, columns)


@table("claims-when", of=Evidence)
def when_claims_hold(evidence: Evidence) -> Table:
    """When each claim holds on each data set where it was tested, one row per claim and data set."""
    known = compared_studies(evidence)
    parts = [claims_table(of, study.heading).frame.assign(study=study.heading) for study, of in known]
    frame = pd.concat(parts).query("when != ''").sort_values("claim", kind="stable").reset_index(drop=True)
    if frame.empty:
        raise NothingToDrawError("no claim was tested")
    frame = frame[["claim", "says", "study", "verdict", "yes", "no", "undecided", "when"]]
    columns = [
        column("#", WHOLE, frame["claim"]),
        column("claim", WORDS, frame["says"].mask(frame["claim"].duplicated(), "")),
        column("data set", WORDS, frame["study"].str.removesuffix(", protocol ratio")),
        column("verdict", WORDS, frame["verdict"]),
        column("when", WORDS, frame["when"]),
    ]
    caption = (
        f"When each claim holds, data set by data set. {RULE} Effects of quality are in % of the dense model's test "
        "nDCG@10, the least and the largest of those of one answer, with 95 % intervals over users and seeds; a claim "
        "of more says no where an effect of 1 % is excluded, one of no harm where a loss of more than 1 % is shown. "
        "In a sentence, what stands in brackets is the contrast, and the share kept or what validation chose."
    )
    return Table(caption + "".join(of.sample for _, of in known), frame, columns)
