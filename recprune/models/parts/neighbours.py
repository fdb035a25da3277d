"""The nearest neighbours of every item, by `implicit`: blockwise, without a matrix of all pairs."""

from __future__ import annotations

import warnings

import numpy as np
import torch
from scipy import sparse

SIMILARITIES = {"cosine": "CosineRecommender", "tfidf": "TFIDFRecommender", "bm25": "BM25Recommender"}


def nearest(matrix: sparse.csr_array, n: int, similarity: str = "cosine") -> sparse.csr_array:
    """(items x items) float32: in column j the similarities of the `n` items that are most similar to j, without j.

    matrix      (users x items)
    similarity  cosine, tfidf (cosine of TF-IDF weighted columns) or bm25; the columns have the weights as entries
    """
    from implicit import nearest_neighbours

    kind = getattr(nearest_neighbours, SIMILARITIES[similarity])
    model = kind(K=n + 1, num_threads=torch.get_num_threads())  # + 1: an item is its own nearest
    with warnings.catch_warnings():  # implicit's own weighting hands its own solver a matrix that it warns of
        warnings.simplefilter("ignore")
        model.fit(sparse.csr_matrix(matrix), show_progress=False)
    found = sparse.coo_array(model.similarity)
    others = found.row != found.col
    coordinates = found.col[others], found.row[others]  # transposed: lists are columns
    lists = sparse.csr_array((found.data[others].astype(np.float32), coordinates), shape=found.shape)
    lists.sort_indices()
    return lists
