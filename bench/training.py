"""Seconds an epoch, and to convergence, of every model trained by gradient descent; also against another revision.

    python -m bench.training --against 1a2b3c4     before (1a2b3c4) and after (the working tree), turn by turn

Both train with the hyper-parameters that the working tree has by default. One thread; an epoch includes
the validation after it. BENCH_DATASET names another data set than ml-100k.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from bench.common import RESULTS, ROOT, TINY, write
from recprune.datasets.download import cache_folder
from recprune.models import REGISTRY
from recprune.models.descent import GradientModel

FIT = Path(__file__).with_name("fit.py")
NOW = "working tree"


def gradient_models() -> list[str]:
    return [name for name, model in REGISTRY.items() if issubclass(model, GradientModel)]


@contextlib.contextmanager
def checked_out(revision: str | None) -> Iterator[dict[str, Path]]:
    """Name -> folder of the code to measure: the working tree and, while it lasts, the revision asked for."""
    if revision is None:
        yield {NOW: ROOT}
        return
    with tempfile.TemporaryDirectory(prefix="recprune-bench-") as temporary:
        archive = subprocess.run(
            ["git", "archive", revision, "recprune", "data"], cwd=ROOT, check=True, stdout=subprocess.PIPE
        )
        subprocess.run(["tar", "-x", "-C", temporary], input=archive.stdout, check=True)
        yield {revision: Path(temporary), NOW: ROOT}


def fit(code: Path, task: dict) -> dict | None:
    """What training took with the library in `code`; None where that does not have the model."""
    environment = os.environ | {
        "PYTHONPATH": str(code),
        "RECPRUNE_DATA": str(cache_folder()),
        "OMP_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
    }
    done = subprocess.run(
        [sys.executable, str(FIT), json.dumps(task)],
        cwd=code,
        env=environment,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        print(f"{task['model']}: {done.stderr.strip().splitlines()[-1]}", flush=True)
        return None
    return json.loads(done.stdout)


def compare(models: list[str], folders: dict[str, Path], options: argparse.Namespace) -> pd.DataFrame:
    """One row a model and revision: seconds an epoch and to convergence, and ratios to the other revision."""
    rows = []
    for name in models:
        task = {"model": name, "dataset": options.dataset, "protocol": options.protocol}
        short = task | {"hyperparameters": REGISTRY[name]().hyperparameters() | {"epochs": options.epochs}}
        turns = [{code: fit(folder, short) for code, folder in folders.items()} for _ in range(options.repeats)]
        whole = task | {"hyperparameters": REGISTRY[name]().hyperparameters()}
        to_the_end = {code: fit(folder, whole) if options.converge else None for code, folder in folders.items()}
        epoch = {
            code: np.array([np.median(turn[code]["epoch_seconds"]) for turn in turns])
            for code in folders
            if all(turn[code] for turn in turns)
        }
        for code in epoch:
            converged = to_the_end[code] or {}
            rows.append(
                {
                    "model": name,
                    "code": code,
                    "epoch_s": float(np.median(epoch[code])),
                    "times_now": float(np.median(epoch[code] / epoch[NOW])) if NOW in epoch else np.nan,
                    "epochs": converged.get("epochs"),
                    "converged_s": converged.get("seconds"),
                    "val_ndcg@10": converged.get("val_ndcg@10"),
                }
            )
            print(rows[-1], flush=True)
    return pd.DataFrame(rows)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--against", metavar="REVISION", help="git revision to compare the working tree with")
    parser.add_argument("--models", nargs="+", default=gradient_models(), choices=gradient_models())
    dataset = os.environ.get("BENCH_DATASET", "synthetic:150x90x4000" if TINY else "ml-100k")
    parser.add_argument("--dataset", default=dataset)
    parser.add_argument("--protocol", default="ratio")
    parser.add_argument("--epochs", type=int, default=2 if TINY else 4, help="of which the first is not counted")
    parser.add_argument("--repeats", type=int, default=1 if TINY else 3)
    parser.add_argument(
        "--no-converge", dest="converge", action="store_false", default=not TINY, help="only time epochs"
    )
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args(arguments)
    if options.epochs < 2:
        parser.error("--epochs: at least 2 are needed, as the first is not counted")
    with checked_out(options.against) as folders:
        rows = compare(options.models, folders, options)
    name = Path(options.dataset).name.removesuffix(".gz").removesuffix(".csv").replace(":", "-")
    notes = f"""
{name}, protocol {options.protocol}. Seconds of the processor, one thread. `epoch_s`: one epoch with the
validation after it, the median over epochs and over {options.repeats} processes that take turns; `times_now`: its
median ratio to the working tree. `epochs`, `converged_s`: until early stopping, set-up included, once; with
`val_ndcg@10`, the best epoch's. Revisions train with the working tree's default hyper-parameters.
"""
    write(f"training-{name}", rows, f"Training on {name}", notes, folder=options.out)


if __name__ == "__main__":
    main()
