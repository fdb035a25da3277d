"""The names that programs outside this repository use, and the shell."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

import recprune as rp
from recprune.__main__ import main


@pytest.fixture(scope="module")
def ratings(tmp_path_factory, log):
    """A log of one's own, with other column names."""
    path = tmp_path_factory.mktemp("own") / "stars.csv"
    names = np.char.add("reader-", log.users[log.user].astype(str))
    frame = pd.DataFrame({"uid": names, "iid": log.items[log.item], "stars": log.rating, "ts": log.timestamp})
    frame.sample(frac=1, random_state=0).to_csv(path, index=False)
    return path


def test_the_ten_lines_of_the_readme(ratings, tmp_path):
    log = rp.load(str(ratings), user="uid", item="iid", rating="stars", timestamp="ts")
    split = rp.split(log, protocol="ratio", seed=0, min_rating=3, core=5)
    model = rp.models.EASE(l2=50.0).fit(split.train, validation=split.validation, seed=0)
    report = rp.evaluate(model, split, on="test", k=(10, 20, 100))
    pruned = rp.prune(
        model, split, criterion="magnitude", unit="weight", keep=0.1, schedule="one-shot", recovery="refit", seed=0
    )
    small = pruned.compact()
    small.save(tmp_path / "model/")
    small = rp.load_model(tmp_path / "model/")
    items = small.recommend(np.arange(5), k=20)
    less = rp.prune_samples(split, criterion="stratified", keep=0.5, seed=0)
    cost = rp.footprint(small)
    assert isinstance(report.mean["ndcg@10"], float)
    assert report.per_user["ndcg@10"].shape == (split.n_users,)
    assert items.shape == (5, 20)
    assert less.train.nnz == round(split.train.nnz / 2)
    assert cost.bytes_disk > 0 and cost.bytes_memory > 0 and cost.parameters >= cost.nonzeros > 0 and cost.macs > 0
    for part in (split.train, split.validation, split.test):
        assert part.shape == (split.n_users, split.n_items) == part.toarray().shape
        assert part.nnz == part.tocsr().nnz


def test_evaluate_takes_anything_that_scores(ratio):
    class Mine:
        def score(self, users):
            return np.random.default_rng(0).random((len(users), ratio.n_items))

    assert 0 <= rp.evaluate(Mine(), ratio).mean["ndcg@10"] <= 1


def test_registered_names():
    assert {"popularity", "random", "item-knn", "ials", "bpr", "ease", "neumf", "mult-vae"} <= set(rp.models.REGISTRY)
    assert {"random", "stratified", "magnitude", "principal-axes", "zero-reset"} <= set(rp.CRITERIA)
    with pytest.raises(AttributeError, match="no attribute 'prun'"):
        _ = rp.prun


def test_what_is_listed_is_there():
    for name in rp.__all__:
        assert getattr(rp, name) is not None
        assert name in dir(rp)


def test_prune_and_recommend_from_the_shell(ratings, tmp_path, capsys):
    columns = "user=uid item=iid rating=stars timestamp=ts"
    out = tmp_path / "small"
    assert (
        main(
            [
                "prune",
                str(ratings),
                "--columns",
                columns,
                "--core",
                "5",
                "--set",
                "l2=50",
                "--max-loss",
                "0.05",
                "--out",
                str(out),
            ]
        )
        == 0
    )
    printed = capsys.readouterr().out
    assert "nDCG@10 on test" in printed and "95 % interval" in printed
    assert main(["recommend", str(out), "--user", "reader-7", "-k", "5"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 5
    model = rp.load_model(out)
    code = model.users.tolist().index("reader-7")
    assert [int(line.split()[2]) for line in lines] == model.items[model.recommend([code], 5)[0]].tolist()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["prune", "nowhere.csv"], "nowhere.csv"),
        (["prune", "synthetic", "--model", "svd"], "unknown model 'svd'; known: popularity"),
        (["prune", "synthetic", "--criterion", "size"], "unknown criterion 'size'"),
        (["prune", "synthetic", "--keep", "1.5"], "keep is 1.5; a share greater than 0 and at most 1"),
        (["prune", "synthetic", "--max-loss", "2"], "max_loss is 2.0"),
        (["prune", "synthetic", "--set", "l2"], "not of the form NAME=VALUE"),
        (["prune", "synthetic", "--set", "lambda=3"], "unknown hyper-parameter 'lambda'; known: l2"),
        (["prune", "synthetic", "--protocol", "weekly"], "unknown protocol 'weekly'; known: ratio"),
    ],
)
def test_bad_arguments_name_the_value_and_write_nothing(arguments, message, tmp_path, capsys):
    out = tmp_path / "small"
    assert main([*arguments, "--out", str(out)]) == 1
    assert message in capsys.readouterr().err
    assert not out.exists()


def test_an_unknown_user_or_model_is_named(tmp_path, capsys):
    assert main(["recommend", str(tmp_path), "--user", "1"]) == 1
    assert "no saved model here" in capsys.readouterr().err
    assert main(["prune", "synthetic", "--keep", "0.2", "--out", str(tmp_path / "m")]) == 0
    assert main(["recommend", str(tmp_path / "m"), "--user", "nobody"]) == 1
    assert "no user 'nobody' among its" in capsys.readouterr().err


@pytest.mark.slow
def test_the_module_runs_and_explains_itself():
    help_ = subprocess.run(
        [sys.executable, "-m", "recprune", "--help"], capture_output=True, text=True, check=True
    ).stdout
    assert all(word in help_ for word in ("doctor", "prune", "recommend", "ratings.csv"))
    wrong = subprocess.run([sys.executable, "-m", "recprune", "plune"], capture_output=True, text=True)
    assert wrong.returncode == 2


def test_importing_recprune_needs_no_torch():
    """The launcher of runs starts a hundred times: it must not pay for what only kernels use."""
    code = "import sys, recprune, recprune.study.execution.run; print('torch' in sys.modules, 'pandas' in sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.split() == ["False", "False"]
