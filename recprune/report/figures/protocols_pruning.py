"""What pruning keeps under each protocol."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator

from recprune.errors import NothingToDrawError
from recprune.report.evidence.curves import curves, foot
from recprune.report.evidence.labels import label
from recprune.report.evidence.methods import methods_in_order, models_in_order
from recprune.report.evidence.protocols import ProtocolsEvidence
from recprune.report.figures.drawing import style
from recprune.report.figures.drawing.panels import handles_of, legend_columns, panel, set_limits
from recprune.report.figures.drawing.registry import figure
from recprune.report.figures.drawing.words import STRICT, means, of_protocols

TICKS = (0.001, 0.01, 0.05, 0.2, 1.0)  # a panel is an inch wide


def caption(protocols: ProtocolsEvidence, data: pd.DataFrame) -> str:
    return (
        f"Does pruning keep as much under other protocols? {of_protocols(data)}: test nDCG@10 relative to the dense "
        f"model against the share of parameters kept. {means(data)} Dotted: {STRICT:g} of dense; triangles at the foot "
        "lie below the axis."
    )


@figure("protocols-pruning", caption=caption, of=ProtocolsEvidence)
def protocol_curves(several: ProtocolsEvidence) -> tuple[Figure, pd.DataFrame]:
    """Test nDCG@10 relative to the dense model against the share of parameters kept: one row of panels per pruned
    model, one column per protocol, all on one scale. Returns the figure and the points drawn (`curves`). Raises
    NothingToDrawError when no parameters were pruned.
    """
    studies = [study for study in several.studies.values() if (study.rows["side"] == "parameters").any()]
    if not studies:
        raise NothingToDrawError("no parameters were pruned: there are no curves to show")
    data = pd.concat([curves(study, "parameters") for study in studies], ignore_index=True)
    protocols, models = list(dict.fromkeys(data["protocol"])), models_in_order(data)
    looks = style.method_looks(methods_in_order(data[data["role"] != "dense"]))
    bottom = foot(data["role"], data["ratio"])
    with style.paper():
        handles = handles_of(looks, data)
        across = legend_columns(handles, style.DOUBLE)
        picture = style.new_figure(style.DOUBLE, 1.55 * len(models) + 0.15 * -(-len(handles) // across) + 0.4)
        axes = picture.subplots(len(models), len(protocols), sharex=True, sharey=True, squeeze=False)
        for i, model in enumerate(models):
            for j, protocol in enumerate(protocols):
                mine = data[(data["model"] == model) & (data["protocol"] == protocol)]
                ax = axes[i, j]
                if mine.empty:
                    ax.set_axis_off()
                    continue
                panel(ax, mine, looks, "parameters", bottom, "")
                ax.set_title(f"{label(model)}, {protocol}", pad=3)
                ax.set_xlabel("share kept" if i == len(models) - 1 else "")
                ax.set_ylabel("nDCG@10 / dense" if j == 0 else "")
        set_limits(axes[0, 0], data)
        axes[0, 0].xaxis.set_major_locator(FixedLocator([share for share in TICKS if share >= data["x"].min()]))
        picture.legend(handles=handles, loc="outside lower center", ncols=across, handlelength=2.8, columnspacing=1.2)
        style.settle(picture)
    return picture, data
