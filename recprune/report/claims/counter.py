"""What speaks most against a claim that is supported: single points of its contrasts, however uncertain."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from recprune.evaluation.intervals import Interval
from recprune.report.claims.claim import Claim, Contrast
from recprune.report.claims.compared import Compared, of_users
from recprune.report.claims.contrasts import estimated, judged
from recprune.report.claims.counted import left_out
from recprune.report.claims.influences import Users
from recprune.report.claims.pairs import compared_pairs, points_of
from recprune.report.claims.verdicts import DIGITS, counted, verdict
from recprune.report.evidence.methods import METHOD, Method, method_label
from recprune.report.evidence.study import StudyEvidence

FOR_EACH = 3  # counter-examples of a claim
COLUMNS = ("claim", "says", "contrast", "model", "a", "b", "measure", "effect", "lo", "hi", "against", "left_out")


def counter_examples(study: StudyEvidence, of: Compared) -> pd.DataFrame:
    """The FOR_EACH single points that go against each supported claim most, one a row, worst first.

    A point is one share kept of one contrast in one model, over its seeds; those of models that do not count are among
    them, with the reason in `left_out`; contrasts that cannot be otherwise, and those of
    further rows, are not.
    a, b     the cells compared, in words
    against  "yes" where the whole 95 % interval, of this comparison alone, speaks against the claim; "no" where the
             whole speaks for it, so that not even the worst point is a counter-example; else "undecided"
    """
    users, without, rows = Users(of_users(study)), left_out(study.rows), []
    for claim in of.claims:
        if verdict(counted(of.found[of.found["claim"] == claim.number])["says"]) == "supported":
            found = [point for contrast in claim.contrasts for point in _points(claim, contrast, study, users, without)]
            rows += sorted(found, key=lambda point: point["favour"])[:FOR_EACH]
    return pd.DataFrame(rows, columns=list(COLUMNS)).round(DIGITS)


def _points(
    claim: Claim, contrast: Contrast, study: StudyEvidence, users: Users, without: dict[str, str]
) -> Iterator[dict]:
    """Every point of a contrast, with how much it is in `favour` of the claim."""
    for model, pairs in ({} if contrast.identity or contrast.kind else compared_pairs(contrast, study.rows)).items():
        cells = study.rows[study.rows["model"] == model]
        for _, point in pairs.groupby(points_of(pairs)):
            estimate, _ = estimated(contrast, point, cells, users)
            found = judged(contrast, estimate)
            favour, against = _speaks(contrast, estimate.interval)
            yield {"claim": claim.number, "says": claim.says, "contrast": contrast.name, "model": model} | {
                "a": _words(point.iloc[0], ""),
                "b": _words(point.iloc[0], "_b"),
                "measure": contrast.measure,
                "effect": found.effect,
                "lo": found.lo,
                "hi": found.hi,
                "favour": favour,
                "against": against,
                "left_out": without.get(model, ""),
            }


def _speaks(contrast: Contrast, found: Interval) -> tuple[float, str]:
    """How far an estimate lies on the claim's side of what it expects, and whether its interval is against it."""
    sign, bound = (-1 if contrast.expect == "lower" else 1), contrast.bound
    ends = sorted((sign * (found.lo - bound), sign * (found.hi - bound)))
    against = "yes" if ends[1] < 0 else "no" if ends[0] > 0 else "undecided"
    return sign * (found.estimate - bound), against


def _words(pair: pd.Series, side: str) -> str:
    """The cell on one side of a pair in words: what was pruned how, and the share kept."""
    if f"side{side}" not in pair:
        return ""
    if pair[f"side{side}"] == "dense":
        return "dense"
    kept, samples = 100 * pair[f"kept{side}"], 100 * pair[f"samples_kept{side}"]
    words = [method_label(Method(*(pair[f"{name}{side}"] for name in METHOD))), f"{kept:.3g} % kept"]
    return ", ".join(words + ([f"after training on {samples:.3g} %"] if pair[f"side{side}"] == "both" else []))
