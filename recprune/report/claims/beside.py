"""Contrasts of further rows: what an audit, an attack or a window of time found, of `a` less of `b`."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from recprune.errors import ReportError
from recprune.evaluation.intervals import Estimate
from recprune.report.claims.claim import Contrast
from recprune.report.claims.contrasts import Effect, OfModel, judged
from recprune.report.claims.pairs import selected
from recprune.report.evidence.methods import models_in_order


def in_models_beside(contrast: Contrast, further: pd.DataFrame, left_out: dict[str, str]) -> list[OfModel]:
    """The effects of a contrast of further rows in each model that has its rows `a`, and a seed with rows `b`.

    Where both sides name a family, `a` is held against the models of the other family together, each counting alike:
    of these, those that do not count are left out. Else against rows of the same model.

    further   rows beside the cells (`recprune.cells.further`) of one data set
    left_out  model -> why it does not count
    Raises ReportError where the sides have rows of several protocols: users alone or interactions alone are asked for.
    """
    rows = further[(further["kind"] == contrast.kind) & (further["measure"] == contrast.measure)]
    a, b = (selected(rows, side) for side in (contrast.a, contrast.b))
    protocols = sorted({*a["protocol"], *b["protocol"]})
    if len(protocols) > 1:
        raise ReportError(
            f"contrast {contrast.name!r}: its rows are of the protocols {', '.join(protocols)}, which do not compare; "
            f'say which in both sides, as protocol = "{protocols[0]}"'
        )
    families = "family" in contrast.a and "family" in contrast.b
    others = b[~b["model"].isin(list(left_out))] if families else b
    found = []
    for model in models_in_order(a):
        mine = a[a["model"] == model]
        sides = _by_seed(mine), _by_seed(others if families else b[b["model"] == model])
        seeds = sides[0].index.intersection(sides[1].index)
        if len(seeds) == 0:
            continue
        effect = Effect(
            family=mine["family"].iloc[0],
            model=model,
            judged=judged(contrast, _difference(*(side.loc[seeds] for side in sides))),
            points=mine[["kept", "samples_kept", "at"]].drop_duplicates().shape[0],
            seeds=len(seeds),
            left_out=left_out.get(model, ""),
        )
        found.append(OfModel(effect, None, model not in left_out))
    return found


def _by_seed(rows: pd.DataFrame) -> pd.DataFrame:
    """Mean value and error of each seed: of models alike, each over its points, whose users are the same."""
    numbers = ["value", "error"]
    return rows.dropna(subset=["value"]).groupby(["seed", "model"])[numbers].mean().groupby("seed")[numbers].mean()


def _difference(a: pd.DataFrame, b: pd.DataFrame) -> Estimate:
    """The mean over seeds of `a` less `b`.

    The users' part of its variance is that of one seed, since the seeds' users are the same people, with the two sides
    taken for independent; the seeds' part is S^2 / n beside it. Both are rather too large than too small: the users'
    chance is in S^2, too, and what moves both sides alike is not taken off. Degrees of freedom by Satterthwaite (1946),
    those of the users being many. Of one seed users alone count.
    """
    values = (a["value"] - b["value"]).to_numpy(float)
    errors = np.hypot(a["error"].to_numpy(float), b["error"].to_numpy(float))
    shared = float(np.nan_to_num(errors).mean()) ** 2
    n = len(values)
    if n == 1:
        return Estimate(float(values[0]), math.sqrt(shared) or math.nan, math.inf)
    own = float(np.var(values, ddof=1)) / n
    freedom = (n - 1) * ((shared + own) / own) ** 2 if own > 0 else math.inf
    return Estimate(float(values.mean()), math.sqrt(shared + own), freedom)
