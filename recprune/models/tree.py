"""A decision tree over latent and attribute features of a user and an item (CART: Breiman et al., 1984)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import torch
from scipy import sparse
from scipy.sparse.linalg import svds

from recprune.errors import demand
from recprune.models.base import Recommender, Structure
from recprune.models.parts import attributes, ops
from recprune.models.parts.negatives import Positives
from recprune.models.parts.ranges import Count, NotNegative

QUESTION = ("left", "right", "feature", "threshold")  # arrays of what a split consists of
PAIRS = 2**17  # scored at once: their features stay within tens of megabytes


@dataclass(eq=False, repr=False)
class Tree(Recommender):
    """score = share of interactions among the training pairs in the leaf that (user, item) falls into.

    A binary tree of questions "feature <= threshold?", grown best-first on the log loss of interactions
    against unseen items. Features of a pair: the user's and the item's latent factors, X V and V of the truncated
    singular value decomposition X = U S V', their products coordinate by coordinate, and their dot product; the
    logarithms of the user's and the item's number of interactions; and the attributes: a single value as its
    code, of several values (genres) each as 0 or 1. In training an interaction is left out of its user's latent
    factors, for the pair itself and for its negatives alike: what the tree is asked about later is not in them
    either, and a difference between the two kinds of pairs would give the label away.

    factors           latent dimensions
    max_leaf_nodes    at most so many leaves
    min_samples_leaf  training pairs, at least, in a leaf
    ccp_alpha         cost complexity: a branch whose every leaf gains less impurity, as a share of the training
                      pairs, is cut off (0 cuts none)
    negatives         unseen items drawn, uniformly, for each interaction
    max_interactions  the tree is grown on at most so many interactions, drawn uniformly: growing sorts every feature

    A tree has no more different scores than leaves, so a catalogue falls into levels. Within a level the order
    is the fixed one of `recprune.topk.tie_order`, the same for every model: a finer one, by popularity or
    by the dot product, would be a second recommender whose quality the tree would be credited with. Many leaves
    leave few ties.

    Arrays: the tree, one entry for each node, children after parents, and what the features are made from. `left`
    and `right` say how many nodes further on the children are, so 0 for a leaf. A split is a unit of pruning: with
    zeros in its place a node is a leaf, whose value is there already, and what is below it is out of reach.
    `auxiliary` has each node's impurity and number of training pairs, which weakest-link pruning needs (Breiman
    et al., 1984, section 3.3).
    """

    factors: Count = 16
    max_leaf_nodes: Count = 300
    min_samples_leaf: Count = 50
    ccp_alpha: NotNegative = 0.0
    negatives: Count = 4
    max_interactions: Count = 100_000

    name: ClassVar[str] = "tree"
    label: ClassVar[str] = "decision tree"
    family: ClassVar[str] = "other"
    folds_in: ClassVar[bool] = True
    tiny: ClassVar[dict[str, Any]] = {"factors": 2, "max_leaf_nodes": 8, "min_samples_leaf": 5}
    search: ClassVar[dict[str, Any]] = {
        "factors": {"low": 4, "high": 48, "log": True},
        "max_leaf_nodes": {"low": 50, "high": 2000, "log": True},
        "min_samples_leaf": {"low": 10, "high": 300, "log": True},
        "negatives": {"choices": [2, 4, 8]},
    }

    def smaller(self, share: float) -> Self:
        """A model with `share` of the leaves and of the latent factors."""
        return self._resized(max_leaf_nodes=max(2, share * self.max_leaf_nodes), factors=share * self.factors)

    def _know(self, train):
        super()._know(train)
        self.arrays = attributes.of_both_sides(train)

    def _fit(self, train, validation, seed, fold_in):
        matrix, rng = train.tocsr(), np.random.default_rng(seed)
        self.arrays["item_factors"] = torch.from_numpy(right_singular_vectors(matrix, self.factors, rng))
        self.arrays["item_counts"] = torch.from_numpy(np.bincount(train.item, minlength=self.n_items).astype(np.int32))
        chosen = np.sort(rng.permutation(train.nnz)[: self.max_interactions])
        users, items = train.user[chosen], train.item[chosen]
        latent, known = self._users(matrix, np.arange(self.n_users))
        factors, of_item = self._items()
        shown = latent[users] - matrix.data[chosen, None] * factors[items], known[users]
        state = [np.repeat(part, 1 + self.negatives, axis=0) for part in shown]
        unseen = Positives(train).uniform_negatives(np.repeat(users[:, None], self.negatives, axis=1), rng)
        items = np.concatenate([items[:, None], unseen], axis=1).ravel()
        label = np.tile([1] + self.negatives * [0], len(chosen))
        self._grow(_pairs(state, (factors[items], of_item[items])), label, seed)

    def _grow(self, features: np.ndarray, label: np.ndarray, seed: int) -> None:
        """Fit the tree and keep it as plain arrays."""
        from sklearn.tree import DecisionTreeClassifier  # takes a second to import, and only growing needs it

        grown = DecisionTreeClassifier(
            criterion="log_loss",
            max_leaf_nodes=self.max_leaf_nodes,
            min_samples_leaf=self.min_samples_leaf,
            ccp_alpha=self.ccp_alpha,
            random_state=seed,
        ).fit(features, label)
        tree, node = grown.tree_, np.arange(grown.tree_.node_count)
        leaf = tree.children_left < 0
        arrays = {
            "feature": np.where(leaf, 0, tree.feature).astype(np.int16),
            "threshold": np.where(leaf, np.float32(0), _rounded_down(tree.threshold)),
            "left": np.where(leaf, 0, tree.children_left - node).astype(np.int32),
            "right": np.where(leaf, 0, tree.children_right - node).astype(np.int32),
            "value": tree.value[:, 0, -1].astype(np.float32),
        }
        nodes = {"impurity": tree.impurity.astype(np.float32), "samples": tree.n_node_samples.astype(np.int32)}
        self.arrays |= {name: torch.from_numpy(array) for name, array in arrays.items()}
        self.auxiliary = {name: torch.from_numpy(array) for name, array in nodes.items()}

    def _users(self, histories: sparse.csr_array, users: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
        """(b x factors) latent factors and (b x others) log count and attributes; none are known of folded-in users."""
        latent = ops.sparse_rows_times(histories, self.arrays["item_factors"]).astype(np.float32)
        known = attributes.columns(self.arrays, "user", users, len(latent))
        return latent, np.column_stack([np.log1p(np.diff(histories.indptr)).astype(np.float32), known])

    def _items(self) -> tuple[np.ndarray, np.ndarray]:
        """(n_items x factors) and (n_items x others), likewise."""
        counts = np.log1p(self.arrays["item_counts"].numpy().astype(np.float32))
        known = attributes.columns(self.arrays, "item", np.arange(self.n_items), self.n_items)
        return ops.dense(self.arrays["item_factors"]).numpy(), np.column_stack([counts, known])

    def _score(self, users):
        return self._scores(self._fitted[users], users)

    def score_histories(self, histories: sparse.csr_array) -> np.ndarray:
        return self._scores(histories, None)

    def _scores(self, histories, users) -> np.ndarray:
        known, catalogue = self._users(histories, users), self._items()
        scores = np.empty(histories.shape, np.float32)
        step = max(1, PAIRS // self.n_items)
        for start in range(0, len(scores), step):
            block = scores[start : start + step]
            of_user = [np.repeat(part[start : start + step], self.n_items, axis=0) for part in known]
            of_item = [np.tile(part, (len(block), 1)) for part in catalogue]
            block[:] = self._leaf_values(_pairs(of_user, of_item)).reshape(block.shape)
        return scores

    def _leaf_values(self, features: np.ndarray) -> np.ndarray:
        """(m,) values of the leaves that (m x features) pairs fall into: all go down one level at a time."""
        feature, threshold, value = (self.arrays[name].numpy() for name in ("feature", "threshold", "value"))
        left, right = self.children()
        flat, row = features.ravel(), np.arange(len(features)) * features.shape[1]
        node = np.zeros(len(features), np.int32)
        while True:
            below = np.where(flat[row + feature[node]] <= threshold[node], left[node], right[node])
            if np.array_equal(below, node):
                return value[node]
            node = below

    def children(self) -> tuple[np.ndarray, np.ndarray]:
        """(n_nodes,) left and right child of each node; a leaf is its own."""
        node = np.arange(len(self.arrays["value"]), dtype=np.int32)
        return node + self.arrays["left"].numpy(), node + self.arrays["right"].numpy()

    def check_positions(self) -> None:
        nodes = len(self.arrays["value"])
        for name in QUESTION:
            demand(self.arrays[name].shape == (nodes,), f"{name}: {len(self.arrays[name])} entries for {nodes} nodes")
        for child in self.children():
            fine = ((child >= np.arange(nodes)) & (child < nodes)).all()
            demand(bool(fine), "a node's child is no later node")
        features = sum(part.shape[1] for part in (*self._users(self._fitted[[0]], np.array([0])), *self._items()))
        features += self.arrays["item_factors"].shape[1] + 1  # see `_pairs`
        asked = self.arrays["feature"]
        demand(bool(((asked >= 0) & (asked < features)).all()), f"a node asks for a feature beyond {features}")

    def splits(self) -> np.ndarray:
        """Nodes that are no leaves and in reach of the root, parents first."""
        return np.flatnonzero(self._reached() & (self.arrays["left"].numpy() > 0))

    def _reached(self) -> np.ndarray:
        """(n_nodes,) bool: whether any pair can come to the node."""
        left, right = self.children()
        reached = np.zeros(len(left), bool)
        reached[0] = True
        for node in range(len(left)):  # children after parents
            if reached[node]:
                reached[left[node]] = reached[right[node]] = True
        return reached

    def bottom_up(self, scores: np.ndarray) -> np.ndarray:
        """(n_nodes,) float64 ranks of the splits, from 1 on, in the order of their scores; 0 for all other nodes.

        A split waits for all that are below it, so that the highest ranks, however many, are a tree: it counts
        as much as the best split below it, and of equal ones the deeper goes first.
        """
        left, right = self.children()
        splits, waited = self.splits(), np.where(self.arrays["left"].numpy() > 0, scores, -np.inf).astype(np.float64)
        for node in splits[::-1]:
            waited[node] = max(waited[node], waited[left[node]], waited[right[node]])
        ranks = np.zeros(len(left))
        ranks[splits[np.lexsort((-splits, waited[splits]))]] = np.arange(1, len(splits) + 1)
        return ranks

    def structure(self) -> Structure:
        """Splits: a node whose question is zero throughout is a leaf."""
        return {"split": {"splits": [(name, 0) for name in QUESTION]}}

    def parameters(self):
        """Without nodes that no pair can come to."""
        self._fitted  # noqa: B018  an untrained tree has no nodes
        reached = self._reached()
        index, place = np.flatnonzero(reached), np.cumsum(reached) - 1
        cut = {name: self.arrays[name][index] for name in (*QUESTION, "value")}
        for name, child in zip(("left", "right"), self.children(), strict=True):
            cut[name] = torch.from_numpy((place[child[index]] - np.arange(len(index))).astype(np.int32))
        return self.arrays | cut

    def compact(self):
        """Nodes that no pair can come to are dropped."""
        return self._compacted(self.parameters())

    def macs(self) -> int:
        """Of the features alone; a question is a comparison, and no multiplication."""
        factors = ops.count_nonzero(self.arrays["item_factors"])
        return int(self._mean_history() * factors / max(1, self.n_items) + factors)


def right_singular_vectors(matrix: sparse.csr_array, k: int, rng: np.random.Generator) -> np.ndarray:
    """(n x k) float32: V of the truncated singular value decomposition, largest singular value first.

    Signs are canonical: the largest entry of each vector is positive. k is bounded by the smaller side less one.
    """
    k = min(k, min(matrix.shape) - 1)
    _, s, vt = svds(matrix.astype(np.float64), k=k, v0=rng.standard_normal(min(matrix.shape)))
    v = vt[np.argsort(-s)].T
    largest = np.take_along_axis(v, np.abs(v).argmax(axis=0)[None], axis=0)
    return np.ascontiguousarray(v * np.sign(largest), np.float32)


def _pairs(user, item) -> np.ndarray:
    """(m x features) of m pairs, from each side's latent factors (m x k) and other features (m x any)."""
    product = user[0] * item[0]
    return np.concatenate([*user, *item, product, product.sum(axis=1, keepdims=True)], axis=1, dtype=np.float32)


def _rounded_down(threshold: np.ndarray) -> np.ndarray:
    """float32 thresholds that part float32 numbers like these of float64 do."""
    single = threshold.astype(np.float32)
    return np.where(single > threshold, np.nextafter(single, np.float32(-np.inf)), single)
