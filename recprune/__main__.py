"""python -m recprune doctor | prune | recommend: the library from the shell, on one's own ratings.

python -m recprune prune ratings.csv --model ease --max-loss 0.01 --out small/
python -m recprune recommend small/ --user 42 -k 20
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path


def main(arguments: list[str] | None = None) -> int:
    """Exit status: 0, 1 when something failed, 2 for a command that is not understood, 130 when interrupted."""
    options = _parser().parse_args(arguments)
    try:
        return options.command(options)
    except KeyboardInterrupt:
        print("interrupted: nothing was written", file=sys.stderr)
        return 130
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m recprune", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(required=True, metavar="doctor | prune | recommend")

    sub = commands.add_parser("doctor", help="check environment, machine, disk and data, and say what to do")
    sub.set_defaults(command=_doctor)

    sub = commands.add_parser("prune", help="train on a log of ratings, prune, and save the compact model")
    sub.set_defaults(command=_prune)
    sub.add_argument("ratings", help="a file (CSV, TSV, Parquet, also .gz), a folder, or a registered name")
    sub.add_argument("--out", required=True, type=Path, help="folder of the compact model")
    sub.add_argument("--columns", default="", help='names in the file: "user=uid item=iid rating=stars timestamp=ts"')
    sub.add_argument("--model", default="ease")
    sub.add_argument("--criterion", default="magnitude")
    sub.add_argument("--unit", default="weight")
    sub.add_argument("--schedule", default="one-shot")
    sub.add_argument("--recovery", help="default: refit where the model has a closed form, else fine-tune, else none")
    budget = sub.add_mutually_exclusive_group()
    budget.add_argument("--max-loss", type=float, help="share of validation nDCG@10 that may be lost; default 0.01")
    budget.add_argument("--keep", type=float, help="share of the units that stays")
    budget.add_argument("--bytes", type=int, help="bytes on disk that the model may take")
    sub.add_argument("--protocol", default="ratio")
    sub.add_argument("--min-rating", type=float)
    sub.add_argument("--core", type=int)
    sub.add_argument("--seed", type=int, default=0)
    sub.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a hyper-parameter of the model")

    sub = commands.add_parser("recommend", help="a saved model's best unseen items for one user")
    sub.set_defaults(command=_recommend)
    sub.add_argument("model", type=Path, help="folder of a saved model")
    sub.add_argument("--user", required=True, help="the user's id, as in the log")
    sub.add_argument("-k", type=int, default=20)
    return parser


def _doctor(options) -> int:
    from recprune.study.doctor import doctor

    return doctor()


def _prune(options) -> int:
    import numpy as np

    import recprune as rp
    from recprune.cells.columns import parse_columns
    from recprune.evaluation import latency, paired_ratio

    model = rp.models.build(options.model, **_settings(options.set))
    log = rp.load(options.ratings, **parse_columns(options.columns))
    split = rp.split(log, options.protocol, seed=options.seed, min_rating=options.min_rating, core=options.core)
    _say(
        f"{log.name}: {log.n_users:,} users, {log.n_items:,} items, {log.nnz:,} interactions; "
        f"{split.n_users:,} x {split.n_items:,} after filtering, {split.train.nnz:,} to train on"
    )
    dense = model.fit(split.train, split.validation, options.seed, split.fold_in("validation"))
    _say(f"{model.name} trained in {dense.train_seconds:.1f} s; pruning ...")
    budget = {"keep": options.keep, "bytes": options.bytes, "max_loss": options.max_loss}
    if all(value is None for value in budget.values()):
        budget["max_loss"] = 0.01
    recovery = options.recovery or next(r for r in ("refit", "fine-tune", "none") if r in model.recoveries)
    pruned = rp.prune(
        dense,
        split,
        options.criterion,
        options.unit,
        schedule=options.schedule,
        recovery=recovery,
        seed=options.seed,
        **budget,
    )
    small = pruned.compact()
    cost = {name: rp.footprint(m) for name, m in (("dense", dense), ("small", small))}
    speed = latency({"dense": dense, "small": small}, np.arange(split.n_users))
    found = {
        name: {on: rp.evaluate(m, split, on=on, k=(10,)) for on in ("validation", "test")}
        for name, m in (("dense", dense), ("small", small))
    }
    small.save(options.out)
    print(f"{'':22}{'dense':>14}{'pruned':>14}{'ratio':>9}")
    for on in ("validation", "test"):
        _line(f"nDCG@10 on {on}", found["dense"][on].mean["ndcg@10"], found["small"][on].mean["ndcg@10"], ".4f")
    _line("parameters, non-zero", cost["dense"].nonzeros, cost["small"].nonzeros, ",.0f")
    _line("bytes on disk", cost["dense"].bytes_disk, cost["small"].bytes_disk, ",.0f")
    _line("ms for one user", speed["dense"].p50_ms, speed["small"].p50_ms, ".3f")
    ratio = paired_ratio(found["small"]["test"].per_user["ndcg@10"], found["dense"]["test"].per_user["ndcg@10"])
    print(
        f"{pruned.kept:.2%} of the {options.unit}s kept by {options.criterion}, recovery {recovery}; "
        f"test nDCG@10 is {ratio.estimate:.1%} of dense, 95 % interval {ratio.lo:.1%} to {ratio.hi:.1%}"
    )
    print(f"saved: {options.out}")
    return 0


def _line(what: str, dense: float, pruned: float, form: str) -> None:
    share = f"{pruned / dense:>9.3f}" if dense else ""
    print(f"{what:22}{format(dense, form):>14}{format(pruned, form):>14}{share}")


def _settings(pairs: list[str]) -> dict:
    """NAME=VALUE pairs as typed values: numbers and lists as in TOML, anything else a string."""
    import tomllib

    settings = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals:
            raise ValueError(f"--set {pair!r} is not of the form NAME=VALUE")
        try:
            settings[name] = tomllib.loads(f"value = {value}")["value"]
        except tomllib.TOMLDecodeError:
            settings[name] = value
    return settings


def _recommend(options) -> int:
    import numpy as np

    import recprune as rp

    model = rp.load_model(options.model)
    users, items = np.asarray(model.users), np.asarray(model.items)
    code = np.flatnonzero(users.astype(str) == options.user)
    if not code.size:
        some = ", ".join(map(str, users[:5]))
        raise ValueError(
            f"{options.model}: no user {options.user!r} among its {model.n_users:,}; there are: {some}, ..."
        )
    if options.k < 1:
        raise ValueError(f"-k is {options.k}; at least 1 is needed")
    scores = model.score(code)[0]
    for rank, item in enumerate(model.recommend(code, options.k)[0].tolist(), 1):
        if item >= 0:
            title = "" if model.titles is None else f"  {model.titles[item]}"
            print(f"{rank:>4}  {scores[item]:>8.4f}  {items[item]}{title}")
    return 0


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
