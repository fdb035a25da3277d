"""What a recommender costs: size on disk and in memory, arithmetic, and time to recommend."""

from __future__ import annotations

import gc
import json
import resource
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import torch

from recprune.errors import kind_of
from recprune.files import as_json

WEIGHTS, HEADER = "model.safetensors", "model.json"  # the model proper; users' histories and titles are not the model's
HISTORIES, IDS = ("history.safetensors",), ("users.parquet", "items.parquet")


class Recommends(Protocol):
    """What gives lists of items to users, so that it can be timed."""

    def recommend(self, users: np.ndarray, k: int = 20) -> np.ndarray:
        """(len(users) x k) item codes, best first."""
        ...


@dataclass(frozen=True)
class Footprint:
    """The size of a model, users' histories apart.

    parameters    stored numbers that scoring reads: every element of a dense array, every stored value
                  of a sparse one; floating point only (positions cost bytes, but are no parameters)
    nonzeros      those of them that are not 0
    bytes_disk    of model.safetensors and model.json, as saved: indices and header included, but for what is said
                  there of how it was made
    bytes_memory  of the arrays that scoring reads: values, sparse indices and row pointers
    macs          multiply-adds to score the full catalogue for one user

    What `recommend` reads beside the model, and is as large whatever was pruned; 0 where no such file is saved:

    bytes_history of history.safetensors: what each user has had, from which many models score, and which is left out
    bytes_ids     of users.parquet and items.parquet: original ids, and titles
    """

    parameters: int
    nonzeros: int
    bytes_disk: int
    bytes_memory: int
    macs: int
    bytes_history: int = 0
    bytes_ids: int = 0

    @property
    def bytes_served(self) -> int:
        """Of all that a server reads to answer with original ids: the model, the histories, the ids."""
        return self.bytes_disk + self.bytes_history + self.bytes_ids


def footprint(model) -> Footprint:
    """The `Footprint` of a trained recommender; it is saved to a temporary folder to be weighed."""
    if not hasattr(model, "parameters"):
        raise TypeError(f"a trained recommender is needed, not {kind_of(model)}")
    arrays = [part for array in model.parameters().values() for part in _parts(array)]
    values = [part for part in arrays if np.issubdtype(part.dtype, np.floating)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model"
        model.save(path)
        bytes_disk = (path / WEIGHTS).stat().st_size + _header_bytes(path / HEADER)
        beside = [sum(_size(path / name) for name in names) for names in (HISTORIES, IDS)]
    return Footprint(
        parameters=sum(part.size for part in values),
        nonzeros=sum(int(np.count_nonzero(part)) for part in values),
        bytes_disk=bytes_disk,
        bytes_memory=sum(part.nbytes for part in arrays),
        macs=int(model.macs()),
        bytes_history=beside[0],
        bytes_ids=beside[1],
    )


def _header_bytes(path: Path) -> int:
    """Bytes of model.json without `provenance`, which nothing needs to score."""
    header = json.loads(path.read_text("utf-8"))
    if header.pop("provenance", None) is None:
        return path.stat().st_size
    return len(as_json(header).encode())


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _parts(array) -> list[np.ndarray]:
    """The arrays in memory that an entry of `parameters()` consists of."""
    if isinstance(array, torch.Tensor):
        return [array.detach().numpy()]
    return [array.data, array.indices, array.indptr]


@dataclass(frozen=True)
class Latency:
    """Time to recommend, of this machine: compare it only with what was measured beside it.

    p50_ms, p95_ms  milliseconds to recommend to one user: median and 95th percentile
    users_per_s     users recommended to per second, in batches
    threads         of torch while it was measured
    """

    p50_ms: float
    p95_ms: float
    users_per_s: float
    threads: int


def latency(
    models: Mapping[str, Recommends],
    users,
    k: int = 20,
    repeats: int = 60,
    seed: int = 0,
    batch: int = 128,
    batch_repeats: int = 3,
) -> dict[str, Latency]:
    """Time to recommend the top `k`, of several models measured against each other.

    models   name -> recommender: the dense model and what is compared with it
    users    codes to draw from; every model gets the same ones
    repeats  single-user calls per model; `batch_repeats` calls with `batch` users each (the median counts)

    All models take turns in one process, in an order shuffled anew each turn, so that a slow moment
    of the machine strikes all alike; a first, untimed turn warms them up. Threads are left as they
    are. Ratios between the models travel to other machines, milliseconds do not.

    Raises ValueError without users, or for counts below 1.
    """
    users = np.asarray(users)
    if users.ndim != 1 or len(users) == 0 or min(repeats, batch, batch_repeats) < 1:
        raise ValueError("users to recommend to, and at least one repeat, are needed")
    rng = np.random.default_rng(seed)
    single = [rng.choice(users, 1) for _ in range(repeats)]
    many = [rng.choice(users, min(batch, len(users)), replace=False) for _ in range(batch_repeats)]
    _take_turns(models, single[:3] + many[:1], k, rng)
    one, all_ = _take_turns(models, single, k, rng), _take_turns(models, many, k, rng)
    return {
        name: Latency(
            p50_ms=float(np.median(one[name]) * 1e3),
            p95_ms=float(np.quantile(one[name], 0.95) * 1e3),
            users_per_s=float(len(many[0]) / np.median(all_[name])),
            threads=torch.get_num_threads(),
        )
        for name in models
    }


def _take_turns(
    models: Mapping[str, Recommends], calls: list[np.ndarray], k: int, rng: np.random.Generator
) -> dict[str, list[float]]:
    """Seconds of each call to each model; no garbage is collected in between."""
    names = list(models)
    seconds: dict[str, list[float]] = {name: [] for name in models}
    collecting = gc.isenabled()
    gc.disable()
    try:
        for users in calls:
            for position in rng.permutation(len(names)):
                recommend = models[names[position]].recommend
                start = time.perf_counter()
                recommend(users, k=k)
                seconds[names[position]].append(time.perf_counter() - start)
    finally:
        if collecting:
            gc.enable()
    return seconds


def peak_rss_mb() -> float:
    """The most memory this process has held so far, in MB (10^6 bytes).

    Linux keeps it per address space (VmHWM); elsewhere, and as a fallback, getrusage, which a
    process may inherit from the one that started it.
    """
    try:
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024 / 1e6
    except OSError:
        pass
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6
