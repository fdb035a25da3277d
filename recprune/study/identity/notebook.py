"""A notebook as a run depends on it: its code and the parameters that it declares."""

from __future__ import annotations

import ast
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from recprune.errors import StudyError
from recprune.study.identity.data import digest


@dataclass(frozen=True)
class Notebook:
    """The code cells of a notebook. Prose, outputs, cell ids and metadata decide no number."""

    path: Path
    cells: tuple[tuple[str, tuple[str, ...]], ...]  # source and tags

    @classmethod
    def read(cls, path: Path) -> Notebook:
        """The notebook of a file. Raises StudyError where there is none."""
        try:
            found = json.loads(path.read_text("utf-8"))
            found["cells"][0]["cell_type"]
        except FileNotFoundError:
            raise StudyError(f"{path}: there is no such notebook") from None
        except (ValueError, LookupError, TypeError) as error:
            raise StudyError(f"{path}: not a notebook ({type(error).__name__}: {error})") from None
        return cls(path, tuple((_text(c), _tags(c)) for c in found["cells"] if c["cell_type"] == "code"))

    @cached_property
    def sha256(self) -> str:
        """The hash of the code."""
        return digest([[source, list(tags)] for source, tags in self.cells])

    @cached_property
    def code(self) -> str:
        """The code as one text, less the parameters and the lines that only a notebook understands (%magic, !shell)."""
        sources = [source for source, tags in self.cells if "parameters" not in tags]
        lines = "\n".join(sources).splitlines()
        return "\n".join("" if line.lstrip().startswith(("%", "!")) else line for line in lines)

    @cached_property
    def declared(self) -> tuple[str, ...]:
        """The names that the cell tagged `parameters` assigns. Raises StudyError unless there is one such cell."""
        cells = [source for source, tags in self.cells if "parameters" in tags]
        if len(cells) != 1:
            # papermill would inject above the defaults, which then overwrite what was injected
            raise StudyError(f"{self.path}: {len(cells)} cells are tagged `parameters`; exactly one is needed")
        try:
            body = ast.parse(cells[0]).body
        except SyntaxError as error:
            raise StudyError(f"{self.path}: the parameters cell: line {error.lineno}: {error.msg}") from None
        assigned = [target for node in body if isinstance(node, ast.Assign) for target in node.targets]
        assigned += [node.target for node in body if isinstance(node, ast.AnnAssign)]
        return tuple(target.id for target in assigned if isinstance(target, ast.Name))


def _text(cell: dict) -> str:
    return cell["source"] if isinstance(cell["source"], str) else "".join(cell["source"])


def _tags(cell: dict) -> tuple[str, ...]:
    return tuple(sorted(cell.get("metadata", {}).get("tags", [])))
