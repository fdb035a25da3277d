"""recprune prune | advise | recommend | doctor: the library from the shell, on one's own ratings.

recprune advise ratings.csv                                 # what is likely to go from which model, and how to check it
recprune prune ratings.csv --out small/                     # the smallest within 1 % of the dense model
recprune prune ratings.csv --max-bytes 100000 --out small/  # the best that fits
recprune recommend small/ --user 42 -k 20
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from importlib import import_module
from pathlib import Path

from recprune import __version__, threads

COLUMNS = (
    'names in the file: "user=uid item=iid rating=stars timestamp=ts"; "timestamp=" takes none (default: the usual)'
)
CRITERIA = (
    "magnitude (default), magnitude-layer, principal-axes, activation-variance, activation-variance-axes, "
    "mutual-information, mutual-information-axes, taylor, taylor-apart, snip, brain-surgeon, proximal-l1, "
    "proximal-l1-clip, group-lasso, group-lasso-clip, l2-threshold, l2-threshold-clip, soft-threshold, clip, slim or "
    "cost-complexity; random, mask-shuffle and train-longer are controls"
)
RATINGS = "a file (CSV, TSV, Parquet, also .gz), a folder, or a registered name such as ml-100k"


def main(arguments: list[str] | None = None) -> int:
    """Exit status: 0, 1 when something failed, 2 for a command that is not understood, 130 when interrupted."""
    threads.one_each()
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a title may have letters that the terminal lacks
    options = _parser().parse_args(_joined(sys.argv[1:] if arguments is None else arguments))
    try:
        if options.command != "shell.doctor":  # the libraries take seconds to be read the first time
            print("loading ...", file=sys.stderr, flush=True)
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


def console() -> None:
    """The command `recprune`, and `python -m recprune`: ends with the status of `main`, on SIGTERM as on Ctrl-C."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler)
    sys.unraisablehook = _interrupt_again
    sys.exit(main())


def _interrupt_again(what) -> None:
    """An interruption that came where Python can only print an exception and go on, as in a destructor, would be lost:
    it comes once more, a moment later."""
    if issubclass(what.exc_type, KeyboardInterrupt):
        signal.signal(signal.SIGALRM, signal.default_int_handler)
        signal.setitimer(signal.ITIMER_REAL, 0.01)
    else:
        sys.__unraisablehook__(what)


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
        prog="recprune", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--version", action="version", version=f"recprune {__version__}")
    commands = parser.add_subparsers(required=True, metavar="prune | advise | recommend | doctor")
    for name, help_, add in (
        ("prune", "train on a log of ratings, prune, and save the compact model", _prune),
        (
            "advise",
            "what is likely to go from which model at a loss of 1 %%, and the command that verifies it",
            _advise,
        ),
        ("recommend", "a saved model's best unseen items for one user", _recommend),
        ("doctor", "check environment, machine, disk and data, and say what to do", lambda sub: None),
    ):
        sub = commands.add_parser(name, help=help_, description=help_)
        sub.set_defaults(command=f"shell.{name}")
        add(sub)
    return parser


def _prune(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("ratings", help=RATINGS)
    sub.add_argument("--out", required=True, type=Path, help="folder of the compact model")
    _log(sub)
    model = "item-knn, ials, bpr, ease, elsa, neumf, mult-vae, dlrm, sasrec or tree (default: ease)"
    sub.add_argument("--model", default="ease", help=model)
    setting = "a hyper-parameter; default: what was tuned for this data set, else the study's"
    sub.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help=setting)
    sub.add_argument("--seed", type=int, default=0, help="of split, training and ties (default: 0)")

    method = sub.add_argument_group(
        "method", "Default: the study's best rule for the model. Where one of these is given, the others have defaults."
    )
    for name, help_ in (
        ("--criterion", CRITERIA),
        ("--unit", "weight (default), n-of-m, neighbour, factor, neuron, item-row, user-row or split"),
        ("--schedule", "one-shot (default), linear, cubic or geometric"),
        ("--recovery", "none, refit, fine-tune, rewind or retrain (default: refit, else fine-tune, else none)"),
    ):
        method.add_argument(name, help=help_)

    limits = sub.add_argument_group("limits", "Bytes, milliseconds and a loss go together; a share goes alone.")
    limits.add_argument("--max-loss", type=float, help="share of validation nDCG@10 that may be lost (default: 0.01)")
    limits.add_argument("--max-bytes", "--bytes", dest="bytes", type=int, help="bytes on disk that it may take")
    limits.add_argument("--max-ms", type=float, help="milliseconds that one user may take, the median on this machine")
    limits.add_argument("--keep", type=float, help="share of the units that stays")
    values = (
        "float32, float16, int8, int4, several (int8,int4), or auto (default, but with --keep): what suits the limits"
    )
    limits.add_argument("--values", help=values)


def _log(sub: argparse.ArgumentParser) -> None:
    """How a log is read and filtered."""
    sub.add_argument("--columns", default="", help=COLUMNS)
    sub.add_argument("--protocol", default="ratio", help="ratio (default), strong, loo, temporal or given")
    rating = "ratings from here on are positive (default: 3, with protocol strong 4)"
    sub.add_argument("--min-rating", type=float, help=rating)
    core = "interactions that each user and item has at least (default: 10; strong: 5 a user)"
    sub.add_argument("--core", type=int, help=core)


def _advise(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("ratings", help=RATINGS)
    _log(sub)
    sub.add_argument("--seed", type=int, default=0, help="of the split (default: 0)")


def _recommend(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("model", type=Path, help="folder of a saved model")
    sub.add_argument("--user", required=True, help="the user's id, as in the log")
    sub.add_argument("-k", type=int, default=20, help="items (default: 20)")


if __name__ == "__main__":
    console()
