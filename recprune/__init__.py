"""recprune: what can be removed from a recommender, by which rule, how much, and what that buys.

log    = rp.load("ml-100k")
split  = rp.split(log, protocol="ratio", seed=0)
model  = rp.models.EASE(l2=300.0).fit(split.train, validation=split.validation, seed=0)
pruned = rp.prune(model, split, criterion="magnitude", unit="weight", keep=0.01, recovery="refit")
small  = pruned.compact()
rp.evaluate(small, split, on="test").mean["ndcg@10"], rp.footprint(small).bytes_disk
"""

from importlib import import_module
from typing import TYPE_CHECKING

from recprune.version import __version__ as __version__

if TYPE_CHECKING:
    from recprune import models
    from recprune.datasets import load
    from recprune.errors import DataError
    from recprune.evaluation import compare, evaluate, footprint, membership
    from recprune.growth import update, windows
    from recprune.interactions import Interactions
    from recprune.models import export, load_model, quantize
    from recprune.pruning import CRITERIA, prune, prune_samples
    from recprune.splits import Split, split

_HOME = {
    "load": "datasets",
    "compare": "evaluation",
    "evaluate": "evaluation",
    "footprint": "evaluation",
    "membership": "evaluation",
    "export": "models",
    "DataError": "errors",
    "Interactions": "interactions",
    "load_model": "models",
    "quantize": "models",
    "CRITERIA": "pruning",
    "prune": "pruning",
    "prune_samples": "pruning",
    "Split": "splits",
    "split": "splits",
    "update": "growth",
    "windows": "growth",
}
_PACKAGES = ("cells", "datasets", "evaluation", "growth", "models", "pruning", "report", "study")

__all__ = [
    "CRITERIA",
    "DataError",
    "Interactions",
    "Split",
    "compare",
    "evaluate",
    "export",
    "footprint",
    "load",
    "load_model",
    "membership",
    "models",
    "prune",
    "prune_samples",
    "quantize",
    "split",
    "update",
    "windows",
]


def __getattr__(name: str):
    """Import on first use: what starts a run needs neither torch nor the models, and half a second less."""
    if name in _PACKAGES:
        return import_module(f"recprune.{name}")
    if name in _HOME:
        return getattr(import_module(f"recprune.{_HOME[name]}"), name)
    raise AttributeError(f"module 'recprune' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOME, *_PACKAGES])
