"""Effects in words, wherever they are shown."""

from __future__ import annotations

import math

import pandas as pd

from recprune.report.claims.measures import QUALITY
from recprune.report.evidence.labels import label

BY_ARITHMETIC = "cannot be otherwise"  # begins the reason why a whole contrast does not count


def effect_text(effect: float, lo: float, hi: float, measure: str) -> str:
    """+1.2 % [+0.3, +2.1] of quality, 0.251 of another measure; without the interval where there is none."""
    if measure == QUALITY:
        return f"{100 * effect:+.1f} %" + ("" if math.isnan(lo) else f" [{100 * lo:+.1f}, {100 * hi:+.1f}]")
    return f"{effect:.3g}" + ("" if math.isnan(lo) or f"{lo:.3g}" == f"{hi:.3g}" else f" [{lo:.3g}, {hi:.3g}]")


def without_one_text(effect: float, lo: float, hi: float, measure: str, least: float, most: float) -> str:
    """The effect, and of a family its range when each model in turn is left out."""
    text = effect_text(effect, lo, hi, measure)
    if math.isnan(least):
        return text
    ends = [f"{100 * end:+.1f}" if measure == QUALITY else f"{end:.3g}" for end in (least, most)]
    return f"{text}, without one {ends[0]} to {ends[1]}"


def effect_of(row: pd.Series) -> str:
    """The effect of one comparison in words."""
    return effect_text(row["effect"], row["lo"], row["hi"], row["measure"])


def listed(names: list[str]) -> str:
    """EASE, iALS and BPR."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def left_out_text(found: pd.DataFrame) -> str:
    """A sentence, a space before it, on the models whose comparisons (`verdicts.comparisons`) count for no claim; ""
    where all do."""
    models = found[found["model"] != ""]
    said = set(models.loc[models["says"] != "", "model"])
    silent = models[~models["model"].isin(said) & ~models["left_out"].str.startswith(BY_ARITHMETIC)]
    names = [
        f"{label(str(model))} ({why})" for model, why in silent.groupby("model", sort=False)["left_out"].first().items()
    ]
    return f" Shown, and counted nowhere: {', '.join(names)}." if names else ""
