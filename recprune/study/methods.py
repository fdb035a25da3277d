"""What a run asks for together: a method that the model's mathematics allows, and shares to prune to."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from recprune.cells.parameters import Parameters
from recprune.errors import StudyError
from recprune.study.grid import Run


def check_methods(runs: Iterable[Run], where: str) -> None:
    """Raises StudyError, naming the run, where it prunes by what cannot be together, or to no share."""
    for run in runs:
        try:
            _check(run.parameters)
        except ValueError as error:
            raise StudyError(f"{where}: {run.id} ({run.notebook}): {error}") from None


def _check(p: Parameters) -> None:
    if p.criterion in ("none", "smaller-dense"):
        return
    if not p.unit:
        raise StudyError(f"criterion {p.criterion!r} needs a `unit`, of which it says what stays")
    if not p.keep:
        raise StudyError("`keep` is empty; a list of the shares that stay is needed, such as [0.5, 0.1]")
    if not p.model:
        raise StudyError("`models` is empty; a model is needed")
    for recovery in p.recoveries or (p.recovery or "none",):
        _possible(p.model, p.criterion, p.unit, p.schedule or "one-shot", recovery)


@cache
def _possible(model: str, criterion: str, unit: str, schedule: str, recovery: str) -> None:
    """Raises ValueError for a method that does not apply to a model, as its run would."""
    from recprune.models import build
    from recprune.pruning import SAMPLE_UNITS
    from recprune.pruning.criteria import check_names, find
    from recprune.pruning.criterion import NEEDS

    if unit in SAMPLE_UNITS:
        find(criterion, "samples", "by_model")
        return
    kind = build(model)
    rule = check_names(kind, criterion, unit, schedule, recovery)
    if unit not in rule.units:
        raise ValueError(f"criterion {criterion!r} does not score the unit {unit!r}; it does: {', '.join(rule.units)}")
    if lacking := [need for need in rule.needs if not hasattr(kind, need)]:
        raise ValueError(f"criterion {criterion!r} does not apply to {model}: {NEEDS[lacking[0]]}")
