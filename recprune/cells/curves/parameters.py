"""The curve of pruned parameters: the dense model of every seed, pruned to every share."""

from __future__ import annotations

from recprune.cells.bench import Bench
from recprune.cells.curves.walk import Curve, downwards, is_shown, seeds
from recprune.cells.measure import Cell, measure_pruned, to_rows
from recprune.cells.once import latest
from recprune.models import Recommender
from recprune.pruning import ParameterPath
from recprune.splits import Split


@latest
def parameter_path(bench: Bench, seed: int) -> ParameterPath:
    """The dense model of a seed on its way down, as the parameters of the run say, with the last of its recoveries."""
    return path_from(bench, bench.dense(seed).model, bench.split(seed), seed)


def path_from(bench: Bench, model: Recommender, of: Split, seed: int) -> ParameterPath:
    """A dense model on its way down, as the parameters of the run say, with the last of its recoveries."""
    p = bench.p
    return ParameterPath(model, of, p.criterion, p.unit, p.schedule, _recoveries(bench)[-1], seed, **p.options)


def parameter_curve(bench: Bench) -> Curve:
    """The curve of the dense model of every seed, pruned to every share with every recovery; in compact form."""
    cells, smallest = [], None
    for seed in seeds(bench):
        for recovery in _recoveries(bench):
            last = recovery == _recoveries(bench)[-1]
            path = parameter_path(bench, seed) if last else parameter_path(bench, seed).recovering(recovery)
            for share in downwards(bench.p.keep):
                pruned = path.cut(share)
                if last and is_shown(bench, seed, share):
                    smallest = pruned
                cell = Cell.of(bench.p, "parameters", share, seed, recovery=recovery)
                cells += measure_pruned(bench, pruned, cell)
                del pruned  # before the next one is there: each may be as large as the dense model
    return Curve(to_rows(cells), smallest)


def _recoveries(bench: Bench) -> tuple[str, ...]:
    return bench.p.recoveries or (bench.p.recovery,)
