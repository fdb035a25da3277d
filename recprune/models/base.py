"""The contract of a recommender.

A recommender is a few named arrays (`arrays`, the model proper), the users' histories, and one forward
pass. Hyper-parameters are the fields of its dataclass; what was learned is in the arrays.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
import torch
from scipy import sparse

from recprune.errors import kind_of
from recprune.interactions import Interactions
from recprune.models.disk import storage
from recprune.models.disk.provenance import Measured, metrics_of, without_metrics
from recprune.models.parts import naming, ops, ranges
from recprune.models.parts.lost_rows import KEPT, LostRows, codes
from recprune.models.parts.ops import Array
from recprune.together import writes
from recprune.topk import rank_in_blocks

FAMILIES = ("cf", "deep", "other")
# unit -> name of the dimension -> the (array, axis) pairs that the dimension runs through
Structure = dict[str, dict[str, list[tuple[str, int]]]]


@dataclass(eq=False)
class Recommender(LostRows):
    """A recommender: the base that all models share.

    A subclass gives `_fit` and its `macs`, and how it scores: `_score_rows` from histories, or `_score`.
    """

    name: ClassVar[str]
    label: ClassVar[str]  # what readers see
    family: ClassVar[str]  # one of FAMILIES
    folds_in: ClassVar[bool] = False  # can score users it was not trained on, from their histories
    needs_times: ClassVar[bool] = False  # trains on histories in the order of time
    takes: ClassVar[str] = ""  # what `forward` reads of a user: "users", "histories"; "" where there is none
    recoveries: ClassVar[tuple[str, ...]] = ("none",)  # what can follow the removal of parameters
    search: ClassVar[dict[str, Any]] = {}  # hyper-parameter -> range, like a table [space.MODEL] of tuning.toml
    tiny: ClassVar[dict[str, Any]] = {}  # hyper-parameters of one that has every unit and trains in a second
    products: ClassVar[tuple[str, str] | None] = None  # arrays whose rows' dot products are all that scores ask of them
    cheap_to_tune: ClassVar[
        tuple[str, ...]
    ] = ()  # hyper-parameters to choose again on other data, where a fit is quick
    seconds_a_fit: ClassVar[float] = 1.0  # on ml-100k, roughly: what takes longest is started first

    def __post_init__(self) -> None:
        for name, value in ranges.checked(self).items():
            setattr(self, name, value)
        self._forget()

    def _forget(self) -> None:
        """The model is untrained from here on."""
        self.arrays: dict[str, Array] = {}
        self.auxiliary: dict[str, torch.Tensor] = {}  # needed to train on, not to score
        self.statistics: dict[
            str, torch.Tensor
        ] = {}  # of the histories: an update counts them again where they are not
        self.is_pruned = False  # a parameter was removed: what is zero stays zero when the values are updated
        self.history: sparse.csr_array | None = None  # (n_users x n_items), the training interactions
        self.users: np.ndarray | None = None
        self._index: tuple[np.ndarray | None, Any] | None = None  # the users, and where each stands among them
        self.items: np.ndarray | None = None
        self.titles: np.ndarray | None = None
        self.train_seconds = 0.0
        self.epochs_trained = 0  # of gradient descent, in every training since the model was new
        self.trained_on: dict[str, Any] | None = None  # content hash of the training interactions, and the seed
        self.is_compact = False  # without what further training needs
        self.provenance: dict[str, Any] = {}  # how it was pruned, and what was measured of it: see `save`
        self.values = "float32"  # what the arrays are rounded to: one of FORMATS of `recprune.models.quantization`

    # -- training

    def fit(
        self,
        train: Interactions,
        validation: Interactions | None = None,
        seed: int = 0,
        fold_in: sparse.csr_array | None = None,
        served: Interactions | None = None,
    ) -> Self:
        """The model itself, trained.

        validation  what early stopping ranks for, in the models that stop early
        fold_in     (n_users x n_items) histories of validation users who are not in `train`
                    (protocol `strong`)
        served      the interactions that users are known by when lists are made for them, in early stopping too:
                    `split.unpruned` where `train` is a part of it (see `serving`); by default `train`

        Whatever ends the training early leaves the model untrained. Raises TypeError for what is no log, and
        ValueError where training went to numbers that are not finite, or `served` is of other users or items.
        """
        for what, log in (("train", train), ("validation", validation), ("served", served)):
            if not isinstance(log, Interactions) and not (log is None and what != "train"):
                raise TypeError(f"{what}: Interactions are needed (`split.train`), not {kind_of(log)}")
        if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
            raise ValueError(f"seed is {seed!r}; a whole number from 0 on is needed")
        try:
            self._forget()
            self._know(train)
            if served is not None:
                self.history = self._served(served)
            started = time.perf_counter()
            torch.manual_seed(seed)
            self._fit(train, validation, seed, fold_in)
            if served is not None and served is not train:
                self._renew_users()
            self.train_seconds = time.perf_counter() - started
            self._check_finite()
        except BaseException:
            self._forget()
            raise
        self.trained_on = {"content": train.content_hash, "seed": int(seed)}
        return self

    def _check_finite(self) -> None:
        """Raises ValueError for an array with a value that is not finite."""
        for name, array in self.arrays.items():
            if not ops.finite(array):
                raise ValueError(f"{self.name}: {name} holds values that are not finite")

    def _fit(self, train: Interactions, validation: Interactions | None, seed: int, fold_in) -> None:
        raise TypeError(f"{type(self).__name__} does not train")

    def serving(self, histories: Interactions) -> Self:
        """A copy that recommends to the same users from other histories; what was trained is shared.

        Their items are left out of its lists, and models that score from histories score from these: what is pruned
        is what a model trains on, and a system that serves it still knows all that its users did. In models with a
        table of users who can be folded in (iALS), the table is solved for again; where they cannot (BPR, NeuMF), it
        stays, and only the items left out are others.

        Raises TypeError for what is no log, ValueError for one of other users or items, or an untrained model.
        """
        if not isinstance(histories, Interactions):
            raise TypeError(f"Interactions are needed (`split.unpruned`), not {kind_of(histories)}")
        self._fitted  # noqa: B018  an untrained model serves nobody
        other = copy.copy(self)
        other.arrays = dict(self.arrays)
        other.history = other._served(histories)
        other._renew_users()
        other.provenance = without_metrics(self.provenance)
        return other

    def _served(self, log: Interactions) -> sparse.csr_array:
        """The histories in a log of the model's own users and items. Raises ValueError for a log of others."""
        for what, known, theirs in (("users", self.users, log.users), ("items", self.items, log.items)):
            if known is None or (known is not theirs and not np.array_equal(known, theirs)):
                raise ValueError(f"served: {len(theirs):,} {what} that are not those that the model trains on")
        return self._histories_of(log)

    def _histories_of(self, log: Interactions) -> sparse.csr_array:
        """The histories of a log, as this model reads them."""
        return log.tocsr()

    def _renew_users(self) -> None:
        """What the arrays say of each user, solved for from the histories; nothing, in most models."""

    def _know(self, train: Interactions) -> None:
        self.history = self._histories_of(train)
        self.users, self.items = train.users, train.items
        attributes = train.item_attributes
        self.titles = attributes["title"].to_numpy() if attributes is not None and "title" in attributes else None

    # -- scoring

    @property
    def n_users(self) -> int:
        """Number of users that the model was trained on."""
        return self._fitted.shape[0]

    @property
    def n_items(self) -> int:
        """Number of items that the model can recommend, or has lost (see `recprune.models.parts.lost_rows`)."""
        return self._fitted.shape[1]

    @property
    def _fitted(self) -> sparse.csr_array:
        if self.history is None:
            raise ValueError(f"{type(self).__name__} is not trained: call fit(train) first")
        return self.history

    def _history_of(self, users: np.ndarray) -> sparse.csr_array:
        """(len(users) x n_items) training interactions; of a single user faster than SciPy's own index."""
        known = self._fitted
        if len(users) != 1:
            return known[users]
        mine = slice(*known.indptr[[users[0], users[0] + 1]])
        indptr = np.array([0, mine.stop - mine.start], known.indptr.dtype)
        return sparse.csr_array((known.data[mine], known.indices[mine], indptr), shape=(1, self.n_items))

    def score(self, users) -> np.ndarray:
        """(len(users) x n_items) float32, higher is better; -inf for an item that the model cannot recommend."""
        return self._score(self._codes(users))

    def _codes(self, users) -> np.ndarray:
        """(n,) codes of users. Raises ValueError for what is none."""
        n, codes = self.n_users, np.asarray(users)
        if codes.size == 0:
            return np.empty(0, np.int64)
        if codes.ndim != 1 or codes.dtype.kind not in "iu":
            raise ValueError(f"users are given as a list of whole numbers from 0 to {n - 1}, not as {users!r:.60}")
        if codes.min() < 0 or codes.max() >= n:
            raise ValueError(f"user codes run from 0 to {n - 1}; got {codes.min()} to {codes.max()}")
        return codes

    def _score(self, users: np.ndarray) -> np.ndarray:
        return self.score_histories(self._history_of(users))

    def score_histories(self, histories: sparse.csr_array) -> np.ndarray:
        """(m x n_items) scores from (m x n_items) histories, in the models that fold in."""
        return self._of_catalogue(self._score_rows(self._of_rows(histories)))

    def _score_rows(self, histories: sparse.csr_array) -> np.ndarray:
        """(m x rows) scores from (m x rows) histories: of the items that the tables have a row for."""
        raise ValueError(f"{self.name} cannot fold in users it was not trained on")

    def fold_in(self, histories: sparse.csr_array) -> np.ndarray:
        """(m x n_items) scores for m users unknown in training, from their histories (m x n_items).

        Raises ValueError for a model that can't, and for histories of another catalogue.
        """
        return self.score_histories(self._histories(histories))

    def _histories(self, histories) -> sparse.csr_array:
        """(m x n_items) float32. Raises TypeError or ValueError for what `fold_in` does not take."""
        self._check_matrix("histories", histories)
        rows = sparse.csr_array(histories, dtype=np.float32)
        if not np.isfinite(rows.data).all():
            raise ValueError("histories hold weights that are not finite")
        return rows

    def _check_matrix(self, what: str, matrix) -> None:
        """Raises TypeError for what is no matrix, ValueError for one of another catalogue."""
        if not (sparse.issparse(matrix) or isinstance(matrix, np.ndarray)) or len(matrix.shape) != 2:
            raise TypeError(f"{what} are a sparse matrix (users x {self.n_items:,}), not {kind_of(matrix)}")
        if matrix.shape[1] != self.n_items:
            raise ValueError(f"{what} have {matrix.shape[1]} items, the model has {self.n_items}")

    # -- ranking

    def recommend(self, users, k: int = 20, ids: bool = False) -> np.ndarray:
        """(len(users) x k) item codes, best first; items of their histories are left out, -1 where none is left.

        ids  users are given by their original ids, and so are the items: objects, None where none is left

        Who has no history gets what is popular in those of all others, from any model.
        Raises ValueError for a user that the model does not know, and a k that is no whole number from 1 on.
        """
        k, users = _length(k), self.codes_of(users) if ids else self._codes(users)
        lists = self._or_popular(self._rank(users, k, None), self._strangers(users), k, None)
        return naming.ids_of(lists, np.asarray(self.items)) if ids else lists

    def codes_of(self, users) -> np.ndarray:
        """(len(users),) codes of users by their original ids. Raises ValueError that names the first unknown one."""
        self._fitted  # noqa: B018  an untrained model knows nobody
        if self._index is None or self._index[0] is not self.users:
            self._index = self.users, naming.index_of(np.asarray(self.users))
        return naming.codes_of("user", users, self._index[1])

    def rank(self, users, k: int, seen: sparse.csr_array) -> np.ndarray:
        """(len(users) x k) int32 codes of the best items that are not `seen`, best first; -1 where none is left.

        seen  (len(users) x n_items), non-zero where an item is left out

        Equal scores have the order of `recprune.topk.tie_order`. The scores held at once take about 16 MB. Who has
        no history is served as by `recommend`.
        Raises ValueError for an unknown user, a k that is no whole number from 1 on, and `seen` of another shape.
        """
        k, users = _length(k), self._codes(users)
        seen = self._left_out(seen, len(users))
        return self._or_popular(self._rank(users, k, seen), self._strangers(users), k, seen)

    def rank_histories(self, histories: sparse.csr_array, k: int, seen: sparse.csr_array) -> np.ndarray:
        """`rank` for m users unknown in training, from their histories (m x n_items); raises what `fold_in` raises."""
        rows, k = self._histories(histories), _length(k)
        seen = self._left_out(seen, rows.shape[0])
        return self._or_popular(self._rank_histories(rows, k, seen), np.diff(rows.indptr) == 0, k, seen)

    def _rank(self, users: np.ndarray, k: int, seen: sparse.csr_array | None) -> np.ndarray:
        """The lists of users without what is seen; None: what they have in training."""
        seen = self._history_of(users) if seen is None else seen
        return rank_in_blocks(lambda part: self.score(users[part]), k, seen)

    def _rank_histories(self, histories: sparse.csr_array, k: int, seen: sparse.csr_array) -> np.ndarray:
        return rank_in_blocks(lambda part: self.score_histories(histories[part]), k, seen)

    def _strangers(self, users: np.ndarray) -> np.ndarray:
        """(len(users),) bool: who has no history."""
        ends = self._fitted.indptr
        return ends[users + 1] == ends[users]

    def _or_popular(
        self, lists: np.ndarray, strangers: np.ndarray, k: int, seen: sparse.csr_array | None
    ) -> np.ndarray:
        """The lists; those of strangers hold the unseen items with the most interactions, weights added up."""
        if not strangers.any():
            return lists
        known, m = self._fitted, int(strangers.sum())
        counts = np.bincount(known.indices, known.data, minlength=self.n_items).astype(np.float32)
        if "kept_items" in self.arrays:
            gone = np.ones(self.n_items, bool)
            gone[codes(self.arrays["kept_items"])] = False
            counts[gone] = -np.inf
        nothing = sparse.csr_array((m, self.n_items), dtype=np.float32)
        left_out = nothing if seen is None else seen[np.flatnonzero(strangers)]
        lists[strangers] = rank_in_blocks(lambda part: np.tile(counts, (len(range(m)[part]), 1)), k, left_out)
        return lists

    def _left_out(self, seen, n: int) -> sparse.csr_array:
        """`seen` with nothing stored but what is left out."""
        self._check_matrix("seen items", seen)
        if seen.shape[0] != n:
            raise ValueError(f"seen items have {seen.shape[0]} rows for {n} users; one for each is needed")
        seen = sparse.csr_array(seen)
        if not seen.data.all():
            seen = seen.copy()
            seen.eliminate_zeros()
        return seen

    # -- size

    def parameters(self) -> dict[str, Array]:
        """The arrays that scoring needs, the users' histories apart."""
        return self.arrays

    def macs(self) -> int:
        """Number of multiply-adds to score the whole catalogue for one user with a history of mean length."""
        return 0

    def _mean_history(self) -> float:
        return self._fitted.nnz / max(1, self.n_users)

    def check_positions(self) -> None:
        """Raises ModelFileError where an array holds positions, and one of them lies beyond what it points into."""

    # -- pruning

    def prunable(self) -> dict[str, torch.Tensor]:
        """The tensors a mask may touch: the model's own memory, not copies."""
        return {}

    def structure(self) -> Structure:
        """The dimensions that can be cut: zeros along one of them and a cut give the same scores.

        Rows ("user-row", "item-row") are the exception: zeros are scored as zeros, until `declare_rows` says that
        the rows are gone.
        """
        return {}

    def lacks(self) -> dict[str, str]:
        """Name of a method that this one model cannot answer, though its kind has it -> why."""
        return {}

    def lists(self) -> dict[str, np.ndarray]:
        """Name of a tensor -> the item whose neighbour list each weight is in, raveled; in item-item models.

        Of a matrix that has a list for each column it is (n_columns,), once for all its rows.
        """
        return {}

    def smaller(self, share: float) -> Self:
        """An untrained model of the same kind with about `share` of the parameters: the control on every curve.

        Raises ValueError in the models that have no size to choose.
        """
        raise ValueError(f"{self.name} has no smaller dense form")

    def shapes(self, share: float) -> list[Self]:
        """Untrained models with as many parameters as `smaller(share)`, which is the first, each in another shape: what
        the control is chosen from. Of a trained model; raises ValueError as `smaller` does.
        """
        return [self.smaller(share)]

    def refit(self, train: Interactions, masks: dict[str, torch.Tensor]) -> None:
        """The parameters that the masks leave are solved for again, in place, in the models that list "refit"."""
        raise ValueError(f"{self.name} has no closed form to refit; known recoveries: {', '.join(self.recoveries)}")

    def renew(self, train: Interactions, masks: dict[str, torch.Tensor], seed: int, epochs: int) -> None:
        """The values that the masks leave are fitted to `train`, in place: the history and what came since.

        masks    as of `refit`, for every tensor of `prunable`
        epochs   of the models that learn by gradient descent

        The history is still the old one. Raises ValueError for a model that can only be trained anew.
        """
        raise ValueError(f"{self.name}: its values cannot be updated; it can stay 'frozen' or be trained 'anew'")

    def clone(self) -> Self:
        """A copy with arrays of its own; histories and ids are shared."""
        other = copy.copy(self)
        other.arrays = {k: v.clone() if isinstance(v, torch.Tensor) else v.copy() for k, v in self.arrays.items()}
        other.auxiliary = {k: v.clone() for k, v in self.auxiliary.items()}
        return other

    def compact(self) -> Recommender:
        """A physically smaller recommender with the same scores.

        Units of a dimension that are zero in every array they run through are cut out, and so are rows declared
        to be gone; then each array takes the form, dense or sparse, that needs fewer bytes.
        """
        self._fitted  # noqa: B018  an untrained model has nothing to cut
        arrays = dict(self.arrays)
        for unit, kept in KEPT.items():
            if kept in self.arrays:
                index = torch.nonzero(self.arrays[kept]).ravel()
                for name, axis in self._cut_with(unit):
                    arrays[name] = ops.take(arrays[name], index, axis)
        for unit, dimensions in self.structure().items():
            for places in dimensions.values() if unit not in KEPT else ():
                cut_zeros(arrays, places)
        return self._compacted(arrays)

    def _compacted(self, arrays: dict[str, Array]) -> Self:
        """A compact model of these arrays, each in its smaller form; it shares none of its memory with this one."""
        small = copy.copy(self)
        small.arrays, small.auxiliary, small.is_compact = {}, {}, True
        for name, array in arrays.items():
            own = ops.smallest_in_memory(array)
            small.arrays[name] = array.clone() if own is self.arrays[name] else own  # a copy of what did not change
        return small

    # -- export

    def plain(self) -> dict[str, Array]:
        """The matrices by which a compact model's scores are a plain product; none in models that score otherwise.

        One of {"item_item": (rows x rows)}, {"item_embeddings": (rows x d)}, {"user_factors": (n_users x d),
        "item_factors": (rows x d)}: see `recprune.models.exports`.
        """
        return {}

    def forward(self, given: torch.Tensor) -> torch.Tensor:
        """(b x rows) scores by torch alone, from what the class `takes`: (b,) codes of users, or (b x rows) histories.

        What `recprune.models.exports` writes as a graph, where the model is no plain product.
        """
        raise ValueError(f"{self.name} has no forward pass that could be written as a graph")

    # -- disk

    def _resized(self, **sizes: float) -> Self:
        return replace(self, **{name: max(1, round(size)) for name, size in sizes.items()})

    def hyperparameters(self) -> dict:
        """The hyper-parameters by name, as `build` takes them."""
        return asdict(self)

    def save(self, path, statistics: bool = False, reports: Iterable[Measured] = ()) -> None:
        """The model is written to a folder (see `recprune.models.disk.storage`), whole or not at all.

        statistics  write what an update would count again from the histories, too, and say how many bytes that takes:
                    of EASE the products of all items, n^2 numbers
        reports     what `recprune.evaluate` found of this model on validation or test: model.json will say it. What
                    is known of a model that was loaded stays known as long as its weights are those

        Of processes that train together the first one writes; the others go on at once.
        Raises ValueError for an untrained model, and for a quantized one whose arrays were changed since.
        """
        self._fitted  # noqa: B018  an untrained model is refused before anything is written
        if writes():
            statistics_ = self.counted() if statistics else {}
            storage.write_folder(path, self, self.hyperparameters(), statistics_, metrics_of(reports))

    def counted(self) -> dict[str, torch.Tensor]:
        """What `save` writes as statistics of the histories; nothing, in most models."""
        return self.statistics

    def __repr__(self) -> str:
        settings = ", ".join(f"{k}={v!r}" for k, v in self.hyperparameters().items())
        state = f"{self.n_users:,} users x {self.n_items:,} items" if self.history is not None else "not trained"
        return f"{type(self).__name__}({settings}): {state}"


def _length(k) -> int:
    """The length of lists. Raises ValueError for what is none."""
    if isinstance(k, bool) or not isinstance(k, int | np.integer) or k < 1:
        raise ValueError(f"k is {k!r}; a whole number from 1 on is needed")
    return int(k)


def cut_zeros(arrays: dict[str, Array], places: list[tuple[str, int]]) -> None:
    """The units of one dimension that are zero wherever they occur are cut out of the arrays, in the mapping itself.

    At least one unit stays, so that every array keeps its dimensions.
    """
    if not all(isinstance(arrays[name], torch.Tensor) for name, _ in places):
        return  # sparse arrays have left out their zeros already
    alive = torch.stack([_nonzero_along(arrays[name], axis) for name, axis in places]).sum(0) > 0
    if not alive.any():
        alive[0] = True
    if alive.all():
        return
    index = torch.nonzero(alive).ravel()
    for name, axis in places:
        arrays[name] = ops.take(arrays[name], index, axis)


def _nonzero_along(array: torch.Tensor, axis: int) -> torch.Tensor:
    other = [d for d in range(array.ndim) if d != axis]
    return (array != 0).sum(dim=other) if other else (array != 0).long()
