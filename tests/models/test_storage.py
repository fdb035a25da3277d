"""Layouts on disk: the same values and the same form come back, in the fewest bytes of those on offer."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from recprune.errors import ModelFileError
from recprune.models.parts import ops
from recprune.models.parts.packing import SPARSE, pack, unpack


def matrix(rows, columns, density, seed):
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(rows, columns)).astype(np.float32)
    return values * (rng.random((rows, columns)) < density)


@given(st.integers(1, 30), st.integers(1, 40), st.floats(0, 1), st.booleans(), st.integers(0, 99))
@settings(max_examples=80)
def test_what_is_packed_comes_back(rows, columns, density, as_csr, seed):
    values = matrix(rows, columns, density, seed)
    array = sparse.csr_array(values) if as_csr else torch.from_numpy(values.copy())
    written, layouts = pack({"w": array, "bias": torch.arange(3.0)})
    back = unpack(written, layouts)
    assert isinstance(back["w"], type(array))
    np.testing.assert_array_equal(ops.dense(back["w"]), values)
    np.testing.assert_array_equal(back["bias"], torch.arange(3.0))
    assert sum(part.nbytes for part in written.values()) <= values.nbytes * 33 / 32 + 4 * rows + 13


@pytest.mark.parametrize(("density", "layout"), [(1.0, "dense"), (0.5, "bitmap"), (0.03, "gaps"), (0.001, "rows")])
def test_the_layout_follows_the_density(density, layout):
    _, layouts = pack({"w": torch.from_numpy(matrix(20, 3000, density, 0))})
    assert layouts["w"]["layout"] == layout


@given(st.integers(1, 30), st.integers(1, 900), st.floats(0, 0.3), st.integers(0, 99))
@settings(max_examples=60)
def test_the_layout_chosen_is_the_smallest_and_each_gives_the_values_back(rows, columns, density, seed):
    values = matrix(rows, columns, density, seed)
    written, _ = pack({"w": torch.from_numpy(values)})
    sizes = {"dense": values.nbytes}
    for layout, (write, read) in SPARSE.items():
        parts = write(sparse.csr_array(values))
        sizes[layout] = sum(part.nbytes for part in parts.values())
        back = read(parts, values.shape)
        np.testing.assert_array_equal(back.toarray(), values)
    assert sum(part.nbytes for part in written.values()) == min(sizes.values())


def test_more_than_65536_columns_keep_their_numbers():
    wide = sparse.csr_array(([1.0, 2.0], ([0, 0], [3, 70_000])), shape=(1, 70_001), dtype=np.float32)
    back = unpack(*pack({"w": wide}))["w"]
    assert (back != wide).nnz == 0


@pytest.mark.parametrize(
    ("part", "change", "words"),
    [
        (".columns", lambda v: np.full_like(v, 60_000), "a column is out of the shape"),
        (".columns", lambda v: v[::-1].copy(), "places do not ascend"),
        (".columns", lambda v: v[:-1], "do not add up"),
        (".columns", lambda v: v.astype(np.float32), "counts nothing"),
        (".counts", lambda v: v * 2, "do not add up"),
        (".counts", lambda v: v[:-1], "rows are counted"),
        (".counts", lambda v: np.r_[-v[:1].astype(np.int32), v[1:] + 2 * v[0]], "do not add up"),
        (".values", lambda v: v[:-1], "values, and"),
        (".values", lambda v: v.astype(np.float64), "not float32"),
    ],
)
def test_positions_that_are_wrong_are_refused_before_they_are_used(part, change, words):
    written, layouts = pack({"w": sparse.csr_array(matrix(40, 9000, 0.001, 0))})
    assert layouts["w"]["layout"] == "rows"
    with pytest.raises(ModelFileError, match=words):
        unpack(written | {"w" + part: change(written["w" + part])}, layouts)


def test_a_sparse_matrix_is_packed_in_memory_of_its_values():
    """The matrix of 2^40 entries, dense, would take 4 TB."""
    place = np.arange(1000)
    wide = sparse.csr_array((np.ones(1000, np.float32), (place * 7, place * 1049)), shape=(2**20, 2**20))
    back = unpack(*pack({"w": wide}))["w"]
    assert (back != wide).nnz == 0


@given(st.floats(0, 1), st.integers(0, 20))
@settings(max_examples=40)
def test_the_form_in_memory_is_the_smaller_one(density, seed):
    values = torch.from_numpy(matrix(40, 50, density, seed))
    chosen = ops.smallest_in_memory(values)
    np.testing.assert_array_equal(ops.dense(chosen), values)
    assert ops.n_bytes(chosen) == min(ops.n_bytes(values), ops.n_bytes(sparse.csr_array(values.numpy())))


@given(st.integers(1, 8), st.integers(0, 20))
@settings(max_examples=30)
def test_operations_agree_on_dense_and_sparse_arrays(n, seed):
    table = matrix(12, 7, 0.4, seed)
    dense, csr = torch.from_numpy(table), sparse.csr_array(table)
    rng = np.random.default_rng(seed)
    x, index = torch.from_numpy(rng.normal(size=(n, 7)).astype(np.float32)), rng.integers(0, 12, n)
    histories = sparse.csr_array(matrix(n, 12, 0.3, seed + 1))
    np.testing.assert_allclose(ops.linear(x, csr), ops.linear(x, dense), atol=1e-5)
    np.testing.assert_array_equal(ops.rows(csr, index), ops.rows(dense, index))
    np.testing.assert_allclose(
        ops.sparse_rows_times(histories, csr), ops.sparse_rows_times(histories, dense), atol=1e-5
    )
    assert ops.count_nonzero(csr) == ops.count_nonzero(dense)
