"""A Slurm for a test, which is skipped where it is not installed."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from slurm_daemons import PACKAGES, PROGRAMS, Slurm


@pytest.fixture
def slurm() -> Iterator[Slurm]:
    absent = [name for name in PROGRAMS if shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin") is None]
    absent += [name for name in PACKAGES if find_spec(name) is None]
    if absent:
        pytest.skip(f"not installed: {', '.join(absent)} (Debian's slurm-wlm and munge; the extra `cluster`)")
    folder = Path(tempfile.mkdtemp(prefix="slurm-"))  # the path of a socket holds about 100 characters
    found = Slurm(folder)
    try:
        found.start()
        yield found
    finally:
        found.stop()
        shutil.rmtree(folder, ignore_errors=True)
