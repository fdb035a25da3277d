"""The search for a model's hyper-parameters, by validation nDCG@10, at the same budget for every model.

Trial 0 has the hyper-parameters that the model has without the search. The others are proposed by a tree-structured
Parzen estimator (Bergstra et al., 2011; Watanabe, 2023), which optuna maintains. Each trial is a function of the
space, the seed and the trials before it, so an interrupted search goes on along the path it would have taken.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import torch

from recprune.errors import StudyError
from recprune.evaluation import evaluate
from recprune.models import REGISTRY, build
from recprune.splits import Split
from recprune.study.identity import digest
from recprune.study.tuning.space import Budget, Space, Stop
from recprune.study.tuning.trials import Trial, read_trials, write_trials

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
        while len(trials) < self.budget.trials and seconds_of(trials) < self.budget.seconds:
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
        state, before, began = "complete", seconds_of(trials), time.process_time()

        def watch(epoch: int, score: float) -> bool:
            nonlocal state
            proposal.report(round(score, 6), epoch)
            if before + time.process_time() - began > OVERTIME * self.budget.seconds:
                state = "cut"
            elif proposal.should_prune():
                state = "pruned"
            return state != "complete"

        # asked by models with epochs; the others have nothing to stop early
        model.watch = watch  # type: ignore[attr-defined]
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
        optuna = the_optuna()
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
        optuna, place = the_optuna(), self.space.coordinates(trial.values)
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


def seconds_of(trials: list[Trial]) -> float:
    """The processor time of all trials."""
    return sum(trial.seconds for trial in trials)


def the_optuna():
    """optuna, quiet. Raises StudyError where it is not installed."""
    try:
        import optuna
    except ImportError:
        raise StudyError("optuna is not installed; `make env` brings it, or pip install -e '.[tune]'") from None
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna
