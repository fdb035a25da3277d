"""What `recprune prune` is asked for, checked before anything is read or trained."""

from __future__ import annotations

import argparse
import os
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from recprune.cells.columns import parse_columns
from recprune.datasets import synthetic
from recprune.models import REGISTRY, Recommender, build
from recprune.models.disk.storage import check_place
from recprune.pruning.budget import ANY, Budget
from recprune.pruning.criteria import CRITERIA, check, check_names
from recprune.pruning.parameters import zero_reset
from recprune.pruning.pruned import AS_TRAINED
from recprune.shell.fast import Fast
from recprune.shell.known import known, named_as
from recprune.splits import check_options, split

RECOVERIES = ("refit", "fine-tune", "none")  # the first that the model has
METHOD = ("criterion", "unit", "schedule", "recovery")
PLAIN = {"criterion": "magnitude", "unit": "weight", "schedule": "one-shot"}  # where some of a method is given
LOSS = 0.01  # of validation nDCG@10, that may be lost where nothing is said


@dataclass(frozen=True)
class Order:
    """The model, untrained; how the log is read and split; the method; the limits; the place.

    taken  lines on what was taken for what was not given, and from where
    """

    model: Recommender
    columns: dict[str, Any]
    protocol: dict[str, Any]
    method: dict[str, Any]
    budget: Budget | Fast
    out: Path
    taken: tuple[str, ...]

    @classmethod
    def of(cls, options: argparse.Namespace) -> Order:
        """The order of a command line. Raises ValueError that names the option's value and what is accepted."""
        dataset, given = named_as(options.ratings), settings(options.set)
        values, source = known().hyperparameters(dataset, options.model, options.protocol)
        model = build(options.model, **values | given)
        asked = {name: getattr(options, name) for name in METHOD if getattr(options, name) is not None}
        budget = _budget(options)
        protocol: dict[str, Any] = {"protocol": options.protocol, "seed": options.seed}
        protocol |= {"min_rating": options.min_rating, "core": options.core}
        check_options(**protocol)
        method, why = method_of(dataset, model, asked)
        check_out(options.out)
        taken = (_hyperparameters(model.name, values, given, source), f"rule: {_words(method)} ({why})")
        return cls(model, parse_columns(options.columns), protocol, method, budget, options.out, taken)


def method_of(dataset: str, model: Recommender, asked: dict[str, str]) -> tuple[dict[str, Any], str]:
    """criterion, unit, schedule and recovery, and why: the study's best rule where none of them is asked for.

    Raises ValueError for an unknown name, and for what cannot be together.
    """
    plain: dict[str, Any] = PLAIN | {"recovery": next(r for r in RECOVERIES if r in model.recoveries)}
    check_names(model, **plain | asked)
    if (plain | asked)["criterion"] == zero_reset.CRITERION.name:
        raise ValueError("criterion is 'zero-reset', which removes everything: there is nothing to save")
    trained = _tiny(model.name)
    if asked:
        method = plain | asked
        check(trained, **method)
        return method, "as asked; what was not is magnitude of weights, one-shot, with the model's first recovery"
    if found := known().rule(dataset, model.name):
        rule, why = found
        return {name: getattr(rule, name) for name in METHOD}, why
    possible = [plain, *({**plain, "criterion": c, "unit": u} for c, u in _possible(trained))]
    method = next((each for each in possible if _applies(trained, each)), plain)
    check(trained, **method)
    return method, f"the study found no rule that is safe for {model.name} at a loss of 1 %, and confirmed on test"


def _applies(trained: Recommender, method: dict[str, str]) -> bool:
    return CRITERIA[method["criterion"]].applies(trained, method["unit"])


def _possible(trained: Recommender) -> list[tuple[str, str]]:
    rules = [rule for rule in CRITERIA.values() if rule.parameters and rule.kind not in ("control", "floor")]
    return [(rule.name, unit) for rule in rules for unit in rule.units if rule.applies(trained, unit)]


@cache
def _tiny(model: str) -> Recommender:
    """A model of the kind, trained for a moment on a small log: it has the units that the real one will have."""
    kind = REGISTRY[model]
    of = split(synthetic(n_users=60, n_items=40, n_interactions=1500, seed=1), core=2)
    return kind(**kind.tiny).fit(of.train, of.validation, seed=0)


def _words(method: dict[str, str]) -> str:
    return "{criterion} of {unit}s, {schedule}, recovery {recovery}".format(**method)


def _hyperparameters(model: str, values: dict[str, Any], given: dict[str, Any], source: str) -> str:
    """A line on the hyper-parameters of a model and where they are from."""
    theirs = ", ".join(f"{name} = {_short(value)}" for name, value in values.items() if name not in given)
    mine = ", ".join(f"{name} = {_short(value)}" for name, value in given.items())
    parts = [f"{theirs} ({source})"] if theirs else []
    parts += [f"{mine} (--set)"] if mine else []
    return f"model: {model}, {', '.join(parts) or 'as its kind has them by default'}"


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _budget(options: argparse.Namespace) -> Budget | Fast:
    """The limits of a command line; where there are none, the loss that most can do with."""
    limits = {"keep": options.keep, "bytes": options.bytes, "max_loss": options.max_loss}
    if options.max_ms is not None:
        if options.keep is not None:
            raise ValueError("one budget is needed: --keep says what stays, whatever time it takes; leave out --max-ms")
        return Fast(options.max_ms, options.bytes, options.max_loss, _formats(options))
    limits = limits if any(limit is not None for limit in limits.values()) else {"max_loss": LOSS}
    return Budget(values=_formats(options), **limits)


def _formats(options: argparse.Namespace) -> str | list[str]:
    """The formats of a command line: by default all, where the limits choose one."""
    if options.values is None:
        return ANY if options.keep is None else AS_TRAINED
    names = options.values.split(",")
    return names if len(names) > 1 else options.values


def settings(pairs: list[str]) -> dict[str, Any]:
    """NAME=VALUE pairs as typed values: numbers and lists as in TOML, anything else a string."""
    found: dict[str, Any] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals:
            raise ValueError(f"--set {pair!r} is not of the form NAME=VALUE")
        try:
            found[name] = tomllib.loads(f"value = {value}")["value"]
        except (tomllib.TOMLDecodeError, RecursionError):
            found[name] = value
    return found


def check_out(path: Path) -> None:
    """Raises ValueError where a model cannot be saved at the path: before it is trained."""
    check_place(path)
    parent = next(folder for folder in path.resolve().parents if folder.exists())
    if not parent.is_dir() or not os.access(parent, os.W_OK):
        raise ValueError(f"{path}: nothing can be written to {parent}")
