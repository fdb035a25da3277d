"""Damaged models are refused, each with one sentence: none ends the process, and none changes its scores in silence.

All are loaded in a process of its own, so that one that ends it is seen.
"""

import hashlib
import json
import shutil
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import load_file, save_file

from recprune.files import sha256_of
from recprune.models import REGISTRY, build, quantize
from recprune.pruning import prune

LOAD = """
import hashlib, json, sys
import numpy as np
from recprune.models import ModelFileError, load_model
for path in map(str.strip, sys.stdin):
    try:
        model = load_model(path)
        users = np.arange(model.n_users)
        scores = model.score(users).tobytes() + model.recommend(users, 5).tobytes()
        found = "scores " + hashlib.sha256(scores).hexdigest()
    except ModelFileError as error:
        found = "refused " + str(error)
    except BaseException as error:
        found = "error " + repr(error)
    print(json.dumps([path, found]), flush=True)
"""
VALUES = {"ease-weight": "int8", "bpr": "int4", "mult-vae": "int8", "tree": "float16"}  # of quantized forms
FORMS = {"popularity": (), "ease": ("weight", "item-row"), "ials": ("user-row",), "mult-vae": ("neuron", "weight")}


@pytest.fixture(scope="module")
def whole(ratio, tmp_path_factory):
    """Name -> folder of a saved model: each recommender, compact ones with every declaration, and quantized ones."""
    root, saved = tmp_path_factory.mktemp("models"), {}

    def save(name, model):
        model.save(root / name)
        saved[name] = root / name
        if name in VALUES:
            quantize(model, VALUES[name]).save(root / f"{name}-{VALUES[name]}")
            saved[f"{name}-{VALUES[name]}"] = root / f"{name}-{VALUES[name]}"

    for name in sorted(REGISTRY):
        model = build(name, **REGISTRY[name].tiny).fit(ratio.train, ratio.validation, seed=0)
        save(name, model)
        for unit in FORMS.get(name, ()):
            pruned = prune(model, ratio, unit=unit, keep=0.05 if unit == "weight" else 0.5)
            save(f"{name}-{unit}", pruned.compact())
    return saved


def loaded(folders):
    """Folder -> what loading and scoring came to."""
    lines = "".join(f"{folder}\n" for folder in folders)
    done = subprocess.run([sys.executable, "-c", LOAD], input=lines, capture_output=True, text=True)
    assert done.returncode == 0, f"signal or exit {done.returncode}: {done.stdout[-300:]} {done.stderr[-500:]}"
    found = dict(map(json.loads, done.stdout.splitlines()))
    errors = {path: what for path, what in found.items() if what.startswith("error") or "\n" in what}
    assert not errors
    return found


def copies(whole, tmp_path):
    """A function that gives a fresh copy of a saved model, and a list of all it gave."""
    given = []

    def copy(name):
        folder = tmp_path / f"{len(given):04d}-{name}"
        shutil.copytree(whole[name], folder)
        given.append(folder)
        return folder

    return copy, given


def seal(folder):
    """The sums are made right again: what is then refused is refused for what it says."""
    record = json.loads((folder / "record.json").read_text())
    record["files"] = {p.name: sha256_of(p) for p in sorted(folder.iterdir()) if p.name != "record.json"}
    (folder / "record.json").write_text(json.dumps(record))


def flip(path, rng):
    """One bit of a file is the other one."""
    content = bytearray(path.read_bytes())
    content[rng.integers(len(content))] ^= 1 << rng.integers(8)
    path.write_bytes(content)


def test_bits_that_flip_and_files_that_end_early_are_seen(whole, tmp_path):
    rng = np.random.default_rng(0)
    right = loaded(whole.values())
    assert all(what.startswith("scores") for what in right.values())
    copy, given = copies(whole, tmp_path)
    for name, folder in whole.items():
        for file in sorted(p.name for p in folder.iterdir()):
            flip(copy(name) / file, rng)
            cut = copy(name) / file
            cut.write_bytes(cut.read_bytes()[: rng.integers(cut.stat().st_size)])
    found = loaded(given)
    assert len(given) >= 170
    for folder in given:  # a record with other white space is the same record
        what = found[str(folder)]
        assert what.startswith("refused") or what == right[str(whole[folder.name[5:]])], (folder, what)
        assert what.startswith("scores") or str(folder) in what
    assert sum(what.startswith("refused") for what in found.values()) >= len(given) - 8


def history(**changes):
    def damage(folder):
        arrays = load_file(folder / "history.safetensors")
        save_file(
            arrays | {k: change(arrays[k].copy()) for k, change in changes.items()}, folder / "history.safetensors"
        )

    return damage


def put(place, value):
    def change(values):
        values[place] = value
        return values

    return change


def header(*path, value):
    def damage(folder):
        table = inner = json.loads((folder / "model.json").read_text())
        for key in path[:-1]:
            inner = inner[key]
        if value is ...:
            del inner[path[-1]]
        else:
            inner[path[-1]] = value
        (folder / "model.json").write_text(json.dumps(table))

    return damage


def arrays(change):
    """The tensors of the model as `change` gives them: {name: array} -> {name: array}."""

    def damage(folder):
        save_file(change(load_file(folder / "model.safetensors")), folder / "model.safetensors")

    return damage


def ids(kind, change):
    def damage(folder):
        change(pd.read_parquet(folder / f"{kind}.parquet")).to_parquet(folder / f"{kind}.parquet")

    return damage


ANY = {
    "an item of a history beyond the catalogue": history(indices=put(0, 60_000)),
    "an item of a history before the catalogue": history(indices=put(-1, -1)),
    "a history that ends before it begins": history(indptr=put(1, 2**30)),
    "histories that begin late": history(indptr=put(0, 3)),
    "more interactions than there are": history(indptr=put(-1, 2**31 - 1)),
    "fewer histories than users": history(indptr=lambda v: v[:-1]),
    "a weight that is no number": history(data=put(0, np.nan)),
    "fewer weights than items": history(data=lambda v: v[:-2]),
    "weights of another type": history(data=lambda v: v.astype(np.float64)),
    "positions of another type": history(indices=lambda v: v.astype(np.int64)),
    "another format": header("format", value=1),
    "a format of later": header("format", value=4),
    "a format that is a word": header("format", value="3"),
    "an unknown model": header("model", value="no-such-model"),
    "a model that is a number": header("model", value=7),
    "an unknown hyper-parameter": header("hyperparameters", "no_such", value=1),
    "hyper-parameters that are a list": header("hyperparameters", value=[1]),
    "more users than ids": header("shape", 0, value=10**6),
    "more items than ids": header("shape", 1, value=2**31 - 1),
    "a number of users that no machine holds": header("shape", 0, value=10**30),
    "users fewer than none": header("shape", 0, value=-1),
    "a shape of three": header("shape", value=[1, 2, 3]),
    "no arrays": header("arrays", value=...),
    "an array more": header("arrays", "more", value={"layout": "dense", "form": "dense", "shape": [1]}),
    "a key more": header("more", value=1),
    "ids missing": ids("users", lambda frame: frame[:-1]),
    "an id twice": ids("items", lambda frame: frame.assign(id=frame["id"].iloc[0])),
    "no column of ids": ids("items", lambda frame: frame.rename(columns={"id": "di"})),
}


def first(suffix, change):
    """The first of the tensors whose name ends so is changed."""

    def damage(found):
        name = next(name for name in sorted(found) if name.endswith(suffix))
        return found | {name: change(found[name].copy())}

    return damage


SOME = [
    ("ease-weight", "a width of other bits", arrays(first(".rice", put(0, 1)))),
    ("ease-weight", "a width that no position has", arrays(first(".rice", put(0, 70)))),
    ("ease-weight", "positions less", arrays(first(".rice", lambda v: v[:-2]))),
    ("ease-weight", "positions more", arrays(first(".rice", lambda v: np.append(v, np.uint8(1))))),
    ("ease-weight", "positions of another type", arrays(first(".rice", lambda v: v.astype(np.int16)))),
    ("ease-weight-int8", "scales less", arrays(first(".scales", lambda v: v[:-1]))),
    ("ease-weight-int8", "a scale that is no number", arrays(first(".scales", put(3, 0x7FFF)))),
    ("ease-weight-int8", "another scale", arrays(first(".scales", lambda v: v + np.uint16(1)))),
    ("ease-weight-int8", "a number below the lowest", arrays(first(".values", put(5, -128)))),
    ("ease-weight-int8", "values of another type", arrays(first(".values", lambda v: v.astype(np.int16)))),
    ("ease-weight-int8", "a value less", arrays(first(".values", lambda v: v[:-1]))),
    ("ease-weight-int8", "a model of another format", header("values", value="int4")),
    ("ease-weight-int8", "an unknown format", header("values", value="int3")),
    ("ease-weight-int8", "an array of another format", header("arrays", "item_item", "values", value="float16")),
    ("ease-weight-int8", "an array of no format", header("arrays", "item_item", "values", value=None)),
    ("bpr-int4", "a number below the lowest", arrays(first("item_factors", put(2, 0x0F)))),
    ("bpr-int4", "a byte less", arrays(first("item_factors", lambda v: v[:-1]))),
    ("bpr-int4", "another shape", header("arrays", "item_factors", "shape", value=[80, 5])),
    ("tree-float16", "values of another type", arrays(first("threshold", lambda v: v.astype(np.float32)))),
    ("ease-weight", "a value less", arrays(first(".values", lambda v: v[:-1]))),
    ("ease-weight", "a value that is infinite", arrays(first(".values", put(0, np.inf)))),
    ("ease-weight", "values of another type", arrays(first(".values", lambda v: v.astype(np.float64)))),
    ("ease-weight", "a layout without parts", header("arrays", "item_item", "layout", value="rows")),
    ("ease-weight", "an unknown layout", header("arrays", "item_item", "layout", value="zip")),
    ("ease-weight", "an unknown form", header("arrays", "item_item", "form", value="coo")),
    ("ease-weight", "a narrower matrix", header("arrays", "item_item", "shape", 1, value=3)),
    ("ease-weight", "rows that no memory holds", header("arrays", "item_item", "shape", 0, value=2**31 - 1)),
    ("ease-weight", "columns that no memory holds", header("arrays", "item_item", "shape", 1, value=2**31 - 1)),
    ("ease-weight", "a row less", header("arrays", "item_item", "shape", 0, value=79)),
    ("ease-weight", "a matrix of three dimensions", header("arrays", "item_item", "shape", value=[80, 80, 1])),
    ("ease-item-row", "a row of no item", arrays(first("kept_items", put(0, 10_000)))),
    ("ease-item-row", "an item twice", arrays(first("kept_items", lambda v: np.full_like(v, 3)))),
    ("ease-item-row", "a row before the first", arrays(first("kept_items", put(0, -5)))),
    ("ials-user-row", "a row of no user", arrays(first("kept_users", put(-1, 2**31 - 1)))),
    ("ials", "factors of another width", arrays(first("user_factors", lambda v: v[:, :-1].copy()))),
    ("ials", "users less", arrays(first("user_factors", lambda v: v[:-1]))),
    ("ials", "a factor that is no number", arrays(first("item_factors", put((0, 0), np.nan)))),
    ("ials", "no factors", arrays(lambda found: {k: v for k, v in found.items() if k != "item_factors"})),
    ("mult-vae", "an array less", arrays(lambda found: dict(list(found.items())[1:]))),
    ("sasrec", "an array less", arrays(lambda found: dict(list(found.items())[1:]))),
    ("tree", "a child before its parent", arrays(first("left", put(0, -1)))),
    ("tree", "a child beyond the last", arrays(first("right", put(-1, 5)))),
    ("tree", "a feature that is none", arrays(first("feature", put(0, 30_000)))),
]


def test_a_model_that_contradicts_itself_is_refused_though_its_sums_are_right(whole, tmp_path):
    copy, given = copies(whole, tmp_path)
    damages = [(name, what, damage) for what, damage in ANY.items() for name in ("ials", "ease-weight", "sasrec")]
    for name, _, damage in (*damages, *SOME):
        folder = copy(name)
        damage(folder)
        seal(folder)
    found = loaded(given)
    assert len(given) >= 100
    accepted = {
        what for (_, what, _), folder in zip((*damages, *SOME), given, strict=True) if found[str(folder)][0] == "s"
    }
    assert not accepted


def test_files_of_other_models_and_random_bits_under_right_sums_end_no_process(whole, tmp_path):
    rng = np.random.default_rng(1)
    copy, given = copies(whole, tmp_path)
    names = sorted(whole)
    for name, other in zip(names, names[1:] + names[:1], strict=True):
        folder = copy(name)
        shutil.copy(whole[other] / "model.safetensors", folder)
        seal(folder)
    swapped = len(given)
    for name in names:
        for file in ("model.safetensors", "history.safetensors", "model.json"):
            folder = copy(name)
            flip(folder / file, rng)
            seal(folder)
    found = loaded(given)
    assert [found[str(folder)][:7] for folder in given[:swapped]] == ["refused"] * swapped
    assert len(given) >= 60


NO_HEADER = ("[" * 100_000, "{}", "[]", "7", "", "\0", '{"format": 3}', '{"format": NaN}', "\ufeff{}")


def test_what_is_no_header_is_named(whole, tmp_path):
    copy, given = copies(whole, tmp_path)
    for content in NO_HEADER:
        (copy("ease") / "model.json").write_text(content)
        (given[-1] / "record.json").unlink()
    assert all(what.startswith("refused") and "model.json" in what for what in loaded(given).values())


def test_a_model_of_before_there_were_sums_is_read(whole, tmp_path):
    copy, given = copies(whole, tmp_path)
    (copy("ease") / "record.json").unlink()
    assert loaded(given)[str(given[0])] == loaded([whole["ease"]])[str(whole["ease"])]


def test_the_record_holds_a_sum_for_every_file_and_what_was_trained_on(whole, ratio):
    for folder in whole.values():
        record = json.loads((folder / "record.json").read_text())
        sums = {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.iterdir() if p.name != "record.json"}
        assert record["files"] == sums
