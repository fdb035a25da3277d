"""python -m recprune doctor | prune | recommend: the library from the shell, on one's own ratings.

python -m recprune prune ratings.csv --out small/                      # the smallest within 1 % of the dense model
python -m recprune prune ratings.csv --max-bytes 100000 --out small/   # the best that fits
python -m recprune recommend small/ --user 42 -k 20
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from importlib import import_module
from pathlib import Path

from recprune import threads


def main(arguments: list[str] | None = None) -> int:
    """Exit status: 0, 1 when something failed, 2 for a command that is not understood, 130 when interrupted."""
    threads.one_each()
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a title may have letters that the terminal lacks
    options = _parser().parse_args(_joined(sys.argv[1:] if arguments is None else arguments))
    try:
        return import_module(f"recprune.{options.command}").run(options)
    except KeyboardInterrupt:
        print("interrupted: nothing was written", file=sys.stderr)
        return 130
    except BrokenPipeError:  # whoever read the output has enough; nothing is left to be flushed at the end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (ValueError, TypeError, OSError, MemoryError) as error:
        print(f"error: {error or type(error).__name__}", file=sys.stderr)
        return 1


def _joined(arguments: list[str]) -> list[str]:
    """The arguments with an id after --user as part of it: one may begin with a dash, as an option does."""
    joined: list[str] = []
    for argument in arguments:
        if joined and joined[-1] == "--user":
            joined[-1] = f"--user={argument}"
        else:
            joined.append(argument)
    return joined


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m recprune", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(required=True, metavar="doctor | prune | recommend")

    sub = commands.add_parser("doctor", help="check environment, machine, disk and data, and say what to do")
    sub.set_defaults(command="shell.doctor")

    sub = commands.add_parser("prune", help="train on a log of ratings, prune, and save the compact model")
    sub.set_defaults(command="shell.prune")
    sub.add_argument("ratings", help="a file (CSV, TSV, Parquet, also .gz), a folder, or a registered name")
    sub.add_argument("--out", required=True, type=Path, help="folder of the compact model")
    sub.add_argument("--columns", default="", help='names in the file: "user=uid item=iid rating=stars timestamp=ts"')
    sub.add_argument("--model", default="ease")
    sub.add_argument("--criterion", default="magnitude")
    sub.add_argument("--unit", default="weight")
    sub.add_argument("--schedule", default="one-shot")
    sub.add_argument("--recovery", help="default: refit where the model has a closed form, else fine-tune, else none")
    sub.add_argument("--max-loss", type=float, help="share of validation nDCG@10 that may be lost; default 0.01")
    sub.add_argument("--max-bytes", "--bytes", dest="bytes", type=int, help="bytes on disk that the model may take")
    sub.add_argument("--keep", type=float, help="share of the units that stays, in place of a loss or bytes")
    sub.add_argument(
        "--values", help="float32, float16, int8, int4, several (int8,int4), or auto: what suits the budget"
    )
    sub.add_argument("--protocol", default="ratio")
    sub.add_argument("--min-rating", type=float)
    sub.add_argument("--core", type=int)
    sub.add_argument("--seed", type=int, default=0)
    sub.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a hyper-parameter of the model")

    sub = commands.add_parser("recommend", help="a saved model's best unseen items for one user")
    sub.set_defaults(command="shell.recommend")
    sub.add_argument("model", type=Path, help="folder of a saved model")
    sub.add_argument("--user", required=True, help="the user's id, as in the log")
    sub.add_argument("-k", type=int, default=20)
    return parser


if __name__ == "__main__":
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler)
    sys.exit(main())
