"""What changes with the protocol: the levels and the order of dense models, and what pruning keeps."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from itertools import combinations

import numpy as np
import pandas as pd

from recprune.cells.rows import APART
from recprune.datasets.naming import name_of
from recprune.errors import ReportError
from recprune.report.evidence.cells import canonical
from recprune.report.evidence.frames import each, where_lowest
from recprune.report.evidence.labels import label
from recprune.report.evidence.methods import FLOORS, METHOD, is_kind, method_label, methods_in_order, models_in_order
from recprune.report.evidence.points import LEVEL
from recprune.report.evidence.safe import in_order
from recprune.report.evidence.study import StudyEvidence
from recprune.splits import PROTOCOLS

QUALITY = "test_ndcg@10"
DRAWS = 2000


class ProtocolsEvidence:
    """What is known of one data set under several protocols.

    name     the data set's, as files call it
    studies  protocol -> its study, in the order in which protocols are defined
    """

    def __init__(self, studies: list[StudyEvidence], name: str = ""):
        self.studies = {study.protocol: study for study in sorted(studies, key=_place)}
        self.name = name or name_of(studies[0].dataset)

    @classmethod
    def of(cls, cells: pd.DataFrame) -> ProtocolsEvidence:
        """The evidence of any frame of cells. Raises ReportError where they are of no, or of several data sets."""
        rows = canonical(cells)
        if rows["dataset"].nunique() > 1:
            raise ReportError("rows of dense models on one data set are needed")
        return cls([StudyEvidence(part) for _, part in rows.groupby("protocol")])

    @cached_property
    def levels(self) -> pd.DataFrame:
        """One row per protocol and dense model: mean test nDCG@10, its standard deviation over seeds (`sd`), its 95 %
        interval over users (`lo`, `hi`, NaN in rows without), and `rank`, 1 for the best of the protocol.

        Raises ReportError where there are no dense models.
        """
        table = pd.concat([study.dense for study in self.studies.values()], ignore_index=True)
        if table.empty:
            raise ReportError("rows of dense models on one data set are needed")
        table = table.rename(columns={QUALITY: "ndcg@10", f"{QUALITY}_sd": "sd", LEVEL[0]: "lo", LEVEL[1]: "hi"})
        table["rank"] = table.groupby("protocol")["ndcg@10"].rank(ascending=False, method="first").astype(int)
        return table[["dataset", "protocol", "model", "family", "seeds", "ndcg@10", "sd", "lo", "hi", "rank"]]

    @cached_property
    def strangers(self) -> pd.DataFrame:
        """One row per protocol that tests users without a history, and dense model: mean test nDCG@10 of those with one
        (`warm`, with its `rank`) and without (`cold`), and standard deviations over seeds (`warm_sd`, `cold_sd`).
        """
        rows = pd.concat([study.rows[study.rows["side"] == "dense"] for study in self.studies.values()])
        of = {name: f"{QUALITY}_users_{name}" for name in APART}
        rows = rows.rename(columns={column: name for name, column in of.items()}).astype(dict.fromkeys(of, float))
        groups = rows[rows["cold"].notna()].groupby(["dataset", "protocol", "model", "family"])[list(of)]
        table = groups.mean().join(groups.std().add_suffix("_sd")).reset_index()
        return table.assign(rank=table.groupby("protocol")["warm"].rank(ascending=False, method="first"))

    @cached_property
    def agreement(self) -> pd.DataFrame:
        """Kendall's tau between the orders of the dense models under each two protocols (see `agreement`)."""
        return agreement({name: study.rows for name, study in self.studies.items()})

    @cached_property
    def safe_shares(self) -> pd.DataFrame:
        """One row per model, side and method (`label`), one column per protocol: the share removed safely at 0.99,
        0 where nothing is safe, NaN where it was not measured. Empty where nothing was pruned."""
        safe = pd.concat([study.safe for study in self.studies.values()], ignore_index=True)
        safe = in_order(safe.fillna({"removed_99": 0.0}))
        keys = ["model", "side", "label"]
        wide = safe.pivot(index=keys, columns="protocol", values="removed_99").rename_axis(columns=None)
        wide = wide.reindex(pd.MultiIndex.from_frame(safe[keys].drop_duplicates()))
        return wide[[name for name in self.studies if name in wide]].reset_index()

    @cached_property
    def warning(self) -> str:
        """The sentences of the studies on dense models that do not beat popularity; "" where all do."""
        said = {protocol: study.warning for protocol, study in self.studies.items()}
        return "".join(f" Under {protocol}:{words}" for protocol, words in said.items() if words)

    @cached_property
    def safe_counts(self) -> pd.DataFrame:
        """The rows and protocols of `safe_shares`: whether what is safe there counts (see `safe.safe_points`)."""
        safe = pd.concat([study.safe for study in self.studies.values()], ignore_index=True)
        keys = ["model", "side", "label"]
        wide = safe.pivot(index=keys, columns="protocol", values="counts").eq(True)
        return wide.reindex(pd.MultiIndex.from_frame(self.safe_shares[keys])).reset_index()

    def in_words(self) -> list[str]:
        """What the rows say, in sentences: which model is first, how far orders agree, which of two methods keeps
        more."""
        points = pd.concat([study.points for study in self.studies.values()], ignore_index=True)
        return [_first(self.levels), *_orders(self.agreement), *_methods(points)]


def several(studies: list[StudyEvidence]) -> Iterator[ProtocolsEvidence]:
    """Each data set whose dense models were measured under more than one protocol."""
    for dataset in sorted({study.dataset for study in studies}):
        mine = [study for study in studies if study.dataset == dataset]
        if sum((study.rows["side"] == "dense").any() for study in mine) > 1:
            yield ProtocolsEvidence(mine)


def _place(study: StudyEvidence) -> tuple[int, str]:
    """Protocols as they are defined, unknown ones last."""
    known = list(PROTOCOLS)
    return known.index(study.protocol) if study.protocol in known else len(known), study.protocol


def agreement(rows: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Kendall's tau between the orders of the dense models under each two protocols; the floors do not count.

    For models i < j with qualities m, tau = mean of sign(m_i - m_j under a) * sign(m_i - m_j under b)
    (Kendall, 1938): 1 for one order, 0 for unrelated ones, -1 for the reverse.

    rows           protocol -> its cells, in the order of the protocols
    first, second  two of the protocols
    models, seeds  how many models were measured under both; the fewer seeds of the two
    tau, lo, hi    of means over seeds, and its 95 % interval: the seeds of both resampled (`DRAWS` times, seeded)
    across         mean tau between one seed under the first and one under the second
    within         mean tau between two different seeds under one of them: what chance alone does. NaN for one seed.
                   Seeds of `loo` and `temporal` share one split, but for ties in time: there chance is that of training
    """
    tables = {name: _by_seed(part) for name, part in rows.items()}
    tables, found = {name: table for name, table in tables.items() if len(table)}, []
    for first, second in combinations(tables, 2):
        models = sorted(tables[first].index.intersection(tables[second].index))
        if len(models) > 1:
            a, b = (tables[name].loc[models].dropna(axis=1).to_numpy() for name in (first, second))
            found.append((first, second, len(models), min(a.shape[1], b.shape[1]), *_of_means(a, b), *_of_seeds(a, b)))
    return pd.DataFrame(found, columns=["first", "second", "models", "seeds", "tau", "lo", "hi", "across", "within"])


def _by_seed(rows: pd.DataFrame) -> pd.DataFrame:
    """(models x seeds): the quality of each dense model, floors apart."""
    rows = rows[(rows["side"] == "dense") & ~rows["model"].isin(FLOORS)]
    return rows.pivot(index="model", columns="seed", values=QUALITY).astype(float)


def _signs(values: np.ndarray) -> np.ndarray:
    """(draws x pairs) which of two models is better, from (models x draws)."""
    i, j = np.triu_indices(len(values), 1)
    return np.sign(values[i] - values[j]).T


def _of_means(a: np.ndarray, b: np.ndarray) -> tuple[float, float, float]:
    """From (models x seeds) each."""
    rng = np.random.default_rng(0)
    tau = float((_signs(a.mean(axis=1, keepdims=True)) * _signs(b.mean(axis=1, keepdims=True))).mean())
    drawn = [values[:, rng.integers(values.shape[1], size=(DRAWS, values.shape[1]))].mean(axis=2) for values in (a, b)]
    lo, hi = np.quantile((_signs(drawn[0]) * _signs(drawn[1])).mean(axis=1), [0.025, 0.975])
    return tau, float(lo), float(hi)


def _of_seeds(a: np.ndarray, b: np.ndarray) -> tuple[float, float]:
    x, y = _signs(a), _signs(b)
    pairs = [(signs[s] * signs[t]).mean() for signs in (x, y) for s, t in combinations(range(len(signs)), 2)]
    return float((x @ y.T).mean() / x.shape[1]), float(np.mean(pairs)) if pairs else np.nan


def _first(table: pd.DataFrame) -> str:
    best = table[table["rank"] == 1]
    by_model = {label(model): ", ".join(rows["protocol"]) for model, rows in each(best, "model")}
    winners = "; ".join(f"**{model}** under {protocols}" for model, protocols in by_model.items())
    kind = "One model is" if len(by_model) == 1 else "No one model is"
    return f"{kind} best under all {table['protocol'].nunique()} protocols, by mean test nDCG@10: {winners}."


def _orders(table: pd.DataFrame) -> list[str]:
    if table.empty:
        return []
    low, high = where_lowest(table, table["tau"]), where_lowest(table, -table["tau"])
    ends = [f"{row['tau']:.2f} ({row['first']}, {row['second']})" for row in (low, high)]
    sentence = f"Two protocols order the models with a Kendall tau of {table['tau'].mean():.2f} on average"
    sentence += f", from {ends[0]} to {ends[1]}." if low["tau"] < high["tau"] else "."
    across, within = table["across"].mean(), table["within"].mean()
    if np.isnan(within):
        return [sentence]
    verdict = "more" if across < within else "no more"
    return [
        f"{sentence} Seed by seed it is {across:.2f} between protocols and {within:.2f} within one: "
        f"the protocol changes the order {verdict} than the seed does."
    ]


def _methods(points: pd.DataFrame) -> list[str]:
    """For each two methods that prune the same unit of a model: at how many points the first keeps more."""
    table = points[(points["side"] == "parameters") & ~is_kind(points, "control")]
    sentences = []
    for model in models_in_order(table):
        mine = table[table["model"] == model]
        for first, second in combinations(methods_in_order(mine), 2):
            pair = [mine[(mine[METHOD] == list(method)).all(axis=1)] for method in (first, second)]
            both = pair[0].merge(pair[1], on=["protocol", "kept"], suffixes=("_a", "_b"))
            if len(both) and first.unit == second.unit:
                sentences.append(_which(label(model), method_label(first), method_label(second), both))
    return sentences


def _which(model: str, first: str, second: str, both: pd.DataFrame) -> str:
    gain = both["test_ratio_a"] - both["test_ratio_b"]
    if gain.mean() < 0:
        first, second, gain = second, first, -gain
    more, n = int((gain > 0).sum()), both["protocol"].nunique()
    sentence = f"{model}: {first} keeps more than {second} at {more} of {len(both)} points (protocol and share)"
    if more == len(both):
        return f"{sentence}: the protocol does not change which is better."
    against = sorted(set(both.loc[gain <= 0, "protocol"]))
    return f"{sentence}; the exceptions are under {', '.join(against)} ({len(against)} of {n} protocols)."
