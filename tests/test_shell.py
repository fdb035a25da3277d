"""The shell: options are checked first, verdicts name popularity, and nothing is left behind."""

import os
import re
import signal
import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import recprune as rp
from recprune.__main__ import main
from recprune.models import EASE, FORMATS, REGISTRY, Popularity
from recprune.pruning import RECOVERIES, SCHEDULES, UNITS
from recprune.pruning.criteria import CRITERIA
from recprune.splits import PROTOCOLS

LOG = "synthetic:300x150x12000:seed=1"
ENVIRONMENT = {key: value for key, value in os.environ.items() if not key.endswith("_NUM_THREADS")}


def shell(*arguments, **options):
    return subprocess.run(
        [sys.executable, "-m", "recprune", *map(str, arguments)], capture_output=True, text=True, **options
    )


@pytest.fixture
def named(tmp_path):
    """A saved model whose users have ids like `-_u5`, and whose titles are not ASCII, or worse."""
    frame = pd.DataFrame([(f"-_u{u}", i) for u in range(30) for i in range(u % 5, 40, 3)], columns=["user", "item"])
    titles = pd.DataFrame({"title": [f"Mis\u00e9rables\n\x1b[31m {'x' * 500} {i}" for i in range(40)]}, index=range(40))
    log = rp.Interactions.from_frame(frame, item_attributes=titles)
    EASE(l2=10.0).fit(rp.split(log, core=0).train).save(tmp_path / "model")
    return tmp_path / "model"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--criterion", "size"], "unknown criterion 'size'"),
        (["--unit", "weigth"], "unknown unit 'weigth'; known: weight"),
        (["--schedule", "oneshot"], "unknown schedule 'oneshot'"),
        (["--recovery", "finetune"], "unknown recovery 'finetune'"),
        (["--recovery", "rewind"], "recovery 'rewind' does not apply to ease; known: none, refit"),
        (["--keep", "0"], "keep is 0.0; a share greater than 0"),
        (["--bytes", "0"], "bytes is 0; a number from 1 on"),
        (["--max-bytes", "0"], "bytes is 0; a number from 1 on"),
        (["--keep", "0.5", "--max-bytes", "9"], "one budget is needed"),
        (["--keep", "0.5", "--max-ms", "9"], "one budget is needed"),
        (["--max-ms", "0"], "max_ms is 0.0; a number of milliseconds greater than 0"),
        (["--max-ms", "nan"], "max_ms is nan"),
        (["--max-ms", "1", "--max-bytes", "0"], "bytes is 0; a number from 1 on"),
        (["--max-ms", "1", "--values", "int9"], "unknown values 'int9'"),
        (["--criterion", "zero-reset"], "removes everything"),
        (["--model", "ials", "--unit", "neuron"], "does not apply to ials"),
        (["--model", "eaze"], "unknown model 'eaze'"),
        (["--values", "int9"], "unknown values 'int9'; known: float32, float16, int8, int4, auto"),
        (["--values", "int8,int9"], "unknown values 'int9'; known: float32, float16, int8, int4"),
        (["--keep", "0.5", "--values", "auto"], "values is 'auto', and keep does not choose among formats"),
        (["--max-loss", "nan"], "max_loss is nan"),
        (["--set", "l2=-1"], "ease: l2: -1.0; a number from 0 on is needed"),
        (["--protocol", "weekly"], "unknown protocol 'weekly'"),
        (["--seed", "-1"], "seed is -1"),
        (["--core", "-1"], "core is -1"),
        (["--min-rating", "nan"], "min_rating is nan"),
        (["--columns", "users=uid"], "'users' is unknown; known: "),
        (["--columns", "user="], "COLUMNS: user= leaves user out; these can be: rating, timestamp, event, weight"),
    ],
)
def test_options_are_checked_before_the_log_is_read(arguments, words, tmp_path, capsys):
    """The log does not exist, and that is not what is said."""
    assert main(["prune", str(tmp_path / "nowhere.csv"), *arguments, "--out", str(tmp_path / "small")]) == 1
    said = capsys.readouterr().err
    assert words in said and "nowhere" not in said
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_is_taken_is_named_before_the_log_is_read(tmp_path, capsys):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "model.json").write_text('{"class_name": "Sequential"}')
    (tmp_path / "mine" / "thesis.txt").write_text("months of work")
    for out in ("mine", "mine/thesis.txt"):
        assert main(["prune", "nowhere.csv", "--out", str(tmp_path / out)]) == 1
        assert "nowhere" not in capsys.readouterr().err
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "months of work"


def test_the_verdict_stands_beside_popularity(tmp_path, capsys):
    assert main(["prune", LOG, "--keep", "0.3", "--out", str(tmp_path / "m")]) == 0
    printed = capsys.readouterr().out
    split = rp.split(rp.load(LOG, quiet=True))
    popular = rp.evaluate(Popularity().fit(split.train), split, k=(10,)).mean
    lines = {line[:24].strip(): line[24:].split() for line in printed.splitlines()}
    assert lines[""] == ["popularity", "dense", "pruned", "pruned/dense"]
    assert lines["nDCG@10 on test"][0] == f"{popular['ndcg@10']:.4f}"
    assert lines["coverage@10 on test"][0] == f"{popular['coverage@10']:.4f}"
    assert "warning" not in printed


def test_the_command_is_the_module():
    """`recprune` and `python -m recprune` are one function; the version is the package's."""
    project = tomllib.loads((Path(rp.__file__).parents[1] / "pyproject.toml").read_text())["project"]
    module, name = project["scripts"]["recprune"].split(":")
    assert getattr(import_module(module), name).__name__ == "console" and module == "recprune.__main__"
    assert project["version"] == rp.__version__


def test_the_version_is_told(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0 and capsys.readouterr().out == f"recprune {rp.__version__}\n"


def test_help_lists_every_choice_and_no_other(capsys):
    with pytest.raises(SystemExit):
        main(["prune", "--help"])
    words = {word.strip(",;.()") for word in re.sub(r"-\s+", "-", capsys.readouterr().out).split()}
    rules = {name for name, rule in CRITERIA.items() if rule.parameters} - {"zero-reset"}
    for known in (rules, UNITS, SCHEDULES, RECOVERIES, FORMATS, PROTOCOLS, set(REGISTRY) - {"popularity", "random"}):
        assert set(known) <= words
    dashed = {word for word in words if re.fullmatch(r"[a-z]+(-[a-z0-9]+)+", word)}
    names = {*rules, *UNITS, *SCHEDULES, *RECOVERIES, *REGISTRY}
    assert dashed - names == {"hyper-parameter", "ml-100k"}


def test_a_limit_of_time_is_kept_by_the_dense_model_where_it_can(tmp_path, capsys):
    """No clock decides: a minute is enough for any of them, and a picosecond for none."""
    arguments = ["prune", LOG, "--model", "ials", "--values", "float32", "--out", str(tmp_path / "m")]
    assert main([*arguments, "--max-ms", "60000"]) == 0
    assert "100.00% of the factors, values in float32, the largest within 60000 ms" in capsys.readouterr().out
    assert main([*arguments, "--max-ms", "60000", "--max-bytes", "60000", "--max-loss", "0.9"]) == 0
    small = rp.load_model(tmp_path / "m")
    assert 30000 < rp.footprint(small).bytes_disk <= 60000
    assert main([*arguments[:-1], str(tmp_path / "none"), "--max-ms", "1e-9"]) == 1
    assert "more time is needed, or another unit" in capsys.readouterr().err
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    ("arguments", "formats", "said"),
    [
        ([], rp.models.FORMATS, "the smallest within a loss of 0.01 on validation"),
        (["--max-bytes", "9000"], rp.models.FORMATS, "the best on validation within 9,000 bytes"),
        (["--max-loss", "0.5", "--max-bytes", "9000"], rp.models.FORMATS, "within 9,000 bytes and a loss of 0.5"),
        (["--values", "int4,int8", "--max-loss", "0.2"], ("int8", "int4"), "the smallest within a loss of 0.2"),
        (["--values", "int8", "--keep", "0.3"], ("int8",), "30.00% of the weights, values in int8"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_the_format_of_the_values_is_chosen_saved_and_said(arguments, formats, said, tmp_path, capsys):
    """The last line names the choice; what is saved is in that format, and its bytes are those of the table."""
    assert main(["prune", LOG, "--set", "l2=50", *arguments, "--out", str(tmp_path / "m")]) == 0
    *lines, last, after = capsys.readouterr().out.splitlines()
    assert after.startswith(f"open {tmp_path / 'm'}: recprune recommend {tmp_path / 'm'} --user ")
    small = rp.load_model(tmp_path / "m")
    shown = {line[:24].strip(): line[24:].split() for line in lines}
    assert shown["values"] == ["float32", "float32", small.values] and small.values in formats
    assert shown["bytes on disk"][2] == f"{rp.footprint(small).bytes_disk:,}"
    assert shown["bytes in memory"][2] == f"{rp.footprint(small).bytes_memory:,}"
    assert f"values in {small.values}" in last and said in last
    assert (f"(of {', '.join(formats)})" in last) == (len(formats) > 1)
    if "--max-bytes" in arguments:
        assert rp.footprint(small).bytes_disk <= 9000


def test_what_popularity_beats_is_not_called_safe(tmp_path, capsys):
    """Every user chooses by popularity alone: there is nothing that a model could know besides."""
    rng = np.random.default_rng(0)
    share = 1 / np.arange(1, 81)
    pairs = [(u, i) for u in range(400) for i in rng.choice(80, 20, replace=False, p=share / share.sum())]
    pd.DataFrame(pairs, columns=["user", "item"]).to_csv(tmp_path / "log.csv", index=False)
    arguments = ["prune", str(tmp_path / "log.csv"), "--model", "item-knn", "--keep", "0.5"]
    assert main([*arguments, "--out", str(tmp_path / "m")]) == 0
    printed = capsys.readouterr().out
    assert "warning: the dense model does not beat popularity" in printed
    assert "warning: the pruned model does not beat popularity" in printed


def test_an_id_may_begin_with_a_dash(named, capsys):
    for arguments in (["--user", "-_u5"], ["--user=-_u5"]):
        assert main(["recommend", str(named), *arguments, "-k", "2"]) == 0
        assert len(capsys.readouterr().out.splitlines()) == 2


def test_k_is_checked_before_the_model_is_read(tmp_path, capsys):
    assert main(["recommend", str(tmp_path), "--user", "5", "-k", "0"]) == 1
    assert "-k is 0; at least 1" in capsys.readouterr().err


@pytest.mark.slow
def test_a_terminal_gets_what_it_can_show(named):
    for encoding in ("ascii", "latin-1", "utf-8"):
        terminal = {"encoding": encoding, "env": ENVIRONMENT | {"PYTHONIOENCODING": encoding}}
        done = shell("recommend", named, "--user", "-_u5", "-k", "3", **terminal)
        assert done.returncode == 0, done.stderr
        lines = done.stdout.splitlines()
        assert len(lines) == 3 and "\x1b" not in done.stdout and max(map(len, lines)) < 150
        assert ("Mis?rables" if encoding == "ascii" else "Mis\u00e9rables") in done.stdout


@pytest.mark.slow
def test_who_reads_only_the_first_line_gets_it(named):
    command = f"{sys.executable} -m recprune recommend {named} --user -_u5 | head -n 1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True)
    assert done.returncode == 0 and done.stderr == "loading ...\n" and done.stdout.count("\n") == 1


@pytest.mark.slow
def test_each_library_has_one_thread():
    script = (
        "import recprune.__main__ as m; m.main(['doctor']); import torch; print('threads', torch.get_num_threads())"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=ENVIRONMENT)
    assert done.stdout.splitlines()[-1] == "threads 1", done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interruption_leaves_nothing_behind(tmp_path, number):
    """Interrupted in training, as the first line about the split says it has begun."""
    arguments = [
        "prune",
        "synthetic:400x200x15000",
        "--model",
        "neumf",
        "--set",
        "epochs=10000",
        "--set",
        "patience=9999",
    ]
    running = subprocess.Popen(
        [sys.executable, "-m", "recprune", *arguments, "--out", str(tmp_path / "m")],
        stderr=subprocess.PIPE,
        text=True,
        env=ENVIRONMENT,
    )
    for line in running.stderr:
        if "after filtering" in line:
            break
    running.send_signal(number)
    _, said = running.communicate(timeout=120)
    assert running.returncode == 130 and "interrupted: nothing was written" in said
    assert list(Path(tmp_path).iterdir()) == []


IN_A_DESTRUCTOR = """
import signal, sys, time
from recprune import __main__ as command
from recprune.shell import doctor

class Interrupted:
    def __del__(self):
        signal.raise_signal(signal.SIGINT)

def run(options):
    Interrupted()
    time.sleep(60)
    return 0

doctor.run = run
sys.argv = ["recprune", "doctor"]
command.console()
"""


def test_an_interruption_in_a_destructor_is_not_lost():
    done = subprocess.run(
        [sys.executable, "-c", IN_A_DESTRUCTOR], capture_output=True, text=True, env=ENVIRONMENT, timeout=50
    )
    assert (done.returncode, done.stderr) == (130, "interrupted: nothing was written\n")
