"""A model and a criterion from outside of the package, each in one file."""

import numpy as np
import pytest
from extension_texts import MODEL

import recprune as rp
from recprune import extensions, models, pruning
from recprune.errors import StudyError
from recprune.models import REGISTRY
from recprune.pruning import CRITERIA

CRITERION = '''
import numpy as np
import recprune
from recprune.pruning import Criterion, units


def score(model, unit, train, seed):
    """Name -> (n_units,) largest absolute entry of each unit."""
    return {name: value.abs().amax(dim=1) for name, value in units.values(model, unit).items()}


def oldest(train, seed):
    """(nnz,) the place in the log, no groups."""
    return -np.arange(train.nnz, dtype=np.float64), None


recprune.pruning.register(
    Criterion(
        name="largest-entry",
        label="largest entry",
        kind="score",
        summary="largest absolute entry of the unit",
        source="a test",
        units=("weight", "factor"),
        parameters=score,
        samples=oldest,
    )
)
'''


@pytest.fixture
def registries():
    """Registries as they were, again after the test."""
    before = [(registry, dict(registry)) for registry in (REGISTRY, CRITERIA)]
    yield
    for registry, entries in before:
        registry.clear()
        registry.update(entries)


@pytest.fixture
def write(tmp_path, registries):
    def write(name, text):
        (tmp_path / name).write_text(text)
        return tmp_path / name

    return write


def test_a_model_is_one_file(write, ratio, tmp_path):
    extensions.load([write("pure_svd.py", MODEL)])
    model = models.build("pure-svd", factors=4).fit(ratio.train, ratio.validation, seed=0)
    assert models.REGISTRY["pure-svd"].label == "PureSVD"
    assert rp.evaluate(model, ratio, on="test").mean["ndcg@10"] > 0.05
    model.save(tmp_path / "model")
    again = rp.load_model(tmp_path / "model")
    np.testing.assert_array_equal(again.score(np.arange(3)), model.score(np.arange(3)))
    assert rp.prune(model, ratio, "principal-axes", "factor", keep=0.5).compact().arrays["item_factors"].shape[1] == 2


def test_a_criterion_is_one_file(write, ratio):
    extensions.load([write("largest_entry.py", CRITERION)])
    assert list(rp.CRITERIA)[-1] == "largest-entry"
    model = models.EASE(l2=50.0).fit(ratio.train, seed=0)
    mine, known = (rp.prune(model, ratio, name, keep=0.1).model.score([0]) for name in ("largest-entry", "magnitude"))
    np.testing.assert_array_equal(mine, known)
    less = rp.prune_samples(ratio, "largest-entry", keep=0.25)
    assert less.train.nnz == round(0.25 * ratio.train.nnz)
    np.testing.assert_array_equal(less.train.user, ratio.train.user[: less.train.nnz])


def test_a_criterion_of_ones_own_need_not_be_registered(ratio):
    mine = pruning.Criterion(
        name="mine",
        label="mine",
        kind="score",
        summary="smallest first",
        source="a test",
        units=("weight",),
        parameters=CRITERIA["magnitude"].parameters,
        samples=CRITERIA["stratified"].samples,
    )
    model = models.EASE(l2=50.0).fit(ratio.train, seed=0)
    mine_kept, known = (rp.prune(model, ratio, rule, keep=0.1, seed=1).masks for rule in (mine, "magnitude"))
    np.testing.assert_array_equal(mine_kept["item_item"], known["item_item"])
    less, known = (rp.prune_samples(ratio, rule, keep=0.5, seed=1) for rule in (mine, "stratified"))
    assert less.train.content_hash == known.train.content_hash
    assert pruning.prune_data(model, ratio, mine, 0.5, rounds=2).kept == pytest.approx(0.5, abs=1e-3)
    assert "mine" not in rp.CRITERIA
    with pytest.raises(ValueError, match="criterion 'mine' with unit 'factor' does not apply to ease"):
        rp.prune(model, ratio, mine, "factor", keep=0.5)


def test_a_file_is_imported_once(write):
    path = write("largest_entry.py", CRITERION)
    (first,), (second,) = extensions.load([path]), extensions.load([str(path.parent / "." / path.name)])
    assert first is second


def test_a_name_is_given_once(write):
    extensions.load([write("one.py", CRITERION)])
    with pytest.raises(StudyError, match=r"two\.py: .*largest-entry: a criterion of this name is registered already"):
        extensions.load([write("two.py", CRITERION)])
    with pytest.raises(ValueError, match="ease: a model of this name is registered already"):
        models.register(type("Other", (models.EASE,), {}))
    assert models.register(models.EASE) is models.EASE
    with pytest.raises(ValueError, match="unknown kind 'wild'; known: control"):
        pruning.Criterion(name="x", label="x", kind="wild", summary="", source="")


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("broken.py", "import nothing_of_the_kind", r"broken\.py: line 1: cannot be imported: ModuleNotFoundError"),
        ("prose.txt", "Hello", r"prose\.txt: not a file of Python code"),
    ],
)
def test_what_cannot_be_imported_is_named(name, text, message, write, tmp_path):
    with pytest.raises(StudyError, match=message):
        extensions.load([write(name, text)])
    with pytest.raises(StudyError, match=r"absent\.py: there is no such file"):
        extensions.load([tmp_path / "absent.py"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = 1\nx = = 2\n", r"mine\.py: line 2: cannot be imported: SyntaxError"),
        ("import sys\nsys.exit(3)\n", r"mine\.py: line 2: cannot be imported: SystemExit: 3"),
        ("\n\nraise RuntimeError('not\\ntoday')\n", r"mine\.py: line 3: cannot be imported: RuntimeError: not today"),
        (
            "from recprune.models import register\n@register\nclass Mine:\n    name = 'mine'\n",
            r"mine\.py: line 2: cannot be imported: ValueError: Mine: a model needs",
        ),
    ],
)
def test_what_goes_wrong_in_it_is_named_by_its_line(text, message, tmp_path):
    (tmp_path / "mine.py").write_text(text)
    with pytest.raises(StudyError, match=message):
        extensions.load([tmp_path / "mine.py"])


def test_a_path_that_is_none_is_refused():
    with pytest.raises(StudyError, match="is no path"):
        extensions.load(["mine\0.py"])
