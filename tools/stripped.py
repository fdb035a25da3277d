"""Tell which notebooks hold outputs: python tools/stripped.py [--mend] NOTEBOOK ...

With --mend it takes the outputs out. The status is 1 where there were any, so that a commit stops to look.
"""

import json
import sys
from pathlib import Path


def outputs(notebook):
    """The cells that hold an output or a count of executions."""
    return [cell for cell in notebook["cells"] if cell.get("outputs") or cell.get("execution_count")]


def strip(path, notebook):
    """Write the notebook without what its cells said."""
    for cell in outputs(notebook):
        cell |= {"outputs": [], "execution_count": None}
    path.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", "utf-8")


def main(words):
    mend, bad = "--mend" in words, []
    for path in [Path(word) for word in words if word != "--mend"]:
        notebook = json.loads(path.read_text("utf-8"))
        if outputs(notebook):
            bad.append(str(path))
            if mend:
                strip(path, notebook)
    return f"{'had' if mend else 'these notebooks hold'} outputs: {', '.join(bad)}" if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
