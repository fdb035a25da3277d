"""study.toml: what is not understood is refused, with the file, the key and what is accepted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recprune.cells.columns import parse_columns
from recprune.cells.names import REGISTRIES, known
from recprune.cells.parameters import Parameters
from recprune.datasets.naming import name_of
from recprune.errors import StudyError
from recprune.pruning import CRITERIA
from recprune.study.identity import data_identity
from recprune.study.load import load_study

GOOD = """
[study.main]
dataset = "ml-100k"
protocol = "ratio"
min_rating = 3
core = 10
seeds = [0, 1]
models = ["ease", "ials"]

[[study.main.runs]]
notebook = "10-dense"

[[study.main.runs]]
notebook = "21-prune-weights"
models = ["ease"]
unit = "weight"
criterion = ["random", "magnitude"]
schedule = "one-shot"
recovery = ["none", "refit"]
keep = [0.5, 0.1]

[hyperparameters.default.ease]
l2 = 250.0

[hyperparameters.ml-100k.ease]
l2 = 300
"""


@pytest.fixture
def study(tmp_path):
    def load(text=GOOD, name="main", **options):
        (tmp_path / "study.toml").write_text(text)
        return load_study(tmp_path / "study.toml", name, **options)

    return load


def test_a_family_is_a_run_for_each_model_and_listed_value(study):
    ids = [run.id for run in study().runs()]
    assert ids == [
        "ml-100k/ratio/ease/dense",
        "ml-100k/ratio/ials/dense",
        *(f"ml-100k/ratio/ease/{c}-{r}" for c in ("random", "magnitude") for r in ("none", "refit")),
    ]
    assert [run.needs for run in study().runs()] == ["none"] * 2 + ["dense"] * 4


SEVERAL = (
    GOOD.replace('protocol = "ratio"', 'protocols = ["strong", "ratio", "loo"]')
    + """
[[study.main.runs]]
notebook = "11-protocols"
method = "protocols"
models = []
needs = "study"
"""
)


def test_a_run_that_needs_the_study_is_one_for_all_protocols(study):
    runs = study(SEVERAL).runs()
    assert [run.id for run in runs if run.needs == "study"] == ["ml-100k/strong/all/protocols"]
    assert len(runs) == 3 * 6 + 1


def test_a_family_may_have_seeds_of_its_own(study):
    text = GOOD.replace('"10-dense"\n', '"10-dense"\nseeds = [0, 1, 2]\n', 1)
    seeds = {run.id.split("/")[-1]: run.parameters.seeds for run in study(text).runs()}
    assert seeds["dense"] == (0, 1, 2) and seeds["magnitude-none"] == (0, 1)
    with pytest.raises(
        StudyError, match=r"random-refit has seeds \[3\], which ml-100k/ratio/ease/dense does not train"
    ):
        study(
            GOOD.replace("keep = [0.5, 0.1]", "keep = [0.5]\nseeds = [0, 3]").replace(
                '["none", "refit"]', '["refit", "none"]'
            )
        )


def test_filters_are_the_protocols_own_until_they_are_given(study):
    assert [(run.parameters.min_rating, run.parameters.core) for run in study().runs()] == [(3.0, 10)] * 6
    free = study(GOOD.replace("min_rating = 3\ncore = 10\n", ""))
    assert {(run.parameters.min_rating, run.parameters.core) for run in free.runs()} == {(None, None)}


def test_the_data_sets_profile_overrides_the_default_one(study):
    assert study().hyperparameters.of("ml-100k", "ease") == {"l2": 300}
    assert study().hyperparameters.of("/somewhere/ml-1m.csv", "ease") == {"l2": 250.0}
    assert study().hyperparameters.of("ml-100k", "ials") == {}


def test_another_data_set_and_some_models(study):
    runs = study(dataset="/logs/my shop.csv.gz", columns={"user": "uid"}, models=["ease"]).runs()
    assert {run.id.split("/")[0] for run in runs} == {"my-shop"}
    assert {run.parameters.model for run in runs} == {"ease"}
    assert runs[0].parameters.columns == {"user": "uid"}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("core = 10", "cores = 10", r"study\.main: unknown key 'cores'; accepted: .*core"),
        ("core = 10", 'core = "10"', r"study\.main\.core: '10' is a str; an int is needed"),
        ("core = 10", "core = true", r"study\.main\.core: True is a bool"),
        ("core = 10", "core = -1", "core: -1"),
        ("core = 10", 'device = "gpu"', r"study\.main\.device: 'gpu' is unknown; known: auto, cpu, cuda"),
        ("seeds = [0, 1]", "seeds = [0, 1.5]", r"study\.main\.seeds: 1\.5 is a float"),
        ("seeds = [0, 1]", "seeds = []", r"study\.main\.seeds: one value or more"),
        ("seeds = [0, 1]", "seeds = [1, 1]", "seeds"),
        ("seeds = [0, 1]", "", "`seeds` is missing"),
        ('protocol = "ratio"', 'protocol = "random"', "protocol: 'random' is unknown; known: .*ratio"),
        ('["ease", "ials"]', '["ease", "als"]', "models: 'als' is unknown; known: .*ials"),
        ('models = ["ease"]\n', 'models = ["esae"]\n', r"runs\[2\]\.models: 'esae' is unknown"),
        ('unit = "weight"', 'unit = "wieght"', r"runs\[2\]\.unit: 'wieght' is unknown; known: .*weight"),
        ('"magnitude"]', '"magnitud"]', r"runs\[2\]\.criterion: 'magnitud' is unknown; known: .*magnitude"),
        ('"one-shot"', '"once"', r"runs\[2\]\.schedule: 'once' is unknown; known: .*one-shot"),
        ('"refit"]', '"heal"]', r"runs\[2\]\.recovery: 'heal' is unknown; known: .*refit"),
        ("[0.5, 0.1]", "[0.5, 0]", r"runs\[2\]\.keep: 0\.0 is outside \(0, 1\]"),
        ("[0.5, 0.1]", "[1.5]", r"runs\[2\]\.keep: 1\.5 is outside \(0, 1\]"),
        ("[0.5, 0.1]", "0.5", r"runs\[2\]\.keep: 0\.5 is not a list"),
        ("[0.5, 0.1]", "[0.5, 0.5]", "keep: .* names a share twice"),
        (
            '"10-dense"',
            '"10-dense"\nneeds = "dens"',
            r"runs\[1\]\.needs: 'dens' is unknown; known: all, dense, none, study",
        ),
        ('"10-dense"', '"10-dense"\nmethod = "a b"', r"runs\[1\]\.method: 'a b'"),
        ('notebook = "10-dense"', "", r"runs\[1\]: `notebook` is missing"),
        ("l2 = 250.0", "L2 = 250.0", r"hyperparameters\.default\.ease of ease: 'L2' is unknown; known: .*l2"),
        ("default.ease", "default.eese", r"hyperparameters\.default: 'eese' is unknown"),
        ("[hyperparameters.default.ease]\nl2 = 250.0", "hyperparameters.default = 3", "hyperparameters.*"),
        ("[study.main]", "[studies.main]", "the top level: unknown key 'studies'|study: 'main'|not TOML"),
        ("core = 10", "core = ", "not TOML"),
    ],
)
def test_mistakes_are_named(study, old, new, message):
    assert old in GOOD
    with pytest.raises(StudyError, match=r"study\.toml: .*" + message):
        study(GOOD.replace(old, new, 1))


NAMED = """
[shares]
few = [0.5, 0.1]
[criteria]
compared = ["random", "magnitude"]
[models]
closed = ["ease", "ials"]
[values]
packed = ["float32", "int8"]

[notebook.21-prune-weights]
method = "weight"
unit = "weight"
schedule = "one-shot"
keep = "few"

[study.main]
dataset = "synthetic"
protocol = "ratio"
seeds = [0]
models = ["closed", "tree"]
runs = [
  { notebook = "10-dense" },
  { notebook = "21-prune-weights", recovery = "none", runs = [
    { models = ["ease"], criterion = ["compared", "taylor"] },
    { models = "closed", method = "refitted", criterion = "compared", recovery = "refit", keep = [0.2] },
  ] },
]
"""


def test_a_name_stands_for_its_list_and_a_notebook_has_defaults(study):
    runs = {run.id.removeprefix("synthetic/ratio/"): run.parameters for run in study(NAMED).runs()}
    assert set(runs) == {
        *(f"{model}/dense" for model in ("ease", "ials", "tree")),
        *(f"ease/weight-{name}" for name in ("random", "magnitude", "taylor")),
        *(f"{model}/refitted-{name}" for model in ("ease", "ials") for name in ("random", "magnitude")),
    }
    taylor, refitted = runs["ease/weight-taylor"], runs["ials/refitted-random"]
    assert (taylor.unit, taylor.keep, taylor.recovery) == ("weight", (0.5, 0.1), "none")
    assert (refitted.unit, refitted.keep, refitted.recovery) == ("weight", (0.2,), "refit")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"float32", "int8"', '"float32", "int9"', r"values\.packed: 'int9' is unknown; known: .*int8"),
        ("packed = ", "int8 = ", r"values\.int8: a value format has this name"),
        ('keep = "few"', 'keep = "fwe"', r"notebook\.21-prune-weights\.keep: 'fwe' is unknown; known: few"),
        (
            'models = "closed", m',
            'models = "clsd", m',
            r"runs\[2\]\.runs\[2\]\.models: 'clsd' is unknown; known: closed",
        ),
        ('"compared", "taylor"', '"compard", "taylor"', r"runs\[2\]\.runs\[1\]\.criterion: 'compard' is unknown"),
        ('compared = ["random"', 'compared = ["rndom"', r"criteria\.compared: 'rndom' is unknown; known: .*random"),
        ("compared = ", "taylor = ", r"criteria\.taylor: a criterion has this name"),
        ("few = [0.5, 0.1]", 'few = [0.5, "0.1"]', r"shares\.few: '0\.1' is a str; a float is needed"),
        ('method = "weight"', 'methods = "weight"', r"notebook\.21-prune-weights: unknown key 'methods'"),
        ("[models]", "[modles]", "the top level: unknown key 'modles'"),
        ('recovery = "none", runs', 'recvery = "none", runs', r"runs\[2\]: unknown key 'recvery'"),
    ],
)
def test_mistakes_in_named_lists_and_defaults_are_named(study, old, new, message):
    assert old in NAMED
    with pytest.raises(StudyError, match=r"study\.toml: .*" + message):
        study(NAMED.replace(old, new, 1))


RULE = """
from recprune.pruning import Criterion, register

told = dict(label="Mine", kind="score", summary="", source="", units=("weight",), parameters=print)
register(Criterion(name="{name}", **told))
"""


def test_value_formats_are_cells_of_one_run(study):
    text = NAMED.replace('keep = "few"', 'keep = "few"\nvalues = ["float32", "int8"]')
    ids = {run.id: run.parameters for run in study(text.replace("values = [", 'values = "packed" # [')).runs()}
    assert set(ids) == {run.id for run in study(NAMED).runs()}
    assert ids["synthetic/ratio/ease/weight-taylor"].values == ("float32", "int8")
    assert ids["synthetic/ratio/ease/dense"].values == ("float32",)
    for wrong, message in (('"int9"', "'int9' is unknown; known: float16"), ('"int8"', "lacks 'float32'")):
        with pytest.raises(StudyError, match=rf"notebook\.21-prune-weights\.values: .*{message}"):
            study(text.replace('values = ["float32", "int8"]', f"values = [{wrong}]"))


def test_an_extension_is_loaded_before_names_are_checked(study, tmp_path):
    text = 'extensions = ["my_rule.py"]\n' + NAMED.replace('"compared", "taylor"', '"compared", "config-mine"')
    with pytest.raises(StudyError, match=r"study\.toml: .*my_rule\.py: there is no such file"):
        study(text)
    (tmp_path / "my_rule.py").write_text(RULE.format(name="config-mine"))
    try:
        found = study(text)
        assert "synthetic/ratio/ease/weight-config-mine" in {run.id for run in found.runs()}
        assert found.extensions == (str(tmp_path / "my_rule.py"),)
    finally:
        CRITERIA.pop("config-mine", None)  # a registry is everybody's


def test_two_runs_of_one_name_are_refused(study):
    with pytest.raises(StudyError, match="two runs are named ml-100k/ratio/ease/dense"):
        study(GOOD + '[[study.main.runs]]\nnotebook = "11-dense"\n')


def test_unknown_study_model_and_file(study, tmp_path):
    with pytest.raises(StudyError, match="study: 'fast' is unknown; known: main"):
        study(name="fast")
    with pytest.raises(StudyError, match="MODELS: 'bpr' is unknown; known: ease, ials"):
        study(models=["bpr"])
    with pytest.raises(StudyError, match="nowhere.toml: there is no such file"):
        load_study(tmp_path / "nowhere.toml", "main")


@pytest.mark.parametrize(
    "wrong",
    [
        {"keep": [0.0]},
        {"keep": [1.01]},
        {"keep": 0.5},
        {"seeds": []},
        {"seeds": [-1]},
        {"seeds": ["0"]},
        {"core": 1.5},
        {"core": True},
        {"model": "als"},
        {"protocol": ""},
        {"criterion": "magic"},
        {"columns": {"buyer": "uid"}},
        {"model": "ease", "hyperparameters": {"lambda": 1}},
    ],
    ids=str,
)
def test_parameters_refuse_the_same_inside_the_notebook(wrong):
    with pytest.raises(StudyError):
        Parameters(**wrong)


@given(st.lists(st.floats(1e-6, 1), unique=True), st.lists(st.integers(0, 10**6), unique=True, min_size=1))
def test_parameters_survive_papermill(keep, seeds):
    p = Parameters(model="ease", keep=keep, seeds=seeds, hyperparameters={"l2": 1.5})
    assert Parameters(**p.mapping()) == p
    assert Parameters.collect(p.mapping() | {"something": "else"}) == p


@given(st.text(min_size=1))
def test_a_data_sets_name_is_safe_in_make_and_in_folders(text):
    name = name_of(f"/nowhere/{text}")
    assert name and not set(name) & set(" \t\n/:=#$%*?()'\"\\|;&<>~`") and name not in (".", "..")
    assert name_of(f"/nowhere/{name}.csv.gz") == name_of(f"/nowhere/{name}")


def test_names_of_data_sets():
    assert name_of("ml-100k") == "ml-100k"
    assert name_of("/a b/ml-1m-ratings.csv.gz") == "ml-1m"
    assert name_of("synthetic:400x300x20000") == "synthetic-400x300x20000"


def test_of_a_folder_only_the_files_of_a_log_count(tmp_path):
    (tmp_path / "log").mkdir()
    (tmp_path / "log" / "ratings.csv").write_text("user,item\n1,2\n")
    name = name_of(str(tmp_path / "log"))
    (tmp_path / "log" / "thesis.txt").write_text("months of work")
    assert name_of(str(tmp_path / "log")) == name
    (tmp_path / "log" / "movies.csv").write_text("item,title\n2,Heat\n")
    assert name_of(str(tmp_path / "log")) != name
    assert name_of(str(tmp_path)) == tmp_path.name, "a folder without a log has no content"


def test_a_folder_called_synthetic_does_not_change_the_name_of_the_data_set(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "synthetic").mkdir()
    (tmp_path / "synthetic" / "ratings.csv").write_text("user,item\n1,2\n")
    assert name_of("synthetic") == "synthetic"
    assert data_identity("synthetic") == "name:synthetic"
    assert name_of("./synthetic") != "synthetic"


def test_columns_of_the_command_line():
    assert parse_columns("user=uid item='Item Id' events=view:1,buy:5") == {
        "user": "uid",
        "item": "Item Id",
        "events": {"view": 1.0, "buy": 5.0},
    }
    assert parse_columns("") == {}
    for wrong in ("uid", "buyer=uid", "user=", "events=view"):
        with pytest.raises(StudyError, match="COLUMNS"):
            parse_columns(wrong)


def test_every_kind_of_name_is_registered():
    assert all(len(known(parameter)) > 0 for parameter in REGISTRIES)


def test_a_study_like_another_has_its_runs_with_its_own_seeds(tmp_path):
    path = tmp_path / "study.toml"
    path.write_text(
        '[study.main]\ndataset = "synthetic"\nprotocol = "ratio"\nseeds = [0, 1]\nmodels = ["ease"]\n'
        '[[study.main.runs]]\nnotebook = "10-dense"\nmethod = "dense"\nseeds = [0]\n'
        '[study.full]\nlike = "main"\n'
        '[[study.full.runs]]\nnotebook = "12-controls"\nmethod = "controls"\nkeep = [0.5]\n'
    )
    runs = {run.parameters.method: run.parameters.seeds for run in load_study(path, "full").runs()}
    assert runs == {"dense": (0, 1), "controls": (0, 1)}
    assert [run.parameters.seeds for run in load_study(path, "main").runs()] == [(0,)]
    path.write_text('[study.full]\nlike = "main"\n')
    with pytest.raises(StudyError, match="study.full.like: 'main' is unknown"):
        load_study(path, "full")
