"""pyproject.toml, constraints.txt and environment.yml say the same."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import distributions
from pathlib import Path

import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from recprune.study.doctor import CUDA, doctor, read_constraints

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
PINS = {canonicalize_name(name): Version(version) for name, version in read_constraints(ROOT / "constraints.txt")}
EXTRAS = PROJECT["optional-dependencies"]
HERE = ",".join(extra for extra in EXTRAS if extra != "cluster")  # which only who has a cluster needs


def direct() -> list[Requirement]:
    return [Requirement(text) for text in [*PROJECT["dependencies"], *(t for extra in EXTRAS.values() for t in extra)]]


def test_every_direct_dependency_is_pinned_at_a_version_it_allows():
    for requirement in direct():
        version = PINS.get(canonicalize_name(requirement.name))
        assert version is not None, f"constraints.txt lacks {requirement.name}"
        assert version in requirement.specifier, f"constraints.txt has {requirement.name} {version}"


def test_dependencies_have_a_lower_bound_and_no_address():
    for requirement in direct():
        assert requirement.url is None
        assert any(s.operator in (">=", "~=") for s in requirement.specifier), requirement


def test_everything_that_the_project_brings_is_pinned():
    """Walk the requirements of what is installed: a fresh install pulls in nothing that was not tested.

    Whatever build of torch is here: what its default build brings on Linux is pinned too.
    """
    installed = {canonicalize_name(d.metadata["Name"]): d for d in distributions()}
    todo, seen = [(canonicalize_name(r.name), frozenset(r.extras)) for r in direct()], set()
    while todo:
        name, extras = todo.pop()
        if name not in installed or (name, extras) in seen:
            continue
        seen.add((name, extras))
        for text in installed[name].requires or []:
            requirement = Requirement(text)
            environments = [{"extra": extra} for extra in (*extras, "")]
            if requirement.marker is None or any(requirement.marker.evaluate(e) for e in environments):
                todo.append((canonicalize_name(requirement.name), frozenset(requirement.extras)))
    assert {name for name, _ in seen} <= set(PINS)


def test_what_torch_brings_with_cuda_is_pinned_where_it_is_not_installed():
    cuda = {name for name in PINS if name.startswith(CUDA)}
    assert {"cuda-toolkit", "nvidia-cudnn-cu13", "nvidia-cublas", "triton"} <= cuda and len(cuda) == 19


def test_pins_are_exact_sorted_and_free_of_local_builds():
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#")]
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.]+", line) for line in lines)
    assert len(PINS) == len(lines)
    assert lines == sorted(lines, key=lambda line: line.lower().replace("_", "-").partition("==")[0])
    assert "recprune" not in PINS


def test_conda_gives_python_and_the_project_the_rest():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    python = next(d for d in environment["dependencies"] if isinstance(d, str) and d.startswith("python="))
    assert Version(python.removeprefix("python=")) in Requirement("python" + PROJECT["requires-python"]).specifier
    pip = next(d["pip"] for d in environment["dependencies"] if isinstance(d, dict))
    assert pip == [f"-e .[{HERE}]", "-c constraints.txt"]
    assert set(environment["dependencies"][:-1]) == {python, "pip"}, "packages are named in pyproject.toml, once"


def test_the_makefile_installs_the_same_extras():
    assert f".[{HERE}]" in (ROOT / "tools/env.py").read_text()


def test_the_packages_of_the_card_are_direct_dependencies():
    card = {"jupyterlab", "papermill", "torch", "implicit", "pandas", "matplotlib", "seaborn", "pytest"}
    assert card <= {requirement.name for requirement in direct()}


def test_doctor_finds_nothing_that_keeps_a_study_from_running(capsys):
    assert doctor() == 0
    lines = capsys.readouterr().out.splitlines()
    for what in ("python", "packages", "processor", "memory", "disk", "torch", "kernel", "data", "git"):
        assert any(line.split()[1] == what for line in lines if not line.startswith(" ")), what
