"""What a run depends on, as hashes of content: a clone, a copy or a `touch` changes none of them."""

from __future__ import annotations

import ast
import hashlib
import json
import os
import platform
import re
import sys
from collections.abc import Iterable
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from recprune.errors import StudyError
from recprune.files import sha256_of

PACKAGE = Path(__file__).resolve().parents[1]

# Files that decide what is measured, when, or how it looks, but never a number in a row. What they
# hand to a run (its parameters, its notebook, its data) is in the run's key by value.
NO_NUMBERS = ("__main__.py", "report", "study")
# Packages whose release may change a number.
NUMERIC = ("numpy", "scipy", "pandas", "torch", "implicit")


def digest(value: Any) -> str:
    """sha256 of plain values (str, numbers, lists, dicts), independent of the order of keys."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def library_hash(package: Path = PACKAGE, criteria: Iterable[str] | None = None) -> str:
    """sha256 of the code a run can touch: every module but NO_NUMBERS, without comments and docstrings.

    Notebooks reach models through a registry, so a walk along imports would end at the same set; taking all of
    it is simple, and errs on the side of measuring again. Criteria are the exception, since every new method is one:
    of their files only those that `criteria` use count (None: all), so that a new one measures only its own runs.
    """
    sources = {}
    for path in sorted(package.rglob("*.py")):
        name = path.relative_to(package).as_posix()
        if name not in NO_NUMBERS and name.split("/")[0] not in NO_NUMBERS:
            sources[name] = _read(path)
    if criteria is not None:
        used = _rules(sources, set(criteria) | ALWAYS_USED)
        sources = {name: text for name, text in sources.items() if name in used or not RULES.match(name)}
    return digest({name: _meaning(text) for name, text in sources.items()})


def used_criteria(parameters: dict, notebook: Path) -> set[str]:
    """Criteria that a run can reach: those of its parameters, and every word that its notebook's code has in quotes."""
    named = {parameters.get("criterion", ""), parameters.get("samples_criterion", "")}
    for cell in read_notebook(notebook)["cells"]:
        if cell["cell_type"] == "code" and "parameters" not in _tags(cell):
            named |= set(re.findall(r"[\"']([a-z0-9-]+)[\"']", _text(cell)))
    return named


RULES = re.compile(r"pruning/(parameters/|samples/|sparse_training\.py)")  # what criteria, and their lists, consist of
ALWAYS_USED = {"random", "magnitude", "zero-reset"}  # the controls, and the default


def _rules(sources: dict[str, str], criteria: set[str]) -> set[str]:
    """The files that declare these criteria, and those of the rules that they use."""
    open_ = {name for name, text in sources.items() if RULES.match(name) and _declared(text) & criteria}
    reached: set[str] = set()
    while open_:
        name = open_.pop()
        if name in sources and name not in reached:
            reached.add(name)
            open_ |= _imported(sources[name])
    return reached


@cache
def _declared(text: str) -> frozenset[str]:
    """Names of the criteria that a module declares: `Criterion(name="...")`."""
    calls = [node for node in ast.walk(_parsed(text)) if isinstance(node, ast.Call)]
    made = [call for call in calls if getattr(call.func, "id", None) == "Criterion"]
    named = [word.value for call in made for word in call.keywords if word.arg == "name"]
    return frozenset(value.value for value in named if isinstance(value, ast.Constant))


@cache
def _imported(text: str) -> frozenset[str]:
    """Files of rules that a module imports, or imports from."""
    found = set()
    for node in ast.walk(_parsed(text)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("recprune.pruning"):
            package = node.module.removeprefix("recprune.").replace(".", "/")
            files = (f"{package}.py", *(f"{package}/{alias.name}.py" for alias in node.names))
            found |= {file for file in files if RULES.match(file)}
    return frozenset(found)


@cache  # a plan asks for hundreds of runs
def _meaning(text: str) -> str:
    return ast.dump(_parsed(text))


def _parsed(text: str) -> ast.Module:
    tree = ast.parse(text)
    for node in ast.walk(tree):
        body = node.body if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)) else []
        if body and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant):
            body[0] = ast.Pass()
    return tree


def _read(path: Path) -> str:
    text = path.read_text("utf-8")
    try:
        _meaning(text)
    except SyntaxError as error:
        raise StudyError(f"{path}: line {error.lineno}: {error.msg}") from None
    return text


def read_notebook(path: Path) -> dict:
    """A notebook as plain values. Raises StudyError where there is none."""
    try:
        notebook = json.loads(path.read_text("utf-8"))
        notebook["cells"][0]["cell_type"]
    except FileNotFoundError:
        raise StudyError(f"{path}: there is no such notebook") from None
    except (ValueError, LookupError, TypeError) as error:
        raise StudyError(f"{path}: not a notebook ({type(error).__name__}: {error})") from None
    return notebook


def notebook_hash(path: Path) -> str:
    """sha256 of a notebook's code: prose, outputs, cell ids and metadata decide no number."""
    cells = [cell for cell in read_notebook(path)["cells"] if cell["cell_type"] == "code"]
    return digest([[_text(cell), sorted(_tags(cell))] for cell in cells])


def notebook_parameters(path: Path) -> tuple[str, ...]:
    """Names that the cell tagged `parameters` assigns. Raises StudyError unless exactly one cell has the tag."""
    code = [cell for cell in read_notebook(path)["cells"] if cell["cell_type"] == "code"]
    cells = [cell for cell in code if "parameters" in _tags(cell)]
    if len(cells) != 1:
        # papermill would inject above the defaults, which then overwrite what was injected
        raise StudyError(f"{path}: {len(cells)} cells are tagged `parameters`; exactly one is needed")
    try:
        body = ast.parse(_text(cells[0])).body
    except SyntaxError as error:
        raise StudyError(f"{path}: the parameters cell: line {error.lineno}: {error.msg}") from None
    assigned = [target for node in body if isinstance(node, ast.Assign) for target in node.targets]
    assigned += [node.target for node in body if isinstance(node, ast.AnnAssign)]
    return tuple(target.id for target in assigned if isinstance(target, ast.Name))


def _text(cell: dict) -> str:
    return cell["source"] if isinstance(cell["source"], str) else "".join(cell["source"])


def _tags(cell: dict) -> list[str]:
    return cell.get("metadata", {}).get("tags", [])


def data_identity(dataset: str) -> str:
    """What stands for a data set in a run's key.

    A registered name: the name with the checksum that its download must have. A file: sha256 of its
    bytes. A folder: of its files' names and bytes. Synthetic data: the name, which holds its size and seed.
    """
    from recprune.datasets.registry import known

    if dataset in known():
        return f"name:{dataset}:{known()[dataset].md5 or known()[dataset].url}"
    path = Path(dataset)
    if path.is_file():
        return f"sha256:{sha256_of(path)}"
    if path.is_dir():
        files = sorted(p for p in path.rglob("*") if p.is_file())
        return f"sha256:{digest([[p.relative_to(path).as_posix(), sha256_of(p)] for p in files])}"
    return f"name:{dataset}"


def locate(dataset: str) -> str:
    """A data set as runs can find it from any folder: a name as it is, a path made absolute.

    Raises StudyError for what is neither a registered name, nor synthetic, nor a path that exists.
    """
    from recprune.datasets.registry import known

    if dataset in known() or dataset.partition(":")[0] == "synthetic":
        return dataset
    path = Path(dataset).expanduser()
    if not path.exists():
        names = ", ".join([*known(), "synthetic"])
        raise StudyError(f"DATASET: {dataset!r} is neither a file or folder nor a known name; known: {names}")
    return str(path.resolve())


def environment() -> dict[str, str]:
    """Versions of Python and of the packages whose release may change a number."""
    return {"python": "{}.{}".format(*sys.version_info)} | {name: package_version(name) for name in NUMERIC}


def package_version(name: str) -> str:
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
