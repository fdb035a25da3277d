import numpy as np
import pytest

from recprune.interactions import Interactions
from recprune.splits import Split

PARTS = {"train": 1, "validation": 2, "test": 3}


def interactions(matrix):
    user, item = (codes.astype(np.int32) for codes in np.nonzero(matrix))
    return Interactions(user, item, np.arange(matrix.shape[0]) + 100, np.arange(matrix.shape[1]) + 500)


class Stored:
    """Scores that are given: what `evaluate` accepts, and nothing more."""

    def __init__(self, scores):
        self.scores = scores

    def score(self, users):
        return self.scores[users]


@pytest.fixture(scope="session")
def make_split():
    """(n_users x n_items) of 0 none, 1 train, 2 validation, 3 test -> Split."""

    def make(parts, histories=()):
        parts = np.asarray(parts)
        train, validation, test = (interactions(parts == code) for code in PARTS.values())
        histories = {on: interactions(matrix) for on, matrix in dict(histories).items()}
        return Split(train, validation, test, "ratio", 0, {}, "", unpruned=train, histories=histories)

    return make


@pytest.fixture(scope="session")
def stored():
    return Stored
