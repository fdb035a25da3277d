"""The figure and the table of a search say what its files say."""

import pytest

from recprune.report import figures, tables
from recprune.report.__main__ import main
from recprune.report.evidence.searches import searches
from recprune.study.tuning.hyperparameters import write_tuned
from recprune.study.tuning.trials import Trial, write_trials

SCORES = [0.2, 0.25, None, 0.22, 0.26]


@pytest.fixture
def results(tmp_path):
    folder = tmp_path / "tuning" / "stars" / "loo"
    for model, scores in (("ease", SCORES), ("bpr", SCORES[:2])):
        done = [
            Trial(number=n, state="complete" if s else "failed", values={"l2": 1.0 + n}, score=s, seconds=2.0)
            for n, s in enumerate(scores)
        ]
        write_trials(folder / f"{model}.csv", done, "key")
        search = {
            "first_val_ndcg@10": 0.2,
            "val_ndcg@10": max(filter(None, scores)),
            "trials": len(scores),
            "seconds": 2.0 * len(scores),
        }
        search |= {"trials_budget": 5, "seconds_budget": 60.0, "space": {"l2[nu=1.0]": "1 to 9, log"}}
        write_tuned(folder / "tuned.toml", tmp_path / "lock", model, {"l2": float(len(scores))}, search)
    return tmp_path


def test_the_best_so_far_never_falls_and_seconds_add_up(results):
    [search] = searches(results)
    assert search.name == "stars-loo"
    data = search.trials
    ease = data[data["model"] == "ease"]
    assert ease["best"].tolist() == [0.2, 0.25, 0.25, 0.25, 0.26]
    assert ease["seconds"].tolist() == [2.0, 4.0, 6.0, 8.0, 10.0]


def test_every_model_has_a_panel_and_a_row(results):
    [search] = searches(results)
    figure, _ = figures.tuning(search)
    assert [ax.get_title() for ax in figure.axes if ax.get_title()] == ["BPR", "EASE"]
    table = tables.tuning(search)
    assert table.text["chosen"].tolist() == ["l2 2", "l2 5"]
    assert table.text["best"].tolist() == ["0.2500", "0.2600"]
    assert table.text["winner"].tolist() == ["trial 1", "trial 4"] and table.text["last ten"].tolist() == ["", ""]
    assert "5 trials or 60 s" in table.caption


def test_what_the_last_ten_trials_brought_and_who_was_not_improved(results):
    """Eleven trials, the best the first: of one trial the mean is expected, of all the best."""
    folder = results / "tuning" / "stars" / "loo"
    scores = [0.3, *[0.1] * 10]
    done = [Trial(number=n, state="complete", values={"l2": 1.0}, score=s, seconds=1.0) for n, s in enumerate(scores)]
    write_trials(folder / "ease.csv", done, "key")
    [search] = searches(results)
    text = tables.tuning(search).text.set_index("model")
    assert text.loc["EASE", "winner"] == "not improved"
    assert text.loc["EASE", "last ten"] == f"+{0.3 - (0.3 + 1.0) / 11:.4f}"


def test_the_command_writes_them_twice_alike(results, capsys):
    assert main(["tuning", "--results", str(results)]) == 0
    first = {path: path.read_bytes() for path in results.rglob("stars-loo/tuning.*")}
    assert len(first) == 8
    assert main(["tuning", "--results", str(results)]) == 0
    assert first == {path: path.read_bytes() for path in first}
