"""Made-up users and contrasts, for tests of the claims."""

import numpy as np

from recprune.cells.rows import CELL
from recprune.cells.users import VALUES
from recprune.report.claims.claim import Claim, Contrast
from recprune.report.claims.contrasts import in_models
from recprune.report.claims.families import of_families
from recprune.report.claims.influences import Users
from recprune.report.claims.pairs import compared_pairs

DENSE = {"side": "dense"}
HALF = Contrast(name="half", a={"criterion": "random", "side": "parameters"}, b=DENSE, keep=(0.5,), expect="higher")


def claim_of(*contrasts, number=1):
    return Claim(number=number, says="It helps.", supported_if="a", refuted_if="b", contrasts=contrasts)


def effects_of(contrast, rows, users, left_out=None):
    """Model, or "cf", "deep", "difference" -> its effect."""
    found = in_models(contrast, compared_pairs(contrast, rows), rows, Users(users), left_out or {})
    return {each.effect.model: each.effect for each in found} | {
        effect.family: effect for effect in of_families(contrast, found)
    }


def values_of(rows, factor=lambda row: 1.0, n=400, noise=0.05, seed=1):
    """Per-user values of the same people in all cells, each `factor` times as good as the dense one of its seed."""
    people = np.random.default_rng(0).beta(1, 2, n)
    rng = np.random.default_rng(seed)
    values = [people * factor(row) + noise * rng.standard_normal(n) for row in rows.itertuples()]
    return rows[list(CELL)].assign(**{VALUES: values})


def chance_of(criterion, sd, seed):
    """A factor that each model's cells of a criterion have by the chance of their seed, of mean 1."""
    rng = np.random.default_rng(seed)
    drawn = {(model, s): 1 + sd * rng.standard_normal() for model in range(20) for s in range(20)}
    names = {}
    return lambda row: drawn[names.setdefault(row.model, len(names)), row.seed] if row.criterion == criterion else 1.0
