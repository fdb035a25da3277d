"""A model, a figure and a table as somebody outside the package would write them, the text of a file each."""

MODEL = '''
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch

import recprune
from recprune.models.factors import FactorModel


@recprune.models.register
@dataclass(eq=False, repr=False)
class PureSVD(FactorModel):
    """The truncated singular value decomposition of the training matrix (Cremonesi et al., 2010)."""

    factors: int = 8

    name: ClassVar[str] = "pure-svd"
    label: ClassVar[str] = "PureSVD"
    family: ClassVar[str] = "cf"
    search: ClassVar[dict] = {"factors": {"low": 4, "high": 64}}

    def _fit(self, train, validation, seed, fold_in):
        left, s, right = np.linalg.svd(train.tocsr().toarray(), full_matrices=False)
        d = self.factors
        self.arrays = {
            "user_factors": torch.from_numpy(np.ascontiguousarray(left[:, :d] * s[:d])),
            "item_factors": torch.from_numpy(np.ascontiguousarray(right[:d].T)),
        }
'''
FIGURE = """
from recprune.report.figures import figure, style


def caption(study, data):
    return f"What dense models of {study.name} weigh, by an outsider."


@figure("weights", caption=caption)
def weights(study):
    with style.paper():
        drawn = style.new_figure(style.SINGLE, 2)
        drawn.subplots().barh(study.dense["model"], study.dense["bytes_disk"])
        style.settle(drawn)
    return drawn, study.dense[["model", "bytes_disk"]]
"""
TABLE = """
from recprune.report.tables import Table, column, table
from recprune.report.tables.layout.formats import BYTES, LABELS


@table("weights", needs=["dense"])
def weights(study):
    dense = study.dense[["model", "bytes_disk"]]
    columns = [column("model", LABELS, dense["model"]), column("disk", BYTES, dense["bytes_disk"])]
    return Table("What dense models weigh, a table by an outsider.", dense, columns)
"""
