"""Value formats: the rival of pruning, and its partner. What shrinks a model for nothing, and what pruning adds."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from recprune.cells.rows import AS_TRAINED
from recprune.errors import NothingToDrawError
from recprune.evaluation.safety import safe_walk
from recprune.models.quantization import FORMATS
from recprune.report.evidence.cells import QUALITY
from recprune.report.evidence.frames import each
from recprune.report.evidence.fronts import front_of_budgets
from recprune.report.evidence.labels import percent
from recprune.report.evidence.methods import CURVE, FLOORS, by_model, labels_of, models_in_order
from recprune.report.evidence.points import NOT_ABOVE, POINT
from recprune.report.evidence.safe import COVERAGE, FLOOR_LEVELS, together
from recprune.report.evidence.study import StudyEvidence

#: what is compared at equal bytes: the rivals of what a rule pruned stand first
ROLES = ("dense", "smaller-dense", "pruned")
RIVALS = ROLES[:2]
#: of a method's point that is shown
SHOWN = [
    *("kept", "values", "bytes_disk", "test_ratio", "test_ratio_lo", "test_ratio_hi", "confirmed", "counts"),
    *("rival", "gain"),
]


def format_points(study: StudyEvidence) -> pd.DataFrame:
    """The curve points of a study in every value format (see `points.points`): dense, trained smaller, or pruned by a
    rule in their parameters; without floors, controls that remove at random, and what changes no size. Adds

    lowest      the lowest validation bound that the walk of safe sparsity has met at this point, in its own format; of
                a dense model, its own bound. Bounds hold for all methods and formats of a model at once (`together`)
    confirmed   whether the one-sided bound on test reaches the stricter of FLOOR_LEVELS
    counts      whether neither the dense model as trained nor the point falls short of popularity
    dense_ndcg@10, dense_coverage@20   on test, of the dense model as trained; NaN where there is none
    Raises NothingToDrawError where the rows hold one format alone.
    """
    if study.formats["values"].nunique() < 2:
        raise NothingToDrawError(f"{study.heading} has models in one value format alone: there is nothing to compare")
    table = study.paired_formats
    whole = (table["side"] != "dense") & (table["kept"] >= 1)
    sized = table["side"].isin(["dense", "parameters", "control"]) & table["role"].isin(ROLES) & ~whole
    table = table[sized & ~table["model"].isin(FLOORS) & (table["bytes_disk"] > 0)].reset_index(drop=True)
    if table["values"].nunique() < 2:
        raise NothingToDrawError(f"{study.heading}: no recommender was measured in two value formats")
    table = together(table)
    as_trained = table[(table["role"] == "dense") & (table["values"] == AS_TRAINED)].set_index("model")
    short = as_trained.index[as_trained["standing"] == NOT_ABOVE]
    return table.assign(
        label=labels_of(table),
        lowest=pd.concat([safe_walk(rows) for _, rows in each(table, "values")]),
        confirmed=table["test_ratio_lower"] >= FLOOR_LEVELS[0],
        counts=table["standing"].ne(NOT_ABOVE) & ~table["model"].isin(short),
        **{f"dense_{name}": table["model"].map(as_trained[f"test_{name}"]) for name in ("ndcg@10", "coverage@20")},
    )


def in_format_order(table: pd.DataFrame) -> pd.DataFrame:
    """Points by model, and the formats of each from the widest to the narrowest, in the order that they came in."""
    place = {name: number for number, name in enumerate(FORMATS)}
    by = table.assign(_format=table["values"].map(lambda name: place.get(name, len(place))))
    key = by_model(models_in_order(table))
    return by.sort_values(["model", "_format"], key=key, kind="stable", ignore_index=True).drop(columns="_format")


def model_fronts(study: StudyEvidence) -> pd.DataFrame:
    """Per model, of its dense and pruned points in every format, those that beat every smaller one on validation."""
    table = study.once(format_points)
    return front_of_budgets(table[table["role"] != "smaller-dense"], "bytes_disk")


def format_fronts(study: StudyEvidence) -> pd.DataFrame:
    """Dense models in each format, and per model, role and format the points that beat every smaller one on validation,
    whatever their method: one row each, with the columns of `format_points`."""
    table = study.once(format_points)
    parts = [table[table["role"] == "dense"]]
    for role in ("smaller-dense", "pruned"):
        mine = table[table["role"] == role]
        parts += [front_of_budgets(rows, "bytes_disk") for _, rows in each(mine, "values")]
    return in_format_order(pd.concat(parts, ignore_index=True))


def smallest_safe(table: pd.DataFrame, of: Sequence[str] = ("model",), floor: float = FLOOR_LEVELS[0]) -> pd.DataFrame:
    """Of each model, or whatever else the columns `of` tell apart, the point of fewest bytes on disk that is safe at
    `floor` on validation; of equals the one of the highest bound."""
    safe = table[table["lowest"] >= floor]
    order = {"bytes_disk": True, "lowest": False} | dict.fromkeys([*CURVE, "kept"], True)
    ordered = safe.sort_values(list(order), ascending=list(order.values()), kind="stable")
    return ordered.drop_duplicates(list(of), ignore_index=True)


def shrunk(study: StudyEvidence) -> pd.DataFrame:
    """What shrinks each model for nothing, and what pruning adds to that: the rows of the table of formats.

    Of each model the dense one in each format, then the smallest safe pruned point as trained and, where it is another,
    in any format, and the smallest safe smaller dense model in any format. Columns of `format_points`, and of the
    two last `adds`: bytes of the dense model in its smallest safe format / bytes of the point.
    """
    table = study.once(format_points)
    dense, smaller, pruned = (table[table["role"] == role] for role in ("dense", "smaller-dense", "pruned"))
    free = smallest_safe(dense).set_index("model")["bytes_disk"]
    anyhow = pd.concat([smallest_safe(pruned), smallest_safe(smaller)], ignore_index=True)
    anyhow["adds"] = anyhow["model"].map(free).astype(float) / anyhow["bytes_disk"]
    plain = smallest_safe(pruned[pruned["values"] == AS_TRAINED])
    plain = plain[~pd.MultiIndex.from_frame(plain[POINT]).isin(pd.MultiIndex.from_frame(anyhow[POINT]))]
    found = pd.concat([in_format_order(dense), plain, anyhow], ignore_index=True)
    found = found.sort_values("model", key=by_model(models_in_order(found)), kind="stable", ignore_index=True)
    reference = (found["role"] == "dense") & (found["values"] == AS_TRAINED)
    changed = ["test_ratio", "test_ratio_lo", "test_ratio_hi", "bytes_ratio", QUALITY, COVERAGE]
    found[changed] = found[changed].mask(reference)  # beside itself: 1, and nothing has changed
    return found


def earning(study: StudyEvidence) -> tuple[pd.DataFrame, int]:
    """(pairs of a model and a method that earn their place after value formats, how many pairs there are).

    A method earns it at one of FLOOR_LEVELS where its smallest safe point, in any format, takes fewer bytes than the
    smallest safe one of its rivals, in any format: the dense model and the smaller dense models. For each level,
    columns that end in "" or "_95":
    kept, values, bytes_disk, test_ratio, test_ratio_lo, test_ratio_hi, confirmed, counts   of the point
    rival, gain   the rival and its format in words; its bytes / those of the point
    all missing where no point of the method is safe
    """
    table = study.once(format_points)
    pairs = table.loc[table["role"] == "pruned", CURVE].drop_duplicates(ignore_index=True)
    found = pairs.assign(label=labels_of(pairs))
    for floor, end in zip(FLOOR_LEVELS, ("", "_95"), strict=True):
        level = _beside_rivals(table, floor)
        found = found.merge(level.rename(columns={name: name + end for name in SHOWN}), how="left", on=CURVE)
    earns = (found["gain"] > 1) | (found["gain_95"] > 1)
    found = found[earns].sort_values(["gain", "gain_95"], ascending=False, kind="stable")
    order = by_model(models_in_order(table))
    return found.sort_values("model", key=order, kind="stable", ignore_index=True), len(pairs)


def _beside_rivals(table: pd.DataFrame, floor: float) -> pd.DataFrame:
    """The smallest safe point of each method that has one, and what it saves beside the smallest safe rival."""
    pruned = smallest_safe(table[table["role"] == "pruned"], CURVE, floor)
    rivals = smallest_safe(table[table["role"].isin(RIVALS)], floor=floor).set_index("model")
    named = rivals.apply(lambda rival: f"{state_label(rival)}, {rival['values']}", axis=1)
    pruned["rival"] = pruned["model"].map(named)
    pruned["gain"] = pruned["model"].map(rivals["bytes_disk"]).astype(float) / pruned["bytes_disk"]
    pruned["confirmed"] = pruned["test_ratio_lower"] >= floor
    return pruned[[*CURVE, *SHOWN]]


def state_label(point: pd.Series) -> str:
    """A point in words: "dense", or its method and what that removed."""
    return "dense" if point["role"] == "dense" else f"{point['label']}, −{percent(1 - point['kept'])}"
