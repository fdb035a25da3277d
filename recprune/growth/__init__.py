"""Growth: a log comes window after window, and a model, dense or pruned, takes it in.

log    = rp.windows(rp.load("ml-100k"), n=4, start=0.5)
model  = rp.models.EASE(l2=300.0).fit(log.train, seed=0)
pruned = rp.prune(model, log.split, criterion="magnitude", unit="weight", keep=0.05, recovery="refit", seed=0)
pruned.compact().save("model/")
for window in log.parts:
    small = rp.load_model("model/")
    small = rp.update(small, window, how="values", seed=0)
    small.save("model/")
small.recommend([0, 1, 2], k=20)
"""

from recprune.growth.following import Followed, follow, follow_popular, started
from recprune.growth.slopes import Slope, slope
from recprune.growth.update import EPOCHS, WAYS, update
from recprune.growth.windows import Windows, windows

__all__ = [
    "EPOCHS",
    "WAYS",
    "Followed",
    "Slope",
    "Windows",
    "follow",
    "follow_popular",
    "slope",
    "started",
    "update",
    "windows",
]
