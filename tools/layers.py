"""Hold the imports of a package against its floors: python tools/layers.py [PACKAGE]

Three faults: an arrow that does not go down, a circle of files, a folder with more files than show an idea at a glance.
Imports count wherever they stand, in functions too. Those under TYPE_CHECKING count as arrows, since who reads a
file reads them, but not in circles, since they are never executed.
"""

import ast
import sys
from pathlib import Path

# Lowest first; those of one floor do not import each other. `evaluation` takes models as anything
# that scores, so it lies below them, and early stopping and budgets can use its metrics.
FLOORS = [
    {"device", "errors", "files", "mixing", "threads", "together", "version"},
    {"interactions", "topk", "typed", "extensions"},
    {"splits"},
    {"datasets"},
    {"evaluation"},
    {"models"},
    {"pruning"},
    {"growth"},
    {"cells"},
    {"study"},
    {"report"},
    {"__init__"},
    {"shell"},
    {"__main__"},
]
LEVEL = {room: level for level, floor in enumerate(FLOORS) for room in floor}
FILES = 16
# folders whose files are all of one kind, however many
ONE_KIND = {"models", "pruning/parameters", "pruning/samples", "report/figures", "report/tables"}


def faults(package):
    """One sentence for each fault of the package in the folder `package`, in a stable order."""
    package = Path(package)
    files = {module(path, package): path for path in sorted(package.rglob("*.py"))}
    arrows = {name: imports(path, name, set(files), package.name) for name, path in files.items()}
    return [*rooms(files, package), *arrows_up(arrows, package.name), *circles(arrows), *crowded(package)]


def module(path, package):
    """The dotted name of a file; a package's own file has the name of the package."""
    parts = path.relative_to(package.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path, name, known, package):
    """{module of the package that a file imports: is it imported when the code runs?}"""
    tree, found = ast.parse(path.read_text("utf-8")), {}
    only_types = {id(inner) for node in ast.walk(tree) if checks_types(node) for inner in ast.walk(node)}
    base = name.split(".") if path.stem == "__init__" else name.split(".")[:-1]
    for node in ast.walk(tree):
        for target in targets(node, base, known):
            if target.split(".")[0] == package and target != name:
                found[target] = found.get(target, False) or id(node) not in only_types
    return found


def checks_types(node):
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


def targets(node, base, known):
    """Modules that an import statement names: what is taken from a package may be one of its modules."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names if alias.name in known]
    if not isinstance(node, ast.ImportFrom):
        return []
    start = ".".join([*base[: len(base) - node.level + 1], *filter(None, [node.module])]) if node.level else node.module
    within = [f"{start}.{alias.name}" for alias in node.names]
    return [inner if inner in known else start for inner in within]


def rooms(files, package):
    there = {room(name) for name in files}
    return [f"{package.name}/{name} has no floor" for name in sorted(there - set(LEVEL))]


def room(name):
    """The first folder, or the file, of a module within the package."""
    return [*name.split("."), "__init__"][1]


def arrows_up(arrows, package):
    for name, found in arrows.items():
        for target in sorted(found):
            here, there = room(name), room(target)
            if here == there or not {here, there} <= set(LEVEL):
                continue
            if LEVEL[there] >= LEVEL[here]:
                what = "its neighbour" if LEVEL[there] == LEVEL[here] else "up:"
                yield f"{name} imports {what} {target}"


def circles(arrows):
    """Groups of files each of which reaches all others."""
    reached = {name: reachable(name, arrows) for name in arrows}
    seen = set()
    for name in sorted(arrows):
        group = {other for other in reached[name] if name in reached[other]}
        if group and name not in seen:
            seen |= group
            yield f"a circle of {len(group)} files: {', '.join(sorted(group))}"


def reachable(name, arrows):
    found, todo = set(), [name]
    while todo:
        for target, runs in arrows.get(todo.pop(), {}).items():
            if runs and target not in found:
                found.add(target)
                todo.append(target)
    return found


def crowded(package):
    for folder in [package, *sorted(path for path in package.rglob("*") if path.is_dir())]:
        inside, name = [path for path in folder.glob("*") if path.is_file()], folder.relative_to(package).as_posix()
        if folder.name != "__pycache__" and len(inside) > FILES and name not in ONE_KIND:
            yield f"{package.name}/{name} has {len(inside)} files, more than {FILES}"


if __name__ == "__main__":
    found = faults(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).resolve().parents[1] / "recprune")
    sys.exit("\n".join(found) if found else 0)
