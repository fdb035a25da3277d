"""`make tune`: the search for a model's hyper-parameters, by validation nDCG@10, at the same budget for every model.

Trial 0 has the hyper-parameters that the model has without the search. The others are proposed by a tree-structured
Parzen estimator (Bergstra et al., 2011; Watanabe, 2023), which optuna maintains. Each trial is a function of the
space, the seed and the trials before it, so an interrupted search goes on along the path it would have taken.
"""

from __future__ import annotations

import itertools
import shlex
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np
import torch
from threadpoolctl import threadpool_limits

from recprune.cells.parameters import Parameters
from recprune.datasets import load
from recprune.datasets.naming import name_of
from recprune.errors import StudyError
from recprune.evaluation import evaluate
from recprune.files import alone, write_atomically
from recprune.models import REGISTRY, build
from recprune.splits import PROTOCOLS, Split, split
from recprune.study.config import Run, Study, load_study, parse_columns
from recprune.study.identity import digest, library_hash, locate, machine, package_version
from recprune.study.possible import possible
from recprune.study.space import Budget, Space, Stop, load_tuning
from recprune.study.trials import Trial, best, read_trials, write_trials
from recprune.study.tuned import write_tuned
from recprune.typed import one_of

SEED = 0  # of the split and of the models
RANDOM_TRIALS = 8  # before the estimator has enough to learn from
OVERTIME = 1.5  # a trial is stopped when this many times the budget's seconds are over
COLUMN = "ndcg@10"


@dataclass(kw_only=True)
class Search:
    """The search for one model's hyper-parameters on one split. `path` holds its trials, and says where to go on.

    start    hyper-parameters of trial 0; those that are not searched stay as they are in all trials
    """

    space: Space
    budget: Budget
    stop: Stop
    seed: int
    start: dict
    data: Split
    path: Path

    @property
    def key(self) -> str:
        """Of everything that the path of the search depends on, the code and trial 0 apart."""
        axes = {axis.label: repr(axis) for axis in self.space.axes}
        what = [self.space.model, axes, repr(self.space.fixed), self.seed, repr(self.stop)]
        return digest([*what, self.data.protocol, self.data.options, self.data.data_hash])[:12]

    def run(self) -> Iterator[list[Trial]]:
        """All trials so far: those that the file holds, then again after each trial until the budget is used up.

        The file is whole at any time. Raises StudyError when it holds another search.
        """
        trials, key = read_trials(self.path)
        if key not in ("", self.key):
            raise StudyError(
                f"{self.path}: these trials are of another space, other data or another seed (search {key}, "
                f"now {self.key}); move the file away to search anew"
            )
        yield trials
        while len(trials) < self.budget.trials and _seconds(trials) < self.budget.seconds:
            trials.append(self._trial(trials))
            write_trials(self.path, trials, self.key)
            yield trials

    def _trial(self, trials: list[Trial]) -> Trial:
        """The trial that follows `trials`: proposed, trained and measured."""
        proposal = self._propose(trials)
        values = self.start
        if trials:
            there = {f.name for f in fields(REGISTRY[self.space.model])}
            values = {name: value for name, value in trials[0].values.items() if name in there}
            values |= self.space.suggest(proposal)
        model = build(self.space.model, **values | self.space.fixed)
        state, before, began = "complete", _seconds(trials), time.process_time()

        def watch(epoch: int, score: float) -> bool:
            nonlocal state
            proposal.report(round(score, 6), epoch)
            if before + time.process_time() - began > OVERTIME * self.budget.seconds:
                state = "cut"
            elif proposal.should_prune():
                state = "pruned"
            return state != "complete"

        model.watch = watch  # asked by models with epochs; the others have nothing to stop early
        score, note = None, ""
        try:
            model.fit(self.data.train, self.data.validation, seed=SEED, fold_in=self.data.fold_in("validation"))
            score = evaluate(model, self.data, on="validation", k=10).mean[COLUMN]
        except (ValueError, ArithmeticError, torch.linalg.LinAlgError) as error:
            state, note = "failed", " ".join(str(error).split())
        log = getattr(model, "train_log", [])
        return Trial(
            number=len(trials),
            state=state,
            values=model.hyperparameters(),
            score=score,
            seconds=round(time.process_time() - began, 3),
            note=note,
            curve=tuple(round(row["val_ndcg@10"], 6) for row in log if "val_ndcg@10" in row),
        )

    def _propose(self, trials: list[Trial]):
        """A fresh optuna trial that knows all earlier ones; its sampler's seed is a function of the trial's number."""
        optuna = _optuna()
        seed = int(np.random.SeedSequence([self.seed, len(trials)]).generate_state(1)[0])
        study = optuna.create_study(
            direction="maximize",
            sampler=optuna.samplers.TPESampler(
                seed=seed,
                n_startup_trials=RANDOM_TRIALS,
                multivariate=not any(axis.when for axis in self.space.axes),  # joint, where every trial has every axis
            ),
            pruner=optuna.pruners.PercentilePruner(
                self.stop.percentile, n_startup_trials=self.stop.trials, n_warmup_steps=self.stop.epochs
            ),
        )
        for trial in trials:
            self._tell(study, trial)
        return study.ask()

    def _tell(self, study, trial: Trial) -> None:
        """Add a finished trial; not one that failed, or lies outside the space, as trial 0 may."""
        optuna, place = _optuna(), self.space.coordinates(trial.values)
        if trial.score is None or place is None:
            return
        state = optuna.trial.TrialState.COMPLETE if trial.state == "complete" else optuna.trial.TrialState.PRUNED
        reported = np.maximum.accumulate(trial.curve).tolist() if trial.curve else []
        study.add_trial(
            optuna.trial.create_trial(
                state=state,
                value=trial.score,
                params=place[0],
                distributions=place[1],
                intermediate_values=dict(enumerate(reported, 1)),
            )
        )


def tune(options) -> int:
    """What `python -m recprune.study tune` does: search, or go on searching, for one model on one data set.

    Writes results/tuning/<data set>/<protocol>/<model>.csv after each trial, and tuned.toml beside it.
    """
    _optuna()
    tuning, study = load_tuning(options.tuning), _study(options)
    space = tuning.space(options.model)
    there, reasons = tunable(study, options.protocol, [options.model])
    if not there:
        raise StudyError(f"{options.model} cannot be tuned; {'; '.join(reasons)}")
    torch.set_num_threads(1)
    with threadpool_limits(1):
        for dataset in study.datasets:
            log, name = load(dataset, **study.columns), name_of(dataset)
            data = without_test(split(log, options.protocol, SEED, min_rating=study.min_rating, core=study.core))
            folder = options.results / "tuning" / name / options.protocol
            search = Search(
                space=space,
                budget=tuning.budget(name, options.protocol),
                stop=tuning.stop,
                seed=tuning.seed,
                start=_start(study, name, space.model, options.protocol),
                data=data,
                path=folder / f"{space.model}.csv",
            )
            waiting = f"{space.model}: another make is at it; waiting"
            with alone(_lock(options.results, folder, space.model), waiting):
                _search(search, _lock(options.results, folder, "tuned"))
    return 0


def _start(study: Study, name: str, model: str, protocol: str) -> dict:
    """What the model has without this search: under another protocol than `ratio`, what `ratio`'s search chose."""
    ratio = study.tuned.get(name, {}).get("ratio", {}) if protocol != "ratio" else {}
    return replace(study, tuned={name: {"ratio": ratio}}).hyperparameters_of(name, model)


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
        before, top = len(trials), best(trials)
        if top:
            write_tuned(folder / "tuned.toml", lock, model, top.values, found(search, trials))
    if top is None:
        raise StudyError(f"{search.path}: all {len(trials)} trials failed; the last one: {trials[-1].note}")
    used = f"{len(trials)} of {budget.trials} trials and {_seconds(trials):.0f} of {budget.seconds:g} s used"
    print(f"{name}: best {top.score:.4f} (trial {top.number}); {used}; {folder / 'tuned.toml'}", file=sys.stderr)


def _line(search: Search, trials: list[Trial]) -> str:
    """`trial 11 (12/40)  0.2831  best 0.2855 (7)  61/1800 s  l2=512.3`: validation nDCG@10, the best and its trial."""
    last, top, budget = trials[-1], best(trials), search.budget
    score = f"{last.score:.4f}" if last.score is not None else "------"
    of_best = f"best {top.score:.4f} ({top.number})" if top else "no best"
    names = dict.fromkeys(axis.name for axis in search.space.axes if axis.applies(last.values))
    values = " ".join(f"{name}={_short(last.values[name])}" for name in names)
    state = "" if last.state == "complete" else f"  {last.state}" + (f": {last.note}" if last.note else "")
    used = f"{_seconds(trials):.0f}/{budget.seconds:g} s"
    number = f"trial {last.number} ({len(trials)}/{budget.trials})"
    return f"{number:<{12 + 2 * len(str(budget.trials))}}  {score}  {of_best}  {used}  {values}{state}"


def found(search: Search, trials: list[Trial]) -> dict:
    """How the best hyper-parameters were found: the [MODEL.search] table of tuned.toml."""
    top = best(trials)
    return {
        f"val_{COLUMN}": top.score,
        f"first_val_{COLUMN}": trials[0].score,
        "trial": top.number,
        "best_epoch": top.best_epoch,
        "trials": len(trials),
        "trials_budget": search.budget.trials,
        "seconds": round(_seconds(trials), 1),
        "seconds_budget": search.budget.seconds,
        "space": search.space.described(),
        "fixed": {k: list(v) if isinstance(v, tuple) else v for k, v in search.space.fixed.items()},
        "split_seed": SEED,
        "search": search.key,
        "library": library_hash()[:12],
        "optimiser": f"optuna {package_version('optuna')} TPE, seed {search.seed}",
        "cpu": machine()["cpu"],
    }


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


def write_tune_plan(options) -> int:
    """Write the makefile `options.out`: a target for each model's search, of which make runs JOBS at a time."""
    tuning, study = load_tuning(options.tuning), _study(options)
    asked = options.models.replace(",", " ").split()
    for model in asked:
        one_of("MODELS", model, tuning.spaces)
    models, reasons = tunable(study, options.protocol, [m for m in REGISTRY if m in (asked or tuning.spaces)])
    for line in reasons:
        print(f"tune: {line}", file=sys.stderr)
    if not models:
        raise StudyError("there is nothing to tune")
    flags = {name: getattr(options, name) for name in ("config", "tuning", "results", "study", "dataset", "columns")}
    flags = " ".join(f"--{name} {shlex.quote(str(value))}" for name, value in flags.items()).replace("$", "$$")
    lines = ["# Made by `python -m recprune.study tune-plan`; the next plan overwrites it.", "PY ?= python3"]
    lines += [f".PHONY: all {' '.join(models)}", f"all: {' '.join(models)}"]
    for model in models:
        command = f"$(LAUNCH) $(PY) -m recprune.study tune {flags} --protocol {options.protocol} --model {model}"
        lines += [f"{model}:", f"\t@{command}"]
    write_atomically(options.out, "\n".join(lines) + "\n")
    return 0


def _study(options) -> Study:
    """The study: its data sets, unless the command line names one, and the hyper-parameters to start from."""
    one_of("PROTOCOL", options.protocol, PROTOCOLS)
    dataset = locate(options.dataset) if options.dataset else None
    columns = parse_columns(options.columns)
    return load_study(options.config, options.study, dataset=dataset, columns=columns, results=options.results)


def _lock(results: Path, folder: Path, name: str) -> Path:
    """A lock file's path; among the runs, which are not committed."""
    path = results / "runs" / folder.relative_to(results) / f".{name}.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _seconds(trials: list[Trial]) -> float:
    return sum(trial.seconds for trial in trials)


def _short(value) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _optuna():
    """optuna, quiet. Raises StudyError where it is not installed."""
    try:
        import optuna
    except ImportError:
        raise StudyError("optuna is not installed; `make env` brings it, or pip install -e '.[tune]'") from None
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna
