"""How many threads the numerical libraries start: one, as in every run, or the processes beside each other fight.

They read it at import, and never again: it has to be said before NumPy or torch is imported.
"""

from __future__ import annotations

import os

VARIABLES = tuple(f"{library}_NUM_THREADS" for library in ("OMP", "OPENBLAS", "MKL", "VECLIB_MAXIMUM", "NUMEXPR"))


def one_each() -> None:
    """From here on each library has one thread, unless the environment says otherwise."""
    for name in VARIABLES:
        os.environ.setdefault(name, "1")
