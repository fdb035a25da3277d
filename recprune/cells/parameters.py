"""The parameters of a run: what a notebook's parameters cell may declare, typed and checked."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from recprune.errors import StudyError
from recprune.typed import one_of, values

LOAD_KEYS = ("user", "item", "rating", "timestamp", "event", "events", "separator")


@dataclass(frozen=True, kw_only=True)
class Parameters:
    """Every parameter that a notebook can have; a notebook's parameters cell declares those it uses.

    The launcher passes them through papermill, typed, and the notebook makes them a `Parameters` again
    (`Parameters.collect(globals())`), so that both sides refuse the same things.
    """

    dataset: str = "ml-100k"  # a registered name, or a path
    columns: dict = field(default_factory=dict)  # column names of the user's own log, as `load` takes them
    protocol: str = "ratio"
    min_rating: float | None = None  # None: the protocol's own, as with core (see `recprune.splits.split`)
    core: int | None = None
    model: str = ""
    method: str = ""  # the run's name among those of its model
    unit: str = ""
    criterion: str = "none"
    schedule: str = ""
    recovery: str = ""
    recoveries: tuple[str, ...] = ()  # several, after the same removals
    keep: tuple[float, ...] = ()  # shares kept, each in (0, 1]
    samples: tuple[float, ...] = ()  # shares of the training interactions kept first, each in (0, 1]
    samples_criterion: str = "random"
    seeds: tuple[int, ...] = (0,)
    hyperparameters: dict = field(default_factory=dict)  # of the model
    options: dict = field(default_factory=dict)  # of the pruning: rounds, epochs of recovery, ...
    out: str = ""  # folder to write to; "" shows and writes nothing
    dense: str = ""  # folder of the saved dense models; "" trains them when they are needed
    results: str = ""  # folder of cells.csv, for notebooks that compare
    run: str = ""  # key of the run, for the rows' `run` column

    def __post_init__(self):
        for name, value in values(type(self), vars(self)).items():
            object.__setattr__(self, name, value)
        self._check_values()

    def _check_values(self) -> None:
        names = known()
        one_of("protocol", self.protocol, names["protocol"])
        one_of("model", self.model, {*names["model"], ""})
        one_of("unit", self.unit, {*names["unit"], ""})
        one_of("criterion", self.criterion, {*names["criterion"], "none"})
        one_of("schedule", self.schedule, {*names["schedule"], ""})
        one_of("recovery", self.recovery, {*names["recovery"], ""})
        for recovery in self.recoveries:
            one_of("recoveries", recovery, names["recovery"])
        for key in self.columns:
            one_of("columns", key, LOAD_KEYS)
        one_of("samples_criterion", self.samples_criterion, names["criterion"])
        for name in ("keep", "samples"):
            check_shares(name, getattr(self, name))
        if not self.seeds or min(self.seeds) < 0 or len(set(self.seeds)) != len(self.seeds):
            raise StudyError(f"seeds: {list(self.seeds)!r}; one or more different whole numbers from 0 on are needed")
        if self.core is not None and self.core < 0:
            raise StudyError(f"core: {self.core}; 0 (no filter) or more is needed")
        if self.model:
            check_hyperparameters(self.model, self.hyperparameters)

    @classmethod
    def collect(cls, variables: Mapping[str, Any]) -> Parameters:
        """The parameters among a notebook's variables: `p = Parameters.collect(globals())`."""
        return cls(**{f.name: variables[f.name] for f in fields(cls) if f.name in variables})

    def mapping(self) -> dict[str, Any]:
        """Plain values for papermill and JSON."""
        return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()}


def known() -> dict[str, tuple[str, ...]]:
    """The registered names, by the parameter that takes them."""
    from recprune import models, pruning, splits

    return {
        "protocol": tuple(splits.PROTOCOLS),
        "model": tuple(models.REGISTRY),
        "unit": (*pruning.UNITS, *pruning.SAMPLE_UNITS, "model"),
        "criterion": (*pruning.CRITERIA, *pruning.LOOPS, "smaller-dense"),
        "schedule": tuple(pruning.SCHEDULES),
        "recovery": (*pruning.RECOVERIES, "retrain-updates"),
    }


def check_shares(where: str, shares: tuple[float, ...]) -> None:
    for share in shares:
        if not 0 < share <= 1:
            raise StudyError(f"{where}: {share!r} is outside (0, 1]; it is the share that is kept")
    if len(set(shares)) != len(shares):
        raise StudyError(f"{where}: {list(shares)!r} names a share twice")


def check_hyperparameters(model: str, values: dict, where: str = "hyperparameters") -> None:
    from recprune import models

    arguments = inspect.signature(models.REGISTRY[model]).parameters
    for key in values:
        one_of(f"{where} of {model}", key, arguments)
