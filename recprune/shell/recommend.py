"""python -m recprune recommend: a saved model's best unseen items for one user, by title."""

from __future__ import annotations

import argparse

import numpy as np

from recprune.models import load_model

WIDTH = 100  # characters of a title


def run(options: argparse.Namespace) -> int:
    """The exit status. Raises ValueError for a folder that holds no model, an unknown user, or a wrong k."""
    if options.k < 1:
        raise ValueError(f"-k is {options.k}; at least 1 is needed")
    model = load_model(options.model)
    users, items = np.asarray(model.users), np.asarray(model.items)
    code = np.flatnonzero(users.astype(str) == options.user)
    if not code.size:
        some = ", ".join(map(str, users[:5]))
        raise ValueError(
            f"{options.model}: no user {options.user!r} among its {model.n_users:,}; there are: {some}, ..."
        )
    scores = model.score(code)[0]
    for rank, item in enumerate(model.recommend(code, options.k)[0].tolist(), 1):
        if item >= 0:
            title = "" if model.titles is None else f"  {shown(model.titles[item])}"
            print(f"{rank:>4}  {scores[item]:>8.4f}  {shown(items[item])}{title}")
    return 0


def shown(text: object) -> str:
    """A text from somebody's file, as a terminal may have it: one line, no control characters, of a bounded length."""
    plain = " ".join("".join(c if c.isprintable() else " " for c in str(text)).split())
    return plain if len(plain) <= WIDTH else f"{plain[: WIDTH - 3]}..."
