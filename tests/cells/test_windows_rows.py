"""The further rows of models that are followed through windows of time."""

import pytest

from recprune.cells import Bench, Parameters, finish
from recprune.cells.curves.windows import DENSE_WAYS, windows_rows
from recprune.cells.further import read_further
from recprune.growth import WAYS

P = {
    "dataset": "synthetic:60x40x1500",
    "protocol": "temporal",
    "core": 5,
    "model": "ease",
    "unit": "weight",
    "criterion": "magnitude",
    "schedule": "one-shot",
    "keep": (0.3,),
    "hyperparameters": {"l2": 50.0},
}


@pytest.mark.parametrize("shuffled", [False, True])
def test_each_arm_has_its_numbers_in_every_window(shuffled, tmp_path):
    p = Parameters(**P, options={"windows": 2, "shuffled": shuffled}, out=str(tmp_path))
    finish(p, further=windows_rows(Bench(p)))
    rows = read_further(tmp_path)
    times = "shuffled" if shuffled else "dynamic"
    warm = rows[rows["measure"] == "ndcg@10 warm"]
    assert set(warm["at"]) == {f"{times} window {w}" for w in (1, 2)}
    assert len(warm) == 2 * (1 + len(DENSE_WAYS) + len(WAYS))
    assert warm["value"].between(0, 1).all() and (warm["error"] > 0).all()
    slopes = rows[rows["measure"] == "slope"].set_index("recovery")
    assert set(slopes.index) == set(WAYS) and set(slopes["at"]) == {times}
    assert (slopes["kept"] == 0.3).all()
    seconds = rows[rows["measure"] == "update_s"]
    assert set(seconds["at"]) == {f"{times} window 1"}  # nobody comes after the last window
    one = warm[(warm["at"] == f"{times} window 1") & (warm["side"] == "dense")]
    assert one["value"].nunique() == 1  # nothing was taken in yet
