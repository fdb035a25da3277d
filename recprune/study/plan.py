"""The plan of a study: every run with its key, the hash of everything that it depends on, and what it needs.

An existing stamp, whose name holds the key, is a finished run, whatever its clock says; a changed notebook, parameter,
library or log asks for a stamp of another name.
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass, fields
from functools import cache
from pathlib import Path

from recprune.cells.parameters import Parameters
from recprune.datasets.naming import name_of
from recprune.errors import StudyError
from recprune.files import write_atomically
from recprune.study.cost import Times, seconds_of, times_of
from recprune.study.grid import LAST, Run, Study
from recprune.study.identity import Library, Notebook, data_identity, digest, environment
from recprune.study.possible import possible

REACHED = ("out", "dense", "results", "run")  # set by the launcher, never by study.toml
ALWAYS = ("out", "run")  # without these a run could not leave rows
#: what study.toml sets for a notebook that declares it, and for no other
NUMBERS = ("model", "unit", "criterion", "schedule", "recovery", "recoveries", "values", "keep", "samples", "options")


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
    def device(self) -> str:
        """That its models train on; what "auto" stood for when the plan was made."""
        return self.sources["environment"].get("device", "cpu")

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
    extensions: tuple[str, ...] = ()  # files that a kernel loads before names are checked

    def __getitem__(self, id: str) -> Planned:
        for run in self.runs:
            if run.id == id:
                return run
        raise StudyError(f"{id}: no such run in the plan; its runs are: {', '.join(run.id for run in self.runs)}")

    def save(self, path: Path) -> None:
        """Write the plan as JSON."""
        write_atomically(path, json.dumps(asdict(self), indent=1))

    @classmethod
    def load(cls, path: str | Path) -> Plan:
        """The plan in a file. Raises StudyError where there is none."""
        try:
            values = json.loads(Path(path).read_text("utf-8"))
            runs = tuple(Planned(**_tuples(run, "declared", "needs")) for run in values.pop("runs"))
            return cls(runs=runs, **_tuples(values, "left_out", "extensions"))
        except FileNotFoundError:
            raise StudyError(f"{path}: there is no such plan; `make reproduce` or `make quick` writes it") from None
        except (ValueError, TypeError, KeyError) as error:
            raise StudyError(f"{path}: not a plan: {error}") from None


def _tuples(values: dict, *lists: str) -> dict:
    return values | {key: tuple(values[key]) for key in lists}


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
    """The plan of `study`, with keys, prerequisites and costs.

    Costs are those of the runs in the folder `runs`, or of those in the file `provenance`.
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
    library, common = Library(study.extensions), {"environment": environment(study.device)}
    data = {dataset: data_identity(dataset) for dataset in study.datasets}
    read = cache(lambda name: Notebook.read(notebooks / f"{name}.ipynb"))
    times = times_of(provenance)
    planned: dict[str, Planned] = {}
    for id in sorted(wanted, key=lambda id: len(needs[id])):  # 0 needs, then dense only, then all
        run = wanted[id]
        sources = common | {"data": data[run.parameters.dataset]}
        before = tuple(planned[need] for need in needs[id])
        planned[id] = _planned(run, before, read(run.notebook), library, sources, runs / study.name, times)
    return Plan(
        study=study.name,
        results=str(results),
        jobs=jobs,
        started=time.time(),
        runs=_most_urgent_first(planned),
        left_out=tuple(left_out),
        extensions=study.extensions,
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
    before: tuple[Planned, ...],
    notebook: Notebook,
    library: Library,
    sources: dict,
    folder: Path,
    times: Times,
) -> Planned:
    parameters = _passed(run, notebook)
    sources = sources | code_of(notebook, library, parameters) | {"needs": sorted(other.key for other in before)}
    # the path to a log is no part of its identity
    key = digest([parameters | {"dataset": name_of(run.parameters.dataset)}, sources])
    folder = folder / run.id
    return Planned(
        id=run.id,
        key=key,
        folder=str(folder),
        stamp=str(folder / f"{key[:12]}.done"),
        notebook=str(notebook.path),
        parameters=parameters,
        declared=notebook.declared,
        needs=tuple(other.id for other in before),
        last=run.needs in LAST,
        seconds=seconds_of(run, folder, times),
        sources=sources,
    )


def code_of(notebook: Notebook, library: Library, parameters: dict) -> dict[str, str]:
    """The hashes of a run's code: of its notebook, and of what this reaches of the library."""
    return {"library": library.hash(notebook.code, parameters), "notebook": notebook.sha256}


def _passed(run: Run, notebook: Notebook) -> dict:
    """The parameters that papermill passes: those that the notebook declares, and it must declare what is set."""
    names = {f.name for f in fields(Parameters)}
    for name in notebook.declared:
        if name not in names:
            raise StudyError(f"{notebook.path}: unknown parameter {name!r}; known: {', '.join(sorted(names))}")
    for name in ALWAYS:
        if name not in notebook.declared:
            raise StudyError(f"{notebook.path}: the parameters cell lacks {name!r}")
    values = run.parameters.mapping()
    for name in NUMBERS:
        default = Parameters.__dataclass_fields__[name].default
        if name not in notebook.declared and getattr(run.parameters, name) not in (default, (), {}):
            raise StudyError(
                f"{notebook.path}: the parameters cell lacks {name!r}, which {run.id} sets to {values[name]!r}"
            )
    return {name: value for name, value in values.items() if name in notebook.declared and name not in REACHED}


def _most_urgent_first(planned: dict[str, Planned]) -> tuple[Planned, ...]:
    """The runs, the longest chain of work behind a run first: no long run starts when the others are through.

    What waits for nothing comes before all others: make walks the list once, and a run whose needs are not finished
    when it gets there, it sees again only when it has started everything else.
    """
    behind = dict.fromkeys(planned, 0.0)
    for id in sorted(planned, key=lambda id: -len(planned[id].needs)):
        for need in planned[id].needs:
            behind[need] = max(behind[need], planned[id].seconds + behind[id])
    return tuple(sorted(planned.values(), key=lambda run: (bool(run.needs), -(run.seconds + behind[run.id]), run.id)))
