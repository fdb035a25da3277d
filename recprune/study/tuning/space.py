"""What a search goes through, typed: the ranges of each hyper-parameter, and how much searching may cost.

The ranges are the model's own (`search`, in its file), unless tuning.toml has a table [space.MODEL] of the same form:

seed = 0                       # of the search; the data are split, and models initialised, with seed 0

[budget.default]               # [budget.<data set>] or [budget."<data set>/<protocol>"] takes its place
trials = 40
seconds = 1800                 # of processor time, all trials together

[stop]                         # of trials that do not promise anything, in models trained by gradient descent
percentile = 67                # goes on while among this share of the finished trials at the same epoch
trials = 5                     # after so many finished trials
epochs = 10                    # and so many epochs

[space.ease.l2]
low = 30.0
high = 5000.0
log = true                     # uniform in the logarithm

[space.neumf]
hidden = { choices = [[64, 32], [128, 64]] }

[[space.ials.l2]]              # one of several ranges, chosen by a hyper-parameter that stands before it
when = { nu = 1.0 }
low = 1e-4
high = 1e-1

[space.ials.fixed]             # the same in every trial
iterations = 16
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Annotated, Any, get_args, get_type_hints

from pydantic import AfterValidator

from recprune.cells.names import known, registered
from recprune.cells.parameters import check_hyperparameters
from recprune.datasets.naming import without_hash
from recprune.errors import StudyError
from recprune.typed import named, one_of, only_keys, parse, read_toml, value


@dataclass(frozen=True, kw_only=True)
class Budget:
    """What the search for one model's hyper-parameters may cost: the same for every model.

    trials   models trained
    seconds  of processor time for all trials together, training and validation
    """

    trials: int
    seconds: float

    def __post_init__(self):
        if self.trials < 1 or not self.seconds > 0:
            raise StudyError(f"{self}; at least one trial and more than 0 seconds are needed")

    def __str__(self) -> str:
        return f"{self.trials} trials or {self.seconds:g} s"


@dataclass(frozen=True, kw_only=True)
class Stop:
    """When a trial is stopped early (`optuna.pruners.PercentilePruner`): its best epoch so far is not among the best
    `percentile` per cent of the finished trials at the same epoch. Not before `epochs` epochs and `trials` trials."""

    percentile: float = 67.0
    trials: int = 5
    epochs: int = 10

    def __post_init__(self):
        if not 0 <= self.percentile <= 100 or self.trials < 1 or self.epochs < 1:
            raise StudyError(f"percentile from 0 to 100, trials and epochs from 1 on are accepted, not {self}")


@dataclass(frozen=True, kw_only=True)
class Axis:
    """One hyper-parameter that is searched: a range from `low` to `high`, both included, or a list of choices.

    when  hyper-parameters that must have these values for this axis to count
    """

    name: str
    kind: type  # int or float, of a range
    low: float | None = None
    high: float | None = None
    log: bool = False
    choices: tuple = ()
    when: dict = field(default_factory=dict)

    @property
    def label(self) -> str:
        """A name that the other ranges of this hyper-parameter do not have: l2[nu=1.0]."""
        return self.name + "".join(f"[{key}={_plain(value)}]" for key, value in self.when.items())

    def applies(self, values: dict) -> bool:
        return all(key in values and values[key] == value for key, value in self.when.items())

    def suggest(self, trial) -> Any:
        """A value of this hyper-parameter, by an optuna.Trial."""
        if self.choices:
            by_text = {_plain(choice): choice for choice in self.choices}
            return by_text[trial.suggest_categorical(self.label, list(by_text))]
        suggest = trial.suggest_int if self.kind is int else trial.suggest_float
        return suggest(self.label, *self._ends(), log=self.log)

    def distribution(self):
        """The same range or choices as optuna describes them."""
        from optuna import distributions

        if self.choices:
            return distributions.CategoricalDistribution([_plain(choice) for choice in self.choices])
        low, high = self._ends()
        if self.kind is int:
            return distributions.IntDistribution(int(low), int(high), log=self.log)
        return distributions.FloatDistribution(low, high, log=self.log)

    def _ends(self) -> tuple[float, float]:
        """Low and high. Raises StudyError for one that has neither."""
        if self.low is None or self.high is None:
            raise StudyError(f"{self.label}: `low` and `high`, or `choices`, are needed")
        return self.low, self.high

    def holds(self, value: Any) -> bool:
        """Whether a value is inside."""
        if self.choices:
            return value in self.choices
        inside = self.low is not None and self.high is not None and isinstance(value, (int, float))
        return inside and self.low <= value <= self.high

    def __str__(self) -> str:
        if self.choices:
            return " | ".join(str(_plain(choice)) for choice in self.choices)
        return f"{self.low:g} to {self.high:g}" + (", log" if self.log else "")


@dataclass(frozen=True)
class Space:
    """What is searched for one model, and what is held fixed."""

    model: str
    axes: tuple[Axis, ...]
    fixed: dict

    def suggest(self, trial) -> dict:
        """Hyper-parameter -> value for a new trial, by an optuna.Trial; axes that do not apply are left out."""
        values: dict[str, Any] = {}
        for axis in self.axes:
            if axis.applies(values):
                values[axis.name] = axis.suggest(trial)
        return values

    def coordinates(self, values: dict) -> tuple[dict, dict] | None:
        """(parameters, distributions) by which optuna knows a trial with these values; None where it is outside."""
        axes = [axis for axis in self.axes if axis.applies(values)]
        if not all(axis.holds(values.get(axis.name)) for axis in axes):
            return None
        plain = {axis.label: _plain(values[axis.name]) if axis.choices else values[axis.name] for axis in axes}
        return plain, {axis.label: axis.distribution() for axis in axes}

    def described(self) -> dict[str, str]:
        """Label of each axis -> its range, in words."""
        return {axis.label: str(axis) for axis in self.axes}


@dataclass(frozen=True)
class Tuning:
    """All of tuning.toml."""

    seed: int
    budgets: dict[str, Budget]
    stop: Stop
    spaces: dict[str, Space]
    path: Path

    def budget(self, dataset: str, protocol: str = "") -> Budget:
        """The budget of a data set under a protocol: its own, else the data set's, else the default one."""
        log = without_hash(dataset)
        names = (f"{dataset}/{protocol}", f"{log}/{protocol}", dataset, log, "default")
        return next(self.budgets[name] for name in names if name in self.budgets)

    def space(self, model: str) -> Space:
        """Raises StudyError for a model without a space."""
        if model not in self.spaces:
            raise StudyError(f"{self.path}: space: {model!r} is unknown; known: {', '.join(self.spaces)}")
        return self.spaces[model]


def _check_seed(seed: int) -> int:
    if not 0 <= seed < 2**32:
        raise StudyError(f"{seed}; a whole number from 0 to 2^32 - 1 is needed")
    return seed


@dataclass(frozen=True, kw_only=True)
class TuningFile:
    """The top level of a tuning.toml."""

    seed: Annotated[int, AfterValidator(_check_seed)] = 0
    budget: dict[str, Budget] = field(default_factory=dict)
    stop: Stop = field(default_factory=Stop)
    space: dict[str, dict] = field(default_factory=dict)

    def __post_init__(self):
        if "default" not in self.budget:
            raise StudyError("budget: a table [budget.default] is needed")


def load_tuning(path: str | Path) -> Tuning:
    """All of a tuning.toml, and the models' own spaces. Raises StudyError that names the file and what is accepted."""
    path = Path(path)
    found = read_toml(path)
    with named(path):
        only_keys("the top level", found, TuningFile.__dataclass_fields__)
        tables = parse(TuningFile, found)
        for model in tables.space:
            one_of("space", model, known("model"))
        for place in tables.budget:
            _check_place(place)
        own = {name: model.search for name, model in registered("model").items() if model.search}
        spaces = {model: _space(model, table) for model, table in (own | tables.space).items()}
    return Tuning(tables.seed, tables.budget, tables.stop, spaces, path)


def _check_place(place: str) -> None:
    """Raises StudyError for a [budget.PLACE] that is neither a data set nor a data set under a protocol."""
    dataset, slash, protocol = place.partition("/")
    if not dataset.strip():
        raise StudyError(f"budget.{place!r}: `default`, a data set, or <data set>/<protocol> is needed")
    if slash:
        one_of(f"budget.{place!r}", protocol, known("protocol"))


def _space(model: str, table: dict) -> Space:
    """The space that a table describes, checked against the model's hyper-parameters and their types."""
    where, kind = f"space.{model}", registered("model")[model]
    types = get_type_hints(kind)
    hints = {f.name: _without_none(types[f.name]) for f in fields(kind)}
    axes: list[Axis] = []
    for name, entries in table.items():
        if name != "fixed":
            one_of(f"{where} of {model}", name, hints)
            axes += _axes(f"{where}.{name}", name, entries, hints, axes)
    if not axes:
        raise StudyError(f"{where}: one hyper-parameter or more is needed")
    fixed = _fixed(f"{where}.fixed", table.get("fixed", {}), hints, axes)
    check_hyperparameters(model, fixed, f"{where}.fixed")
    for axis in axes:
        for end in axis.choices or (axis.low, axis.high):  # what a model refuses is refused before it is tried
            check_hyperparameters(model, {axis.name: end}, where)
    return Space(model, tuple(axes), fixed)


def _axes(where: str, name: str, entries: Any, hints: dict, before: list[Axis]) -> list[Axis]:
    """The axis of a hyper-parameter, or one for each of its ranges."""
    if not isinstance(entries, list):
        return [_axis(where, name, entries, hints, before)]
    axes = [_axis(f"{where}[{i}]", name, entry, hints, before) for i, entry in enumerate(entries, 1)]
    for i, axis in enumerate(axes, 1):
        if not axis.when:
            raise StudyError(f"{where}[{i}]: `when` is missing; of several ranges each needs it")
    return axes


def _axis(where: str, name: str, entry: Any, hints: dict, before: list[Axis]) -> Axis:
    only_keys(where, entry, ("low", "high", "log", "choices", "when"))
    when = entry.get("when", {})
    only_keys(f"{where}.when", when, when)
    for key in when:
        one_of(f"{where}.when", key, [axis.name for axis in before if axis.name != name])
    when = {key: value(hints[key], found, f"{where}.when.{key}") for key, found in when.items()}
    if ("choices" in entry) == ("low" in entry or "high" in entry):
        raise StudyError(f"{where}: `low` and `high`, or `choices`, are needed")
    if "choices" in entry:
        choices = value(_several(hints[name]), entry["choices"], f"{where}.choices")
        if len(set(choices)) != len(choices) or not choices:
            raise StudyError(f"{where}.choices: {list(choices)!r}; one or more different values are needed")
        return Axis(name=name, kind=hints[name], choices=choices, when=when)
    if hints[name] not in (int, float):
        raise StudyError(f"{where}: {name} is no number; `choices` are needed")
    low, high = (value(hints[name], entry.get(key), f"{where}.{key}") for key in ("low", "high"))
    log = value(bool, entry.get("log", False), f"{where}.log")
    if not low < high or (log and low <= 0):
        raise StudyError(f"{where}: from {low!r} to {high!r}; low < high, and with log 0 < low, are needed")
    return Axis(name=name, kind=hints[name], low=low, high=high, log=log, when=when)


def _fixed(where: str, table: dict, hints: dict, axes: list[Axis]) -> dict:
    only_keys(where, table, sorted(set(hints) - {axis.name for axis in axes}))
    return {name: value(hints[name], found, f"{where}.{name}") for name, found in table.items()}


def _several(hint: Any) -> Any:
    return tuple[hint, ...]


def _without_none(hint: Any) -> Any:
    kinds = [kind for kind in get_args(hint) if kind is not type(None)]
    return kinds[0] if type(None) in get_args(hint) else hint


def _plain(value: Any) -> Any:
    """A choice as optuna takes it: lists as their JSON text."""
    return json.dumps(value) if isinstance(value, (list, tuple)) else value
