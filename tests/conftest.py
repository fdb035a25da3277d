"""Logs and splits that many tests share: small, synthetic, made once."""

import hypothesis
import numpy as np
import pytest

from recprune.datasets import synthetic
from recprune.interactions import Interactions
from recprune.splits import split

hypothesis.settings.register_profile("recprune", deadline=None)  # a busy machine is no fault
hypothesis.settings.load_profile("recprune")


@pytest.fixture(scope="session")
def log() -> Interactions:
    """120 users, 80 items, some 4,000 ratings with taste, times, titles and genres."""
    return synthetic(n_users=120, n_items=80, n_interactions=4000, seed=1)


@pytest.fixture(scope="session")
def ratio(log):
    return split(log, protocol="ratio", seed=0, core=5)


@pytest.fixture(scope="session")
def strong(log):
    return split(log, protocol="strong", seed=0)


@pytest.fixture(scope="session")
def checkerboard() -> Interactions:
    """Two groups of users and two of items; everybody likes all items of the own group but one, so that one
    is what a recommender should find: user u has not seen item u."""
    n = 20
    user, item = np.nonzero(np.indices((n, n)).sum(0) % 2 == 0)
    there = user != item
    return Interactions(
        user=user[there].astype(np.int32),
        item=item[there].astype(np.int32),
        users=np.arange(n),
        items=np.arange(n),
        name="checkerboard",
    )
