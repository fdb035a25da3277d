"""Which build of torch `make env` takes."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def env(monkeypatch):
    """tools/env.py on a Linux machine without a GPU and with a new environment; `calls` is what pip was asked for."""
    spec = importlib.util.spec_from_file_location("env_tool", ROOT / "tools/env.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.calls, module.answer = [], None

    def pip(folder, *arguments):
        module.calls.append(arguments)
        return module.answer

    monkeypatch.chdir(ROOT)
    monkeypatch.delenv("TORCH_INDEX", raising=False)
    monkeypatch.setattr(module, "pip", pip)
    monkeypatch.setattr(module, "gpu", lambda: False)
    monkeypatch.setattr(module, "installed", lambda folder, name: "")
    monkeypatch.setattr(module.sys, "platform", "linux")
    return module


def test_without_a_gpu_the_cpu_build_is_asked_for_by_name(env, capsys):
    assert env.torch_alone(Path(".venv")) is None
    (call,) = env.calls
    assert call[-1] == f"torch=={env.pinned('torch')}+cpu" and env.CPU_INDEX in call and "--no-deps" in call
    assert capsys.readouterr().out == ""


def test_where_no_cpu_build_can_be_had_the_default_one_is_announced_with_its_size(env, capsys):
    env.answer = "out of reach"
    assert env.torch_alone(Path(".venv")) is None, "the project's own install brings it"
    said = capsys.readouterr().out
    assert said.count("\n") == 1 and "CUDA" in said and "GB" in said and "TORCH_INDEX" in said


def test_a_gpu_or_another_system_gets_the_default_build(env, monkeypatch):
    monkeypatch.setattr(env, "gpu", lambda: True)
    assert env.torch_alone(Path(".venv")) is None
    monkeypatch.setattr(env, "gpu", lambda: False)
    monkeypatch.setattr(env.sys, "platform", "darwin")
    assert env.torch_alone(Path(".venv")) is None
    assert env.calls == []


@pytest.mark.parametrize("gpu", [False, True])
def test_an_index_that_is_named_is_the_only_one_for_torch(env, monkeypatch, gpu):
    monkeypatch.setattr(env, "gpu", lambda: gpu)
    monkeypatch.setenv("TORCH_INDEX", "file:///builds")
    env.answer = "no such build"
    assert env.torch_alone(Path(".venv")) == "no such build"
    (call,) = env.calls
    assert call == ("--no-deps", "--index-url", "file:///builds", f"torch=={env.pinned('torch')}")


def test_a_torch_of_the_tested_version_is_left_alone(env, monkeypatch):
    monkeypatch.setattr(env, "installed", lambda folder, name: env.pinned(name))
    assert env.torch_alone(Path(".venv")) is None
    assert env.calls == []
