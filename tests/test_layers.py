"""Imports go down, never up or round in a circle."""

import ast
from pathlib import Path

import pytest

import recprune

ROOT = Path(recprune.__file__).parent
# Lowest first; those of one floor do not import each other. `evaluation` takes models as anything
# that scores, so it lies below them, and early stopping and budgets can use its metrics.
FLOORS = [
    {"errors", "files"},
    {"interactions", "topk", "typed", "extensions"},
    {"datasets", "splits"},
    {"evaluation"},
    {"models"},
    {"pruning"},
    {"cells"},
    {"study"},
    {"report"},
]
LEVEL = {room: level for level, floor in enumerate(FLOORS) for room in floor}
MODULES = sorted(path for path in ROOT.rglob("*.py") if path.parent != ROOT or path.stem in LEVEL)


def imported(path: Path) -> set[str]:
    """First rooms of the recprune modules that a file imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("recprune."):
            found.add(node.module.split(".")[1])
        elif isinstance(node, ast.ImportFrom) and node.module == "recprune":
            found |= {alias.name for alias in node.names if alias.name in LEVEL}
        elif isinstance(node, ast.Import):
            found |= {a.name.split(".")[1] for a in node.names if a.name.startswith("recprune.")}
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_go_down_only(path):
    room = path.relative_to(ROOT).parts[0].removesuffix(".py")
    above = {other for other in imported(path) - {room} if LEVEL[other] > LEVEL[room]}
    beside = {other for other in imported(path) - {room} if LEVEL[other] == LEVEL[room]}
    assert not above, f"{path.name} is on floor {LEVEL[room]} and imports {above}"
    assert not beside, f"{path.name} imports its neighbours {beside}"


def test_every_room_has_its_floor():
    rooms = {p.name.removesuffix(".py") for p in ROOT.iterdir() if p.suffix == ".py" or (p / "__init__.py").exists()}
    assert rooms - {"__init__", "__main__"} == set(LEVEL)
