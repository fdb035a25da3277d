"""What model.json says of how a model was made, and that it goes where it is no longer true."""

import hashlib
import json

import numpy as np
import pytest

import recprune as rp


@pytest.fixture(scope="module")
def dense(ratio):
    return rp.models.EASE(l2=50.0).fit(ratio.train)


@pytest.fixture
def said(tmp_path):
    """Saves a model and reads what is said of it."""

    def save(model, **options):
        model.save(tmp_path / "m", **options)
        return json.loads((tmp_path / "m" / "model.json").read_text())["provenance"]

    return save


def test_a_dense_model_says_its_version_format_and_weights(dense, said, tmp_path):
    weights = said(dense)["weights"]
    assert said(dense) == {"recprune": rp.__version__, "values": "float32", "weights": weights}
    assert weights == hashlib.sha256((tmp_path / "m" / "model.safetensors").read_bytes()).hexdigest()


def test_a_pruned_model_says_by_what(dense, ratio, said):
    pruned = rp.prune(dense, ratio, "magnitude", "weight", keep=0.1, recovery="refit", seed=3, values="int8")
    method = {"criterion": "magnitude", "unit": "weight", "schedule": "one-shot", "recovery": "refit", "seed": 3}
    budget = {"keep": 0.1, "values": ["int8"]}
    expected = method | {"budget": budget, "kept": pruned.kept, "removed": pruned.removed}
    for model in (pruned.compact(), pruned.model):
        assert said(model)["pruning"] == expected
    assert said(pruned.compact())["values"] == "int8" and said(rp.quantize(pruned, "int4"))["values"] == "int4"
    assert "pruning" not in said(dense)


def test_a_budget_is_said_as_it_was_given(dense, ratio, said):
    pruned = rp.prune(dense, ratio, bytes=np.int64(4000), max_loss=0.9, values=["int8", "float16"])
    assert said(pruned.compact())["pruning"]["budget"] == {
        "bytes": 4000,
        "max_loss": 0.9,
        "values": ["float16", "int8"],
    }
    (zeroed,) = (rp.prune(dense, ratio, "zero-reset"),)
    assert said(zeroed.model)["pruning"] | {"removed": 0} == {
        "criterion": "zero-reset",
        "unit": "weight",
        "schedule": "one-shot",
        "recovery": "none",
        "budget": {},
        "seed": 0,
        "kept": 0.0,
        "removed": 0,
    }


class TestWhatWasMeasured:
    def test_it_is_said_and_stays_with_the_weights(self, dense, ratio, said, tmp_path):
        reports = [rp.evaluate(dense, ratio, on=part) for part in ("validation", "test")]
        metrics = said(dense, reports=reports)["metrics"]
        assert set(metrics) == {"validation", "test"}
        assert metrics["test"]["ndcg@10"] == reports[1].mean["ndcg@10"]
        assert said(rp.load_model(tmp_path / "m"))["metrics"] == metrics

    def test_it_goes_with_other_weights_or_histories(self, dense, ratio, said, tmp_path):
        said(dense, reports=[rp.evaluate(dense, ratio)])
        loaded = rp.load_model(tmp_path / "m")
        less = rp.prune_samples(ratio, criterion="random", keep=0.5)
        later = rp.update(loaded, ratio.validation, how="frozen")
        for model in (
            rp.quantize(loaded, "int8"),
            loaded.serving(less.train),
            later,
            rp.prune(loaded, ratio, keep=0.5),
        ):
            assert "metrics" not in said(getattr(model, "model", model))
        loaded.arrays["item_item"] *= 2
        assert "metrics" not in said(loaded)

    def test_a_number_that_is_none_is_left_out_and_what_is_no_report_is_refused(self, dense, ratio, said):
        report = rp.evaluate(dense, ratio, k=(10,))
        report.mean["gini@10"] = float("nan")
        assert "gini@10" not in said(dense, reports=[report])["metrics"]["test"]
        with pytest.raises(TypeError, match=r"reports: what recprune.evaluate returns is needed, not a str \('best'\)"):
            said(dense, reports=["best"])


def test_a_model_of_an_earlier_version_says_nothing_and_loads(dense, ratio, said, tmp_path):
    said(dense)
    path = tmp_path / "m"
    header = json.loads((path / "model.json").read_text())
    del header["provenance"]
    (path / "model.json").write_text(json.dumps(header, indent=1, sort_keys=True) + "\n")
    (path / "record.json").unlink()  # its sums
    old = rp.load_model(path)
    assert old.provenance == {}
    users = np.arange(ratio.n_users)
    np.testing.assert_array_equal(old.recommend(users, 5), dense.recommend(users, 5))
    assert rp.footprint(old) == rp.footprint(dense)
