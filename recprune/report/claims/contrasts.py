"""From a contrast to numbers: which cells are compared, and what the effect is in each model and family."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from recprune.cells.rows import CELL
from recprune.errors import ReportError
from recprune.report.claims.claim import Cells, Contrast
from recprune.report.claims.draws import Draws
from recprune.report.claims.measures import MEASURES, QUALITY
from recprune.report.evidence.methods import METHOD, Method, controls, method_label, models_in_order

WORTH = 0.01  # of the dense model's quality: less is too little to matter
FAMILIES = ("cf", "deep")
NUMBERS = (
    "val_ratio",
    "train_ndcg@10",
    "test_ndcg@10",
    "nonzeros",
    "bytes_disk",
    "macs",
    "p50_ratio",
)  # chosen by, or measured
WHOLE = ("dense", "control")  # sides without a share that could be chosen or matched
MATCHED = ("unit", "kept", "samples_kept")  # what a and b share, unless the contrast is about it


@dataclass(frozen=True)
class Effect:
    """One comparison.

    family, model    the model; "" for a family as a whole (each model counts alike)
    effect, lo, hi   with its two-sided 95 % interval, NaN where there is none
    p_yes, p_no      one-sided p-values of "the claim does not hold" and "it may hold"
    points, seeds    shares compared, and seeds of each
    chosen           what validation chose, in words
    """

    family: str
    model: str
    effect: float
    lo: float
    hi: float
    p_yes: float
    p_no: float
    points: int
    seeds: int
    chosen: str = ""


class Estimate(NamedTuple):
    """The numbers of an Effect; NaN where there is none of them."""

    effect: float = np.nan
    lo: float = np.nan
    hi: float = np.nan
    p_yes: float = np.nan
    p_no: float = np.nan


Pairs = dict[str, pd.DataFrame]  # model -> one row per compared pair of its cells


def compared_pairs(contrast: Contrast, cells: pd.DataFrame) -> Pairs:
    """The pairs of cells that a contrast compares, model by model; columns of b have `_b` behind their names.

    Models without a pair are left out.

    cells  canonical rows of one data set and protocol
    """
    cells = cells[[*CELL, *NUMBERS]]
    of_models = {model: _pairs(contrast, cells[cells["model"] == model]) for model in models_in_order(cells)}
    return {model: pairs for model, pairs in of_models.items() if len(pairs)}


def cells_of(contrast: Contrast, pairs: Pairs, cells: pd.DataFrame) -> list[tuple]:
    """Every cell whose users' values the effects of a contrast are made of."""
    if contrast.measure != QUALITY:
        return []
    of_models = (_four(contrast, mine, cells[cells["model"] == model]) for model, mine in pairs.items())
    return [cell for four in of_models for side in four for cell in side]


def effects(contrast: Contrast, of_models: Pairs, cells: pd.DataFrame, draws: Draws) -> list[Effect]:
    """The effects of a contrast in each model that has its cells, then in each family with such models.

    of_models  its `compared_pairs` among `cells`;  draws  of the same data set and protocol
    """
    found, samples = [], {}
    for model, pairs in of_models.items():
        mine = cells[cells["model"] == model]
        family = mine["family"].iloc[0]
        if contrast.measure == QUALITY:
            samples[model] = (family, _drawn(contrast, pairs, mine, draws))
            estimate = _bootstrapped(contrast, samples[model][1])
        else:
            estimate = _over_seeds(contrast, _measured(contrast, pairs, mine))
        seeds, chosen = pairs["seed"].nunique(), _chosen(contrast, pairs)
        found.append(Effect(family, model, *estimate, points=_n_points(pairs), seeds=seeds, chosen=chosen))
    return [*found, *_of_families(contrast, found, samples)]


def _of_families(contrast: Contrast, found: list[Effect], samples: dict[str, tuple[str, np.ndarray]]) -> list[Effect]:
    """The effect in each family with models of its own, and the difference of the two where both were resampled.

    found    effects in single models;  samples  model -> (family, draws of its effect), where the measure is quality
    """
    effects = []
    for family in FAMILIES:
        together = [sample for of, sample in samples.values() if of == family]
        numbers = [effect.effect for effect in found if effect.family == family and not together]
        if numbers:  # of models of different sizes: a mean, and no interval
            mean = Estimate(float(np.mean(numbers)))
            effects.append(Effect(family, "", *mean, points=len(numbers), seeds=0))
        if together:
            drawn = _bootstrapped(contrast, np.mean(together, axis=0))
            effects.append(Effect(family, "", *drawn, points=len(together), seeds=0))
    if {of for of, _ in samples.values()} >= set(FAMILIES):
        cf, deep = (np.mean([sample for of, sample in samples.values() if of == family], axis=0) for family in FAMILIES)
        effects.append(Effect("difference", "", *_summary(cf - deep), points=len(samples), seeds=0))
    return effects


def _pairs(contrast: Contrast, cells: pd.DataFrame) -> pd.DataFrame:
    """One row per compared pair of cells of one model: columns of a as they are, those of b with `_b`."""
    a = _picked(cells, contrast.a)
    if contrast.best:
        a = _best(a[a["kept"] < 1], contrast.best)
    a = _kept(a, contrast)
    if contrast.measure != QUALITY:
        return _once(a, contrast)
    b = _kept(_picked(cells, contrast.b), contrast)
    about = set(contrast.a) | set(contrast.b)
    whole = set(WHOLE) & (set(a["side"]) | set(b["side"]))
    match = ["seed", *(name for name in MATCHED if name not in about and not whole)]
    return (
        _once(a, contrast)
        .merge(_once(b, contrast), on=match, suffixes=("", "_b"))
        .assign(**{f"{name}_b": lambda pairs, name=name: pairs.get(f"{name}_b", pairs[name]) for name in CELL})
    )


def _picked(cells: pd.DataFrame, wanted: Cells) -> pd.DataFrame:
    keep = pd.Series(True, cells.index)
    for column, value in wanted.items():
        keep &= cells[column].isin(value if isinstance(value, (list, tuple)) else [value])
    return cells[keep & (cells["side"] != "both")] if "side" not in wanted else cells[keep]


def _kept(cells: pd.DataFrame, contrast: Contrast) -> pd.DataFrame:
    """The cells at the shares that count."""
    return cells[cells["kept"].isin(contrast.keep) | cells["side"].isin(WHOLE)] if contrast.keep else cells


def _best(cells: pd.DataFrame, what: str) -> pd.DataFrame:
    """The cells of the method (of each share), or of the one point, that is best on validation, controls apart."""
    cells = cells[~cells["criterion"].isin(controls())]
    if cells.empty:
        return cells
    means = (
        cells.groupby([*METHOD, "kept"])["val_ratio"]
        .mean()
        .reset_index()
        .sort_values("val_ratio", ascending=False, kind="stable")
    )
    chosen = means.head(1) if what == "point" else means.drop_duplicates("kept")
    return cells.merge(chosen[[*METHOD, "kept"]], on=[*METHOD, "kept"])


def _once(cells: pd.DataFrame, contrast: Contrast) -> pd.DataFrame:
    """`cells`, after a check that they are of one method for each share and seed."""
    twice = cells.duplicated(["model", "unit", "kept", "samples_kept", "seed"])
    if twice.any():
        ways = cells.loc[twice, METHOD].drop_duplicates().agg(" ".join, axis=1)
        raise ReportError(
            f"contrast {contrast.name!r} means several methods of one model, such as: {', '.join(ways[:2])}"
        )
    return cells


def _drawn(contrast: Contrast, pairs: pd.DataFrame, cells: pd.DataFrame, draws: Draws) -> np.ndarray:
    """(1 + draws,): (a - b) / dense, or a / a's base - b / b's base; mean over seeds, then over points."""
    four = _four(contrast, pairs, cells)
    sums = draws.of([cell for side in four for cell in side])
    values = [sums[a] / sums[x] - sums[b] / sums[y] for a, b, x, y in zip(*four, strict=True)]
    by_point = pd.Series(range(len(pairs)), index=pairs.index).groupby(
        [pairs["kept"], pairs["kept_b"], pairs["samples_kept"]]
    )
    return np.mean([np.mean([values[place] for place in places], axis=0) for _, places in by_point], axis=0)


def _four(contrast: Contrast, pairs: pd.DataFrame, cells: pd.DataFrame) -> list[list[tuple]]:
    """The cells a and b of each pair, and those that each is divided by."""
    of_a = list(zip(*(pairs[name] for name in CELL), strict=True))
    of_b = list(zip(*(pairs[f"{name}_b"] for name in CELL), strict=True))
    if contrast.relative_to:
        return [of_a, of_b, *([_changed(cell, contrast.relative_to) for cell in side] for side in (of_a, of_b))]
    dense = dict(zip(*_dense(cells), strict=True))
    base = [dense[seed] for seed in pairs["seed"]]
    return [of_a, of_b, base, base]


def _dense(cells: pd.DataFrame) -> tuple[list, list]:
    dense = cells[cells["side"] == "dense"]
    return list(dense["seed"]), list(zip(*(dense[name] for name in CELL), strict=True))


def _changed(cell: tuple, changes: Cells) -> tuple:
    return tuple((dict(zip(CELL, cell, strict=True)) | changes).values())


def _bootstrapped(contrast: Contrast, drawn: np.ndarray) -> Estimate:
    yes, no = (0.0, WORTH) if contrast.expect == "higher" else (-WORTH, -WORTH)
    sample = drawn[1:]
    p_yes, p_no = (1 + (sample <= yes).sum()) / (1 + len(sample)), (1 + (sample >= no).sum()) / (1 + len(sample))
    return _summary(drawn)._replace(p_yes=float(p_yes), p_no=float(p_no))


def _summary(drawn: np.ndarray) -> Estimate:
    lo, hi = np.quantile(drawn[1:], [0.025, 0.975])
    return Estimate(float(drawn[0]), float(lo), float(hi))


def _measured(contrast: Contrast, pairs: pd.DataFrame, cells: pd.DataFrame) -> np.ndarray:
    """(seeds,): the measure of each seed, mean over points; without seeds in which it was not measured."""
    dense = cells[cells["side"] == "dense"].set_index("seed").loc[pairs["seed"]].set_axis(pairs.index)
    values = MEASURES[contrast.measure](pairs, dense).astype(float)
    return values.groupby(pairs["seed"]).mean().dropna().to_numpy()


def _over_seeds(contrast: Contrast, values: np.ndarray) -> Estimate:
    """Mean, t interval over seeds, and p-values; without a spread (one seed, or all alike) the number decides."""
    sign = 1 if contrast.expect == "higher" else -1
    if len(values) == 0:
        return Estimate()
    mean, beyond = values.mean(), sign * (values - contrast.than)
    if len(values) < 2 or np.ptp(values) < 1e-12:
        end = mean if len(values) > 1 else np.nan
        return Estimate(float(mean), float(end), float(end), float(beyond.mean() <= 0), float(beyond.mean() >= 0))
    test = stats.ttest_1samp(beyond, 0)
    half = stats.sem(values) * stats.t.ppf(0.975, len(values) - 1)
    above = float(stats.t.sf(test.statistic, len(values) - 1))
    return Estimate(float(mean), float(mean - half), float(mean + half), above, 1 - above)


def _n_points(pairs: pd.DataFrame) -> int:
    return len(pairs[[name for name in ("kept", "kept_b", "samples_kept") if name in pairs]].drop_duplicates())


def _chosen(contrast: Contrast, pairs: pd.DataFrame) -> str:
    if not contrast.best:
        return ""
    ways = pairs[[*METHOD, "kept"]].drop_duplicates().itertuples(index=False)
    return "; ".join(f"{method_label(Method(*way[:4]))}, {100 * way[4]:.3g} % kept" for way in ways)
