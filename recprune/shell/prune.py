"""python -m recprune prune: a log of ratings in, a pruned model out, with what it keeps, costs, and its verdict."""

from __future__ import annotations

import argparse
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from recprune.cells.columns import parse_columns
from recprune.datasets import load
from recprune.evaluation import Report, evaluate, footprint, latency, paired_ratio
from recprune.models import Popularity, Recommender, build
from recprune.models.disk.storage import check_place
from recprune.pruning import prune
from recprune.pruning.budget import Budget
from recprune.pruning.criteria import check_names
from recprune.pruning.pruned import Pruned
from recprune.shell.progress import Epochs, say
from recprune.splits import check_options, split

RECOVERIES = ("refit", "fine-tune", "none")  # the first that the model has
PARTS = ("validation", "test")


@dataclass(frozen=True)
class Order:
    """What is asked for, checked before anything is read or trained."""

    model: Recommender
    columns: dict[str, Any]
    protocol: dict[str, Any]
    method: dict[str, Any]
    budget: dict[str, Any]
    out: Path

    @classmethod
    def of(cls, options: argparse.Namespace) -> Order:
        """The order of a command line. Raises ValueError that names the option's value and what is accepted."""
        model = build(options.model, **settings(options.set))
        budget = {"keep": options.keep, "bytes": options.bytes, "max_loss": options.max_loss}
        if all(value is None for value in budget.values()):
            budget["max_loss"] = 0.01
        Budget(**budget)
        protocol = {"protocol": options.protocol, "seed": options.seed} | {
            "min_rating": options.min_rating,
            "core": options.core,
        }
        check_options(**protocol)
        method = {
            "criterion": options.criterion,
            "unit": options.unit,
            "schedule": options.schedule,
            "recovery": options.recovery or next(r for r in RECOVERIES if r in model.recoveries),
        }
        check_names(model, **method)
        check_out(options.out)
        return cls(model, parse_columns(options.columns), protocol, method, budget, options.out)


def run(options: argparse.Namespace) -> int:
    """The exit status; errors as `Order.of` and the library raise them."""
    order = Order.of(options)
    of = split(load(options.ratings, **order.columns), **order.protocol)
    say(f"{of.n_users:,} users x {of.n_items:,} items after filtering, {of.train.nnz:,} interactions to train on")
    with Epochs(order.model) as model:
        dense = model.fit(of.train, of.validation, options.seed, of.fold_in("validation"))
    say(f"{dense.name} trained in {dense.train_seconds:.1f} s; pruning ...")
    pruned = prune(dense, of, **order.method, seed=options.seed, **order.budget)
    small = pruned.compact()
    models = {"popularity": Popularity().fit(of.train), "dense": dense, "pruned": small}
    found = {name: {on: evaluate(one, of, on=on, k=(10,)) for on in PARTS} for name, one in models.items()}
    small.save(order.out)
    for line in (*table(models, found), *verdict(found, pruned, order)):
        print(line)
    print(f"saved: {order.out}")
    return 0


def table(models: Mapping[str, Recommender], found: Mapping[str, Mapping[str, Report]]) -> list[str]:
    """Lines of quality and cost, popularity beside the dense model and the pruned one."""
    cost = {name: footprint(model) for name, model in models.items()}
    speed = latency(models, np.arange(models["dense"].n_users))
    rows: list[tuple[str, dict[str, float], str]] = [
        (f"{label} on {on}", {name: found[name][on].mean[metric] for name in models}, form)
        for on in PARTS
        for label, metric, form in (("nDCG@10", "ndcg@10", ".4f"), ("coverage@10", "coverage@10", ".4f"))
    ]
    rows += [
        ("parameters, non-zero", {name: cost[name].nonzeros for name in models}, ",.0f"),
        ("bytes on disk", {name: cost[name].bytes_disk for name in models}, ",.0f"),
        ("ms for one user", {name: speed[name].p50_ms for name in models}, ".3f"),
    ]
    lines = [f"{'':24}" + "".join(f"{name:>14}" for name in models) + f"{'pruned/dense':>14}"]
    for label, values, form in rows:
        ratio = f"{values['pruned'] / values['dense']:>14.3f}" if values["dense"] else ""
        lines.append(f"{label:24}" + "".join(f"{format(value, form):>14}" for value in values.values()) + ratio)
    return lines


def verdict(found: Mapping[str, Mapping[str, Report]], pruned: Pruned, order: Order) -> list[str]:
    """What was kept of the dense model on test, and whether that is worth anything: popularity is to be beaten."""
    values = {name: reports["test"].per_user["ndcg@10"] for name, reports in found.items()}
    ratio = paired_ratio(values["pruned"], values["dense"])
    method = order.method
    lines = [
        f"{pruned.kept:.2%} of the {method['unit']}s kept by {method['criterion']}, recovery {method['recovery']}; "
        f"test nDCG@10 is {ratio.estimate:.1%} of dense, 95 % interval {ratio.lo:.1%} to {ratio.hi:.1%}"
    ]
    for name, model in (("dense", "the dense model"), ("pruned", "the pruned model")):
        over = paired_ratio(values[name], values["popularity"])
        if not over.lo > 1:
            lines.append(
                f"warning: {model} does not beat popularity, which needs no model: test nDCG@10 is {over.estimate:.1%} "
                f"of it, 95 % interval {over.lo:.1%} to {over.hi:.1%}; whatever was kept, do not call it safe"
            )
    return lines


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
