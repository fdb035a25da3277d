"""Several processes train as one does: by parts of a batch in this process, and by real ones under torchrun."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import recprune as rp
from recprune.datasets import synthetic
from recprune.models import BPR, DLRM, ELSA, MultVAE, NeuMF, SASRec
from recprune.models import dlrm as dlrm_file
from recprune.models.descent.step import Adam, Step
from recprune.models.disk.storage import FILES
from recprune.together import Group

CPU = torch.device("cpu")
# models without anything that is drawn for each sample
CERTAIN = (
    BPR(factors=5, batch_size=33),
    ELSA(factors=5, batch_size=17),
    NeuMF(factors=4, hidden=(6, 3), dropout=0.0, batch_size=100),
    SASRec(factors=4, hidden=6, max_length=12, dropout=0.0, batch_size=7),
    SASRec(factors=4, hidden=6, max_length=12, dropout=0.0, batch_size=7, candidates=20),
    MultVAE(hidden=6, latent=3, dropout=0.0, batch_size=19, bfloat16=False),
    DLRM(factors=4, hidden=(4,), dropout=1.0, batch_size=19),
    DLRM(factors=4, hidden=(4,), dropout=1.0, batch_size=19, candidates=20),
)


@given(st.integers(0, 1000), st.integers(1, 9))
def test_parts_are_all_rows_once_and_differ_by_one_at_most(n, size):
    parts = [np.arange(n)[Group(rank, size).part(n)] for rank in range(size)]
    assert np.concatenate(parts).tolist() == list(range(n))
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


def gradients(model, batch, group) -> tuple[list[torch.Tensor], float]:
    """What a process adds to the gradients of a step, and its share; nothing is exchanged here."""
    arrays = {name: array.detach().clone() for name, array in (model.arrays | model.auxiliary).items()}
    adam = Adam([a.requires_grad_() for a in arrays.values() if a.is_floating_point()], 0.1, 0.0)
    part, share = Step(model, arrays, adam, torch.Generator(), group, CPU)._part(batch)
    model.loss(arrays, part, torch.Generator().manual_seed(0)).backward()
    return [gradient * share for gradient in adam.gradients], share


@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
@pytest.mark.parametrize("model", CERTAIN, ids=lambda m: f"{m.name}-{getattr(m, 'candidates', 0)}")
def test_the_parts_gradients_add_up_to_that_of_the_batch(model, weighted, ratio, monkeypatch):
    """Of three processes with unequal parts, in full batches and in the last; and of more processes than samples."""
    monkeypatch.setattr(dlrm_file, "ID_HIDDEN", 0.0)
    train = ratio.train
    if weighted:
        weight = np.random.default_rng(0).uniform(0.2, 3, train.nnz).astype(np.float32)
        train = train.select(np.ones(train.nnz, bool), weight=weight)
    model._know(train)
    model.initialise(torch.Generator().manual_seed(0))
    if model.name == "mult-vae":  # without its noise
        model.auxiliary["variance.weight"].zero_()
        model.auxiliary["variance.bias"].fill_(-60.0)
    batches = list(model.batches(train, np.random.default_rng(0), 0))
    for batch in (batches[0], batches[-1]):
        whole, share = gradients(model, batch, Group())
        assert share == 1
        for size in (2, 3, batch[0].shape[0] + 1):
            parts = [gradients(model, batch, Group(rank, size)) for rank in range(size)]
            assert sum(share for _, share in parts) == pytest.approx(1)
            for expected, *found in zip(whole, *(each for each, _ in parts), strict=True):
                torch.testing.assert_close(sum(found), expected, rtol=1e-3, atol=1e-6)


def test_a_batch_that_cannot_be_cut_is_refused(ratio):
    class Odd(BPR):
        def batches(self, train, rng, epoch):
            for users, pairs in super().batches(train, rng, epoch):
                yield users, pairs, torch.zeros(2)

    model = Odd(factors=2)
    batch = next(model.batches(ratio.train, np.random.default_rng(0), 0))
    step = Step(model, {}, Adam([], 0.1, 0.0), torch.Generator(), Group(0, 2), CPU)
    with pytest.raises(ValueError, match="bpr: place 2 of a batch has not a row for each of its .* `in_common`"):
        step._part(batch)


SCRIPT = """
import json, os, sys
from pathlib import Path

import recprune as rp
from recprune.datasets import synthetic
from recprune.models import BPR, MultVAE, SASRec

out, rank = Path(sys.argv[1]), os.environ["RANK"]
generators = set()

class Told(MultVAE):
    def loss(self, arrays, batch, generator):
        generators.add(generator.initial_seed())
        return super().loss(arrays, batch, generator)

log = synthetic(n_users=120, n_items=80, n_interactions=4000, seed=1)
split = rp.split(log, protocol="ratio", seed=0, core=5)
few = synthetic(n_users=20, n_items=15, n_interactions=150, seed=1)
few = rp.split(few, protocol="ratio", seed=0, core=0, min_rating=0)
small = {"factors": 4, "hidden": 6, "max_length": 12, "dropout": 0.0, "epochs": 2}
models = {
    "bpr": BPR(factors=5, batch_size=97, epochs=4).fit(split.train, split.validation, seed=3),
    "one-by-one": BPR(factors=3, batch_size=1, epochs=1).fit(few.train, few.validation, seed=3),
    "sasrec": SASRec(**small).fit(split.train, split.validation, seed=3),
    "mult-vae": Told(hidden=16, latent=6, epochs=12, batch_size=32).fit(split.train, split.validation, seed=3),
}
for name, model in models.items():
    model.save(out / rank / name)  # the first process alone does
try:
    BPR(factors=2, epochs=1).fit(split.train, seed=int(rank))
    refused = ""
except ValueError as error:
    refused = str(error)
told = {"generators": sorted(generators), "refused": refused}
told |= {name: [model.train_log, {k: a.tolist() for k, a in model.arrays.items()}] for name, model in models.items()}
(out / f"{rank}.json").write_text(json.dumps(told))
"""


def torchrun(script: Path, *arguments: object) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [*command, str(script), *map(str, arguments)], env=environment, capture_output=True, text=True
    )


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    """The folder of two processes that trained, and what each of them says."""
    folder = tmp_path_factory.mktemp("together")
    (folder / "train.py").write_text(SCRIPT)
    done = torchrun(folder / "train.py", folder)
    assert done.returncode == 0, done.stderr
    return folder, [json.loads((folder / f"{rank}.json").read_text()) for rank in (0, 1)]


def alone(name: str, ratio, seed: int = 3):
    few = rp.split(
        synthetic(n_users=20, n_items=15, n_interactions=150, seed=1), protocol="ratio", seed=0, core=0, min_rating=0
    )
    model, split = {
        "bpr": (BPR(factors=5, batch_size=97, epochs=4), ratio),
        "one-by-one": (BPR(factors=3, batch_size=1, epochs=1), few),
        "sasrec": (SASRec(factors=4, hidden=6, max_length=12, dropout=0.0, epochs=2), ratio),
        "mult-vae": (MultVAE(hidden=16, latent=6, epochs=12, batch_size=32), ratio),
    }[name]
    return model.fit(split.train, split.validation, seed=seed)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["bpr", "one-by-one", "sasrec"])
def test_two_processes_give_the_model_of_one(name, two, ratio):
    """Where nothing is drawn for each sample; BPR's last batch is an odd one, `one-by-one` has one sample a batch."""
    _, told = two
    model = alone(name, ratio)
    assert told[0][name] == told[1][name]
    log, arrays = told[0][name]
    for key, array in model.arrays.items():
        np.testing.assert_allclose(np.array(arrays[key], np.float32), array.numpy(), atol=1e-4)
    assert [row["loss"] for row in log] == pytest.approx([row["loss"] for row in model.train_log], rel=1e-4)
    assert [row["val_ndcg@10"] for row in log] == pytest.approx(
        [row["val_ndcg@10"] for row in model.train_log], abs=0.02
    )


@pytest.mark.slow
def test_with_dropout_two_processes_are_within_what_seeds_differ_by(two, ratio):
    def best(log):
        return max(row["val_ndcg@10"] for row in log)

    _, told = two
    assert told[0]["mult-vae"] == told[1]["mult-vae"]
    seeds = [best(alone("mult-vae", ratio, seed).train_log) for seed in range(4)]
    assert abs(best(told[0]["mult-vae"][0]) - np.mean(seeds)) < 4 * np.std(seeds, ddof=1)


@pytest.mark.slow
def test_each_process_draws_its_own_and_the_first_what_one_would(two):
    _, (first, second) = two
    assert first["generators"] == [3]
    assert second["generators"] and second["generators"] != [3]


@pytest.mark.slow
def test_the_first_process_alone_writes(two):
    folder, _ = two
    assert set(FILES) >= {path.name for path in (folder / "0" / "bpr").iterdir()}
    assert rp.load_model(folder / "0" / "bpr").score([0]).shape[0] == 1
    assert not (folder / "1").exists()


@pytest.mark.slow
def test_processes_that_train_different_things_are_refused_by_all(two):
    _, told = two
    assert {each["refused"] for each in told} == {
        "process 1 trains with seed 1, process 0 with 0; "
        "all processes of a group have to train the same model on the same data"
    }


@pytest.mark.slow
def test_a_process_that_fails_fails_the_command(tmp_path):
    script = tmp_path / "train.py"
    script.write_text(
        SCRIPT.replace("generators = set()", "generators = set()\nassert rank == '0', 'the second has no memory left'")
    )
    done = torchrun(script, tmp_path)
    assert done.returncode != 0
    assert "the second has no memory left" in done.stderr
    assert not (tmp_path / "0.json").exists()
