"""Every benchmark, one after the other: `make bench`, or `BENCH=full make bench` for the large sizes."""

from __future__ import annotations

import subprocess
import sys

from bench import environment
from bench.common import ROOT


def main() -> int:
    interpreters = {"evaluator": environment.python(), "data_path": sys.executable, "training": sys.executable}
    failed = [
        name
        for name, python in interpreters.items()
        if subprocess.run([python, "-m", f"bench.{name}"], cwd=ROOT).returncode
    ]
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
