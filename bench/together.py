"""One process against several that train the same model together (see `recprune.together`): seconds and quality.

    python -m bench.together --processes 1 2

runs, for each model and number of processes, torchrun on this file with a task: the script of `recprune.together`, with
clocks. BENCH_DATASET names another data set than ml-100k.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from bench import fit
from bench.common import RESULTS, ROOT, TINY, write
from recprune.datasets.download import cache_folder
from recprune.models import REGISTRY

MODELS = ("bpr", "mult-vae")


def torchrun(processes: int, task: dict) -> list[dict]:
    """What each process says of its training. Raises CalledProcessError where one fails."""
    with tempfile.TemporaryDirectory(prefix="recprune-bench-") as folder:
        launch = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes)]
        command = [sys.executable, *launch, "-m", "bench.together", "--task", json.dumps(task | {"out": folder})]
        environment = os.environ | {
            "RECPRUNE_DATA": str(cache_folder()),
            "OMP_NUM_THREADS": "1",
            "MKL_NUM_THREADS": "1",
        }
        subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL)
        return [json.loads((Path(folder) / f"{rank}.json").read_text()) for rank in range(processes)]


def work(task: dict) -> None:
    """One of the processes: trains, and leaves what it took."""
    (Path(task["out"]) / f"{os.environ['RANK']}.json").write_text(json.dumps(fit.main(task)))


def compare(models: list[str], processes: list[int], dataset: str, epochs: int | None) -> pd.DataFrame:
    """One row a model and number of processes; ratios are to the first number."""
    rows: list[dict] = []
    for name in models:
        given = REGISTRY[name]().hyperparameters() | ({} if epochs is None else {"epochs": epochs})
        first: dict = {}
        for n in processes:
            told = torchrun(n, {"model": name, "dataset": dataset, "protocol": "ratio", "hyperparameters": given})
            row = {
                "model": name,
                "processes": n,
                "epoch_s": float(np.median(told[0]["epoch_clock"])),
                "processor_s": float(np.mean([np.median(each["epoch_seconds"]) for each in told])),
                "epochs": told[0]["epochs"],
                "val_ndcg@10": told[0]["val_ndcg@10"],
            }
            first = first or row
            rows.append(row | {"times_first": row["epoch_s"] / first["epoch_s"]})
            print(rows[-1], flush=True)
    return pd.DataFrame(rows)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--task", type=json.loads, help=argparse.SUPPRESS)
    parser.add_argument("--models", nargs="+", default=list(MODELS), choices=list(REGISTRY))
    parser.add_argument("--processes", nargs="+", type=int, default=[1, 2])
    dataset = os.environ.get("BENCH_DATASET", "synthetic:150x90x4000" if TINY else "ml-100k")
    parser.add_argument("--dataset", default=dataset)
    parser.add_argument("--epochs", type=int, default=3 if TINY else None, help="at most; by default the model's own")
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args(arguments)
    if options.task:
        work(options.task)
        return
    rows = compare(options.models, options.processes, options.dataset, options.epochs)
    name = Path(options.dataset).name.removesuffix(".gz").removesuffix(".csv").replace(":", "-")
    busy = os.getloadavg()[0] / (os.cpu_count() or 1)
    notes = f"""
{name}, protocol ratio, one thread a process, on one machine. `epoch_s`: seconds of a clock, one epoch with the
validation after it, the median; `times_first`: its ratio to the first row of the model. `processor_s`: the processor's
seconds of the same, the mean over the processes, in which sleeping until the others are there does not count.
`val_ndcg@10`: the best epoch's, of `epochs` until early stopping. At the end {busy:.1f} processes for each core wanted
to run: with more than one, `epoch_s` is what others left.
"""
    write(f"together-{name}", rows, f"Processes that train together on {name}", notes, folder=options.out)


if __name__ == "__main__":
    main()
