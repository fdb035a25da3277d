"""What a protocol asks of a model and of a log: runs that cannot be are left out of a plan, and named."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

from recprune.study.grid import LAST, Run

HOLDS_USERS_OUT = ("strong",)
NEEDS_TIMES = ("loo", "temporal")
NEEDS_SPLIT = ("given",)
ALONG_TIME = ("34-windows",)  # notebooks that need times under any protocol


def possible(runs: list[Run]) -> tuple[list[Run], list[str]]:
    """The runs that can be, and a line for each protocol and reason saying which models are left out.

    A protocol that holds users out leaves out the models that cannot fold them in (`folds_in`); a log
    without times leaves out the protocols that order it, windows of time, and the models of sequences (`needs_times`);
    one without a published split leaves out the protocol that takes it.
    A run that only looks at the rows of others goes with the last of them.
    """
    columns = runs[0].parameters.columns if runs else {}
    roles = cache(lambda dataset: _roles(dataset, columns))
    kept: list[Run] = []
    reasons: dict[tuple[str, str], dict[str, None]] = {}
    for run in runs:
        p = run.parameters
        reason = _obstacle(run.notebook, p.protocol, p.model, partial(roles, p.dataset))
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


def _obstacle(notebook: str, protocol: str, model: str, roles: Callable[[], frozenset[str]]) -> str:
    """Why there can be no such run, or "" when it can be."""
    from recprune.models import REGISTRY

    kind = REGISTRY.get(model)
    if protocol in NEEDS_TIMES and "timestamp" not in roles():
        return "the protocol needs times, and the log has none"
    if notebook in ALONG_TIME and "timestamp" not in roles():
        return "windows of time need times, and the log has none"
    if protocol in NEEDS_SPLIT and "part" not in roles():
        return "the protocol needs a published split, and the log has none"
    if kind and protocol in HOLDS_USERS_OUT and not kind.folds_in:
        return "users are held out of training, and cannot be folded in"
    if kind and kind.needs_times and "timestamp" not in roles():
        return "the model needs times, and the log has none"
    return ""


def _roles(dataset: str, columns: dict) -> frozenset[str]:
    """What a log has, as far as protocols ask for it. Registered and synthetic ones have times, or a split."""
    from recprune.datasets import known
    from recprune.datasets.readers import roles_of

    if dataset in known() or not Path(dataset).exists():
        return frozenset(["part" if dataset in known() and known()[dataset].has_split else "timestamp"])
    named = {role: column for role, column in columns.items() if role not in ("events", "separator")}
    return roles_of(Path(dataset), named, columns.get("separator"))
