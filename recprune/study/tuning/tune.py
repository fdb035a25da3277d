"""`make tune`: a search for every model and data set, what it says meanwhile, and what it leaves for the runs."""

from __future__ import annotations

import itertools
import shlex
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from threadpoolctl import threadpool_limits

from recprune.cells.parameters import Parameters
from recprune.datasets import load
from recprune.datasets.naming import name_of
from recprune.errors import StudyError
from recprune.files import alone, write_atomically
from recprune.models import REGISTRY
from recprune.splits import PROTOCOLS, Split, split
from recprune.study.choice import Choice
from recprune.study.grid import Run, Study
from recprune.study.identity import Library, machine, package_version
from recprune.study.possible import possible
from recprune.study.tuning import search as search_module
from recprune.study.tuning.hyperparameters import write_tuned
from recprune.study.tuning.search import COLUMN, SEED, Search, seconds_of, the_optuna
from recprune.study.tuning.space import load_tuning
from recprune.study.tuning.trials import Trial, best_trial
from recprune.typed import one_of


def tune(choice: Choice, tuning: Path, model: str, protocol: str = "ratio") -> None:
    """Search, or go on searching, for the hyper-parameters of one model on the data sets of a choice.

    Writes results/tuning/<data set>/<protocol>/<model>.csv after each trial, and tuned.toml beside it.
    """
    the_optuna()
    one_of("PROTOCOL", protocol, PROTOCOLS)
    study, told = choice.load(), load_tuning(tuning)
    space = told.space(model)
    there, reasons = tunable(study, protocol, [model])
    if not there:
        raise StudyError(f"{model} cannot be tuned; {'; '.join(reasons)}")
    torch.set_num_threads(1)
    with threadpool_limits(1):
        for dataset in study.datasets:
            log, name = load(dataset, **study.columns), name_of(dataset)
            data = without_test(split(log, protocol, SEED, min_rating=study.min_rating, core=study.core))
            folder = choice.results / "tuning" / name / protocol
            search = Search(
                space=space,
                budget=told.budget(name, protocol),
                stop=told.stop,
                seed=told.seed,
                start=_start(study, name, model, protocol),
                data=data,
                path=folder / f"{model}.csv",
            )
            waiting = f"{model}: another make is at it; waiting"
            with alone(_lock(choice.results, folder, model), waiting):
                _search(search, _lock(choice.results, folder, "tuned"))


def _start(study: Study, name: str, model: str, protocol: str) -> dict:
    """What the model has without this search: under another protocol than `ratio`, what `ratio`'s search chose."""
    known = study.hyperparameters
    ratio = known.tuned.get(name, {}).get("ratio", {}) if protocol != "ratio" else {}
    return replace(known, tuned={name: {"ratio": ratio}}).of(name, model)


def _search(search: Search, lock: Path) -> None:
    """Run a search, say how it goes, and keep tuned.toml at the best of its trials."""
    folder, model, budget = search.path.parent, search.space.model, search.budget
    name = f"{model} · {folder.parent.name} · {folder.name}"
    searched = "; ".join(f"{axis} {text}" for axis, text in search.space.described().items())
    print(f"{name}: {budget}; {searched}", file=sys.stderr, flush=True)
    before = None
    for trials in search.run():
        if before is not None:
            print(f"{name:<28} {_line(search, trials)}", file=sys.stderr, flush=True)
        before, top = len(trials), best_trial(trials)
        if top:
            write_tuned(folder / "tuned.toml", lock, model, top.values, found(search, trials))
    if top is None:
        raise StudyError(f"{search.path}: all {len(trials)} trials failed; the last one: {trials[-1].note}")
    used = f"{len(trials)} of {budget.trials} trials and {seconds_of(trials):.0f} of {budget.seconds:g} s used"
    print(f"{name}: best {top.score:.4f} (trial {top.number}); {used}; {folder / 'tuned.toml'}", file=sys.stderr)


def _line(search: Search, trials: list[Trial]) -> str:
    """`trial 11 (12/40)  0.2831  best 0.2855 (7)  61/1800 s  l2=512.3`: validation nDCG@10, the best and its trial."""
    last, top, budget = trials[-1], best_trial(trials), search.budget
    score = f"{last.score:.4f}" if last.score is not None else "------"
    of_best = f"best {top.score:.4f} ({top.number})" if top else "no best"
    names = dict.fromkeys(axis.name for axis in search.space.axes if axis.applies(last.values))
    values = " ".join(f"{name}={_short(last.values[name])}" for name in names)
    state = "" if last.state == "complete" else f"  {last.state}" + (f": {last.note}" if last.note else "")
    used = f"{seconds_of(trials):.0f}/{budget.seconds:g} s"
    number = f"trial {last.number} ({len(trials)}/{budget.trials})"
    return f"{number:<{12 + 2 * len(str(budget.trials))}}  {score}  {of_best}  {used}  {values}{state}"


def found(search: Search, trials: list[Trial]) -> dict:
    """How the best hyper-parameters were found: the [MODEL.search] table of tuned.toml."""
    top = best_trial(trials)
    assert top is not None, "asked when a trial has a score"
    return {
        f"val_{COLUMN}": top.score,
        f"first_val_{COLUMN}": trials[0].score,
        "trial": top.number,
        "best_epoch": top.best_epoch,
        "trials": len(trials),
        "trials_budget": search.budget.trials,
        "seconds": round(seconds_of(trials), 1),
        "seconds_budget": search.budget.seconds,
        "space": search.space.described(),
        "fixed": {k: list(v) if isinstance(v, tuple) else v for k, v in search.space.fixed.items()},
        "split_seed": SEED,
        "search": search.key,
        "library": _library(search.space.model),
        "optimiser": f"optuna {package_version('optuna')} TPE, seed {search.seed}",
        "cpu": machine()["cpu"],
    }


def _library(model: str) -> str:
    """The hash of the code that a search of this model reaches, shortened."""
    return Library().hash(Path(search_module.__file__).read_text("utf-8"), {"model": model})[:12]


def without_test(data: Split) -> Split:
    """The split with an empty test part, so that nothing in a search can depend on it."""
    nothing = data.test.select(np.zeros(0, np.int64))
    histories = {on: nothing if on == "test" else history for on, history in data.histories.items()}
    return replace(data, test=nothing, histories=histories)


def tunable(study: Study, protocol: str, models: Iterable[str]) -> tuple[list[str], list[str]]:
    """Those of the models that the protocol and the logs allow, and lines that say why others are left out."""
    points = itertools.product(study.datasets, models)
    chosen = [Parameters(dataset=d, columns=study.columns, protocol=protocol, model=model) for d, model in points]
    there, reasons = possible([Run(study=study.name, notebook="", parameters=p) for p in chosen])
    return list(dict.fromkeys(run.parameters.model for run in there)), reasons


def write_tune_plan(choice: Choice, tuning: Path, out: Path, protocol: str = "ratio") -> None:
    """Write the makefile `out`: a target for each model's search, of which make runs JOBS at a time."""
    one_of("PROTOCOL", protocol, PROTOCOLS)
    study, told = replace(choice, models=()).load(), load_tuning(tuning)
    for model in choice.models:
        one_of("MODELS", model, told.spaces)
    asked = [model for model in REGISTRY if model in (choice.models or told.spaces)]
    models, reasons = tunable(study, protocol, asked)
    for line in reasons:
        print(f"tune: {line}", file=sys.stderr)
    if not models:
        raise StudyError("there is nothing to tune")
    flags = {"config": choice.config, "tuning": tuning, "results": choice.results, "study": choice.study}
    flags |= {"dataset": choice.dataset, "columns": choice.columns}
    words = " ".join(f"--{name} {shlex.quote(str(value))}" for name, value in flags.items()).replace("$", "$$")
    lines = ["# Made by `python -m recprune.study tune-plan`; the next plan overwrites it.", "PY ?= python3"]
    lines += [f".PHONY: all {' '.join(models)}", f"all: {' '.join(models)}"]
    for model in models:
        command = f"$(LAUNCH) $(PY) -m recprune.study tune {words} --protocol {protocol} --model {model}"
        lines += [f"{model}:", f"\t@{command}"]
    write_atomically(out, "\n".join(lines) + "\n")


def _lock(results: Path, folder: Path, name: str) -> Path:
    """A lock file's path; among the runs, which are not committed."""
    path = results / "runs" / folder.relative_to(results) / f".{name}.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _short(value) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
