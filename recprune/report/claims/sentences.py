"""When a claim holds, in one sentence: which models, at which shares, say yes, which no, and by how much."""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd

from recprune.report.claims.measures import QUALITY
from recprune.report.claims.verdicts import counted
from recprune.report.claims.wording import effect_of, listed
from recprune.report.evidence.labels import label

MOST = 45  # words, without numbers; what would be longer is said with less detail
ANSWERS = ("yes", "no", "undecided")


class Detail(NamedTuple):
    """How much a sentence says.

    models  the models of each contrast, or only how many comparisons there are
    named   contrasts that are named of those in which all models agree, where models are not
    shares  the shares kept, or what validation chose, beside an effect
    both    the least effect and the largest, or the largest alone
    """

    models: bool
    named: int
    shares: bool
    both: bool


DETAILS = (
    Detail(True, 0, True, True),
    Detail(True, 0, False, True),
    Detail(True, 0, False, False),
    Detail(False, 3, True, True),
    Detail(False, 3, False, True),
    Detail(False, 2, False, False),
)


def when(found: pd.DataFrame, contrasts: int) -> str:
    """When a claim holds in a study, in one sentence of at most about MOST words: the models of each answer, contrast
    by contrast where there are several, with the least and the largest effect; "" where nothing was compared.

    found  the comparisons of one claim, which has so many `contrasts` that could decide; where some were not compared,
           a half-sentence says how many were
    """
    counts = counted(found)
    if counts.empty:
        return _uncounted(found[found["model"] != ""])
    sentences = [_sentence(counts, detail) for detail in DETAILS]
    sentence = next((each for each in sentences if _words(each) <= MOST), sentences[-1])
    compared = counts["contrast"].nunique()
    return sentence if compared == contrasts else f"{sentence[:-1]}. Compared: {compared} of {contrasts} contrasts."


def _words(text: str) -> int:
    return sum(any(character.isalpha() for character in word) for word in text.split())


def _uncounted(found: pd.DataFrame) -> str:
    reasons = list(dict.fromkeys(found["left_out"]))
    return f"Nothing that counts was compared ({'; '.join(reasons)})." if reasons else ""


def _sentence(counts: pd.DataFrame, detail: Detail) -> str:
    parts: list[str] = []
    for answer in ANSWERS:
        mine = counts[counts["says"] == answer]
        if len(mine):
            who = _models(mine, counts) if detail.models else _numbers(mine, counts, detail.named, not parts)
            ends = "" if answer == "undecided" else f": {_ends(mine, counts, detail, answer)}"
            parts.append(f"{answer} {'for' if detail.models else 'in'} {who}{ends}")
    text = "; ".join(parts)
    return f"{text[:1].upper()}{text[1:]}."


def _models(mine: pd.DataFrame, counts: pd.DataFrame) -> str:
    """The models, and with which contrasts where there are several; contrasts of the same models together."""
    groups: dict[str, list[str]] = {}
    for contrast, rows in mine.groupby("short", sort=False):
        everyone = counts.loc[counts["short"] == contrast, "model"]
        alike = len(rows) == len(everyone) > 2
        models = f"all {len(rows)} models" if alike else listed(list(map(label, rows["model"])))
        groups.setdefault(models, []).append(str(contrast))
    if counts["short"].nunique() == 1:
        return next(iter(groups))
    return ", ".join(f"{models} ({'; '.join(contrasts)})" for models, contrasts in groups.items())


def _numbers(mine: pd.DataFrame, counts: pd.DataFrame, named: int, total: bool) -> str:
    """How many comparisons, of how many in `total`, and the first contrasts in which no model says otherwise."""
    answers = counts.groupby("short", sort=False)["says"].agg(set)
    agreed = [str(contrast) for contrast, said in answers.items() if said == set(mine["says"])]
    more = [f"{len(agreed) - named} more"] if len(agreed) > named else []
    text = f"{len(mine)} of {len(counts)} comparisons" if total else f"{len(mine)}"
    return f"{text}, always with {listed([*agreed[:named], *more])}" if agreed else text


def _ends(mine: pd.DataFrame, counts: pd.DataFrame, detail: Detail, answer: str) -> str:
    """The least and the largest effect, or what speaks loudest, of quality where it was compared, with their places."""
    measure = QUALITY if (mine["measure"] == QUALITY).any() else mine["measure"].iloc[0]
    rows = mine[mine["measure"] == measure].sort_values("effect", kind="stable")
    first, last = rows.iloc[0], rows.iloc[-1]
    loudest = last if (answer == "yes") == (first["expect"] != "lower") else first
    shown = [first, last] if detail.both and len(rows) > 1 else [loudest]
    several = counts["short"].nunique() > 1 and len(mine) > 1
    said = [_end(row, len(mine) > 1, several, detail.shares) for row in shown]
    if len(said) == 2 and detail.shares and said[0][-1:] == said[1][-1:]:
        said[0] = said[0][:-1]  # the same shares are said once
    return " to ".join(effect_of(row) + _bracketed(words) for row, words in zip(shown, said, strict=True))


def _end(row: pd.Series, named: bool, several: bool, shares: bool) -> list[str]:
    """Where an effect is: the model, the contrast, and the shares kept or what validation chose."""
    where = [label(row["model"])] if named else []
    where += [row["short"]] if several else []
    chosen = row["chosen"] if ";" not in row["chosen"] else ""
    kept = [each for each in (chosen or row["shares"],) if each and shares]
    return [*where, *kept]


def _bracketed(words: list[str]) -> str:
    return f" ({', '.join(words)})" if words else ""
