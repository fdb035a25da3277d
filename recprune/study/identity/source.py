"""A file of Python as far as it can decide a number: its code without comments and docstrings, and what it imports."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import NamedTuple

from recprune.errors import StudyError

DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


class Import(NamedTuple):
    """`from module import name as alias`, or `import module as alias` with an empty name."""

    module: str
    name: str
    alias: str


@dataclass(frozen=True)
class Source:
    """The text of a file, parsed when it is needed."""

    path: Path
    text: str

    @classmethod
    def read(cls, path: Path) -> Source:
        """The source in a file; what was found out about the same text before is not found out again."""
        return _of_text(path, path.read_text("utf-8"))

    @property
    def collects(self) -> bool:
        """Whether the file only collects what others define: the `__init__.py` of a package."""
        return self.path.name == "__init__.py"

    @cached_property
    def tree(self) -> ast.Module:
        """The code, without docstrings. Raises StudyError, naming the line, where it is no Python."""
        try:
            tree = ast.parse(self.text)
        except SyntaxError as error:
            raise StudyError(f"{self.path}: line {error.lineno}: {error.msg}") from None
        for node in ast.walk(tree):
            body = node.body if isinstance(node, (ast.Module, *DEFINITIONS)) else []
            if body and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant):
                body[0] = ast.Pass()
        return tree

    @cached_property
    def meaning(self) -> str:
        """The code as text in which neither comments nor the layout count."""
        return ast.dump(self.tree)

    @cached_property
    def imports(self) -> list[Import]:
        """What the code imports, at any depth, but for what only a type checker sees."""
        return list(_imports(_executed(self.tree)))

    @cached_property
    def offered(self) -> dict[str, Import]:
        """name -> the import that a package offers it by; a type checker's count, for names that are imported late."""
        return {found.alias: found for found in _imports(ast.walk(self.tree))}

    @cached_property
    def definitions(self) -> dict[str, ast.AST]:
        """name -> the function or class of this name."""
        return {node.name: node for node in self.tree.body if isinstance(node, DEFINITIONS)}

    @cached_property
    def assigned(self) -> dict[str, ast.expr]:
        """name -> the value that the code gives it."""
        found: dict[str, ast.expr] = {}
        for node in self.tree.body:
            targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
            value = getattr(node, "value", None)
            found |= {target.id: value for target in targets if isinstance(target, ast.Name) and value is not None}
        return found

    @cached_property
    def exported(self) -> tuple[str, ...]:
        """The names in `__all__`."""
        names = self.assigned.get("__all__")
        return tuple(ast.literal_eval(names)) if names is not None else ()

    @cached_property
    def attributes(self) -> set[tuple[str, ...]]:
        """The dotted names in the code: `rp.models.EASE` is ("rp", "models", "EASE")."""
        return {dotted for node in ast.walk(self.tree) if (dotted := _dotted(node))}

    @cached_property
    def quoted(self) -> set[str]:
        """The texts in quotes."""
        constants = (node.value for node in ast.walk(self.tree) if isinstance(node, ast.Constant))
        return {value for value in constants if isinstance(value, str)}

    @cached_property
    def declares(self) -> set[str]:
        """The names that the file registers something by: `name = "ease"` in a class, `Criterion(name="taylor")`."""
        found = set()
        for node in ast.walk(self.tree):
            if isinstance(node, ast.ClassDef):
                found |= {value.value for value in _values_of_name(node) if isinstance(value, ast.Constant)}
            if isinstance(node, ast.Call):
                found |= {k.value.value for k in node.keywords if k.arg == "name" and isinstance(k.value, ast.Constant)}
        return {name for name in found if isinstance(name, str)}


@cache
def _of_text(path: Path, text: str) -> Source:
    return Source(path, text)


def names_in(node: ast.AST) -> set[str]:
    """The plain names that a piece of code mentions."""
    return {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}


def _values_of_name(node: ast.ClassDef) -> Iterator[ast.expr | None]:
    for line in node.body:
        if isinstance(line, (ast.Assign, ast.AnnAssign)):
            targets = line.targets if isinstance(line, ast.Assign) else [line.target]
            if any(isinstance(target, ast.Name) and target.id == "name" for target in targets):
                yield line.value


def _executed(node: ast.AST) -> Iterator[ast.AST]:
    """All nodes but those below `if TYPE_CHECKING`."""
    yield node
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        yield from _executed(child)


def _imports(nodes: Iterable[ast.AST]) -> Iterator[Import]:
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from (Import(node.module, each.name, each.asname or each.name) for each in node.names)
        elif isinstance(node, ast.Import):
            yield from (Import(each.name, "", each.asname or each.name.partition(".")[0]) for each in node.names)


def _dotted(node: ast.AST) -> tuple[str, ...]:
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return (node.id, *reversed(parts)) if parts and isinstance(node, ast.Name) else ()
