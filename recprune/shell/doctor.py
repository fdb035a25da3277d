"""python -m recprune doctor: environment, machine, disk and data."""

from __future__ import annotations

import argparse

from recprune.study.doctor import doctor


def run(options: argparse.Namespace) -> int:
    """The exit status: 0 where all is well."""
    return doctor()
