"""The nearest neighbours of every item, by `implicit`: blockwise, without a matrix of all pairs."""

from __future__ import annotations

import warnings

import numpy as np
import torch
from scipy import sparse

COLUMNS = 256  # whose similarities to all items are held at once
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


def similar(matrix: sparse.csr_array, lists: sparse.csr_array, similarity: str = "cosine") -> np.ndarray:
    """(nnz,) float32: the similarities of the pairs of items that `lists` stores, in its order; see `nearest`.

    lists   (items x items) CSR; the values do not matter
    """
    weighted = _weighted(matrix, similarity)
    pairs, values = lists.tocoo(), np.empty(lists.nnz, np.float32)
    for first in range(0, lists.shape[0], COLUMNS):
        part = slice(*lists.indptr[[first, min(first + COLUMNS, lists.shape[0])]])
        products = (weighted[:, first : first + COLUMNS].T @ weighted).toarray()
        values[part] = products[pairs.row[part] - first, pairs.col[part]]
    return values


def _weighted(matrix: sparse.csr_array, similarity: str) -> sparse.csc_array:
    """(users x items) float64: the columns whose dot products are the similarities, weighted as `implicit` does."""
    from implicit import nearest_neighbours

    items = sparse.csr_matrix(matrix.T, dtype=np.float64)
    if similarity == "bm25":
        default = nearest_neighbours.BM25Recommender()
        items = nearest_neighbours.bm25_weight(items, default.K1, default.B)
    else:
        items = nearest_neighbours.tfidf_weight(items) if similarity == "tfidf" else items
        items = nearest_neighbours.normalize(items)
    return sparse.csc_array(items.T)
