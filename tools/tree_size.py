"""Hold the tracked tree below 25 MB and each of its files below 8 MB: python tools/tree_size.py [REPOSITORY]"""

import subprocess
import sys
from pathlib import Path

TREE, FILE = 25e6, 8e6  # bytes


def sizes(repository):
    """{tracked file: bytes}, largest first."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=repository, stdout=subprocess.PIPE, check=True).stdout
    paths = [repository / name for name in listed.decode().split("\0") if name]
    found = {path.relative_to(repository).as_posix(): path.lstat().st_size for path in paths if path.is_file()}
    return dict(sorted(found.items(), key=lambda item: -item[1]))


def main(repository):
    of = sizes(repository)
    faults = [f"{name} has {size / 1e6:.1f} MB, more than {FILE / 1e6:.0f}" for name, size in of.items() if size > FILE]
    if sum(of.values()) > TREE:
        largest = ", ".join(f"{name} {size / 1e6:.1f}" for name, size in list(of.items())[:5])
        faults.append(f"the tree has {sum(of.values()) / 1e6:.1f} MB, more than {TREE / 1e6:.0f}; most in {largest}")
    return "\n".join(faults) or 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).resolve().parents[1])))
