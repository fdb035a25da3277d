"""study.toml and the parameters of notebooks, typed: what is not understood is refused, by name.

[study.quick]
datasets = ["ml-100k"]; protocols = ["ratio"]; min_rating = 3; core = 10; seeds = [0]; models = ["ease"]

[[study.quick.runs]]              # a family: one run per data set, protocol, model and listed value
notebook = "21-prune-weights"
criterion = ["random", "magnitude"]
unit = "weight"
schedule = "one-shot"
recovery = "none"
keep = [0.5, 0.1, 0.01]

[hyperparameters.default.ease]    # [hyperparameters.<data set>.<model>] overrides these, key by key
l2 = 1000.0
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from recprune import typed
from recprune.cells.parameters import LOAD_KEYS, Parameters, check_hyperparameters, check_shares, known
from recprune.datasets.naming import name_of
from recprune.errors import StudyError
from recprune.typed import one_of, only_keys, parse, read_toml

SIDES_NEEDED = ("dense", "none", "all", "study")
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
        p = self.parameters
        return "/".join((name_of(p.dataset), p.protocol, p.model or "all", p.method))

    @property
    def dense_id(self) -> str:
        """The run that trains the dense models of this run's data set, protocol and model."""
        p = self.parameters
        return "/".join((name_of(p.dataset), p.protocol, p.model or "all", "dense"))


@dataclass(frozen=True, kw_only=True)
class Family:
    """One [[study.NAME.runs]] entry: a run for each protocol, model and listed value.

    method     names the runs' folders; where a value was listed, the value is added (magnitude-refit)
    models     the study's where absent; [] is one run without a model
    protocols  the study's where absent. A family that needs "study" runs once for all of them, under the first
    recovery   a run for each; recoveries: all of them in one run, which prepares and scores once
    seeds      the study's where absent; a run that needs dense models can have fewer seeds than they, not others
    """

    notebook: str
    method: str = ""
    models: tuple[str, ...] | None = None
    protocols: tuple[str, ...] | None = None
    seeds: tuple[int, ...] | None = None
    unit: tuple[str, ...] = ("",)
    criterion: tuple[str, ...] = ("none",)
    schedule: tuple[str, ...] = ("",)
    recovery: tuple[str, ...] = ("",)
    recoveries: tuple[str, ...] = ()
    keep: tuple[float, ...] = ()
    samples: tuple[float, ...] = ()
    samples_criterion: str = "random"
    options: dict = field(default_factory=dict)
    needs: str = "dense"


@dataclass(frozen=True, kw_only=True)
class Study:
    """The whole grid: every run of a [study.NAME] table."""

    name: str
    datasets: tuple[str, ...]
    protocols: tuple[str, ...]
    seeds: tuple[int, ...]
    models: tuple[str, ...]
    min_rating: float | None = None
    core: int | None = None
    columns: dict = field(default_factory=dict)
    families: tuple[Family, ...] = ()
    hyperparameters: dict = field(default_factory=dict)  # profile -> model -> values, as study.toml has them
    beside: str = ""  # the study into whose results the rows go, next to its own; "" for results of its own
    tuned: dict = field(default_factory=dict, repr=False)  # data set -> protocol -> model -> values

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
            lacking = sorted(set(run.parameters.seeds) - set(dense.parameters.seeds)) if dense else []
            if lacking:
                raise StudyError(f"study.{self.name}: {run.id} has seeds {lacking}, which {dense.id} does not train")

    def _expand(self, family: Family, dataset: str, protocol: str) -> Iterable[Run]:
        models = self.models if family.models is None else family.models or ("",)
        axes = ("unit", "criterion", "schedule", "recovery")
        listed = [axis for axis in axes if len(getattr(family, axis)) > 1]
        for model, *values in itertools.product(models, *(getattr(family, axis) for axis in axes)):
            point = dict(zip(axes, values, strict=True))
            stem = family.method or re.sub(r"^\d+-", "", family.notebook)
            if not family.method and point["criterion"] != "none" and "criterion" not in listed:
                stem = point["criterion"]
            words = [] if "criterion" in listed and not family.method else [stem]
            method = "-".join([*words, *(point[axis] for axis in listed)])
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
                    samples=family.samples,
                    samples_criterion=family.samples_criterion,
                    seeds=self.seeds if family.seeds is None else family.seeds,
                    hyperparameters=self.hyperparameters_of(dataset, model, protocol) if model else {},
                    options=family.options,
                    **point,
                ),
            )

    def hyperparameters_of(self, dataset: str, model: str, protocol: str = "ratio") -> dict:
        """The default profile of `model`; over it what was tuned for `dataset`; over that the profile of `dataset`.

        Where nothing was tuned under `protocol`, what was tuned under `ratio` counts. A file known to hold
        a registered data set (`aliases` in data/registry.toml) has what that data set has.
        """
        name = name_of(dataset)
        default, own = (self.hyperparameters.get(profile, {}).get(model, {}) for profile in ("default", name))
        tuned = self.tuned.get(name, {})
        found = tuned.get(protocol, {}).get(model) or tuned.get("ratio", {}).get(model, {})
        return default | found | own


def load_study(
    path: str | Path,
    name: str,
    *,
    dataset: str | None = None,
    columns: dict | None = None,
    models: Iterable[str] | None = None,
    results: Path | None = None,
) -> Study:
    """Study `name` of a study.toml. `dataset` takes the place of its data sets, `models` picks some of its models.

    Tuned hyper-parameters are read from <results>/tuning; `results` is by default the folder beside the file.
    Raises StudyError that names the file, the key and what is accepted.
    """
    from recprune.study.tuned import read_tuned

    path = Path(path)
    tuned = read_tuned((path.parent / "results" if results is None else results) / "tuning")
    tables = read_toml(path)
    try:
        only_keys("the top level", tables, {"study", "hyperparameters"})
        one_of("study", name, tables.get("study", {}))
        profiles = _profiles(tables.get("hyperparameters", {}))
        study = _study(name, _like(name, tables["study"]), profiles, dataset, columns, models)
        study = replace(study, tuned=tuned)
        study.runs()
    except StudyError as error:
        raise StudyError(f"{path}: {error}") from None
    return study


def parse_columns(text: str) -> dict:
    """`user=uid item='Item Id' events=view:1,buy:5` (the Makefile's COLUMNS=) as keyword arguments of `load`."""
    import shlex

    columns: dict[str, Any] = {}
    for word in shlex.split(text):
        key, equals, value = word.partition("=")
        if not equals or not value:
            raise StudyError(f"COLUMNS: {word!r} is not of the form role=column; roles: {', '.join(LOAD_KEYS)}")
        one_of("COLUMNS", key, LOAD_KEYS)
        columns[key] = _events(value) if key == "events" else value
    return columns


def _events(text: str) -> dict[str, float]:
    try:
        return {event: float(weight) for event, weight in (pair.rsplit(":", 1) for pair in text.split(","))}
    except ValueError:
        raise StudyError(f"COLUMNS: events={text!r} is not of the form event:weight,event:weight") from None


def _like(name: str, studies: dict) -> dict:
    """The table of a study; one that is `like` another has that one's keys and runs too, all runs with the study's seeds."""
    table = dict(studies[name])
    if "like" not in table:
        return table
    other = table.pop("like")
    one_of(f"study.{name}.like", other, set(studies) - {name})
    theirs = _like(other, studies)
    runs = [{key: value for key, value in run.items() if key != "seeds"} for run in theirs.get("runs", [])]
    return theirs | table | {"runs": runs + table.get("runs", [])}


def _study(name: str, table: dict, profiles: dict, dataset: str | None, columns: dict | None, models) -> Study:
    where = f"study.{name}"
    table = dict(table)
    for one, many in (("dataset", "datasets"), ("protocol", "protocols")):
        if one in table:
            if many in table:
                raise StudyError(f"{where}: give `{one}` or `{many}`, not both")
            table[many] = [table.pop(one)]
    entries = table.pop("runs", [])
    if dataset is not None:
        table |= {"datasets": [dataset], "columns": columns or {}}
    values = typed.values(Study, table | {"name": name}, where)
    for key in ("name", "families", "hyperparameters", "tuned"):
        del values[key]
    families = tuple(_family(f"{where}.runs[{i}]", entry) for i, entry in enumerate(entries, 1))
    for key in ("datasets", "protocols", "seeds"):
        if not values[key]:
            raise StudyError(f"{where}.{key}: one value or more is needed")
    for model in values["models"]:
        one_of(f"{where}.models", model, known()["model"])
    if values["beside"] not in ("", "main"):
        raise StudyError(f"{where}.beside: {values['beside']!r}; `main` is accepted")
    if models is not None:
        models = tuple(models)
        for model in models:
            one_of("MODELS", model, values["models"])
        values["models"] = tuple(m for m in values["models"] if m in models)
        families = tuple(_only(family, models) for family in families if _only(family, models) is not None)
    return Study(name=name, families=families, hyperparameters=profiles, **values)


def _only(family: Family, models: tuple[str, ...]) -> Family | None:
    """The family, restricted to some models; None where nothing of it is left."""
    if not family.models:
        return family
    left = tuple(model for model in family.models if model in models)
    return Family(**(asdict(family) | {"models": left})) if left else None


def _family(where: str, entry: dict) -> Family:
    axes = ("unit", "criterion", "schedule", "recovery")
    entry = {key: [value] if key in axes and isinstance(value, str) else value for key, value in entry.items()}
    family = parse(Family, entry, where)
    names = known()
    one_of(f"{where}.needs", family.needs, SIDES_NEEDED)
    if not re.fullmatch(r"[a-z0-9.-]*", family.method):
        raise StudyError(f"{where}.method: {family.method!r}; small letters, digits, `-` and `.` are accepted")
    for recovery in family.recoveries:
        one_of(f"{where}.recoveries", recovery, names["recovery"])
    for key in ("models", "protocols", *axes):
        for value in getattr(family, key) or ():
            also = ("none",) if key == "criterion" else ("",) if key in axes else ()
            one_of(f"{where}.{key}", value, (*names[key.removesuffix("s")], *also))
    one_of(f"{where}.samples_criterion", family.samples_criterion, names["criterion"])
    for key in ("keep", "samples"):
        check_shares(f"{where}.{key}", getattr(family, key))
    return family


def _profiles(table: dict) -> dict:
    """[hyperparameters.PROFILE.MODEL] tables, checked against the models' own arguments."""
    for profile, by_model in table.items():
        if not isinstance(by_model, dict):
            raise StudyError(f"hyperparameters.{profile}: a table [hyperparameters.{profile}.<model>] is needed")
        for model, values in by_model.items():
            where = f"hyperparameters.{profile}.{model}"
            one_of(f"hyperparameters.{profile}", model, known()["model"])
            if not isinstance(values, dict):
                raise StudyError(f"{where}: {values!r} is not a table of hyper-parameters")
            check_hyperparameters(model, values, where)
    return table
