"""A study as make targets: one stamp per run, whose name holds the hash of everything the run depends on.

An existing stamp is a finished run, whatever its clock says; a changed notebook, parameter, library
or log asks for a stamp of another name. Prerequisites are order-only: they order, they never date.
"""

from __future__ import annotations

import csv
import json
import time
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from recprune.cells.parameters import Parameters
from recprune.datasets.naming import name_of, registered
from recprune.errors import StudyError
from recprune.files import write_atomically
from recprune.study.config import LAST, Run, Study, load_study, parse_columns
from recprune.study.identity import (
    data_identity,
    digest,
    environment,
    library_hash,
    locate,
    notebook_hash,
    notebook_parameters,
    used_criteria,
)
from recprune.study.possible import possible

ROUNDS = 4  # of recovery between two shares of a schedule in rounds: a guess
REACHED = ("out", "dense", "results", "run")  # set by the launcher, never by study.toml
ALWAYS = ("out", "run")  # without these a run could not leave rows


@dataclass(frozen=True, kw_only=True)
class Planned:
    """A run that can be started: everything that the launcher must know, and nothing it must look up."""

    id: str
    key: str
    folder: str  # the run's results
    stamp: str  # the file that says it is finished
    notebook: str
    parameters: dict  # what papermill passes, without what only the launcher knows
    declared: tuple[str, ...]  # names in the notebook's parameters cell
    needs: tuple[str, ...]  # ids of runs that must be finished before
    last: bool  # waits for the gathered rows
    seconds: float  # estimate
    sources: dict  # the hashes that made the key

    @property
    def done(self) -> bool:
        return Path(self.stamp).exists()


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Every run of one invocation of make, the most urgent first."""

    study: str
    results: str  # folder of the gathered rows
    jobs: int
    started: float  # seconds since 1970
    runs: tuple[Planned, ...]
    left_out: tuple[str, ...] = ()  # what cannot be measured, and why

    def __getitem__(self, id: str) -> Planned:
        for run in self.runs:
            if run.id == id:
                return run
        raise StudyError(f"{id}: no such run in the plan; its runs are: {', '.join(run.id for run in self.runs)}")

    def save(self, path: Path) -> None:
        write_atomically(path, json.dumps(asdict(self), indent=1))

    @classmethod
    def load(cls, path: str | Path) -> Plan:
        try:
            values = json.loads(Path(path).read_text("utf-8"))
            lists = ("declared", "needs")
            runs = tuple(Planned(**run | {key: tuple(run[key]) for key in lists}) for run in values.pop("runs"))
            left_out = tuple(values.pop("left_out", ()))
        except FileNotFoundError:
            raise StudyError(f"{path}: there is no such plan; `make reproduce` or `make quick` writes it") from None
        except (ValueError, TypeError, KeyError) as error:
            raise StudyError(f"{path}: not a plan: {error}") from None
        return cls(runs=runs, left_out=left_out, **values)


def make_plan(
    study: Study,
    *,
    results: Path,
    runs: Path,
    notebooks: Path,
    jobs: int = 1,
    only: str | None = None,
    provenance: Path | None = None,
) -> Plan:
    """The plan of `study`, with keys, prerequisites and costs: those of the runs in the folder, or in the file `provenance`.

    `only` keeps the runs of one method ("dense") and what they need. What a protocol does not allow is
    left out (see `possible`). Raises StudyError for a notebook that does not exist, has no parameters
    cell, or lacks a parameter that study.toml sets.
    """
    there, left_out = possible(study.runs())
    wanted = {run.id: run for run in there}
    needs = {id: _needs(run, wanted) for id, run in wanted.items()}
    if only is not None:
        chosen = {id for id, run in wanted.items() if run.parameters.method == only}
        if not chosen:
            raise StudyError(f"study.{study.name}: no run has the method {only!r}")
        chosen |= {need for id in chosen for need in needs[id]}
        wanted = {id: run for id, run in wanted.items() if id in chosen}
    common = {"environment": environment()}
    data = {dataset: data_identity(dataset) for dataset in study.datasets}
    times = _times(provenance)
    planned: dict[str, Planned] = {}
    for id in sorted(wanted, key=lambda id: len(needs[id])):  # 0 needs, then dense only, then all
        run = wanted[id]
        sources = common | {"data": data[run.parameters.dataset]}
        planned[id] = _planned(run, needs[id], planned, sources, runs / study.name, notebooks, times)
    ordered = _most_urgent_first(planned)
    return Plan(
        study=study.name, results=str(results), jobs=jobs, started=time.time(), runs=ordered, left_out=tuple(left_out)
    )


def _needs(run: Run, wanted: dict[str, Run]) -> tuple[str, ...]:
    if run.needs in LAST:
        shared = ("dataset",) if run.needs == "study" else ("dataset", "protocol")
        same = [
            r for r in wanted.values() if all(getattr(r.parameters, k) == getattr(run.parameters, k) for k in shared)
        ]
        return tuple(r.id for r in same if r.needs not in LAST)
    return (run.dense_id,) if run.needs == "dense" and run.dense_id in wanted and run.dense_id != run.id else ()


def _planned(
    run: Run,
    needs: tuple[str, ...],
    planned: dict[str, Planned],
    sources: dict,
    folder: Path,
    notebooks: Path,
    times: dict,
) -> Planned:
    notebook = notebooks / f"{run.notebook}.ipynb"
    declared = notebook_parameters(notebook)
    parameters = _passed(run, notebook, declared)
    library = library_hash(criteria=used_criteria(parameters, notebook))
    sources = sources | {
        "library": library,
        "notebook": notebook_hash(notebook),
        "needs": sorted(planned[id].key for id in needs),
    }
    # the path to a log is no part of its identity
    key = digest([parameters | {"dataset": name_of(run.parameters.dataset)}, sources])
    folder = folder / run.id
    return Planned(
        id=run.id,
        key=key,
        folder=str(folder),
        stamp=str(folder / f"{key[:12]}.done"),
        notebook=str(notebook),
        parameters=parameters,
        declared=declared,
        needs=needs,
        last=run.needs in LAST,
        seconds=_estimate(run, folder, times),
        sources=sources,
    )


def _passed(run: Run, notebook: Path, declared: tuple[str, ...]) -> dict:
    """The parameters that papermill passes: those that the notebook declares, and it must declare what is set."""
    names = {f.name for f in fields(Parameters)}
    for name in declared:
        if name not in names:
            raise StudyError(f"{notebook}: unknown parameter {name!r}; known: {', '.join(sorted(names))}")
    for name in ALWAYS:
        if name not in declared:
            raise StudyError(f"{notebook}: the parameters cell lacks {name!r}")
    values = run.parameters.mapping()
    for name in ("model", "unit", "criterion", "schedule", "recovery", "recoveries", "keep", "samples", "options"):
        default = Parameters.__dataclass_fields__[name].default
        if name not in declared and values[name] not in (default, [], {}):
            raise StudyError(f"{notebook}: the parameters cell lacks {name!r}, which {run.id} sets to {values[name]!r}")
    return {name: value for name, value in values.items() if name in declared and name not in REACHED}


def _times(provenance: Path | None) -> dict[tuple[str, str, str], float]:
    """(data set, model, method) -> seconds a seed that a run took whose rows are here; "" for any data set."""
    found: dict[tuple[str, str, str], float] = {}
    if provenance is None:
        return found
    try:
        with provenance.open(newline="") as file:
            for row in csv.DictReader(file):
                seconds = float(row["seconds"]) / max(1, len(row["seeds"].split()))
                for dataset in (row["dataset"], ""):
                    found.setdefault((dataset, row["model"], row["method"]), seconds)
    except (OSError, ValueError, KeyError, TypeError):
        pass  # no such file, or not a whole one: it is for estimates only
    return found


def _estimate(run: Run, folder: Path, times: dict[tuple[str, str, str], float]) -> float:
    """Seconds: what the run took last time, or took where the rows come from, else a guess that only has to sort runs roughly."""
    try:
        return float(json.loads((folder / "run.json").read_text())["seconds"])
    except (OSError, ValueError, KeyError):
        pass
    dataset, _, model, method = run.id.split("/")
    for of in (dataset, ""):
        if (of, model, method) in times:
            return len(run.parameters.seeds) * times[of, model, method]
    p = run.parameters
    per_fit = {"mult-vae": 10.0, "neumf": 15.0, "bpr": 8.0, "dlrm": 20.0, "sasrec": 60.0}.get(p.model, 1.0)
    costs = {"none": 0.1, "refit": 0.5, "fine-tune": 0.3, "": 1.0}
    fits = sum(costs.get(recovery, 1.0) for recovery in p.recoveries or (p.recovery,))
    fits *= max(1, len(p.keep)) * max(1, len(p.samples)) * (1 if p.schedule in ("", "one-shot") else ROUNDS)
    return 4.0 + len(p.seeds) * per_fit * fits


def _most_urgent_first(planned: dict[str, Planned]) -> tuple[Planned, ...]:
    """Longest chain of work behind a run first, so that no long run starts when the others are through.

    What waits for nothing comes before all others: make walks the list once, and a run whose needs are not finished when
    it gets there, it sees again only when it has started everything else.
    """
    behind = dict.fromkeys(planned, 0.0)
    for id in sorted(planned, key=lambda id: -len(planned[id].needs)):
        for need in planned[id].needs:
            behind[need] = max(behind[need], planned[id].seconds + behind[id])
    return tuple(sorted(planned.values(), key=lambda run: (bool(run.needs), -(run.seconds + behind[run.id]), run.id)))


def fragment(plan: Plan, path: Path) -> str:
    """The plan as a makefile: `$(MAKE) -f FRAGMENT PY=... LAUNCH=...` brings every stamp into being."""
    program = "$(LAUNCH) $(PY) -m recprune.study"
    first = [run for run in plan.runs if not run.last]
    last = [run for run in plan.runs if run.last]
    lines = [
        "# Made by `python -m recprune.study plan`; the next plan overwrites it.",
        "PY ?= python3",
        ".DELETE_ON_ERROR:",
        ".SECONDARY:",
        ".PHONY: all rows",
        f"all: rows {' '.join(run.stamp for run in last)}",
        "\t@:",
        f"rows: | {' '.join(run.stamp for run in first)}",
        f"\t@$(PY) -m recprune.study gather {path}",
    ]
    for run in plan.runs:
        before = ["rows"] if run.last else [plan[need].stamp for need in run.needs]
        lines += [f"{run.stamp}: | {' '.join(before)}".rstrip(" |"), f"\t@{program} run {path} {run.id}"]
    return "\n".join(lines) + "\n"


def study_of(options) -> Study:
    """The study that the command line asks for; its log's path made absolute, since runs have folders of their own."""
    return load_study(
        options.config,
        options.study,
        dataset=locate(options.dataset) if options.dataset else None,
        columns=parse_columns(options.columns),
        models=options.models.replace(",", " ").split() or None,
        results=options.results,
    )


def results_folder(options, study: Study) -> Path:
    """Where the study's rows are gathered.

    results/ (study main, and what goes beside it) or results/<study>/. Below results/own/<data set>/ where the study does not name
    the data set, and below results/part/ when only some runs are asked for: they must not take the place
    of committed rows (those of quick are not).
    """
    place = options.results
    named = load_study(options.config, options.study).datasets
    if not all(dataset in named or registered(dataset) in named for dataset in study.datasets):
        place = place / "own" / name_of(study.datasets[0])
        return place if study.name in ("main", "quick") else place / study.name
    if study.name != "quick" and (options.models or options.only):
        place = place / "part"
    return place if study.name == "main" or study.beside == "main" else place / study.name


def write_plan(options) -> Plan:
    """Write the makefile `options.out`, and the plan beside it as .json. Returns the plan."""
    study = study_of(options)
    plan = make_plan(
        study,
        results=results_folder(options, study),
        runs=options.results / "runs",
        notebooks=options.notebooks,
        jobs=max(1, options.jobs),
        only=options.only or None,
        provenance=options.results / "provenance.csv",
    )
    path = options.out.with_suffix(".json")
    plan.save(path)
    write_atomically(options.out, fragment(plan, path))
    return plan
