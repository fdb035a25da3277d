"""What a run depends on, as hashes of content: a clone, a copy or a `touch` changes none of them."""

from recprune.study.identity.data import data_identity, digest, locate
from recprune.study.identity.library import Library
from recprune.study.identity.machine import environment, machine, package_version
from recprune.study.identity.notebook import Notebook

__all__ = ["Library", "Notebook", "data_identity", "digest", "environment", "locate", "machine", "package_version"]
