"""Whatever is wrong in a file that a user edits is refused, with the file, the place and what is accepted."""

from __future__ import annotations

import copy
import json
import random
import tomllib
from pathlib import Path

import pytest

from recprune.datasets.registry import ROOT, read_registry
from recprune.errors import DataError, ReportError, StudyError
from recprune.report.check import main
from recprune.report.claims.claim import read_claims
from recprune.report.tables.published import published
from recprune.study.load import load_study
from recprune.study.tuning.space import load_tuning
from recprune.typed import read_toml

STUDY = """
extensions = []
[shares]
few = [0.5, 0.1]
[criteria]
compared = ["random", "magnitude"]
[models]
closed = ["ease", "ials"]
[notebook.21-prune-weights]
unit = "weight"
schedule = "one-shot"
recoveries = ["none"]
keep = "few"
[study.main]
datasets = ["ml-100k"]
protocols = ["ratio"]
min_rating = 3
core = 10
seeds = [0, 1]
models = ["closed"]
columns = {}
beside = ""
[[study.main.runs]]
notebook = "10-dense"
[[study.main.runs]]
notebook = "21-prune-weights"
method = "weight"
models = ["ease"]
protocols = ["ratio"]
seeds = [0]
unit = "weight"
criterion = "compared"
schedule = "linear"
keep = [0.5, 0.1]
options = { rounds = 3 }
recoveries = ["none", "refit"]
samples = [1.0]
samples_criterion = "random"
needs = "dense"
[hyperparameters.default.ials]
factors = 8
l2 = 1.0
alpha = 3.0
iterations = 2
[hyperparameters.ml-100k.mult-vae]
hidden = 30
dropout = 0.5
learning_rate = 1e-3
batch_size = 64
"""
TUNING = """
seed = 0
[budget.default]
trials = 40
seconds = 600
[budget."ml-100k/loo"]
trials = 4
seconds = 40
[stop]
percentile = 67
trials = 5
epochs = 10
[space.ease.l2]
low = 30.0
high = 300.0
log = true
[space.neumf]
hidden = { choices = [[64, 32], [128, 64]] }
fixed = { factors = 8 }
"""
CLAIMS = """
[[claim]]
number = 1
says = "Pruning cuts bytes."
supported_if = "it does"
refuted_if = "it does not"
notebooks = ["21-prune-weights"]
[[claim.contrast]]
name = "bytes"
a = { side = "parameters", unit = ["weight"], criterion = "magnitude", schedule = "one-shot", kept = 0.5, seed = 0 }
keep = [0.1]
measure = "bytes / dense"
expect = "lower"
than = 1.0
[[claim.contrast]]
name = "quality"
a = { model = "ease", recovery = "refit", family = "cf", protocol = "ratio" }
b = { side = "dense" }
best = "method"
expect = "higher"
relative_to = { samples_kept = 1.0 }
"""
REGISTRY = """
[ml-100k]
title = "MovieLens 100K (1998)"
url = "https://files.grouplens.org/datasets/movielens/ml-100k.zip"
md5 = "0e33842e24a9c977be4e0107933c0723"
files = ["u.data", "u.item"]
redistribution = false
interactions = 100_000
users = 943
items = 1_682
aliases = ["ml100k"]
[ml-100k.wheel]
requirement = "recbole==1.2.1"
sha256 = "9c9948202011f37eb0a7c6768129313f00d6403ad221ec940d5e2d5d5f33a407"
folder = "recbole/dataset_example/ml-100k"
files = { "ml-100k.inter" = "4edb74e2a81178c2ba9ff381495f754f996c4aea351b1272ca36b43da0935eff" }
[places]
title = "Places"
redistribution = false
by_hand = "ask for it"
columns = { user = "visitor", weight = "" }
[places.singles]
url = "https://example.org/places"
files = { "train.txt" = "4edb74e2a81178c2ba9ff381495f754f996c4aea351b1272ca36b43da0935eff" }
"""
PUBLISHED = """
[[numbers]]
model = "ease"
dataset = "ml-1m"
protocol = "ratio"
metric = "ndcg@10"
value = 0.2865
source = "RecBole benchmark"
input = "train"
hyperparameters = "reg_weight 1000"
"""
#: file -> a good text, who reads it, and what is raised for what is wrong
FILES = {
    "study": (STUDY, lambda path: load_study(path, "main"), StudyError),
    "tuning": (TUNING, load_tuning, StudyError),
    "claims": (CLAIMS, read_claims, ReportError),
    "registry": (REGISTRY, read_registry, DataError),
    "published": (PUBLISHED, published, ReportError),
}


def text_of(table: dict) -> str:
    """The table as TOML; inner tables stand in one line."""
    return "".join(f"{json.dumps(key)} = {_toml(found)}\n" for key, found in table.items())


def _toml(found) -> str:
    if isinstance(found, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {_toml(inner)}" for key, inner in found.items()) + "}"
    return f"[{', '.join(map(_toml, found))}]" if isinstance(found, list) else json.dumps(found)


def keys_of(table, path=()):
    """The path of every key of every table inside."""
    items = table.items() if isinstance(table, dict) else enumerate(table) if isinstance(table, list) else ()
    for key, found in items:
        if isinstance(table, dict):
            yield (*path, key)
        yield from keys_of(found, (*path, key))


def owner(table, path):
    for key in path[:-1]:
        table = table[key]
    return table


def wrong_values(found):
    """Values of another type, and out of every range."""
    if isinstance(found, bool):
        return ["yes", 1, [True]]
    if isinstance(found, int):
        return [True, "1e3", -1, 1.5, 2**70, [1], {}]
    if isinstance(found, float):
        return [True, "0.5", -1e30, [0.5], {}]
    if isinstance(found, str):
        return [True, 7, {}, 0.5]
    if isinstance(found, list):
        return [True, 0.5, {"a": 1}, [True], [[["x"]]]]
    return [True, 7, "x", [7]]


def damaged(table: dict):
    """(key, value or words that say what was done, table) of every wrong value, misspelt, unknown and empty key."""
    for path in keys_of(table):
        key, found = path[-1], owner(table, path)[path[-1]]
        for wrong in wrong_values(found):
            changed = copy.deepcopy(table)
            owner(changed, path)[key] = wrong
            yield path, wrong, changed
    for path in {path[:-1] for path in keys_of(table)} - {()}:
        changed = copy.deepcopy(table)
        inner = owner(changed, path)[path[-1]]
        if isinstance(inner, dict):
            inner["zz unknown"] = 1
            yield (*path, "zz unknown"), "unknown key", changed


def refusal(name: str, path: Path) -> str:
    """What is said of a file; "" where it is accepted. Anything but the right class escapes, and fails the test."""
    _, read, error = FILES[name]
    try:
        read(path)
    except error as refused:
        assert str(path) in str(refused)
        assert len(str(refused).splitlines()) == 1 and len(str(refused)) < 2500, refused
        return str(refused)
    return ""


@pytest.mark.parametrize("name", FILES)
def test_the_files_that_are_damaged_here_are_good(name, tmp_path):
    path = tmp_path / f"{name}.toml"
    path.write_text(FILES[name][0])
    assert refusal(name, path) == ""
    path.write_text(text_of(tomllib.loads(FILES[name][0])))
    assert refusal(name, path) == ""
    path.write_text("\ufeff" + FILES[name][0], encoding="utf-8")
    assert refusal(name, path) == "", "a byte order mark is no fault"


#: wrong by the rule above, and right: a number of another kind that the key takes
FINE = {
    (("study", "main", "min_rating"), -1),
    (("study", "main", "min_rating"), 1.5),
    (("budget", "default", "seconds"), 1.5),
    (("budget", "ml-100k/loo", "seconds"), 1.5),
    (("stop", "percentile"), 1.5),
    (("claim", 0, "contrast", 0, "than"), -1e30),
    # a list of values selects the cells of each
    (("claim", 0, "contrast", 0, "a", "kept"), (0.5,)),
    (("claim", 0, "contrast", 0, "a", "seed"), (1,)),
    (("claim", 0, "contrast", 1, "relative_to", "samples_kept"), (0.5,)),
}


def is_fine(path, wrong) -> bool:
    key = (path, tuple(wrong) if isinstance(wrong, list) else wrong)
    return any(key[0] == place and key[1] == value and type(key[1]) is type(value) for place, value in FINE)


@pytest.mark.parametrize(
    ("name", "count"), [("study", 250), ("tuning", 120), ("claims", 130), ("registry", 70), ("published", 35)]
)
def test_every_wrong_value_of_every_key_is_refused_by_its_place(name, count, tmp_path):
    path, refused = tmp_path / f"{name}.toml", 0
    for place, wrong, table in damaged(tomllib.loads(FILES[name][0])):
        path.write_text(text_of(table))
        said = refusal(name, path)
        if is_fine(place, wrong):
            assert said == ""
            continue
        refused += 1
        key = [step for step in place if isinstance(step, str)][-1]
        assert key in said.removeprefix(f"{path}: "), (place, wrong, said)
    assert refused >= count


@pytest.mark.parametrize("name", FILES)
def test_a_misspelt_key_is_refused_with_the_one_that_was_meant(name, tmp_path):
    path, suggested = tmp_path / f"{name}.toml", 0
    table = tomllib.loads(FILES[name][0])
    for place in keys_of(table):
        if place[-1] not in FIXED[name]:
            continue
        changed = copy.deepcopy(table)
        inner = owner(changed, place)
        inner[place[-1] + "x"] = inner.pop(place[-1])
        path.write_text(text_of(changed))
        said = refusal(name, path)
        assert f"{place[-1]}x" in said, (place, said)
        suggested += f"did you mean '{place[-1]}'?" in said
    assert suggested >= len(FIXED[name]) - 2


#: names of keys that are not the user's to choose, as they stand in the good files
FIXED = {
    "study": ("seeds", "protocols", "notebook", "keep", "criterion", "recoveries", "factors", "dropout", "min_rating"),
    "tuning": ("trials", "seconds", "percentile", "low", "high", "log", "choices", "l2", "hidden"),
    "claims": ("claim", "says", "refuted_if", "expect", "keep", "measure", "criterion", "kept", "relative_to"),
    "registry": ("title", "url", "files", "redistribution", "users", "requirement", "sha256"),
    "published": ("numbers", "protocol", "metric", "value", "input"),
}


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        ("study", "keep = [0.5, 0.1]", "keep = 0.5", r"keep: 0\.5 is not a list; \[0\.5\] is one"),
        ("study", "keep = [0.5, 0.1]", "keep = []", r"`keep` is empty"),
        ("study", "keep = [0.5, 0.1]", "keep = [nan]", r"keep\[1\]: nan; a finite number is needed"),
        ("study", "keep = [0.5, 0.1]", "keep = [0.5, 0.5]", "names a share twice"),
        ("study", "seeds = [0, 1]", "seeds = [1]", r"has seeds \[0\], which .*dense does not train"),
        ("study", "seeds = [0, 1]", "seeds = [99999999999999999999]", r"seeds\[1\]: 9+; a whole number of 64 bits"),
        ("study", 'protocols = ["ratio"]\nmin', 'protocols = ["loo"]\nmin', "protocols ratio; the study has loo"),
        ("study", 'beside = ""', 'like = "main"', r"like: 'main' is unknown"),
        ("study", 'criterion = "compared"', 'criterion = ["cost-complexity"]', "does not score the unit 'weight'"),
        ("study", 'criterion = "compared"', 'criterion = ["magnitud"]', "did you mean 'magnitude'"),
        ("study", 'criterion = "compared"', "criterion = []", r"criterion: one value or more"),
        ("study", '["none", "refit"]', '["none", "rewind"]', "recovery 'rewind' does not apply to ease"),
        ("study", '["none", "refit"]', '["none"]\nrecovery = "refit"', "give one of them"),
        ("study", "rounds = 3", "rounds = 0", r"options\.?.*rounds: 0; a whole number from 1"),
        ("study", "rounds = 3", "epochs = 3", r"options: unknown key 'epochs'; accepted: rounds"),
        ("study", 'method = "weight"', 'method = ".."', "a letter or digit first"),
        ("study", "factors = 8", "factors = 0", r"ials\.factors: 0; a whole number from 1"),
        ("study", "dropout = 0.5", "dropout = 5", r"mult-vae\.dropout: 5\.0; a number from 0 to 1"),
        ("study", "l2 = 1.0", "l2 = 1e999", r"l2: inf; a finite number"),
        ("study", "core = 10", "core = 2026-01-01", r"core: datetime\.date.* is a date; an int is needed"),
        ("tuning", "low = 30.0", "low = -30.0", "low < high, and with log 0 < low"),
        ("tuning", "[64, 32], ", "[0], ", r"space\.neumf\.hidden: 0; a whole number from 1"),
        ("tuning", "ml-100k/loo", "ml-100k/lo", "did you mean 'loo'"),
        ("claims", "keep = [0.1]", "keep = [1.5]", r"keep: 1\.5 is outside \(0, 1\]"),
        ("claims", "kept = 0.5", "kept = nan", r"kept: nan"),
        ("claims", '"magnitude"', '"magnitud"', r"criterion: 'magnitud' is unknown.*did you mean 'magnitude'"),
        ("registry", "users = 943", "users = 0", r"ml-100k\.users: 0; a count from 1"),
        ("registry", '"u.data"', '"../u.data"', r"files: '\.\./u\.data'; a path inside the archive"),
        ("registry", 'files = ["u.data", "u.item"]\n', "", "ml-100k: url and files, of an archive, are given both"),
        (
            "registry",
            'user = "visitor"',
            'buyer = "visitor"',
            r"places\.columns: 'buyer' is unknown; .*did you mean 'user'",
        ),
        (
            "registry",
            "[places]\n",
            '[nowhere]\ntitle = "-"\nredistribution = true\n[places]\n',
            "nowhere: no source; url",
        ),
        ("published", "0.2865", "28.65", r"numbers\[1\]\.value: 28\.65; a number from 0 to 1"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_what_can(name, old, new, message, tmp_path):
    good, _, error = FILES[name]
    assert old in good
    path = tmp_path / f"{name}.toml"
    path.write_text(good.replace(old, new, 1))
    with pytest.raises(error, match=message):
        FILES[name][1](path)


def test_a_circle_of_studies_is_named(tmp_path):
    path = tmp_path / "study.toml"
    path.write_text('[study]\nmain = {like = "b"}\nb = {like = "c"}\nc = {like = "main"}\n')
    with pytest.raises(StudyError, match=r"study\.main\.like: a circle, main -> b -> c -> main"):
        load_study(path, "main")


@pytest.mark.parametrize("name", FILES)
def test_bytes_that_went_wrong_are_read_or_refused(name, tmp_path):
    """Flipped, cut and doubled bytes: what is still a good file is read, of anything else the file is named."""
    path, good, chance = tmp_path / f"{name}.toml", FILES[name][0].encode(), random.Random(0)
    refused = 0
    for _ in range(40):
        raw = bytearray(good)
        for _ in range(chance.choice((1, 3, 20))):
            raw[chance.randrange(len(raw))] = chance.randrange(256)
        raw = raw[: chance.choice((len(raw), len(raw), chance.randrange(len(raw))))]
        path.write_bytes(raw)
        refused += bool(refusal(name, path))
    assert refused >= 20


@pytest.mark.parametrize(
    "raw",
    [b"\x00", b"PK\x03\x04", "name = 'caf\xe9'".encode("latin-1"), b"a = " + b"[" * 5000, b"a = " + b"9" * 5000],
    ids=["nul", "zip", "latin-1", "deep", "digits"],
)
@pytest.mark.parametrize("name", FILES)
def test_what_is_no_toml_is_named(name, raw, tmp_path):
    path = tmp_path / f"{name}.toml"
    path.write_bytes(raw)
    assert refusal(name, path)


def test_the_projects_own_files_pass():
    assert main(["--config", str(ROOT / "study.toml")]) == 0
    assert read_toml(ROOT / "study.toml")["extensions"] == []
