"""recprune prune: a log of ratings in, a pruned model out, with what it keeps, costs, and its verdict."""

from __future__ import annotations

import argparse
import math
import shlex
from collections.abc import Mapping

from recprune.datasets import load
from recprune.evaluation import Comparison, evaluate
from recprune.evaluation.compare import PARTS, compared
from recprune.models import Popularity, Recommender
from recprune.pruning.budget import Budget
from recprune.pruning.pruned import Pruned
from recprune.pruning.schedule import STEP
from recprune.shell.order import Order
from recprune.shell.progress import Epochs, Told, say
from recprune.splits import Split, split

FORMS = {"parameters,": ",.0f", "bytes": ",.0f", "ms": ".3f"}  # first word of a row -> its numbers; else a metric


def run(options: argparse.Namespace) -> int:
    """The exit status; errors as `Order.of` and the library raise them."""
    order = Order.of(options)
    print(*order.taken, sep="\n", flush=True)
    of = split(load(options.ratings, **order.columns), **order.protocol)
    say(f"{of.n_users:,} users x {of.n_items:,} items after filtering, {of.train.nnz:,} interactions to train on")
    say(f"training {order.model.name} ...")
    with Epochs(order.model) as model:
        dense = model.fit(of.train, of.validation, options.seed, of.fold_in("validation"))
    say(f"{dense.name} trained in {dense.train_seconds:.1f} s; pruning ...")
    pruned = pruned_by(order, dense, of, options.seed)
    say(f"{pruned.kept:.2%} of the {order.method['unit']}s kept; measuring ...")
    small = pruned.compact()
    models = {"popularity": Popularity().fit(of.train), "dense": dense, "pruned": small}
    found = {name: {on: evaluate(one, of, on=on, k=(10,)) for on in PARTS} for name, one in models.items()}
    small.save(order.out, reports=found["pruned"].values())
    comparison = compared(models, found, of.n_users)
    for line in (*table(models, comparison), *verdict(comparison, pruned, order)):
        print(line)
    print(f"saved: {order.out}: {chosen(pruned, order)}")
    user = shlex.quote(str(of.users[0]))
    print(f"open {order.out}: recprune recommend {shlex.quote(str(order.out))} --user {user} -k 10")
    return 0


def pruned_by(order: Order, dense: Recommender, of: Split, seed: int) -> Pruned:
    """The model that the order asks for, while it is said how far the search is. Raises ValueError as
    `recprune.pruning.prune` does."""
    path = Told(dense, of, seed=seed, **order.method).search(1)
    if not isinstance(order.budget, Budget):
        return order.budget.within(path)
    last = len(path.pool.shares(STEP))
    bisected = math.ceil(math.log2(last + 1)) * len(order.budget.formats)
    most = 1 if order.budget.keep is not None else min(bisected, last) if path.schedule == "one-shot" else last
    pruned = path.search(most).within(order.budget)
    path.line.end()
    return pruned


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
    loss = order.budget.max_loss
    if loss is not None:
        said = "confirmed" if ratio.lower >= 1 - loss else "not confirmed"
        lines.append(
            f"{said} on test: a loss of at most {loss:.3g} was asked for, and the one-sided 95 % lower bound of what "
            f"is kept is {ratio.lower:.1%}"
        )
    return [*lines, *comparison.warnings]


def chosen(pruned: Pruned, order: Order) -> str:
    """What was chosen, and by what."""
    budget, formats = order.budget, order.budget.formats
    what = f"{pruned.kept:.2%} of the {order.method['unit']}s, values in {pruned.values}"
    if len(formats) > 1:
        what += f" (of {', '.join(formats)})"
    loss = "" if budget.max_loss is None else f"a loss of {budget.max_loss:.3g}"
    if not isinstance(budget, Budget):
        bytes_too = "" if budget.bytes is None else f" and {budget.bytes:,} bytes"
        return f"{what}, the largest within {budget.ms:g} ms for one user{bytes_too}" + (f" and {loss}" if loss else "")
    if budget.bytes is not None:
        return f"{what}, the best on validation within {budget.bytes:,} bytes" + (f" and {loss}" if loss else "")
    return what + (f", the smallest within {loss} on validation" if loss else "")
