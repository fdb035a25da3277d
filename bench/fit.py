"""Train one model in this process and print, as JSON, what it took. Imports nothing but recprune, of any revision."""

import json
import sys
import time


def main(task: dict) -> dict:
    import recprune as rp

    log = rp.load(task["dataset"])
    split = rp.split(log, protocol=task["protocol"], seed=0)
    known = rp.models.REGISTRY[task["model"]].__dataclass_fields__
    model = rp.models.build(task["model"], **{k: v for k, v in task["hyperparameters"].items() if k in known})
    starts = _epoch_starts(model)
    began = time.process_time()
    model.fit(split.train, validation=split.validation, seed=0, fold_in=split.fold_in("validation"))
    ended = time.process_time(), time.perf_counter()
    pairs = list(zip(starts, [*starts[1:], ended], strict=True))
    spent, clock = ([b[of] - a[of] for a, b in pairs] for of in (0, 1))
    best = max(row["val_ndcg@10"] for row in model.train_log)
    # the first epoch pays for what is set up once
    seconds = {"epoch_seconds": spent[1:], "epoch_clock": clock[1:], "seconds": ended[0] - began}
    return {"epochs": len(spent), **seconds, "val_ndcg@10": best}


def _epoch_starts(model) -> list[tuple[float, float]]:
    """When each epoch of `model` begins, by the processor and by a clock; filled while it trains."""
    starts: list[tuple[float, float]] = []
    batches = type(model).batches

    def timed(self, train, rng, epoch):
        starts.append((time.process_time(), time.perf_counter()))
        return batches(self, train, rng, epoch)

    type(model).batches = timed
    return starts


if __name__ == "__main__":
    print(json.dumps(main(json.loads(sys.argv[1]))))
