"""The library as a run depends on it: the code that its notebook reaches, without comments and docstrings.

The floors up to `cells` decide numbers; `study` and `report` never do. So a run depends on

* the files that its notebook imports, those that these import, and so on, but nothing in `study` or `report`;
* of the files that declare a model or a criterion by name (`name = "ease"`, `Criterion(name="taylor", ...)`), beside
  those that are imported: the ones that the run's parameters name, and the ones that the notebook or a file of `cells`
  has in quotes where it imports from `models` or `pruning` (the controls ask for "random"). A notebook that reaches for
  a whole registry, without the parameter that picks from it, depends on all that is registered there;
* the extensions that declare one of these names; on all of them where nothing declares a name.

The `__init__.py` of a package only collects: importing a name from it is importing the file where the name comes from,
and of its own functions and classes those count that are imported. So a new model or criterion measures its own runs.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from recprune.study.identity.data import digest
from recprune.study.identity.source import Import, Source, names_in

PACKAGE = Path(__file__).resolve().parents[2]
NO_NUMBERS = ("recprune.study", "recprune.report")


class Kind(NamedTuple):
    """What is registered by name: where its files are, the registry, and the parameters that pick from it."""

    package: str
    registry: str
    picks: tuple[str, ...]


KINDS = (
    Kind("recprune.models", "REGISTRY", ("model",)),
    Kind("recprune.pruning", "CRITERIA", ("criterion", "samples_criterion")),
)
Use = tuple[str, str]  # a module, and the name that is taken from it; "" for the module itself


class Library:
    """The files of the package, and of the extensions of a study, as they are now."""

    def __init__(self, extensions: Iterable[str] = (), package: Path = PACKAGE):
        self.files = {_module(path, package): Source.read(path) for path in sorted(package.rglob("*.py"))}
        self.extensions = [Source.read(Path(path)) for path in extensions]
        self._uses: dict[Source, set[Use]] = {}
        self._hashes: dict[tuple, str] = {}

    def hash(self, code: str, parameters: dict | None = None) -> str:
        """The sha256 of what a notebook's code reaches with the parameters that it declares."""
        chosen = {p: (parameters or {})[p] for kind in KINDS for p in kind.picks if p in (parameters or {})}
        key = (code, *sorted(chosen.items()))
        if key not in self._hashes:
            self._hashes[key] = digest(self.reached(code, chosen))
        return self._hashes[key]

    def reached(self, code: str, parameters: dict) -> dict[str, str]:
        """module, or package:function -> what counts of it, for a notebook's code with its parameters."""
        notebook = Source(Path("notebook"), code)
        extensions = self._extensions({parameters[p] for kind in KINDS for p in kind.picks if p in parameters})
        found = {f"extension {source.path.name}": source.meaning for source in extensions}
        open_ = {use for source in (notebook, *extensions) for use in self.uses(source)}
        open_ |= {(module, "") for kind in KINDS for module in self._named(kind, notebook, parameters)}
        seen: set[Use] = set()
        while open_:
            use = open_.pop()
            if use not in seen and use[0] in self.files and not use[0].startswith(NO_NUMBERS):
                seen.add(use)
                open_ |= self._count(use, found)
        return found

    def _count(self, use: Use, found: dict[str, str]) -> set[Use]:
        """Add what a use counts for to `found`. Returns the uses that it has itself."""
        module, name = use
        source = self.files[module]
        if source.collects:
            definition = source.definitions.get(name)
            if definition is None:
                return set()
            found[f"{module}:{name}"] = ast.dump(definition)
            inner = [source.offered[each] for each in names_in(definition) & set(source.offered)]
            return {use for each in inner for use in self._of(each, source)}
        if module in found:
            return set()
        found[module] = source.meaning
        quoted = set()
        if module.startswith("recprune.cells"):
            quoted = {(each, "") for kind in KINDS for each in self._quoted(kind, source)}
        return self.uses(source) | quoted

    def uses(self, source: Source) -> set[Use]:
        """The names, and the modules, that a file imports, each from where it is defined."""
        if source not in self._uses:
            self._uses[source] = {use for found in source.imports for use in self._of(found, source)}
        return self._uses[source]

    def _of(self, found: Import, source: Source) -> Iterator[Use]:
        """The uses that an import leads to: of the name, or of what the code takes from the module with this alias."""
        module = f"{found.module}.{found.name}" if found.name else found.module
        if module not in self.files:
            yield self.home(found.module, found.name)
            return
        yield module, ""
        for alias, *rest in source.attributes:
            if alias == found.alias:
                inner = module if found.alias == found.name or found.alias != module.partition(".")[0] else alias
                while rest and f"{inner}.{rest[0]}" in self.files:
                    inner = f"{inner}.{rest.pop(0)}"
                yield self.home(inner, rest[0] if rest else "")

    def home(self, module: str, name: str) -> Use:
        """Where a name that a package offers comes from."""
        source = self.files.get(module)
        if source is None or not source.collects or name in source.definitions or name not in source.offered:
            return module, name
        found = source.offered[name]
        inner = f"{found.module}.{found.name}"
        return (inner, "") if inner in self.files else self.home(found.module, found.name)

    def _named(self, kind: Kind, notebook: Source, parameters: dict) -> Iterator[str]:
        """The modules of a kind that a run has by name."""
        taken = {name for module, name in self.uses(notebook) if module.startswith(kind.package)}
        every = kind.registry in taken and not any(p in parameters for p in kind.picks)
        wanted = {parameters[p] for p in kind.picks if p in parameters}
        for module, declared in self.declaring(kind):
            if every or declared & wanted:
                yield module
        yield from self._quoted(kind, notebook)

    def _quoted(self, kind: Kind, source: Source) -> Iterator[str]:
        """The modules of a kind that a file has in quotes, where it imports from the kind's package."""
        if any(module.startswith(kind.package) for module, _ in self.uses(source)):
            yield from (module for module, declared in self.declaring(kind) if declared & source.quoted)

    def declaring(self, kind: Kind) -> Iterator[tuple[str, set[str]]]:
        """(module, names that it declares) for the files of a kind."""
        for module, source in self.files.items():
            if module.startswith(f"{kind.package}.") and source.declares:
                yield module, source.declares

    def _extensions(self, names: set[str]) -> list[Source]:
        """The extensions that declare one of the names; all where a name is declared nowhere."""
        declared = {name for kind in KINDS for _, found in self.declaring(kind) for name in found}
        declared |= {name for source in self.extensions for name in source.declares}
        if names - declared - {"", "none"}:
            return self.extensions
        return [source for source in self.extensions if source.declares & names]


def _module(path: Path, package: Path) -> str:
    """recprune.models.ease for models/ease.py, recprune.models for models/__init__.py."""
    parts = path.relative_to(package).with_suffix("").parts
    return ".".join(("recprune", *(parts[:-1] if parts[-1] == "__init__" else parts)))
