"""Layouts on disk: the same values and the same form come back, in the fewest bytes of those on offer."""

import json
import tracemalloc

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import save_file
from scipy import sparse

from recprune.errors import ModelFileError
from recprune.models import EASE, load_model
from recprune.models.disk import formats, packing, rice
from recprune.models.disk.packing import pack, unpack
from recprune.models.parts import ops
from recprune.pruning import prune


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


@pytest.mark.parametrize(("density", "layout"), [(1.0, "dense"), (0.98, "dense"), (0.9, "rice"), (0.001, "rice")])
def test_the_layout_follows_the_density(density, layout):
    _, layouts = pack({"w": torch.from_numpy(matrix(20, 3000, density, 0))})
    assert layouts["w"]["layout"] == layout


@given(st.integers(1, 30), st.integers(1, 900), st.floats(0, 1), st.sampled_from(["float32", "int8"]))
@settings(max_examples=60)
def test_a_dense_array_takes_the_fewer_bytes_of_the_layouts(rows, columns, density, values):
    table = np.sign(matrix(rows, columns, density, 0)) * np.float32(127)
    dense, csr = (
        sum(part.nbytes for part in pack({"w": array}, values)[0].values())
        for array in (torch.from_numpy(table), sparse.csr_array(table))
    )
    assert dense == min(csr, table.size * (4 if values == "float32" else 1) + (0 if values == "float32" else 2 * rows))


def encode(places):
    return rice.encode(np.diff(places, prepend=-1) - 1)


gaps = st.one_of(st.integers(0, 3), st.integers(0, 500), st.sampled_from([2**30, 2**31, 2**40]))


@given(st.lists(gaps, max_size=400), st.integers(0, 5))
@settings(max_examples=150)
def test_positions_come_back_from_their_code(gaps, more):
    places = np.cumsum(np.array(gaps, np.int64) + 1) - 1
    code = encode(places)
    assert code.dtype == np.uint8
    np.testing.assert_array_equal(rice.decode(code, len(places), int(places[-1]) + 1 + more if gaps else more), places)


@given(st.lists(gaps, min_size=rice.BLOCK, max_size=5 * rice.BLOCK))
@settings(max_examples=30)
def test_the_code_does_not_depend_on_how_many_gaps_are_worked_on_at_a_time(gaps):
    whole, places = rice.encode(np.array(gaps, np.int64)), np.cumsum(np.array(gaps, np.int64) + 1) - 1
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rice, "GAPS", rice.BLOCK)
        np.testing.assert_array_equal(rice.encode(np.array(gaps, np.int64)), whole)
        np.testing.assert_array_equal(rice.decode(whole, len(gaps), int(places[-1]) + 1), places)
        for n in (len(gaps) - 1, len(gaps) + 1):
            with pytest.raises(ValueError):
                rice.decode(whole, n, int(places[-1]) + 1)


@given(st.integers(1, 12), st.integers(1, 40), st.floats(0, 1), st.booleans(), st.integers(0, 99))
@settings(max_examples=60)
def test_gaps_are_those_of_the_raveled_matrix(rows, columns, density, few_at_a_time, seed):
    values = matrix(rows, columns, density, seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ops, "ENTRIES", 2 * columns if few_at_a_time else ops.ENTRIES)
        stored = ops.to_csr(torch.from_numpy(values))
    by_scipy = sparse.csr_array(values)
    for part in ("data", "indices", "indptr"):
        np.testing.assert_array_equal(getattr(stored, part), getattr(by_scipy, part))
        assert getattr(stored, part).dtype == getattr(by_scipy, part).dtype
    np.testing.assert_array_equal(packing._gaps(stored), np.diff(np.flatnonzero(values), prepend=-1) - 1)


def test_gaps_beyond_32_bits():
    far = sparse.csr_array((np.ones(2, np.float32), ([1, 40_000], [5, 99_999])), shape=(50_000, 100_000))
    assert packing._gaps(far).tolist() == [100_005, 40_000 * 100_000 + 99_999 - 100_005 - 1]


def test_a_half_full_matrix_is_turned_packed_and_read_in_little_more_than_its_own_memory(monkeypatch):
    """To be turned by SciPy takes three and a half times what is stored."""
    for module, name in ((ops, "ENTRIES"), (rice, "GAPS"), (formats, "ENTRIES")):
        monkeypatch.setattr(module, name, 2**16)
    table = torch.from_numpy(matrix(2000, 4000, 0.45, 0))
    tracemalloc.start()
    stored = ops.to_csr(table)
    turned, peak = tracemalloc.get_traced_memory()
    assert peak < 1.1 * turned
    tracemalloc.reset_peak()
    packed = pack({"w": stored})
    held, peak = tracemalloc.get_traced_memory()
    assert peak - turned < 1.5 * turned
    tracemalloc.reset_peak()
    unpack(*packed)
    peak = tracemalloc.get_traced_memory()[1] - held
    tracemalloc.stop()
    assert peak < 2 * turned


def test_the_code_of_a_few_positions_by_hand():
    """Gaps 5, 0, 9 at a width of 1: low bits 1, 0, 1; above them are 2, 0, 4, in unary 001, 1, 00001."""
    assert encode(np.array([5, 6, 16])).tolist() == [1, 0b10100000, 0b00110000, 0b10000000]
    assert encode(np.array([], np.int64)).tolist() == []
    assert encode(np.arange(8)).tolist() == [0, 0b11111111]


@pytest.mark.parametrize("density", [0.5, 0.1, 0.0025])
def test_positions_take_little_more_than_their_entropy(density):
    places = np.flatnonzero(np.random.default_rng(0).random(1_000_000) < density)
    entropy = -density * np.log2(density) - (1 - density) * np.log2(1 - density)
    assert 8 * len(encode(places)) < 1.05 * entropy * 1_000_000


def test_rows_of_other_densities_have_other_widths():
    """A tenth of the rows holds nine tenths of the positions: cheaper than as many at random."""
    rng = np.random.default_rng(0)
    rows = np.where(np.arange(100) % 10 == 0, 0.09, 0.001)[:, None]
    skewed = np.flatnonzero(rng.random((100, 10_000)) < rows)
    even = np.flatnonzero(rng.random(1_000_000) < rows.mean())
    assert len(encode(skewed)) / len(skewed) < 0.85 * len(encode(even)) / len(even)


@given(st.integers(0, 300), st.integers(0, 2**62), st.integers(0, 2**32))
@settings(max_examples=150)
def test_any_bytes_are_a_code_or_refused(n, size, seed):
    rng = np.random.default_rng(seed)
    code = rng.integers(0, 256, rng.integers(0, 600)).astype(np.uint8)
    code[: -(-n // rice.BLOCK)] &= 63
    try:
        assert len(rice.decode(code, n, size)) == n
    except ValueError as error:
        assert str(error)


def test_arrays_of_no_entries_come_back():
    csr = sparse.csr_array((0, 4), dtype=np.float32)
    arrays = {"rows": torch.zeros(0, 4), "columns": torch.zeros(3, 0), "csr": csr}
    for values in ("float32", "float16", "int8", "int4"):
        back = unpack(*pack(arrays, values))
        assert {name: array.shape for name, array in back.items()} == {k: v.shape for k, v in arrays.items()}


def test_more_than_65536_columns_keep_their_numbers():
    wide = sparse.csr_array(([1.0, 2.0], ([0, 0], [3, 70_000])), shape=(1, 70_001), dtype=np.float32)
    back = unpack(*pack({"w": wide}))["w"]
    assert (back != wide).nnz == 0


def older(values, layout, name="w"):
    """The parts that format 2 had of a matrix."""
    csr = sparse.csr_array(values)
    further, rest = np.divmod(np.diff(np.flatnonzero(values), prepend=-1), 255)
    gaps = np.full(csr.nnz + further.sum(), 255, np.uint8)
    gaps[np.cumsum(further + 1) - 1] = rest
    positions = {
        "rows": {".columns": csr.indices.astype(np.uint16), ".counts": np.diff(csr.indptr).astype(np.uint16)},
        "gaps": {".gaps": gaps},
        "bitmap": {".bitmap": np.packbits(values != 0)},
    }[layout]
    parts = {name + suffix: part for suffix, part in (positions | {".values": csr.data}).items()}
    return parts, {name: {"layout": layout, "form": "csr", "shape": list(values.shape)}}


@pytest.mark.parametrize("layout", ["rows", "gaps", "bitmap"])
@pytest.mark.parametrize("density", [0.0, 0.001, 0.03, 0.5])
def test_what_an_earlier_version_wrote_is_read(layout, density):
    values = matrix(40, 900, density, 0)
    np.testing.assert_array_equal(unpack(*older(values, layout))["w"].toarray(), values)


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
def test_older_positions_that_are_wrong_are_refused_before_they_are_used(part, change, words):
    written, layouts = older(matrix(40, 9000, 0.001, 0), "rows")
    with pytest.raises(ModelFileError, match=words):
        unpack(written | {"w" + part: change(written["w" + part])}, layouts)


@pytest.mark.parametrize(
    ("part", "change", "words"),
    [
        (".rice", lambda v: v[:-3], "value"),
        (".rice", lambda v: np.r_[v[:4] + np.uint8(20), v[4:]], "position"),
        (".rice", lambda v: np.full_like(v, 255), "widths"),
        (".rice", lambda v: np.r_[v, v[-9:]], "positions"),
        (".rice", lambda v: v.astype(np.int64), "row of bytes"),
        (".values", lambda v: v[:-1], "values, and"),
        (".values", lambda v: v.astype(np.float64), "not float32"),
        (".values", lambda v: v[None], "no list"),
    ],
)
def test_positions_that_are_wrong_are_refused_before_they_are_used(part, change, words):
    written, layouts = pack({"w": sparse.csr_array(matrix(40, 9000, 0.001, 0))})
    assert layouts["w"]["layout"] == "rice"
    with pytest.raises(ModelFileError, match=words):
        unpack(written | {"w" + part: change(written["w" + part])}, layouts)


@pytest.mark.parametrize("layout", ["rows", "gaps", "bitmap"])
def test_a_model_that_an_earlier_version_saved_is_read(ratio, tmp_path, layout):
    small = prune(EASE().fit(ratio.train), ratio, keep=0.05).compact()
    small.save(tmp_path / "m")
    (tmp_path / "m" / "record.json").unlink()
    parts, layouts = older(small.arrays["item_item"].toarray(), layout, "item_item")
    save_file(parts, tmp_path / "m" / "model.safetensors")
    header = json.loads((tmp_path / "m" / "model.json").read_text())
    (tmp_path / "m" / "model.json").write_text(json.dumps(header | {"format": 2, "arrays": layouts}))
    np.testing.assert_array_equal(load_model(tmp_path / "m").score([0, 5]), small.score([0, 5]))


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


def test_a_dense_array_of_very_many_values_is_written_as_it_is(monkeypatch):
    half = torch.from_numpy(matrix(20, 30, 0.5, 0))
    assert pack({"w": half})[1]["w"]["layout"] == "rice"
    monkeypatch.setattr(packing, "CODED", 100)
    assert pack({"w": half})[1]["w"]["layout"] == "dense"
    assert pack({"w": sparse.csr_array(half.numpy())})[1]["w"]["layout"] == "rice"
