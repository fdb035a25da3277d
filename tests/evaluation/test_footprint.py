import json
import os
import time

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from scipy import sparse

from recprune.evaluation import footprint, latency, peak_rss_mb
from recprune.models.ease import EASE


class Weights:
    """A recommender reduced to what the footprint reads: arrays, a folder on disk, recommend."""

    def __init__(self, arrays, delay=0.0):
        self.arrays, self.delay, self.calls = arrays, delay, []

    def parameters(self):
        return self.arrays

    def macs(self):
        return 12

    def save(self, path):
        path.mkdir()
        dense = {k: v if isinstance(v, torch.Tensor) else torch.from_numpy(v.toarray()) for k, v in self.arrays.items()}
        save_file(dense, path / "model.safetensors")
        (path / "model.json").write_text(json.dumps({"arrays": sorted(dense)}))
        (path / "history.safetensors").write_bytes(b"0" * 10_000)

    def recommend(self, users, k):
        self.calls.append(len(users))
        time.sleep(self.delay)
        return np.zeros((len(users), k), np.int32)


def test_counts_of_dense_and_sparse_arrays():
    matrix = sparse.csr_array((np.array([1, 0, 3], np.float32), np.array([0, 2, 1]), np.array([0, 2, 3])), shape=(2, 3))
    model = Weights({"a": torch.tensor([[1.0, 0.0], [2.0, 3.0]]), "codes": torch.arange(5), "b": matrix})
    cost = footprint(model)
    assert (cost.parameters, cost.nonzeros, cost.macs) == (4 + 3, 3 + 2, 12)
    assert cost.bytes_memory == 16 + 40 + matrix.data.nbytes + matrix.indices.nbytes + matrix.indptr.nbytes


def test_bytes_on_disk_are_those_of_the_model_proper(tmp_path):
    model = Weights({"a": torch.ones(50, 20)})
    model.save(tmp_path / "m")
    expected = sum(os.path.getsize(tmp_path / "m" / name) for name in ("model.safetensors", "model.json"))
    cost = footprint(model)
    assert cost.bytes_disk == expected
    assert (cost.bytes_history, cost.bytes_ids, cost.bytes_served) == (10_000, 0, expected + 10_000)


def test_footprint_of_real_models_pruned_or_not(make_split, tmp_path):
    split = make_split(np.random.default_rng(0).integers(0, 4, (40, 30)))
    dense = EASE(l2=10.0).fit(split.train)
    for name, array in dense.prunable().items():
        assert array.shape == (30, 30), name
    masked = dense.clone()
    for array in masked.prunable().values():
        array[array.abs() < array.abs().quantile(0.95)] = 0
    small = masked.compact()
    costs = {name: footprint(model) for name, model in (("dense", dense), ("masked", masked), ("small", small))}
    for name, model in (("dense", dense), ("small", small)):
        model.save(tmp_path / name)
        header = json.loads((tmp_path / name / "model.json").read_text())
        assert header.pop("provenance")["weights"]
        (tmp_path / "header.json").write_text(json.dumps(header, indent=1, sort_keys=True) + "\n")
        files = [tmp_path / "header.json", *(tmp_path / name / file for file in ("model.safetensors",))]
        assert costs[name].bytes_disk == sum(map(os.path.getsize, files))
        files += [tmp_path / name / file for file in ("history.safetensors", "users.parquet", "items.parquet")]
        assert costs[name].bytes_served == sum(map(os.path.getsize, files))
    assert costs["dense"].parameters == costs["masked"].parameters == 900 > costs["small"].parameters
    assert costs["masked"].nonzeros == costs["small"].nonzeros == costs["small"].parameters
    assert costs["small"].bytes_memory < costs["dense"].bytes_memory
    assert costs["small"].bytes_disk < costs["dense"].bytes_disk


def test_slower_models_are_found_slower_and_all_get_the_same_calls():
    models = {"dense": Weights({}, delay=0.01), "pruned": Weights({}), "slower": Weights({}, delay=0.03)}
    found = latency(models, np.arange(50), repeats=15)
    assert list(found) == list(models)
    assert found["pruned"].p50_ms < found["dense"].p50_ms < found["slower"].p50_ms
    assert found["slower"].users_per_s < found["pruned"].users_per_s
    for name, value in found.items():
        assert 0 < value.p50_ms <= value.p95_ms and value.threads == torch.get_num_threads(), name
    assert models["dense"].calls == models["pruned"].calls == models["slower"].calls
    assert models["dense"].calls == [1] * 3 + [50] + [1] * 15 + [50] * 3  # warm-up, singles, batches


@pytest.mark.parametrize("wrong", [{"users": []}, {"repeats": 0}, {"batch": 0}])
def test_latency_needs_users_and_repeats(wrong):
    with pytest.raises(ValueError, match="at least one repeat"):
        latency({"dense": Weights({})}, **({"users": [1]} | wrong))


def test_peak_memory_counts_what_was_held():
    held = np.ones(10_000_000)
    peak = peak_rss_mb()
    assert peak > held.nbytes / 1e6
    del held
    assert peak_rss_mb() > 0.99 * peak  # the kernel's counters are exact to some pages only
