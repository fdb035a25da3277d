"""What each model loses safely: the one method per model that validation chooses, beside its controls."""

from __future__ import annotations

import pandas as pd

from recprune.report.evidence.cells import QUALITY
from recprune.report.evidence.methods import METHOD, controls, models_in_order
from recprune.report.evidence.safe import PRUNED, is_headline
from recprune.report.evidence.study import StudyEvidence
from recprune.report.tables.layout.formats import (
    LABELS,
    REMOVED_IF_MEASURED,
    STARRED,
    TWO_DIGITS,
    WHOLE,
    WORDS,
)
from recprune.report.tables.layout.registry import table
from recprune.report.tables.layout.standing import SAFE, UNCONFIRMED, WORTH, beside_popularity, worth
from recprune.report.tables.layout.table import Column, Table, best, column

_AT_99 = ["removed_99", "kept", "val_lower", "test_ratio", "test_lo", "test_hi", "confirmed", "bytes_ratio"]
_AT_95 = [f"{name}_95" for name in ("kept", "val_lower", "test_ratio", "test_lo", "test_hi", "confirmed")]
_COLUMNS = [
    *("dataset", "protocol", "model", "family", "side", *METHOD, "label", "methods"),
    *(*_AT_99, "removed_95", *_AT_95, "random", "smaller", QUALITY, *WORTH),
]


@table("headline", needs=[PRUNED])
def headline(study: StudyEvidence) -> Table:
    """The best method of each model for what it removes (parameters, samples), and what its controls remove safely.

    Of parameters, the method is the one whose safe point (0.99 on validation) takes the fewest bytes: shares of
    weights, factors and rows are not of one kind. Of samples, the one of the largest safe share. Then the larger
    validation bound decides, and where nothing is safe at 0.99, 0.95. Bounds on validation hold for all methods of a
    model at once (`evidence.safe.together`). Test columns have no say in the choice; what test does not confirm, or
    what does not beat popularity there, is marked and no headline (`evidence.safe.is_headline`). In bold, the smallest
    model and the fewest samples of those that are.
    """
    frame = study.once(best_methods)
    parameters = frame["side"] == "parameters"
    of_use = frame[["bytes_ratio", "removed_99"]].where(is_headline(frame))
    small = best(of_use.loc[parameters, "bytes_ratio"], min).reindex(frame.index, fill_value=False)
    few = best(of_use.loc[~parameters, "removed_99"], max).reindex(frame.index, fill_value=False)
    columns = [
        column("model", LABELS, frame["model"]),
        column("removes", WORDS, frame["side"]),
        column("best method", WORDS, frame["label"]),
        column("of", WHOLE, frame["methods"]),
        column("safe at 0.99", SAFE, frame["removed_99"], frame["counts"], bold=few),
        _ratio("ratio at 0.99", frame, ""),
        *beside_popularity(frame),
        column("disk", TWO_DIGITS, frame["bytes_ratio"], bold=small),
        column("safe at 0.95", SAFE, frame["removed_95"], frame["counts_95"]),
        _ratio("ratio at 0.95", frame, "_95"),
        column("random", REMOVED_IF_MEASURED, frame["random"]),
        column("smaller dense", REMOVED_IF_MEASURED, frame["smaller"]),
    ]
    caption = (
        f"What each model on {study.heading} loses safely. Of its methods (of: how many) the one that is smallest on "
        "disk, or has the fewest samples, where it is safe at 0.99 on validation, but for those that random removal of "
        "the same units matches (of samples without the loops that only train on: their model has seen what goes); the "
        "share removed, of the method's own units; what that and the share safe at 0.95 keep on test (nDCG@10 / dense, "
        "95 % interval over users and seeds); bytes on disk / dense at 0.99. Bounds on validation hold for all methods "
        "of a model at once (Bonferroni), since the best of many looks safe by chance."
        f"{UNCONFIRMED} In bold, the smallest model and the fewest samples of the headlines. Right, what is safe at "
        "0.99 by chance: random removal of the same units; and by training the model smaller (empty: not measured)."
        + worth(study)
    )
    return Table(caption, frame.drop(columns="label"), columns)


def best_methods(study: StudyEvidence) -> pd.DataFrame:
    """The safe points of the headline, one a row: the best method of each model and side, with what controls remove."""
    safe = study.chosen
    chosen = [
        _choice(rows[rows["side"] == part]) | {"smaller": _most(rows[rows["criterion"] == "smaller-dense"], part)}
        for model in models_in_order(safe)
        for rows in [safe[safe["model"] == model]]
        for part in PRUNED
        if ((rows["side"] == part) & ~rows["criterion"].isin(controls())).any()
    ]
    return pd.DataFrame(chosen, columns=_COLUMNS)


def _choice(rows: pd.DataFrame) -> dict:
    """The best method of one model and side, how many there are, and what random removal of its units does safely."""
    methods = rows[~rows["criterion"].isin(controls())]
    count, methods = len(methods), _beyond_chance(methods, rows)
    size = methods["bytes_ratio"] if (methods["side"] == "parameters").all() else 1 - methods["removed_99"]
    order = ["size", "removed_99", "val_lower", "removed_95", "val_lower_95"]
    ordered = methods.assign(size=-size).sort_values(order, ascending=False, kind="stable", na_position="last")
    first = ordered.iloc[0].drop("size")
    row = first.to_dict() | {"methods": count}
    if pd.isna(first["removed_95"]):  # none of them is safe: it would be a choice of nothing
        return row | {"label": "", "random": float("nan")} | dict.fromkeys(METHOD, "")
    same = rows[(rows["criterion"] == "random") & (rows["unit"] == first["unit"])]
    return row | {"random": _most(same, first["side"])}


def _beyond_chance(methods: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """The methods that remove more safely than chance does of the same units: what random removal does as well is no
    rule's doing. All of them, where nothing is safe without those."""
    chance = rows[rows["criterion"] == "random"].groupby("unit")["removed_99"].max()
    matched = methods["unit"].map(chance) >= methods["removed_99"]
    return methods[~matched] if methods.loc[~matched, "removed_99"].notna().any() else methods


def _most(controls: pd.DataFrame, part: str) -> float:
    """The largest share that a control removes safely at 0.99: 0 where none is safe, NaN where none was measured."""
    if controls.empty or (part == "samples" and (controls["side"] == "control").all()):
        return float("nan")
    return controls["removed_99"].fillna(0.0).max()


def _ratio(head: str, frame: pd.DataFrame, end: str) -> Column:
    return column(head, STARRED, *(frame[f"{name}{end}"] for name in ("test_ratio", "test_lo", "test_hi", "confirmed")))
