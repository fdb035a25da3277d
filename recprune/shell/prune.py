"""python -m recprune prune: a log of ratings in, a pruned model out, with what it keeps, costs, and its verdict."""

from __future__ import annotations

import argparse
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recprune.cells.columns import parse_columns
from recprune.datasets import load
from recprune.evaluation import Comparison, evaluate
from recprune.evaluation.compare import PARTS, compared
from recprune.models import Popularity, Recommender, build
from recprune.models.disk.storage import check_place
from recprune.pruning import prune
from recprune.pruning.budget import ANY, Budget
from recprune.pruning.criteria import check_names
from recprune.pruning.pruned import AS_TRAINED, Pruned
from recprune.shell.progress import Epochs, say
from recprune.splits import check_options, split

RECOVERIES = ("refit", "fine-tune", "none")  # the first that the model has
FORMS = {"parameters,": ",.0f", "bytes": ",.0f", "ms": ".3f"}  # first word of a row -> its numbers; else a metric
LOSS = 0.01  # of validation nDCG@10, that may be lost where nothing is said


@dataclass(frozen=True)
class Order:
    """What is asked for, checked before anything is read or trained."""

    model: Recommender
    columns: dict[str, Any]
    protocol: dict[str, Any]
    method: dict[str, Any]
    budget: Budget
    out: Path

    @classmethod
    def of(cls, options: argparse.Namespace) -> Order:
        """The order of a command line. Raises ValueError that names the option's value and what is accepted."""
        model = build(options.model, **settings(options.set))
        budget = Budget(values=_formats(options), **_limits(options))
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
    pruned = prune(dense, of, **order.method, seed=options.seed, **vars(order.budget))
    small = pruned.compact()
    models = {"popularity": Popularity().fit(of.train), "dense": dense, "pruned": small}
    found = {name: {on: evaluate(one, of, on=on, k=(10,)) for on in PARTS} for name, one in models.items()}
    small.save(order.out, reports=found["pruned"].values())
    comparison = compared(models, found, of.n_users)
    for line in (*table(models, comparison), *verdict(comparison, pruned, order)):
        print(line)
    print(f"saved: {order.out}: {chosen(pruned, order)}")
    return 0


def _limits(options: argparse.Namespace) -> dict[str, Any]:
    """The limits of a command line; where there are none, the loss that most can do with."""
    limits = {"keep": options.keep, "bytes": options.bytes, "max_loss": options.max_loss}
    return limits if any(limit is not None for limit in limits.values()) else {"max_loss": LOSS}


def _formats(options: argparse.Namespace) -> str | list[str]:
    """The formats of a command line: by default all, where the limits choose one."""
    if options.values is None:
        return ANY if options.keep is None else AS_TRAINED
    names = options.values.split(",")
    return names if len(names) > 1 else options.values


def table(models: Mapping[str, Recommender], comparison: Comparison) -> list[str]:
    """Lines of quality and cost, popularity beside the dense model and the pruned one."""
    lines = [f"{'':24}" + "".join(f"{name:>14}" for name in models) + f"{'pruned/dense':>14}"]
    lines.append(f"{'values':24}" + "".join(f"{model.values:>14}" for model in models.values()))
    for label, row in comparison.table().iterrows():
        form = FORMS.get(str(label).partition(" ")[0], ".4f")
        ratio = f"{row['pruned/dense']:>14.3f}" if row["dense"] else ""
        lines.append(f"{label:24}" + "".join(f"{format(row[name], form):>14}" for name in models) + ratio)
    return lines


def verdict(comparison: Comparison, pruned: Pruned, order: Order) -> list[str]:
    """What was kept of the dense model on test, and whether that is worth anything: popularity is to be beaten."""
    ratio = comparison.kept["test"]
    method = order.method
    lines = [
        f"{pruned.kept:.2%} of the {method['unit']}s kept by {method['criterion']}, recovery {method['recovery']}; "
        f"test nDCG@10 is {ratio.estimate:.1%} of dense, 95 % interval {ratio.lo:.1%} to {ratio.hi:.1%}"
    ]
    return [*lines, *comparison.warnings]


def chosen(pruned: Pruned, order: Order) -> str:
    """What was chosen, and by what."""
    budget, formats = order.budget, order.budget.formats
    what = f"{pruned.kept:.2%} of the {order.method['unit']}s, values in {pruned.values}"
    if len(formats) > 1:
        what += f" (of {', '.join(formats)})"
    loss = "" if budget.max_loss is None else f"a loss of {budget.max_loss:.3g}"
    if budget.bytes is not None:
        return f"{what}, the best on validation within {budget.bytes:,} bytes" + (f" and {loss}" if loss else "")
    return what + (f", the smallest within {loss} on validation" if loss else "")


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
