"""Every benchmark, one after the other: `make bench`.

`BENCH=full make bench` has the large sizes too, `BENCH=tiny` measures nothing and shows that all of it runs.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from bench import environment
from bench.common import RESULTS, ROOT, SCALE, SCALES


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args(arguments)
    if SCALE not in SCALES:
        parser.error(f"BENCH is {SCALE!r}; full, tiny or nothing is accepted")
    others, ours = environment.python(), sys.executable
    interpreters = {"evaluator": others, "sizes": others}
    interpreters |= dict.fromkeys(("break_even", "data_path", "training", "together"), ours)
    failed = [
        name
        for name, python in interpreters.items()
        if subprocess.run([python, "-m", f"bench.{name}", "--out", options.out.resolve()], cwd=ROOT).returncode
    ]
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
