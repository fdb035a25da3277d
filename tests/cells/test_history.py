"""What a model is told before the test: training, then validation, each in the order of its sequences."""

import numpy as np
import pandas as pd

from recprune.cells.curves.history import known_before_test
from recprune.interactions import Interactions
from recprune.splits import split


def test_of_equal_times_training_comes_first_and_ties_stand_as_in_sequences():
    frame = pd.DataFrame({"user": np.repeat(range(8), 20), "item": np.tile(range(20), 8), "timestamp": 1_000_000_000})
    of = split(Interactions.from_frame(frame, timestamp="timestamp"), "ratio", core=0)
    told, parts = known_before_test(of), (of.train.sequences(), of.validation.sequences())
    for u in range(of.n_users):
        assert told[[u]].indices.tolist() == [i for part in parts for i in part[[u]].indices.tolist()]
