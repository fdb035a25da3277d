"""What a protocol asks of a model and of a log: runs that cannot be are left out of a plan, and named."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

from recprune.study.grid import LAST, Run

HOLDS_USERS_OUT = ("strong",)
NEEDS_TIMES = ("loo", "temporal")


def possible(runs: list[Run]) -> tuple[list[Run], list[str]]:
    """The runs that can be, and a line for each protocol and reason saying which models are left out.

    A protocol that holds users out leaves out the models that cannot fold them in (`folds_in`); a log
    without times leaves out the protocols that order it, and the models of sequences (`needs_times`).
    A run that only looks at the rows of others goes with the last of them.
    """
    columns = runs[0].parameters.columns if runs else {}
    timed = cache(lambda dataset: _timed(dataset, columns))
    kept: list[Run] = []
    reasons: dict[tuple[str, str], dict[str, None]] = {}
    for run in runs:
        p = run.parameters
        reason = _obstacle(p.protocol, p.model, partial(timed, p.dataset))
        if reason:
            reasons.setdefault((p.protocol, reason), {})[p.model] = None
        else:
            kept.append(run)
    measured = {(run.parameters.dataset, run.parameters.protocol) for run in kept if run.parameters.model}
    gone = {(run.parameters.dataset, run.parameters.protocol) for run in runs if run.parameters.model} - measured
    kept = [
        run for run in kept if run.needs not in LAST or (run.parameters.dataset, run.parameters.protocol) not in gone
    ]
    lines = [
        f"{protocol}: without {', '.join(filter(None, models)) or 'any model'}: {reason}"
        for (protocol, reason), models in reasons.items()
    ]
    return kept, lines


def _obstacle(protocol: str, model: str, timed: Callable[[], bool]) -> str:
    """Why there can be no such run, or "" when it can be."""
    from recprune.models import REGISTRY

    kind = REGISTRY.get(model)
    if protocol in NEEDS_TIMES and not timed():
        return "the protocol needs times, and the log has none"
    if kind and protocol in HOLDS_USERS_OUT and not kind.folds_in:
        return "users are held out of training, and cannot be folded in"
    if kind and kind.needs_times and not timed():
        return "the model needs times, and the log has none"
    return ""


def _timed(dataset: str, columns: dict) -> bool:
    """Whether a log has times. Registered and synthetic ones have."""
    from recprune.datasets import known
    from recprune.datasets.readers import has_times

    if dataset in known() or not Path(dataset).exists():
        return True
    named = {role: column for role, column in columns.items() if role not in ("events", "separator")}
    return has_times(Path(dataset), named, columns.get("separator"))
