"""Value formats: scores are those of the stored values, which are rounded to nearest and come back bit by bit."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

import recprune as rp
from recprune.models import FORMATS, REGISTRY, build, load_model, quantize
from recprune.models.disk import formats
from recprune.models.disk.packing import pack, unpack
from recprune.models.parts import ops

PROPER = ("model.safetensors", "model.json")


@pytest.fixture(scope="module")
def trained(ratio):
    """Name -> model, of every kind."""
    return {
        name: build(name, **kind.tiny).fit(ratio.train, ratio.validation, seed=0) for name, kind in REGISTRY.items()
    }


@pytest.fixture(scope="module")
def pruned(trained, ratio):
    return rp.prune(trained["ease"], ratio, keep=0.1, recovery="refit")


def table(rows, columns, density, seed):
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(rows, columns)) * 10.0 ** rng.integers(-20, 20, (rows, 1))
    return (values * (rng.random((rows, columns)) < density)).astype(np.float32)


def scale_of(values, top):
    """(rows x 1) the exact scale; what is stored has 8 significant bits."""
    return np.abs(values).max(axis=1, keepdims=True, initial=0) / top


tables = st.builds(table, st.integers(1, 9), st.integers(1, 50), st.sampled_from([0, 0.1, 0.6, 1]), st.integers(0, 99))


@given(tables, st.sampled_from(["int8", "int4"]), st.booleans())
@settings(max_examples=100)
def test_an_entry_is_off_by_half_a_scale_at_most_and_zero_stays_zero(values, name, as_csr):
    top = formats.TOP[name]
    array = sparse.csr_array(values) if as_csr else torch.from_numpy(values.copy())
    found = ops.dense(formats.rounded(array, name)).numpy()
    assert (np.abs(found - values) <= 0.5 * 1.004 * scale_of(values, top)).all()
    assert (found[values == 0] == 0).all()
    assert all(len(np.unique(row)) <= 2 * top + 1 for row in found)


@given(tables, st.sampled_from(FORMATS[2:]), st.booleans())
@settings(max_examples=100)
def test_what_is_rounded_is_rounded_again_and_packed_and_read_to_the_last_bit(values, name, as_csr):
    array = formats.rounded(sparse.csr_array(values) if as_csr else torch.from_numpy(values.copy()), name)
    np.testing.assert_array_equal(ops.dense(formats.rounded(array, name)), ops.dense(array))
    written, layouts = pack({"w": array}, name)
    back = unpack(written, layouts)["w"]
    assert isinstance(back, type(array)) and layouts["w"]["values"] == name
    np.testing.assert_array_equal(ops.dense(back), ops.dense(array))
    again, _ = pack({"w": back}, name)
    assert {k: v.tobytes() for k, v in again.items()} == {k: v.tobytes() for k, v in written.items()}


def test_numbers_and_scales_by_hand():
    """The first row's scale is 14 / 7 = 2: 3 is 1.5 scales, to the even number 2; -14 is -7 scales; 0.9 is none."""
    array = torch.tensor([[3.0, -14.0, 0.9], [0.0, 0.0, 0.0]])
    stored = formats.rounded(array, "int4")
    assert stored.tolist() == [[4.0, -14.0, 0.0], [0.0, 0.0, 0.0]]
    data, ends = stored.numpy().ravel(), formats.row_ends((2, 3))
    numbers, scales = formats.encode(data, ends, "int4")
    assert numbers.tolist() == [8 + 2 << 4 | 8 - 7, 8 << 4 | 8, 8 << 4 | 8]
    assert scales.tolist() == [0x4000, 0]  # bfloat16: 2.0 and 0.0
    numbers, scales = formats.encode(np.array([254.0, -2.0], np.float32), np.array([0, 2]), "int8")
    assert numbers.tolist() == [127, -1] and scales.tolist() == [0x4000]


@pytest.mark.parametrize("name", sorted(REGISTRY))
@pytest.mark.parametrize("values", FORMATS)
def test_every_model_scores_with_what_it_stores(trained, tmp_path, name, values):
    model = trained[name]
    before = {k: ops.dense(v).clone() for k, v in model.arrays.items()}
    small = quantize(model, values)
    assert small.values == values and small.is_compact and model.values == "float32"
    for key, array in model.arrays.items():
        np.testing.assert_array_equal(ops.dense(array), before[key])
    small.save(tmp_path / "once")
    back = load_model(tmp_path / "once")
    assert back.values == values
    users = np.arange(model.n_users)
    np.testing.assert_array_equal(back.score(users), small.score(users))
    back.save(tmp_path / "twice")
    for file in PROPER:
        assert (tmp_path / "once" / file).read_bytes() == (tmp_path / "twice" / file).read_bytes()
    if values == "float32":
        np.testing.assert_array_equal(small.score(users), model.compact().score(users))


@pytest.mark.parametrize("values", FORMATS[1:])
def test_scores_are_those_of_arrays_rounded_one_by_one(trained, values):
    model, users = trained["mult-vae"].clone(), np.arange(20)
    small = quantize(model, values)
    for name, array in model.arrays.items():
        model.arrays[name] = formats.rounded(array, formats.format_of(array, values))
    np.testing.assert_array_equal(small.score(users), model.score(users))
    assert formats.format_of(model.arrays["output.bias"], "int4") == "float16"


@pytest.mark.parametrize("values", FORMATS[1:])
def test_what_is_pruned_stays_pruned(pruned, values, tmp_path):
    dense = quantize(pruned.model, "float32").arrays["item_item"].toarray()
    found = quantize(pruned, values).arrays["item_item"]
    assert (found.toarray()[dense == 0] == 0).all() and (found.data != 0).all()
    np.testing.assert_allclose(found.toarray(), dense, atol=np.abs(dense).max() / 13)


@pytest.mark.parametrize("values", FORMATS)
def test_copies_and_compact_forms_of_a_quantized_model_are_the_same_model(pruned, trained, values, tmp_path):
    for whole in (pruned, trained["tree"], trained["ials"]):
        small = quantize(whole, values)
        for other in (small.clone(), small.compact(), quantize(small, values)):
            assert other.values == values and sorted(other.arrays) == sorted(small.arrays)
            for name, array in small.arrays.items():
                np.testing.assert_array_equal(ops.dense(other.arrays[name]), ops.dense(array))


def test_bytes_on_disk_are_those_of_the_format_and_bytes_in_memory_of_float32(ratio):
    model = build("ials", factors=64, iterations=1).fit(ratio.train, seed=0)
    sizes = {values: rp.footprint(quantize(model, values)) for values in FORMATS}
    entries = model.n_users * 64 + model.n_items * 64
    for values, n_bytes, overhead in (("float32", 4, 900), ("float16", 2, 900), ("int8", 1, 1500), ("int4", 0.5, 1500)):
        assert entries * n_bytes < sizes[values].bytes_disk < entries * n_bytes + overhead
        assert sizes[values].bytes_memory == 4 * entries


def test_a_sparse_model_of_one_byte_a_value_and_little_more_a_position(pruned):
    whole, small = (rp.footprint(quantize(pruned, values)) for values in ("float32", "int8"))
    assert whole.bytes_disk - small.bytes_disk == pytest.approx(3 * whole.nonzeros, rel=0.15)


def test_a_quantized_model_is_quantized_further_and_not_back(trained):
    small = quantize(trained["ease"], "int8")
    assert quantize(small, "int4").values == "int4"
    for finer in ("float32", "float16"):
        with pytest.raises(ValueError, match="ease: its values are in int8 already.*accepted: int8, int4"):
            quantize(small, finer)


def test_what_is_no_format_and_what_is_no_model(trained):
    with pytest.raises(ValueError, match="unknown values 'int18'; known: float32, float16, int8, int4.*int8"):
        quantize(trained["ease"], "int18")
    with pytest.raises(TypeError, match="a trained recommender is needed, not a str"):
        quantize("ease", "int8")
    with pytest.raises(ValueError, match="not trained"):
        quantize(build("ease"), "int8")


def test_a_value_beyond_half_precision_is_named(trained):
    model = trained["ease"].clone()
    model.arrays["item_item"][1, 2] = 7e4
    with pytest.raises(ValueError, match="ease: array 'item_item': a value of 70000 is beyond float16.*65,504"):
        quantize(model, "float16")
    assert quantize(model, "int8").values == "int8"


def test_what_was_changed_after_it_was_quantized_is_not_saved(trained, tmp_path):
    small = quantize(trained["ials"], "int8")
    small.arrays["item_factors"] *= 1.01
    with pytest.raises(ValueError, match="'item_factors'.*not in int8 any more"):
        small.save(tmp_path / "model")
    assert not list(tmp_path.iterdir())


def test_training_again_is_training_in_full_precision(trained, ratio):
    model = build("ease").fit(ratio.train)
    model.values = "int8"
    assert model.fit(ratio.train).values == "float32"
