"""A study on a Slurm of two nodes that loses one of them: the same command goes on, and the rows are make's."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import yaml
from slurm_daemons import until

from recprune.datasets import synthetic
from recprune.study.__main__ import main

pytestmark = [pytest.mark.cluster, pytest.mark.slow]

ROOT = Path(__file__).resolve().parents[2]
STUDY = """
[study.small]
dataset = "ml-100k"
protocol = "ratio"
seeds = [0]
models = ["popularity", "ease", "ials"]
runs = [
  { notebook = "10-dense" },
  { notebook = "20-prune-samples", models = ["ease"], criterion = ["random"], keep = [0.8, 0.4] },
  { notebook = "21-prune-weights", models = ["ease"], criterion = ["random", "magnitude"], keep = [0.2, 0.05] },
  { notebook = "22-prune-structure", method = "factor-principal-axes", unit = "factor", runs = [
    { models = ["ials"], criterion = ["principal-axes"], keep = [0.5, 0.25] },
  ] },
  { notebook = "30-compare" },
]
"""


def checkout(folder: Path) -> Path:
    """A folder in which a study can be run: what this checkout has for it, and a small study beside the others."""
    folder.mkdir()
    for name in ("notebooks", "Snakefile", "profiles"):
        (folder / name).symlink_to(ROOT / name)
    (folder / "study.toml").write_text((ROOT / "study.toml").read_text() + STUDY)
    return folder


def study(folder: Path, environment: dict, *more: str) -> subprocess.Popen:
    command = [sys.executable, "-m", "recprune.study", "runs", "--study=small", "--dataset=../log.csv", "--jobs=2"]
    with (folder / "log.txt").open("a") as log:
        return subprocess.Popen([*command, *more], cwd=folder, env=environment, stdout=log, stderr=log)


def said(folder: Path) -> str:
    return (folder / "log.txt").read_text()


def stamps(folder: Path) -> list[Path]:
    return sorted(folder.glob("results/runs/small/*/*/*/*/*.done"))


@pytest.fixture
def profile(tmp_path) -> Path:
    """The committed profile, asked more often, without second tries: what a lost node costs is to be seen."""
    settings = yaml.safe_load((ROOT / "profiles/slurm/config.yaml").read_text())
    settings |= {"retries": 0, "latency-wait": 10, "seconds-between-status-checks": 2}
    settings |= {"slurm-init-seconds-before-status-checks": 2}
    folder = tmp_path / "profile"
    folder.mkdir()
    (folder / "config.yaml").write_text(yaml.safe_dump(settings))
    return folder


def test_a_study_that_loses_a_node_goes_on_and_leaves_the_rows_of_make(tmp_path, slurm, profile):
    log = synthetic(n_users=120, n_items=80, n_interactions=4000, seed=1)
    columns = {
        "user": log.users[log.user],
        "item": log.items[log.item],
        "rating": log.rating,
        "timestamp": log.timestamp,
    }
    pd.DataFrame(columns).to_csv(tmp_path / "log.csv", index=False)
    one_thread = {"OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    environment = slurm.environment | one_thread
    made, there = checkout(tmp_path / "make"), checkout(tmp_path / "cluster")
    assert study(made, environment).wait() == 0, said(made)

    cluster = ["--engine=snakemake", f"--profile={profile}"]
    first = study(there, environment, *cluster)
    until(lambda: first.poll() is not None or (len(stamps(there)) >= 2 and slurm.work_on("n1")), "work on node n1")
    assert first.poll() is None, said(there)
    slurm.lose("n1")
    assert first.wait() == 1, "a run was lost with its node"
    assert 2 <= len(stamps(there)) < len(stamps(made)) and "not finished:" in said(there), said(there)

    assert study(there, environment, *cluster).wait() == 0, said(there)
    assert [path.relative_to(there) for path in stamps(there)] == [path.relative_to(made) for path in stamps(made)]
    rows = [str(next(folder.glob("results/own/*/small/cells.csv"))) for folder in (made, there)]
    assert main(["compare", *rows]) == 0
    print(said(there))
