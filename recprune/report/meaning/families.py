"""What a study says of its two families, collaborative filtering and deep models, in sentences."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pandas as pd

from recprune.errors import NothingToDrawError
from recprune.report.evidence.cells import QUALITY
from recprune.report.evidence.labels import label
from recprune.report.evidence.methods import FLOORS, labels_of
from recprune.report.evidence.safe import is_headline
from recprune.report.evidence.size.smaller import LEVEL, LOSES, WINS, beside_smaller
from recprune.report.evidence.study import StudyEvidence
from recprune.report.readable import share
from recprune.report.tables.headline import best_methods
from recprune.report.tables.layout.formats import human

NEAR = 0.99  # of the best dense model on validation
#: column of the cost -> its superlative, and how it is written
_COSTS = {"bytes_disk": ("smallest", human), "p50_ms": ("quickest", "{:.3g} ms a user".format)}
_FAMILY = {"cf": "CF models", "deep": "deep models"}


def compared(study: StudyEvidence) -> str:
    """Markdown: which family reaches the best dense model for the least, what test confirms of what is safe, and
    whether pruning was worth more than a smaller model.

    study  all that is known of one data set and protocol
    """
    lines = [*_cheapest(study), *_confirmed(study), *_rivals(study)]
    return "\n".join(f"* {line}" for line in lines)


def _cheapest(study: StudyEvidence) -> Iterator[str]:
    points = study.points[study.points["side"].isin(["dense", "parameters", "control"])]
    points = points[~points["model"].isin(FLOORS) & points["family"].isin([*_FAMILY])]
    dense = study.best_dense.sort_values("val_ndcg@10", ascending=False)
    if dense.empty:
        return
    best = dense.iloc[0]
    yield (
        f"The best dense model, by validation, is **{label(best['model'])}**: test nDCG@10 {best[QUALITY]:.4f}, "
        f"{human(best['bytes_disk'])}, {best['p50_ms']:.3g} ms a user."
    )
    near = points[points["val_ndcg@10"] >= NEAR * best["val_ndcg@10"]]
    for cost, (word, write) in _COSTS.items():
        told = [_of_family(near[near["family"] == one], name, cost, write, best) for one, name in _FAMILY.items()]
        yield f"The {word} within 1 % of it on validation: {'; '.join(told)}."


def _of_family(near: pd.DataFrame, name: str, cost: str, write: Callable[[float], str], best: pd.Series) -> str:
    there = near[near[cost] > 0]
    if there.empty:
        return f"of {name} none"
    point = there.loc[[there[cost].idxmin()]]
    one, method = point.iloc[0], labels_of(point).iloc[0]
    what = "dense" if one["side"] == "dense" else f"{method}, {share(one['kept'])} kept"
    return (
        f"of {name} **{label(one['model'])}** ({what}), {write(one[cost])}, on test "
        f"{one[QUALITY] / best[QUALITY]:.3f} of it"
    )


def _confirmed(study: StudyEvidence) -> Iterator[str]:
    best = study.once(best_methods)
    best = best[best["side"] == "parameters"]
    for family, name in _FAMILY.items():
        mine = best[best["family"] == family]
        safe = mine[mine["removed_99"] > 0]
        good = safe[is_headline(safe)]
        if len(mine):
            named = f" ({', '.join(label(model) for model in good['model'])})" if len(good) else ""
            yield (
                f"Of {len(mine)} {name} that were pruned, {len(safe)} can lose parameters and keep 99 % for sure on "
                f"validation, the best of many rules allowed for; test confirms {len(good)}{named}."
            )


def _rivals(study: StudyEvidence) -> Iterator[str]:
    try:
        beside = study.once(beside_smaller)
    except NothingToDrawError:  # one value format alone
        return
    if len(beside):
        counts = beside["wins"].value_counts()
        won, level, lost = (counts.get(one, 0) for one in (WINS, LEVEL, LOSES))
        yield (
            f"Beside a dense model trained smaller, at equal bytes and value format, the pruned one is better in {won} "
            f"of {len(beside)} sizes, level in {level}, worse in {lost}: where it is not better, train smaller instead."
        )
