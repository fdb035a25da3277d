"""Exports: the scores and the lists of the model, without recprune."""

import json
import runpy
import subprocess
import sys
import urllib.error
import urllib.request
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import recprune as rp

SERVER = Path(__file__).resolve().parents[2] / "docs" / "examples" / "serve.py"
PLAIN = ("popularity", "item-knn", "ials", "bpr", "ease", "elsa")
GRAPHS = (*PLAIN, "mult-vae", "neumf")
CUTS = {  # what was pruned -> by what; rows that are gone are the hard part
    "dense": None,
    "weights": {"unit": "weight", "keep": 0.3, "values": "int8"},
    "factors": {"criterion": "activation-variance", "unit": "factor", "keep": 0.5},
    "items": {"unit": "item-row", "keep": 0.6},
    "users": {"unit": "user-row", "keep": 0.6},
}
IMPOSSIBLE = {("popularity", cut) for cut in CUTS if cut != "dense"} | {
    *((name, cut) for name in ("item-knn", "ease") for cut in ("factors", "users")),
    ("elsa", "factors"),  # the activations of its units are not traced
    *((name, "users") for name in ("elsa", "mult-vae", "neumf")),
}
CASES = [(name, cut) for name in GRAPHS for cut in CUTS if (name, cut) not in IMPOSSIBLE]


@pytest.fixture(scope="module")
def models(ratio):
    """Name and cut -> compact model; the first user is a stranger to it, without a history."""
    known = ratio.train.select(ratio.train.user != 0)
    part = replace(ratio, train=known)
    found = {}

    def model(name, cut="dense"):
        if name not in found:
            kind = rp.models.REGISTRY[name]
            found[name] = kind(**kind.tiny).fit(known, validation=ratio.validation, seed=0)
        if (name, cut) not in found:
            how = CUTS[cut]
            found[name, cut] = (rp.prune(found[name], part, **how) if how else found[name]).compact()
        return found[name, cut]

    return model


@pytest.fixture
def served(tmp_path, monkeypatch):
    """Exports a model and gives what the example server makes of it: `scores`, `recommend`, `history`."""

    def load(model, form):
        rp.export(model, tmp_path / "e", form=form)
        monkeypatch.setattr(sys, "argv", ["serve.py", str(tmp_path / "e")])
        return runpy.run_path(str(SERVER))

    return load


def assert_same_lists(model, lists, k):
    """Place by place the same items, or such as score alike: sums in another order differ in the last digit."""
    expected = model.recommend(np.arange(model.n_users), k)
    codes = {item: code for code, item in enumerate(model.items.tolist())}
    scores = model.score(np.arange(model.n_users))
    for user, found in enumerate(lists):
        ours = expected[user][expected[user] >= 0]
        theirs = np.array([codes[item] for item in found], int)
        assert len(ours) == len(theirs) == len(set(found))
        near = np.abs(scores[user, ours] - scores[user, theirs]) <= 1e-5 * (1 + np.abs(scores[user, ours]))
        assert ((ours == theirs) | (near & (user > 0))).all()  # a stranger's list is a count, and exact


@pytest.mark.parametrize("form", ["scipy", "numpy"])
@pytest.mark.parametrize(("name", "cut"), [case for case in CASES if case[0] in PLAIN])
def test_plain_matrices_give_the_scores_and_the_lists(name, cut, form, models, served):
    model = models(name, cut)
    of = served(model, form)
    users = np.arange(1, model.n_users)
    unseen = model.history[users].toarray() == 0
    unseen[:, of["lost"]] = False
    found = np.stack([of["scores"](user, of["history"][[user]]) for user in users])
    np.testing.assert_allclose(found[unseen], model.score(users)[unseen], rtol=1e-4, atol=1e-5)
    assert_same_lists(model, [of["recommend"](user, 15) for user in range(model.n_users)], 15)
    assert np.isneginf(model.score(users)[:, of["lost"]]).all()


@pytest.mark.parametrize(("name", "cut"), CASES)
def test_graphs_give_the_scores(name, cut, models, tmp_path):
    runtime = pytest.importorskip("onnxruntime", reason="the extra `onnx` is not installed")
    pytest.importorskip("onnx", reason="the extra `onnx` is not installed")
    model = models(name, cut)
    rp.export(model, tmp_path / "e", form="onnx")
    reads = json.loads((tmp_path / "e" / "export.json").read_text())["reads"]
    session = runtime.InferenceSession(tmp_path / "e" / "model.onnx", providers=["CPUExecutionProvider"])
    for users in (np.arange(model.n_users), np.array([3])):
        given = users if reads == "users" else model.history[users].toarray()
        (scores,) = session.run(None, {reads: given})
        np.testing.assert_allclose(scores, model.score(users), rtol=1e-4, atol=1e-5)


def test_an_export_says_what_it_is_and_is_the_same_bytes_each_time(models, tmp_path):
    for folder in ("a", "b", "b"):  # an export may be written over
        rp.export(models("ease", "weights"), tmp_path / folder)
    files = sorted(path.relative_to(tmp_path / "a") for path in (tmp_path / "a").rglob("*") if path.is_file())
    assert [str(file) for file in files] == ["arrays/item_item.npz", "export.json", "history.npz", "serving.npz"]
    assert all((tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes() for file in files)
    said = json.loads((tmp_path / "a" / "export.json").read_text())
    assert said["scores"] == "history @ item_item" and said["provenance"]["pruning"]["kept"] == pytest.approx(0.3)
    assert (said["model"], said["form"], said["provenance"]["values"]) == ("ease", "scipy", "int8")


@pytest.mark.parametrize(
    ("name", "form", "said"),
    [
        (
            "mult-vae",
            "numpy",
            "mult-vae cannot be exported as 'numpy': .* no plain product of .*; onnx can be had",
        ),
        ("tree", "onnx", "tree cannot be exported as 'onnx': .* no forward pass .*; serve it with recprune.load_model"),
        ("ease", "onxx", "unknown form 'onxx'; known: scipy, numpy, onnx; did you mean 'onnx'?"),
    ],
)
def test_what_cannot_be_exported_says_what_can(name, form, said, models, tmp_path):
    with pytest.raises(ValueError, match=said.replace("?", r"\?")):
        rp.export(models(name), tmp_path / "e", form=form)
    assert not (tmp_path / "e").exists()


def test_users_that_have_no_row_have_none_in_a_graph(models, ratio, tmp_path):
    model = models("neumf").clone()
    model.declare_rows("user-row")
    with pytest.raises(ValueError, match="some of its users have no row in its tables"):
        rp.export(model, tmp_path / "e", form="onnx")


def test_nothing_of_others_is_written_over(models, tmp_path):
    model = models("ease")
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "export.json").write_text('{"chapters": 7}')
    model.save(tmp_path / "model")
    (tmp_path / "file").write_text("")
    for place, said in (("thesis", "export.json is missing, or another's"), ("model", "is none of its files"),
                        ("file", "is a file")):  # fmt: skip
        with pytest.raises(ValueError, match=said):
            rp.export(model, tmp_path / place)
    assert (tmp_path / "thesis" / "export.json").read_text() == '{"chapters": 7}'
    with pytest.raises(TypeError, match=r"a trained recommender is needed, not a str \('ease'\)"):
        rp.export("ease", tmp_path / "e")
    with pytest.raises(ValueError, match="not trained"):
        rp.export(rp.models.EASE(), tmp_path / "e")


def test_ids_that_need_pickle_are_refused(models, tmp_path):
    model = models("ease").clone()
    for strange, said in ((1.5, "the id 1.5 is a float"), ("a", "the id 'a' is a str")):
        model.users = np.array([*models("ease").users[:-1].tolist(), strange], object)
        with pytest.raises(ValueError, match=said):
            rp.export(model, tmp_path / "e")
    model.users = np.array([f"{n}\0" for n in range(model.n_users)], object)
    with pytest.raises(ValueError, match="NUL"):
        rp.export(model, tmp_path / "e")


@pytest.mark.slow
def test_the_server_answers_without_torch_and_without_recprune(models, tmp_path):
    model = models("ease", "weights")
    rp.export(model, tmp_path / "e")
    alone = "import runpy, sys; sys.modules |= {'torch': None, 'recprune': None}; sys.argv = sys.argv[1:]; "
    command = [sys.executable, "-c", alone + "runpy.run_path(sys.argv[0], run_name='__main__')"]
    with subprocess.Popen(
        [*command, str(SERVER), str(tmp_path / "e"), "0"], stdout=subprocess.PIPE, text=True
    ) as server:
        try:
            address = server.stdout.readline().strip()  # it listens when it says where
            for user in model.users[[0, 5]].tolist():
                with urllib.request.urlopen(f"{address}/?user={user}&k=7") as answer:
                    found = json.load(answer)
                assert found == {"items": model.recommend([user], 7, ids=True)[0].tolist()}
            for query in ("user=nobody", f"user={model.users[0]}&k=many", ""):
                with pytest.raises(urllib.error.HTTPError, match="400"):
                    urllib.request.urlopen(f"{address}/?{query}")
        finally:
            server.terminate()


def test_the_server_is_short():
    lines = [line for line in SERVER.read_text().splitlines() if line.strip()]
    code = [line for line in lines if not line.startswith(('"""', "import", "from"))]
    assert len(code) <= 40
