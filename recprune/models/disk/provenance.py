"""What model.json says of a model beside its arrays: how it was made, and what was measured of it.

    recprune   version of the library that wrote it
    values     format of the values
    weights    sha256 of model.safetensors
    pruning    criterion, unit, schedule, recovery, budget, seed; kept, share of the units that stays, and how many
               were removed. Missing of a dense model
    metrics    part of the split -> name -> mean over users. Missing where nobody has said what was measured

None of it is read to score, so `bytes_disk` leaves it out.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from recprune.errors import kind_of
from recprune.version import __version__


class Measured(Protocol):
    """What was found of a model on one part of a split: a `recprune.evaluation.Report`."""

    @property
    def on(self) -> str:
        """The part."""
        ...

    @property
    def mean(self) -> dict[str, float]:
        """Metric -> mean over users."""
        ...


def written(model, weights: str, metrics: Mapping[str, Any]) -> dict[str, Any]:
    """The table that is written of a model.

    weights   sha256 of its arrays as they are stored
    metrics   what was measured now; without any, what was known of the same weights
    """
    known = model.provenance
    if not metrics and known.get("weights") == weights:
        metrics = known.get("metrics", {})
    said: dict[str, Any] = {"recprune": __version__, "values": model.values, "weights": weights}
    said |= {"pruning": known["pruning"]} if "pruning" in known else {}
    return said | ({"metrics": dict(metrics)} if metrics else {})


def metrics_of(reports: Iterable[Measured]) -> dict[str, dict[str, float]]:
    """Part -> name -> mean, of the metrics that are numbers. Raises TypeError for what is no report."""
    found = {}
    for report in reports:
        if not hasattr(report, "on") or not hasattr(report, "mean"):
            raise TypeError(f"reports: what recprune.evaluate returns is needed, not {kind_of(report)}")
        found[report.on] = {name: value for name, value in report.mean.items() if math.isfinite(value)}
    return found


def without_metrics(provenance: Mapping[str, Any]) -> dict[str, Any]:
    """What is known of a model that recommends from other histories: nothing was measured of that."""
    return {name: value for name, value in provenance.items() if name != "metrics"}
