"""The machine and the environment, as a run's key and a row of provenance tell them."""

from __future__ import annotations

import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from recprune.device import resolved

NUMERIC = ("numpy", "scipy", "pandas", "torch", "implicit")  # packages whose release may change a number


def environment(device: str = "cpu") -> dict[str, str]:
    """The versions of Python and of the packages whose release may change a number; the device, if not the CPU."""
    versions = {"python": "{}.{}.{}".format(*sys.version_info)} | {name: package_version(name) for name in NUMERIC}
    device = resolved(device)
    return versions if device == "cpu" else versions | {"device": device}


def package_version(name: str) -> str:
    """The version of an installed package, or "missing"."""
    try:
        return version(name)
    except PackageNotFoundError:
        return "missing"


def machine() -> dict[str, str | int]:
    """The machine, as a row of provenance tells it: cores this process may use, and the processor's name."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return {"cores": cores, "cpu": _processor(), "system": f"{platform.system()} {platform.machine()}"}


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
