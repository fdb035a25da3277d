"""The names that the parameters of a run may have, each from the registry that holds it."""

from __future__ import annotations

from importlib import import_module
from typing import Annotated, Any

from recprune.typed import known_name

#: parameter -> registries of its names: a module, and a mapping or tuple there
REGISTRIES = {
    "protocol": (("recprune.splits", "PROTOCOLS"),),
    "model": (("recprune.models", "REGISTRY"),),
    "unit": (("recprune.pruning", "UNITS"), ("recprune.pruning", "SAMPLE_UNITS")),
    "criterion": (("recprune.pruning", "CRITERIA"),),
    "schedule": (("recprune.pruning", "SCHEDULES"),),
    "recovery": (("recprune.pruning", "RECOVERIES"),),
    "values": (("recprune.models.quantization", "FORMATS"),),
}
#: parameter -> names that only the cells of a study have: the smaller dense model, with item tables alone, or with the
#: dense one as its teacher; on pruned samples, as many updates as on all of them, or hyper-parameters chosen again
OWN = {
    "unit": ("model", "item-tables"),
    "criterion": ("smaller-dense",),
    "recovery": ("retrain-updates", "retrain-tuned", "distil"),
}

AS_TRAINED = "float32"  # the value format of a model that was not quantized


def registered(parameter: str) -> dict[str, Any]:
    """The registered values of a parameter by name, in the order of their registries.

    A registry is imported when one of its names is asked for: who checks none needs neither models nor pruning, and
    since no number depends on a check, nor does a run's key.
    """
    found: dict[str, Any] = {}
    for module, registry in REGISTRIES[parameter]:
        values = getattr(import_module(module), registry, ())
        found |= values if isinstance(values, dict) else dict.fromkeys(values)
    return found


def known(parameter: str) -> tuple[str, ...]:
    """The names of a parameter: those that are registered, then those that only cells have."""
    return tuple(dict.fromkeys((*registered(parameter), *OWN.get(parameter, ()))))


Protocol = Annotated[str, known_name(lambda: known("protocol"))]
Model = Annotated[str, known_name(lambda: known("model"))]
ModelOrNone = Annotated[str, known_name(lambda: known("model"), "")]
UnitOrNone = Annotated[str, known_name(lambda: known("unit"), "")]
CriterionOrNone = Annotated[str, known_name(lambda: known("criterion"), "none")]
Criterion = Annotated[str, known_name(lambda: known("criterion"))]
ScheduleOrNone = Annotated[str, known_name(lambda: known("schedule"), "")]
Recovery = Annotated[str, known_name(lambda: known("recovery"))]
ValueFormat = Annotated[str, known_name(lambda: known("values"), AS_TRAINED)]
RecoveryOrNone = Annotated[str, known_name(lambda: known("recovery"), "")]
