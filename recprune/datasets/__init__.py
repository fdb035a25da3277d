"""From a name or a path to Interactions."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from recprune.datasets.download import FetchError, fetch
    from recprune.datasets.loading import load
    from recprune.datasets.naming import name_of
    from recprune.datasets.registry import known
    from recprune.datasets.synthesis import synthetic, write_official

_HOME = {
    "load": "loading",
    "FetchError": "download",
    "fetch": "download",
    "known": "registry",
    "name_of": "naming",
    "synthetic": "synthesis",
    "write_official": "synthesis",
}
__all__ = ["FetchError", "fetch", "known", "load", "name_of", "synthetic", "write_official"]


def __getattr__(name: str):
    """Import on first use: who asks for a name of a data set needs no pandas."""
    if name in _HOME:
        return getattr(import_module(f"recprune.datasets.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
