"""What a curve of quality against the share kept means, in sentences."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from recprune.cells.names import AS_TRAINED
from recprune.report.evidence.labels import label, percent
from recprune.report.evidence.methods import CURVE, controls
from recprune.report.evidence.study import StudyEvidence
from recprune.report.readable import share
from recprune.report.tables.layout.formats import RATIO

#: what a third is of -> column of the points, relative to the dense model
_USERS, _ITEMS = "rel_test_ndcg@10_users_{}", "rel_test_recall@20_items_{}"


def meaning(study: StudyEvidence) -> str:
    """Markdown: for each curve, how much can go and whether test agrees, who pays, and what rounding does alone.

    study  of one run and its dense model
    """
    told = []
    for row in study.safe.to_dict("records"):
        mine = (study.points[CURVE] == pd.Series(row)[CURVE]).all(axis=1)
        curve = study.points[mine].sort_values("kept", ascending=False)
        told.append(" ".join(["*", *_sentences(row, curve, study)]))
    return "\n".join(told)


def _sentences(row: dict, curve: pd.DataFrame, study: StudyEvidence) -> Iterator[str]:
    yield f"**{row['label']}.** {_safe(row, curve)}"
    kept = next((row[name] for name in ("kept", "kept_95") if pd.notna(row[name])), curve["kept"].max())
    at = curve[curve["kept"] == kept].iloc[0]
    yield from _who_pays(at)
    if row["side"] == "parameters":
        yield from _rounded(at, study.formats)
    if row["criterion"] in controls():
        yield "This is a control: what a rule does not do better was not worth a rule."


def _safe(row: dict, curve: pd.DataFrame) -> str:
    """The largest share that goes and loses at most 1 %, or 5 %, by validation, and what test says of it."""
    unit = label(row["unit"])
    for end, floor, less in (("", "99", ""), ("_95", "95", "No share keeps 99 % for sure. ")):
        if pd.notna(row[f"kept{end}"]):
            agrees = "test confirms it" if row[f"confirmed{end}"] else "**test does not confirm it**"
            ratio = RATIO(row[f"test_ratio{end}"], row[f"test_lo{end}"], row[f"test_hi{end}"])
            removed = percent(row[f"removed_{floor}"])
            return (
                f"{less}{removed} of the {unit} can go and {floor} % of the quality stays for sure, by "
                f"validation (bound {row[f'val_lower{end}']:.3f}); {agrees}: {ratio}."
            )
    most = curve.iloc[0]
    return (
        f"No share keeps even 95 % for sure: with {share(most['kept'])} of the {unit} kept, validation's bound is "
        f"{most['val_ratio_lower']:.3f}."
    )


def _who_pays(at: pd.Series) -> Iterator[str]:
    users, items = ([at.get(of.format(third)) for third in ("low", "high")] for of in (_USERS, _ITEMS))
    if pd.notna([*users, *items]).all():
        yield (
            f"At {share(at['kept'])} kept, the third of the users with the shortest histories keeps {users[0]:.3f} of "
            f"its nDCG@10, that with the longest {users[1]:.3f}; recall@20 of the least popular third of the "
            f"interactions keeps {items[0]:.3f}, of the most popular {items[1]:.3f}."
        )
    if pd.notna(at.get("test_jaccard@20")):
        yield f"The lists of 20 share {share(at['test_jaccard@20'])} with the dense model's (Jaccard)."


def _rounded(at: pd.Series, formats: pd.DataFrame) -> Iterator[str]:
    """The dense model with values in the fewest bits that lose no more than the pruned one, and both together."""
    mean = formats.groupby(["side", "kept", "recovery", "values"], as_index=False)[["bytes_ratio", "test_ratio"]].mean()
    alone = mean[(mean["side"] == "dense") & (mean["values"] != AS_TRAINED) & (mean["test_ratio"] >= at["test_ratio"])]
    if alone.empty:
        return
    best = alone.loc[alone["bytes_ratio"].idxmin()]
    both = mean[(mean["side"] == at["side"]) & (mean["kept"] == at["kept"]) & (mean["recovery"] == at["recovery"])]
    both = both[both["values"] == best["values"]]
    yield (
        f"Rounding alone, to {best['values']}, takes {share(best['bytes_ratio'])} of the dense bytes and keeps "
        f"{best['test_ratio']:.3f}; pruned in float32 it is {share(at['bytes_ratio'])}"
        + (
            f", both together {share(both['bytes_ratio'].iloc[0])} at {both['test_ratio'].iloc[0]:.3f}."
            if len(both)
            else "."
        )
    )
