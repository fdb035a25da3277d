"""study.toml, typed: what is not understood is refused, with its place and what is accepted.

extensions = ["my_rule.py"]       # files that add models and criteria, beside study.toml

[shares]                          # named lists: a name stands for its list, alone or in another list
weights = [0.5, 0.1, 0.01]
[criteria]
compared = ["random", "magnitude"]
[models]
quick = ["ease", "ials"]
[values]
packed = ["float32", "int8"]

[notebook.21-prune-weights]       # what the runs of a notebook have where they say nothing
unit = "weight"
schedule = "one-shot"
recovery = "none"
values = "packed"                 # each model is measured in these formats; by default as trained alone

[study.quick]
datasets = ["ml-100k"]
protocols = ["ratio"]
seeds = [0]
models = ["quick", "tree"]
device = "cpu"                    # that models train on: "cpu", "cuda", or "auto", a GPU where there is one
runs = [                          # families: a run for each data set, protocol, model and listed value
  { notebook = "10-dense" },
  { notebook = "21-prune-weights", keep = "weights", runs = [    # these families, over what was just said
    { models = ["ease"], criterion = ["compared", "taylor"] },
    { models = ["tree"], criterion = "compared" },
  ] },
]

[hyperparameters.default.ease]    # [hyperparameters.<data set>.<model>] overrides these, key by key
l2 = 1000.0
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from recprune import extensions
from recprune.cells.names import Protocol, known
from recprune.errors import StudyError
from recprune.study.grid import AXES, Family, Grid, Run, Study
from recprune.study.methods import check_methods
from recprune.study.tuning.hyperparameters import Hyperparameters, checked_profiles, read_tuned
from recprune.typed import list_of, named, one_of, only_keys, parse, read_toml, value

MANY = {"dataset": ("datasets", str), "protocol": ("protocols", Protocol)}  # one value may be given by the first name
# key -> its named lists
LISTS = {"keep": "shares", "samples": "shares", "criterion": "criteria", "models": "models", "values": "values"}


ENTRY = {*Family.__dataclass_fields__, "runs"}  # keys of an entry of `runs`


@dataclass(frozen=True, kw_only=True)
class StudyFile:
    """The top level of a study.toml; a table of the same name in the module's own docstring explains each."""

    extensions: tuple[str, ...] = ()
    shares: dict[str, tuple[float, ...]] = field(default_factory=dict)
    criteria: dict[str, tuple[str, ...]] = field(default_factory=dict)
    models: dict[str, tuple[str, ...]] = field(default_factory=dict)
    values: dict[str, tuple[str, ...]] = field(default_factory=dict)
    notebook: dict[str, dict] = field(default_factory=dict)
    study: dict[str, dict] = field(default_factory=dict)
    hyperparameters: dict[str, Any] = field(default_factory=dict)


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
    path, found = Path(path), read_toml(Path(path))
    with named(path):
        only_keys("the top level", found, StudyFile.__dataclass_fields__)
        tables = parse(StudyFile, found)
        loaded = _load_extensions(path.parent, tables.extensions)
        _check_lists(tables)
        for notebook, defaults in tables.notebook.items():
            only_keys(f"notebook.{notebook}", defaults, set(Family.__dataclass_fields__) - {"notebook"})
            _family(f"notebook.{notebook}", {"notebook": notebook}, tables)
        one_of("study", name, tables.study)
    tuned = read_tuned((path.parent / "results" if results is None else results) / "tuning")
    with named(path):
        hyperparameters = Hyperparameters(profiles=checked_profiles(tables.hyperparameters), tuned=tuned)
        table = _with_names(f"study.{name}", _like(name, tables.study), tables)
        if columns and dataset is None:
            raise StudyError("COLUMNS: they are those of DATASET, which names the data set; none is given")
        if dataset is not None:
            table |= {"datasets": [dataset], "columns": columns or {}}
        entries = list_of(f"study.{name}.runs", table.pop("runs", []))
        grid = parse(Grid, table, f"study.{name}")
        families = tuple(_family(where, entry, tables) for where, entry in _entries(f"study.{name}.runs", entries))
        study = Study(name=name, families=families, hyperparameters=hyperparameters, extensions=loaded, **vars(grid))
        check_methods(_some_runs(study), f"study.{name}")
        study = study if models is None else _only(study, tuple(models))
    return study


def _some_runs(study: Study) -> list[Run]:
    """The runs. Raises StudyError where there are none, and for a family that none of its protocols has."""
    for i, family in enumerate(study.families, 1):
        if family.protocols is not None and not set(family.protocols) & set(study.protocols):
            theirs, own = (", ".join(names) for names in (family.protocols, study.protocols))
            raise StudyError(
                f"study.{study.name}: family {i} ({family.notebook}) is of the protocols {theirs}; the study has {own}"
            )
    runs = study.runs()
    if not runs:
        raise StudyError(f"study.{study.name}: no run; `runs` with an entry, and `models`, are needed")
    return runs


def extensions_of(path: Path) -> tuple[str, ...]:
    """The paths of the files that a study.toml lists in `extensions`. Raises StudyError."""
    found = read_toml(path).get("extensions", [])
    with named(path):
        return tuple(str(path.parent / name) for name in value(tuple[str, ...], found, "extensions"))


def _load_extensions(folder: Path, names: tuple[str, ...]) -> tuple[str, ...]:
    """The paths of the extensions, loaded: their names are known from here on."""
    paths = tuple(str(extensions.resolved(folder / name)) for name in names)
    extensions.load(paths)
    return paths


def _check_lists(tables: StudyFile) -> None:
    """Raises StudyError for a list that has the name of what it could hold, and for a name that nothing has."""
    of = (("criteria", "criterion", "criterion"), ("models", "model", "model"), ("values", "values", "value format"))
    for table, parameter, word in of:
        for name, names in getattr(tables, table).items():
            if name in known(parameter):
                raise StudyError(f"{table}.{name}: a {word} has this name; give the list another")
            for each in names:
                one_of(f"{table}.{name}", each, known(parameter))


def _like(name: str, studies: dict[str, dict], chain: tuple[str, ...] = ()) -> dict:
    """The table of a study; one that is `like` another has its keys too, and its runs with the study's own seeds.

    chain  the studies that are like this one
    """
    if name in chain:
        raise StudyError(
            f"study.{chain[0]}.like: a circle, {' -> '.join((*chain, name))}; one of them must be like no other"
        )
    table = dict(studies[name])
    for one, (many, kind) in MANY.items():
        if one in table:
            if many in table:
                raise StudyError(f"study.{name}: give `{one}` or `{many}`, not both")
            table[many] = [value(kind, table.pop(one), f"study.{name}.{one}")]
    if "like" not in table:
        return table
    other = table.pop("like")
    one_of(f"study.{name}.like", other, set(studies) - {name})
    theirs = _like(other, studies, (*chain, name))
    inherited = _runs(other, theirs)
    runs = [{key: found for key, found in run.items() if key != "seeds"} for run in inherited]
    return theirs | table | {"runs": runs + _runs(name, table)}


def _runs(name: str, table: dict) -> list[dict]:
    """The `runs` of a study's table; StudyError where they are no list of tables."""
    runs = list_of(f"study.{name}.runs", table.get("runs", []))
    for i, run in enumerate(runs, 1):
        only_keys(f"study.{name}.runs[{i}]", run, ENTRY)
    return runs


def _entries(where: str, entries: Any, over: dict | None = None) -> Iterator[tuple[str, dict]]:
    """(place, entry) for every family; one with `runs` of its own stands for these, over what it says for all."""
    for i, entry in enumerate(list_of(where, entries), 1):
        place = f"{where}[{i}]"
        only_keys(place, entry, ENTRY)
        entry = (over or {}) | entry
        inner = entry.pop("runs", None)
        if inner is None:
            yield place, entry
        else:
            yield from _entries(f"{place}.runs", inner, entry)


def _family(where: str, entry: dict, tables: StudyFile) -> Family:
    """A family from its table, over the defaults of its notebook."""
    notebook = value(str, entry.get("notebook", ""), f"{where}.notebook")
    entry = tables.notebook.get(notebook, {}) | entry
    entry = {key: [found] if key in AXES and isinstance(found, str) else found for key, found in entry.items()}
    return parse(Family, _with_names(where, entry, tables), where)


def _with_names(where: str, table: dict, tables: StudyFile) -> dict:
    """The table with the lists that its names stand for."""
    return {
        key: _expanded(f"{where}.{key}", found, getattr(tables, LISTS[key])) if key in LISTS else found
        for key, found in table.items()
    }


def _expanded(where: str, found: Any, lists: dict[str, tuple]) -> Any:
    if isinstance(found, str):
        one_of(where, found, lists)
        return lists[found]
    if not isinstance(found, list):
        return found
    expanded: list = []
    for element in found:
        expanded += lists[element] if isinstance(element, str) and element in lists else [element]
    return expanded


def _only(study: Study, models: tuple[str, ...]) -> Study:
    """The study, restricted to some of its models."""
    for model in models:
        one_of("MODELS", model, study.models)
    left = tuple(model for model in study.models if model in models)
    families = tuple(kept for family in study.families if (kept := family.only(models)) is not None)
    return replace(study, models=left, families=families)
