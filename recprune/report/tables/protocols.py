"""What changes with the protocol: dense models, agreement of their orders, safe shares."""

from __future__ import annotations

from dataclasses import replace

from recprune.datasets.naming import name_of
from recprune.errors import NothingToDrawError
from recprune.report.evidence.methods import FLOORS, models_in_order
from recprune.report.evidence.protocols import ProtocolsEvidence
from recprune.report.tables.layout.formats import LABELS, MEAN, TWO, WHOLE, WORDS, Format, plus_minus
from recprune.report.tables.layout.registry import table
from recprune.report.tables.layout.standing import SAFE, explained
from recprune.report.tables.layout.table import Table, column

RANKED = Format(lambda mean, spread, rank: f"{plus_minus(mean, spread)} ({rank:.0f})")
SHARE = replace(SAFE, missing="")  # nothing where it was not measured
TAU = Format("{:.2f} [{:.2f}, {:.2f}]".format)


@table("protocols-order", of=ProtocolsEvidence)
def protocols_order(protocols: ProtocolsEvidence) -> Table:
    """The dense models by protocol: test nDCG@10 and rank. In bold, the best of a protocol."""
    frame = protocols.levels
    models = models_in_order(frame)
    columns = [column("model", LABELS, models)]
    for protocol in dict.fromkeys(frame["protocol"]):
        mine = frame[frame["protocol"] == protocol].set_index("model").reindex(models)
        columns.append(column(protocol, RANKED, mine["ndcg@10"], mine["sd"], mine["rank"], bold=mine["rank"] == 1))
    caption = (
        f"Dense models on {name_of(frame['dataset'].iloc[0])} by protocol: test nDCG@10, mean ± standard deviation "
        f"over {frame['seeds'].max()} seeds (rank among the protocol's models). Empty: the protocol leaves the model "
        "out." + protocols.warning
    )
    return Table(caption, frame, columns)


@table("protocols-strangers", of=ProtocolsEvidence)
def protocols_strangers(protocols: ProtocolsEvidence) -> Table:
    """The dense models on users with a history, and on those without. In bold, the best of a protocol on the first."""
    frame = protocols.strangers
    if frame.empty:
        raise NothingToDrawError("every test user has a history")
    models = models_in_order(frame)
    columns = [column("model", LABELS, models)]
    for protocol in dict.fromkeys(frame["protocol"]):
        mine = frame[frame["protocol"] == protocol].set_index("model").reindex(models)
        best_of = mine["rank"] == 1
        columns += [
            column(f"{protocol}: with a history", RANKED, mine["warm"], mine["warm_sd"], mine["rank"], bold=best_of),
            column("without", MEAN, mine["cold"], mine["cold_sd"]),
        ]
    caption = (
        f"Dense models on {name_of(frame['dataset'].iloc[0])} by protocol: test nDCG@10 of the users who have a "
        "history when the model is trained, mean ± standard deviation over seeds (rank among its models), and of "
        "those who do not: any model shows them what is popular, so only the first tells models apart."
    )
    return Table(caption, frame, columns)


@table("protocols-agreement", of=ProtocolsEvidence)
def protocols_agreement(protocols: ProtocolsEvidence) -> Table:
    """How far two protocols order the dense models alike (`evidence.protocols.agreement`)."""
    frame = protocols.agreement
    if frame.empty:
        raise NothingToDrawError("no two protocols have two dense models in common")
    columns = [
        column("protocols", WORDS, frame["first"] + ", " + frame["second"]),
        column("models", WHOLE, frame["models"]),
        column("tau of means", TAU, frame["tau"], frame["lo"], frame["hi"]),
        column("seed by seed", TWO, frame["across"]),
        column("within one protocol", TWO, frame["within"]),
    ]
    caption = (
        "Do two protocols order the dense models alike? Kendall's tau (1: one order, 0: unrelated) without "
        f"{' and '.join(FLOORS)}: of means over seeds, with a 95 % interval (seeds resampled); of single seeds, one "
        "under each protocol; and of two seeds under one of them, which is what chance alone does (loo and temporal: "
        "chance in training, not in the split, which all their seeds share but for ties in time)."
    )
    return Table(caption, frame, columns)


@table("protocols-safe", of=ProtocolsEvidence)
def protocols_safe(protocols: ProtocolsEvidence) -> Table:
    """What is removed safely, by protocol. In bold, the protocols under which most is, where they differ."""
    frame = protocols.safe_shares
    if frame.empty:
        raise NothingToDrawError("nothing was pruned")
    names = [protocol for protocol in protocols.studies if protocol in frame]
    shares = frame[names].astype(float)
    counts = protocols.safe_counts[names]
    most = shares.eq(shares.where(counts).max(axis=1), axis=0) & (shares.nunique(axis=1) > 1).to_numpy()[:, None]
    most &= counts
    columns = [column("model", LABELS, frame["model"]), column("method", WORDS, frame["label"])]
    columns += [column(name, SHARE, shares[name], counts[name], bold=most[name]) for name in names]
    dataset = name_of(next(iter(protocols.studies.values())).dataset)
    caption = (
        f"Safe sparsity on {dataset} by protocol: the largest share removed whose one-sided 95 % "
        "lower bound of pruned / dense nDCG@10 on validation is at least 0.99. A wider interval (fewer test users, one "
        f"test item each) makes less look safe.{explained(bool((~counts & (shares > 0)).any(axis=None)))}"
        f"{protocols.warning}"
    )
    return Table(caption, frame, columns)
