"""Made-up rows, for tests only: no number here was ever measured."""

from __future__ import annotations

import numpy as np
import pandas as pd

from recprune.cells.rows import COLUMNS

DENSE = {  # model: family, nDCG@10, parameters, ms, steepness of its curves
    "popularity": ("other", 0.105, 1_000, 0.02, 0),
    "random": ("other", 0.011, 1_000, 0.02, 0),
    "item-knn": ("cf", 0.231, 105_000, 0.10, 0.6),
    "ials": ("cf", 0.262, 128_000, 0.08, 1.0),
    "bpr": ("cf", 0.243, 130_000, 0.08, 1.1),
    "ease": ("cf", 0.268, 1_040_000, 0.21, 0.35),
    "neumf": ("deep", 0.238, 300_000, 0.90, 0.8),
    "mult-vae": ("deep", 0.252, 1_430_000, 0.60, 0.7),
}
RECOVERY = {
    "item-knn": "none",
    "ials": "refit",
    "bpr": "fine-tune",
    "ease": "refit",
    "neumf": "fine-tune",
    "mult-vae": "fine-tune",
}
KEPT = (0.5, 0.2, 0.1, 0.05, 0.02, 0.01)


def fake_cells(dataset="fake-100k", protocol="ratio", models=tuple(DENSE), seeds=(0, 1, 2), kept=KEPT) -> pd.DataFrame:
    """Rows of a whole study with every column of cells.csv, the same on every call."""
    rows = [row for model in models for row in _model(model, seeds, kept)]
    same = {"dataset": dataset, "protocol": protocol, "values": "float32", "history": "full", "run": "made-up"}
    frame = pd.DataFrame(rows).assign(**same)
    return frame.reindex(columns=list(COLUMNS))


PROTOCOLS = {  # made up: mean test nDCG@10 of some models; BPR cannot fold users in
    "ratio": {"popularity": 0.10, "ials": 0.26, "bpr": 0.24, "ease": 0.27, "mult-vae": 0.25},
    "strong": {"popularity": 0.08, "ials": 0.20, "ease": 0.22, "mult-vae": 0.21},
    "loo": {"popularity": 0.05, "ials": 0.09, "bpr": 0.11, "ease": 0.10, "mult-vae": 0.08},
}


def fake_protocols() -> pd.DataFrame:
    """EASE is best under ratio and strong, BPR under loo; magnitude with refit always keeps more than without."""
    parts = []
    for protocol, level in PROTOCOLS.items():
        rows = fake_cells(protocol=protocol, models=tuple(level), kept=(0.5, 0.1))
        rows = rows[(rows["side"] == "dense") | rows["model"].isin(["ease", "ials"])].copy()
        at = rows["side"] == "dense"
        rows.loc[at, "test_ndcg@10"] = rows["model"].map(level) + 0.001 * (rows["seed"] - 1)
        parts.append(rows)
    return pd.concat(parts, ignore_index=True)


def _model(model, seeds, kept):
    family, level, size, ms, steep = DENSE[model]
    base = {"model": model, "family": family}
    for seed in seeds:
        yield base | _numbers(level, size, size, ms, 1.0, seed) | _method("dense", "", "none", "", "", 1.0, seed)
    if not steep:
        return
    recovery = RECOVERY[model]
    methods = [
        ("parameters", "weight", "random", "one-shot", "none", 2.5),
        ("parameters", "weight", "magnitude", "one-shot", "none", 1.0),
        ("parameters", "weight", "magnitude-layer", "one-shot", "none", 1.15),
        ("control", "model", "smaller-dense", "", "retrain", 0.9),
        ("samples", "interaction", "random", "one-shot", "retrain", 1.2),
        ("samples", "interaction", "stratified", "one-shot", "retrain", 1.0),
    ]
    if recovery != "none":
        methods.append(("parameters", "weight", "magnitude", "one-shot", recovery, 0.5))
    if model in ("item-knn", "ease"):
        methods.append(("parameters", "neighbour", "magnitude", "one-shot", "none", 0.7))
    if model in ("ials", "bpr"):
        methods.append(("parameters", "factor", "principal-axes", "one-shot", "none", 1.1))
    for side, unit, criterion, schedule, how, slope in methods:
        for share in kept if side != "samples" else [k for k in kept if k >= 0.1]:
            quality = 1.004 - 0.03 * steep * slope * (share**-0.5 - 1) ** 1.2
            yield from _point(
                base,
                level,
                size,
                ms,
                seeds,
                share,
                max(quality, 0.02),
                _method(side, unit, criterion, schedule, how, share, 0),
            )
    for seed in seeds:
        yield (
            base
            | _numbers(0.01, size, 0, ms, 0.04, seed)
            | _method("control", "weight", "zero-reset", "one-shot", "none", 0.0, seed)
        )


def _point(base, level, size, ms, seeds, share, quality, method):
    spread = np.random.default_rng(int(share * 1e4) + len(method["criterion"])).normal(0, 0.004, len(seeds))
    ratios = quality + spread
    mean, half = ratios.mean(), 0.006 + 0.01 * (1 - quality)
    interval = {
        f"{part}_ratio_{end}": mean + sign * half
        for part in ("val", "test")
        for end, sign in (("lo", -1), ("hi", 1), ("lower", -0.84))
    }
    smaller = method["side"] in ("parameters", "control")
    for seed, ratio in zip(seeds, ratios, strict=True):
        left = size * share if smaller else size
        numbers = _numbers(level * ratio, left, left, ms * (0.3 + 0.7 * share if smaller else 1), ratio, seed)
        yield base | numbers | interval | method | {"seed": seed, "bytes_ratio": min(2 * share, 1) if smaller else 1.0}


def _numbers(quality, parameters, nonzeros, ms, ratio, seed):
    value = quality * (1 + 0.01 * (seed - 1))
    ranking = {
        f"{part}_{metric}@{k}": value * factor
        for part in ("val", "test")
        for metric, factor in (("ndcg", 1.0), ("recall", 1.1), ("mrr", 1.6), ("coverage", 1.2))
        for k in (10, 20, 100)
    }
    ratios = {f"{part}_ratio{end}": ratio for part in ("val", "test") for end in ("", "_lo", "_hi", "_lower")}
    cost = {
        "parameters": int(parameters),
        "nonzeros": int(nonzeros),
        "bytes_disk": int(4 * parameters) + 600,
        "bytes_memory": int(4 * parameters),
        "macs": int(parameters),
        "p50_ms": ms,
        "p95_ms": 1.3 * ms,
        "users_per_s": 1000 / ms,
        "train_s": 3.0 + ms,
        "score_s": 0.1,
        "peak_rss_mb": 300.0,
        "p50_ratio": 0.5,
        "bytes_ratio": 1.0,
    }
    return ranking | ratios | cost


def _method(side, unit, criterion, schedule, recovery, kept, seed):
    return {
        "side": side,
        "unit": unit,
        "criterion": criterion,
        "schedule": schedule,
        "recovery": recovery,
        "kept": kept,
        "seed": seed,
    }


FORMATS = {  # made up: bytes as a share of float32's, and what a rounding costs, for flat and steep models alike
    "float32": (1.0, 0.0),
    "float16": (0.5, 0.0),
    "int8": (0.25, 0.0005),
    "int4": (0.125, 0.02),
}


def fake_formats(**chosen) -> pd.DataFrame:
    """Rows of `fake_cells` in every value format: int8 costs next to nothing, int4 two per cent of the quality. On
    validation, bounds are so sure that they hold among any number of methods."""
    rows, parts = fake_cells(**chosen), []
    rows["val_ratio"] = rows["val_ratio_hi"] = rows["val_ratio_lower"]
    quality = [name for name in rows if name.startswith(("val_", "test_")) and rows[name].notna().any()]
    for values, (size, loss) in FORMATS.items():
        part = rows[rows["side"] != "samples"].assign(values=values)
        part[quality] = part[quality] * (1 - loss)
        part["bytes_disk"] = (part["bytes_disk"] * size).astype(int)
        part["bytes_ratio"] = part["bytes_ratio"] * size
        parts.append(part)
    return pd.concat([*parts, rows[rows["side"] == "samples"]], ignore_index=True)
