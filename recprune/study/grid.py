"""The grid of a study: families of runs, and every run that they stand for."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Annotated, Literal

from pydantic import AfterValidator

from recprune.cells.names import (
    AS_TRAINED,
    Criterion,
    CriterionOrNone,
    Model,
    Protocol,
    RecoveryOrNone,
    ScheduleOrNone,
    UnitOrNone,
)
from recprune.cells.parameters import Columns, Core, Parameters, Recoveries, Seeds, Shares, Values, check_options
from recprune.datasets.naming import name_of
from recprune.device import Device
from recprune.errors import StudyError
from recprune.study.tuning.hyperparameters import Hyperparameters
from recprune.typed import shown

AXES = ("unit", "criterion", "schedule", "recovery")  # a run for each listed value
LAST = ("all", "study")  # what waits for gathered rows


@dataclass(frozen=True, kw_only=True)
class Run:
    """One notebook execution: a group of cells, in a folder of its own.

    needs   "dense": the run of the same data set, protocol and model whose method is "dense"
            "all": every other run of its data set and protocol, and the gathered rows
            "study": every other run of its data set, under all protocols, and the gathered rows
            "none": nothing
    """

    study: str
    notebook: str
    parameters: Parameters
    needs: str = "none"

    @property
    def id(self) -> str:
        """data set/protocol/model/method: the run's folder below results/runs/<study>/."""
        return f"{self._place}/{self.parameters.method}"

    @property
    def dense_id(self) -> str:
        """The run that trains the dense models of this run's data set, protocol and model."""
        return f"{self._place}/dense"

    @property
    def _place(self) -> str:
        p = self.parameters
        return "/".join((name_of(p.dataset), p.protocol, p.model or "all"))


def _check_method(method: str) -> str:
    if not re.fullmatch(r"([a-z0-9][a-z0-9.-]{0,99})?", method):
        raise StudyError(
            f"{shown(method)}; up to 100 small letters, digits, `-` and `.` are accepted, a letter or digit first"
        )
    return method


def _check_options(options: dict) -> dict:
    return check_options(options, "")


def _check_some(values: tuple) -> tuple:
    if not values:
        raise StudyError("one value or more is needed")
    return values


@dataclass(frozen=True, kw_only=True)
class Family:
    """One entry of a study's `runs`: a run for each protocol, model and listed value.

    method     names the runs' folders; where a value was listed, the value is added (magnitude-refit)
    models     the study's where absent; [] is one run without a model
    protocols  the study's where absent. A family that needs "study" runs once for all of them, under the first
    recovery   a run for each; recoveries: all of them in one run, which prepares and scores once
    values     the formats that the values of each model are stored in: a cell for each, from one and the same training
    seeds      the study's where absent; a run that needs dense models can have fewer seeds than they, not others
    """

    notebook: str
    method: Annotated[str, AfterValidator(_check_method)] = ""
    models: tuple[Model, ...] | None = None
    protocols: Annotated[tuple[Protocol, ...], AfterValidator(_check_some)] | None = None
    seeds: Seeds | None = None
    unit: Annotated[tuple[UnitOrNone, ...], AfterValidator(_check_some)] = ("",)
    criterion: Annotated[tuple[CriterionOrNone, ...], AfterValidator(_check_some)] = ("none",)
    schedule: Annotated[tuple[ScheduleOrNone, ...], AfterValidator(_check_some)] = ("",)
    recovery: Annotated[tuple[RecoveryOrNone, ...], AfterValidator(_check_some)] = ("",)
    recoveries: Recoveries = ()
    values: Values = (AS_TRAINED,)
    keep: Shares = ()
    samples: Shares = ()
    samples_criterion: Criterion = "random"
    options: Annotated[dict, AfterValidator(_check_options)] = field(default_factory=dict)
    needs: Literal["dense", "none", "all", "study"] = "dense"

    def __post_init__(self):
        if self.recoveries and self.recovery != ("",):
            raise StudyError(
                f"`recovery` {list(self.recovery)} and `recoveries` {list(self.recoveries)}: give one of them; "
                "`recovery` is a run for each, `recoveries` all of them in one run"
            )

    def points(self) -> Iterable[tuple[str, dict[str, str]]]:
        """(method, value of each of AXES) for every combination of listed values."""
        listed = [axis for axis in AXES if len(getattr(self, axis)) > 1]
        for values in itertools.product(*(getattr(self, axis) for axis in AXES)):
            point = dict(zip(AXES, values, strict=True))
            stem = self.method or re.sub(r"^\d+-", "", self.notebook)
            if not self.method and point["criterion"] != "none" and "criterion" not in listed:
                stem = point["criterion"]
            words = [] if "criterion" in listed and not self.method else [stem]
            yield "-".join([*words, *(point[axis] for axis in listed)]), point

    def only(self, models: tuple[str, ...]) -> Family | None:
        """The family restricted to some models; None where nothing of it is left."""
        if not self.models:
            return self
        left = tuple(model for model in self.models if model in models)
        return replace(self, models=left) if left else None


@dataclass(frozen=True, kw_only=True)
class Grid:
    """What all runs of a study have in common: a [study.NAME] table without its runs.

    beside  whose results the rows are shown with: those of the study "main", in whose files they are gathered; or the
            same from files of their own, with the "larger" studies; "" for results of its own
    device  that models train on: see `recprune.device`; one that is not the CPU counts in the runs' keys
    """

    datasets: Annotated[tuple[str, ...], AfterValidator(_check_some)]
    protocols: Annotated[tuple[Protocol, ...], AfterValidator(_check_some)]
    seeds: Seeds
    models: tuple[Model, ...]
    min_rating: float | None = None
    core: Core = None
    columns: Columns = field(default_factory=dict)
    beside: Literal["", "main", "larger"] = ""
    device: Device = "cpu"


@dataclass(frozen=True, kw_only=True)
class Study(Grid):
    """The whole grid: every run of a [study.NAME] table.

    extensions  files that add models and criteria from outside the package
    """

    name: str
    families: tuple[Family, ...] = ()
    hyperparameters: Hyperparameters = field(default_factory=Hyperparameters)
    extensions: tuple[str, ...] = ()

    def runs(self) -> list[Run]:
        """All runs, each once. Raises StudyError when two of them would share a folder."""
        found: dict[str, Run] = {}
        for dataset, protocol, family in itertools.product(self.datasets, self.protocols, self.families):
            if protocol not in self._protocols_of(family):
                continue
            for run in self._expand(family, dataset, protocol):
                if run.id in found:
                    raise StudyError(
                        f"study.{self.name}: two runs are named {run.id} "
                        f"({found[run.id].notebook} and {run.notebook}); give one of them another `method`"
                    )
                found[run.id] = run
        self._check_seeds(found)
        return list(found.values())

    def _protocols_of(self, family: Family) -> tuple[str, ...]:
        named = [p for p in self.protocols if family.protocols is None or p in family.protocols]
        return tuple(named[:1] if family.needs == "study" else named)

    def _check_seeds(self, runs: dict[str, Run]) -> None:
        for run in runs.values():
            dense = runs.get(run.dense_id) if run.needs == "dense" else None
            if dense and (lacking := sorted(set(run.parameters.seeds) - set(dense.parameters.seeds))):
                raise StudyError(f"study.{self.name}: {run.id} has seeds {lacking}, which {dense.id} does not train")

    def _expand(self, family: Family, dataset: str, protocol: str) -> Iterable[Run]:
        models = self.models if family.models is None else family.models or ("",)
        for model, (method, point) in itertools.product(models, family.points()):
            yield Run(
                study=self.name,
                notebook=family.notebook,
                needs=family.needs if method != "dense" or family.needs in LAST else "none",
                parameters=Parameters(
                    dataset=dataset,
                    columns=self.columns,
                    protocol=protocol,
                    min_rating=self.min_rating,
                    core=self.core,
                    model=model,
                    method=method,
                    keep=family.keep,
                    recoveries=family.recoveries,
                    values=family.values,
                    samples=family.samples,
                    samples_criterion=family.samples_criterion,
                    seeds=self.seeds if family.seeds is None else family.seeds,
                    hyperparameters=self.hyperparameters.of(dataset, model, protocol) if model else {},
                    options=family.options,
                    **point,
                ),
            )
