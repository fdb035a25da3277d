"""The device of training: its name is checked, the CPU changes nothing, and a GPU's models come back."""

import pytest
import torch

from recprune import device
from recprune.models import BPR, DLRM, ELSA, MultVAE, NeuMF, SASRec
from recprune.study.identity import environment

MODELS = (
    BPR(factors=4, epochs=2),
    ELSA(factors=4, epochs=2),
    NeuMF(factors=4, hidden=(4, 2), epochs=2),
    MultVAE(hidden=8, latent=4, epochs=2),
    DLRM(factors=4, hidden=(4,), epochs=2, candidates=20),
    SASRec(factors=4, hidden=8, max_length=10, epochs=2),
)
needs_a_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")


def test_an_unknown_device_is_refused_with_the_known_ones(monkeypatch, ratio):
    monkeypatch.setenv(device.VARIABLE, "gpu")
    with pytest.raises(ValueError, match="RECPRUNE_DEVICE: 'gpu' is unknown; known: auto, cpu, cuda"):
        BPR(epochs=1).fit(ratio.train)


def test_the_cpu_by_name_is_the_default_bit_by_bit(monkeypatch, ratio):
    monkeypatch.delenv(device.VARIABLE, raising=False)
    plain = BPR(factors=4, epochs=2).fit(ratio.train, ratio.validation, seed=0)
    monkeypatch.setenv(device.VARIABLE, "cpu")
    named = BPR(factors=4, epochs=2).fit(ratio.train, ratio.validation, seed=0)
    assert all(torch.equal(array, named.arrays[name]) for name, array in plain.arrays.items())
    assert plain.train_log == named.train_log


def test_a_gpu_that_is_not_there_is_refused_and_auto_does_without(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setenv(device.VARIABLE, "auto")
    assert device.chosen() == torch.device("cpu")
    monkeypatch.setenv(device.VARIABLE, "cuda")
    with pytest.raises(ValueError, match="'cuda', and torch .* finds no GPU; 'cpu' or 'auto' is accepted"):
        device.chosen()


def test_a_process_without_a_gpu_of_its_own_is_refused(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setenv(device.VARIABLE, "cuda")
    monkeypatch.setenv("LOCAL_RANK", "2")
    with pytest.raises(ValueError, match="process 2 of this machine has no GPU of its own: there are 2; torchrun"):
        device.chosen()


def test_the_environment_of_a_run_tells_a_device_that_is_not_the_cpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert environment() == environment("cpu") == environment("auto")
    assert environment("cuda") == environment() | {"device": "cuda"}  # planned here, trained elsewhere
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert environment("auto") == environment("cuda")


@needs_a_gpu
@pytest.mark.parametrize("model", MODELS, ids=lambda m: m.name)
def test_a_gpu_trains_about_what_the_cpu_trains_and_gives_it_back(model, monkeypatch, ratio):
    logs = {}
    for name in ("cpu", "cuda"):
        monkeypatch.setenv(device.VARIABLE, name)
        model.fit(ratio.train, ratio.validation, seed=0)
        assert {array.device.type for array in (model.arrays | model.auxiliary).values()} == {"cpu"}
        assert not any(array.requires_grad for array in model.arrays.values())
        logs[name] = [row["loss"] for row in model.train_log]
    assert logs["cuda"] == pytest.approx(logs["cpu"], rel=0.01)
    masks = {name: array.abs() > array.abs().median() for name, array in model.prunable().items()}
    model.descend(ratio.train, ratio.validation, 0, epochs=2, masks=masks)
    assert all(not array[~masks[name]].any() for name, array in model.prunable().items())
