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

import inspect
import itertools
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints


class StudyError(ValueError):
    """A study, a run or its rows that cannot be used; the message names the place, the key and what is accepted."""


LOAD_KEYS = ("user", "item", "rating", "timestamp", "event", "events", "separator")
SIDES_NEEDED = ("dense", "none", "all", "study")
LAST = ("all", "study")  # what waits for gathered rows


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
        for name, kind in get_type_hints(type(self)).items():
            object.__setattr__(self, name, _typed(getattr(self, name), kind, name))
        self._check_values()

    def _check_values(self) -> None:
        names = known()
        _one_of("protocol", self.protocol, names["protocol"])
        _one_of("model", self.model, {*names["model"], ""})
        _one_of("unit", self.unit, {*names["unit"], ""})
        _one_of("criterion", self.criterion, {*names["criterion"], "none"})
        _one_of("schedule", self.schedule, {*names["schedule"], ""})
        _one_of("recovery", self.recovery, {*names["recovery"], ""})
        for recovery in self.recoveries:
            _one_of("recoveries", recovery, names["recovery"])
        for key in self.columns:
            _one_of("columns", key, LOAD_KEYS)
        _one_of("samples_criterion", self.samples_criterion, names["criterion"])
        for name in ("keep", "samples"):
            _check_shares(name, getattr(self, name))
        if not self.seeds or min(self.seeds) < 0 or len(set(self.seeds)) != len(self.seeds):
            raise StudyError(f"seeds: {list(self.seeds)!r}; one or more different whole numbers from 0 on are needed")
        if self.core is not None and self.core < 0:
            raise StudyError(f"core: {self.core}; 0 (no filter) or more is needed")
        if self.model:
            _check_hyperparameters(self.model, self.hyperparameters)

    @classmethod
    def collect(cls, variables: Mapping[str, Any]) -> Parameters:
        """The parameters among a notebook's variables: `p = Parameters.collect(globals())`."""
        return cls(**{f.name: variables[f.name] for f in fields(cls) if f.name in variables})

    def mapping(self) -> dict[str, Any]:
        """Plain values for papermill and JSON."""
        return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()}


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
        return "/".join((dataset_name(p.dataset), p.protocol, p.model or "all", p.method))

    @property
    def dense_id(self) -> str:
        """The run that trains the dense models of this run's data set, protocol and model."""
        p = self.parameters
        return "/".join((dataset_name(p.dataset), p.protocol, p.model or "all", "dense"))


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
        from recprune.datasets.registry import alias

        name = dataset_name(dataset)
        name = alias(name) or name
        default, own = (self.hyperparameters.get(profile, {}).get(model, {}) for profile in ("default", name))
        tuned = self.tuned.get(name, {})
        found = tuned.get(protocol, {}).get(model) or tuned.get("ratio", {}).get(model, {})
        return default | found | own


def dataset_name(dataset: str) -> str:
    """A name that can be a folder: a registered name as it is, a path's stem (ml-1m-ratings.csv.gz: ml-1m-ratings).

    Nothing is left in it that make, a shell or a file system would read as more than a letter.
    """
    name = re.sub(r"(\.(csv|tsv|dat|data|inter|txt|parquet|gz))+$", "", Path(dataset).name, flags=re.I)
    return re.sub(r"[^\w.-]+", "-", name).strip("-.") or "log"


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
        _keys("the top level", tables, {"study", "hyperparameters"})
        _one_of("study", name, tables.get("study", {}))
        profiles = _profiles(tables.get("hyperparameters", {}))
        study = _study(name, _like(name, tables["study"]), profiles, dataset, columns, models)
        study = replace(study, tuned=tuned)
        study.runs()
    except StudyError as error:
        raise StudyError(f"{path}: {error}") from None
    return study


def read_toml(path: Path) -> dict:
    """The tables of a TOML file. Raises StudyError, naming the file, where there is none or it is not TOML."""
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise StudyError(f"{path}: there is no such file") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise StudyError(f"{path}: not TOML: {error}") from None


def parse_columns(text: str) -> dict:
    """`user=uid item='Item Id' events=view:1,buy:5` (the Makefile's COLUMNS=) as keyword arguments of `load`."""
    import shlex

    columns: dict[str, Any] = {}
    for word in shlex.split(text):
        key, equals, value = word.partition("=")
        if not equals or not value:
            raise StudyError(f"COLUMNS: {word!r} is not of the form role=column; roles: {', '.join(LOAD_KEYS)}")
        _one_of("COLUMNS", key, LOAD_KEYS)
        columns[key] = _events(value) if key == "events" else value
    return columns


def _events(text: str) -> dict[str, float]:
    try:
        return {event: float(weight) for event, weight in (pair.rsplit(":", 1) for pair in text.split(","))}
    except ValueError:
        raise StudyError(f"COLUMNS: events={text!r} is not of the form event:weight,event:weight") from None


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


def _like(name: str, studies: dict) -> dict:
    """The table of a study; one that is `like` another has that one's keys and runs too, all runs with the study's seeds."""
    table = dict(studies[name])
    if "like" not in table:
        return table
    other = table.pop("like")
    _one_of(f"study.{name}.like", other, set(studies) - {name})
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
    values = _values(where, table, Study, leave_out={"name", "families", "hyperparameters", "tuned"})
    families = tuple(_family(f"{where}.runs[{i}]", entry) for i, entry in enumerate(entries, 1))
    for key in ("datasets", "protocols", "seeds"):
        if not values[key]:
            raise StudyError(f"{where}.{key}: one value or more is needed")
    for model in values["models"]:
        _one_of(f"{where}.models", model, known()["model"])
    if values["beside"] not in ("", "main"):
        raise StudyError(f"{where}.beside: {values['beside']!r}; `main` is accepted")
    if models is not None:
        models = tuple(models)
        for model in models:
            _one_of("MODELS", model, values["models"])
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
    family = Family(**_values(where, entry, Family))
    names = known()
    _one_of(f"{where}.needs", family.needs, SIDES_NEEDED)
    if not re.fullmatch(r"[a-z0-9.-]*", family.method):
        raise StudyError(f"{where}.method: {family.method!r}; small letters, digits, `-` and `.` are accepted")
    for recovery in family.recoveries:
        _one_of(f"{where}.recoveries", recovery, names["recovery"])
    for key in ("models", "protocols", *axes):
        for value in getattr(family, key) or ():
            also = ("none",) if key == "criterion" else ("",) if key in axes else ()
            _one_of(f"{where}.{key}", value, (*names[key.removesuffix("s")], *also))
    _one_of(f"{where}.samples_criterion", family.samples_criterion, names["criterion"])
    for key in ("keep", "samples"):
        _check_shares(f"{where}.{key}", getattr(family, key))
    return family


def _check_shares(where: str, shares: tuple[float, ...]) -> None:
    for share in shares:
        if not 0 < share <= 1:
            raise StudyError(f"{where}: {share!r} is outside (0, 1]; it is the share that is kept")
    if len(set(shares)) != len(shares):
        raise StudyError(f"{where}: {list(shares)!r} names a share twice")


def _profiles(table: dict) -> dict:
    """[hyperparameters.PROFILE.MODEL] tables, checked against the models' own arguments."""
    for profile, by_model in table.items():
        if not isinstance(by_model, dict):
            raise StudyError(f"hyperparameters.{profile}: a table [hyperparameters.{profile}.<model>] is needed")
        for model, values in by_model.items():
            where = f"hyperparameters.{profile}.{model}"
            _one_of(f"hyperparameters.{profile}", model, known()["model"])
            if not isinstance(values, dict):
                raise StudyError(f"{where}: {values!r} is not a table of hyper-parameters")
            _check_hyperparameters(model, values, where)
    return table


def _check_hyperparameters(model: str, values: dict, where: str = "hyperparameters") -> None:
    from recprune import models

    arguments = inspect.signature(models.REGISTRY[model]).parameters
    for key in values:
        _one_of(f"{where} of {model}", key, arguments)


def _values(where: str, table: dict, kind: type, leave_out: set[str] = frozenset()) -> dict[str, Any]:
    """The typed values of a table for the dataclass `kind`, defaults filled in."""
    accepted = [f for f in fields(kind) if f.name not in leave_out]
    _keys(where, table, {f.name for f in accepted})
    hints, values = get_type_hints(kind), {}
    for f in accepted:
        if f.name in table:
            values[f.name] = _typed(table[f.name], hints[f.name], f"{where}.{f.name}")
        elif f.default is not MISSING:
            values[f.name] = f.default
        elif f.default_factory is not MISSING:
            values[f.name] = f.default_factory()
        else:
            raise StudyError(f"{where}: `{f.name}` is missing")
    return values


def _keys(where: str, table: Any, accepted: Iterable[str]) -> None:
    if not isinstance(table, dict):
        raise StudyError(f"{where}: a table is needed, not {table!r}")
    for key in table:
        if key not in accepted:
            raise StudyError(f"{where}: unknown key {key!r}; accepted: {', '.join(sorted(accepted))}")


def _one_of(where: str, value: str, accepted: Iterable[str]) -> None:
    if value not in accepted:
        raise StudyError(f"{where}: {value!r} is unknown; known: {', '.join(sorted(filter(None, accepted)))}")


def _typed(value: Any, kind: Any, where: str) -> Any:
    """`value` as `kind`; a whole number is taken for a float, nothing else is converted."""
    if get_origin(kind) is tuple:
        if not isinstance(value, (list, tuple)):
            raise StudyError(f"{where}: {value!r} is not a list")
        inner = get_args(kind)[0]
        return tuple(_typed(element, inner, where) for element in value)
    if type(None) in get_args(kind):
        return None if value is None else _typed(value, get_args(kind)[0], where)
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise StudyError(f"{where}: {value!r} is a {type(value).__name__}; a {kind.__name__} is needed")
    return value
