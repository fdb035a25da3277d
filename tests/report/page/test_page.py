import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from urllib.parse import unquote

import nbformat
import numpy as np
import pandas as pd
import pytest
from fake_cells import fake_cells
from fake_page import DATASET, KEY, METHOD, fake_claims, fake_notebook, fake_page, fake_rows, in_int8
from nbformat import v4
from PIL import Image

from recprune.cells import further
from recprune.evaluation.intervals import lower_among
from recprune.report import Evidence
from recprune.report.page import choice, formulas, notebooks
from recprune.report.page import data as of_page
from recprune.report.page.data import to_json
from recprune.report.page.views import table_view


def page_data(rows, notebooks):
    return of_page.page_data(Evidence.of(rows).studies, notebooks)


def ranked(rows):
    return choice.ranked(Evidence.of(rows).studies)


VOID = {"img", "meta", "input", "link", "br"}


class Page(HTMLParser):
    """Every tag with its attributes, and whether each that was opened was closed."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.open = [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def values(self, *names):
        return [value for _, attributes in self.tags for name, value in attributes.items() if name in names]


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("results")
    fake_notebook(folder)
    fake_page(folder)
    return folder


@pytest.fixture(scope="module")
def text(results):
    return (results / "report" / "index.html").read_text()


def data_of(text):
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.S)[1])


# -- the file


def test_the_same_rows_give_the_same_bytes(results, text, tmp_path):
    fake_notebook(tmp_path)
    rows = fake_rows().sample(frac=1, random_state=0)
    assert fake_page(tmp_path, rows.sort_index()) == text
    page = results / "report" / "notebooks" / "main" / "odd" / "ratio" / "ease" / f"{METHOD}.html"
    assert (tmp_path / page.relative_to(results)).read_bytes() == page.read_bytes()


def test_nothing_is_fetched(results, text):
    for file in [text, *(path.read_text() for path in (results / "report").rglob("notebooks/**/*.html"))]:
        page = Page(file)
        inside = re.compile(r"data:|\.\./figures/[^:]+\.png$")
        assert not [value for value in page.values("src", "srcset", "data", "action") if not inside.match(value)]
        assert not [value for value in page.values("href") if re.match(r"(\w+:)?//", value)]
        assert not page.open
    assert "default-src 'none'" in text
    for name in Page(text).values("href"):
        if name.startswith("notebooks/"):
            assert (results / "report" / unquote(name)).exists()


def policy_of(text):
    """The directives of a page's content policy, name -> what it allows."""
    (found,) = [a["content"] for _, a in Page(text).tags if a.get("http-equiv") == "Content-Security-Policy"]
    parts = [directive.split() for directive in found.split(";")]
    return {name: set(allowed) for name, *allowed in parts}


def test_only_the_scripts_of_the_page_may_run(results, text):
    scripts = re.findall(r"<script>(.*?)</script>", text, re.S)
    hashes = {base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts}
    assert policy_of(text)["script-src"] == {f"'sha256-{known}'" for known in hashes}
    assert len(scripts) == text.count("<script") - 1  # the data are no script
    pages = [path.read_text() for path in (results / "report" / "notebooks").rglob("*.html")]
    assert pages
    for page in pages:
        assert policy_of(page)["script-src"] == {"'none'"}
        assert policy_of(page)["img-src"] == {"data:"}
    assert policy_of(text)["img-src"] == {"data:", "'self'", "file:"}, "no address of a network"
    for page in (text, *pages):
        policy = policy_of(page)
        assert all(policy[name] == {"'none'"} for name in ("default-src", "base-uri", "form-action"))


def test_pictures_lie_beside_the_page_and_links_lead_to_what_is_there(results, text):
    page = Page(text)
    pictures = [attributes for tag, attributes in page.tags if tag == "img"]
    assert len(pictures) == 2
    for picture in pictures:
        with Image.open(results / "report" / unquote(picture["src"])) as image:
            assert image.size == (int(picture["width"]), int(picture["height"]))
        assert picture["loading"] == "lazy" and picture["alt"] == "A <figure>"
    files = [href for href in page.values("href") if href.startswith(("../figures", "../tables"))]
    assert set(files) == {picture["src"] for picture in pictures}, "only pictures were written"
    (results / "figures" / "b-c" / "figure.png").write_bytes(b"an older one")
    assert fake_page(results) == text
    with Image.open(results / "figures" / "b-c" / "figure.png") as image:
        assert image.size == (540, 360)


def test_the_page_names_the_files_that_have_rows(tmp_path):
    rows = fake_rows()
    for place in ("larger/audits", "larger/cells"):
        (tmp_path / place).mkdir(parents=True)
        (tmp_path / place / "cells.csv").write_text("dataset\n")
    rows.to_csv(tmp_path / "larger" / "cells" / "cells.csv", index=False)
    audit = {"dataset": "odd", "protocol": "ratio", "kind": "membership", "model": "ease", "family": "cf"}
    audit |= {"side": "dense", "seed": 0, "measure": "auc", "value": 0.5}
    further.write_further(tmp_path / "larger" / "audits", pd.DataFrame([audit]))
    further.write_further(tmp_path / "larger" / "cells", further.no_further_rows())
    named = [link[3:] for link in Page(fake_page(tmp_path)).values("href") if "/larger/" in link]
    assert named == ["larger/audits/further.csv.gz", "larger/cells/cells.csv"]


def test_the_page_is_light(text):
    assert len(text.encode()) < 200_000, "no library and no picture inside"


def test_names_are_text_whatever_they_are(text):
    assert "<b>" not in re.sub(r"<td[^>]*><b>", "", re.sub(r"<script.*?</script>", "", text, flags=re.S))
    assert "&lt;i&gt;one&lt;/i&gt;" in text
    assert data_of(text)["studies"][0]["dataset"] == DATASET
    assert "</script" not in to_json({"name": "</script><script>"})


def test_every_table_and_every_contents_entry_is_there(text):
    page = Page(text)
    ids = page.values("id")
    assert len(ids) == len(set(ids))
    anchors = [href[1:] for href in page.values("href") if href.startswith("#")]
    assert set(anchors) <= set(ids)
    assert {"explore", "choose", "claims", "notebooks"} <= set(anchors)
    assert ids.index("claims") < ids.index("table-claims") < ids.index("study-0")
    tables = [name for name in ids if name.startswith("table-")]
    safe = [name for name in tables if "safe-sparsity" in name]
    assert len(safe) == 2
    assert len(tables) == len([t for t in page.tags if t[0] == "table"]) == 5
    assert all(attributes["aria-sort"] == "none" for tag, attributes in page.tags if tag == "th")


def test_one_model_without_runs_is_enough(tmp_path):
    rows = fake_cells(models=("ease",), seeds=(0,), kept=(0.5, 0.1))
    text = fake_page(tmp_path, rows)
    data = data_of(text)
    assert set(data["lists"]["notebook"]) == {""}
    assert "Executed notebooks" not in text
    assert not (tmp_path / "report" / "notebooks").exists()
    only_floor = fake_cells(models=("popularity",))
    assert data_of(fake_page(tmp_path, only_floor))["models"]["popularity"]["floor"]


# -- what is plotted and chosen from


def test_every_curve_point_is_in_the_data_once():
    rows = fake_rows()
    data = page_data(rows, {KEY: "there.html"})
    points = pd.DataFrame(data["points"])
    keys = ["dataset", "protocol", "model", "side", "unit", "criterion", "schedule", "recovery", "kept"]
    assert len(points) == len(rows[keys].drop_duplicates())
    for name, words in data["lists"].items():
        points[name] = [words[number] for number in points[name]]
    linked = points[points["notebook"] != ""]
    assert set(linked["model"]) == {"ease"}
    assert set(linked["notebook"]) == {"there.html"}
    assert set(linked["method"]) == {"magnitude (global)", "magnitude (global) + refit"}
    one = points.query("model == 'ials' and method == 'smaller dense' and kept == 0.2 and study == 0").iloc[0]
    mine = rows.query("model == 'ials' and criterion == 'smaller-dense' and kept == 0.2 and protocol == 'ratio'")
    assert one["ndcg"] == pytest.approx(mine["test_ndcg@10"].mean(), rel=1e-5)
    assert one["role"] == "smaller"
    assert one["recipe"].count("{kept}") == 1


def test_missing_numbers_are_null_and_json_is_strict():
    rows = fake_rows().assign(p50_ms=np.nan)
    data = json.loads(to_json(page_data(rows, {})), parse_constant=lambda name: pytest.fail(name))
    assert set(data["points"]["ms"]) == {None}


def test_bounds_walk_down_the_curve_and_compare_on_the_same_seeds():
    rows = fake_rows()
    table = ranked(rows)
    assert choice.best_dense(Evidence.of(rows).studies[0].dense) == "ease"
    curve = table.query("study == 0 and model == 'mult-vae' and criterion == 'magnitude-layer'").sort_values("kept")
    assert (curve["own"].diff().dropna() >= 0).all()
    mine = rows.query("protocol == 'ratio' and model == 'mult-vae' and criterion == 'magnitude-layer' and kept >= 0.1")
    model = rows.query("protocol == 'ratio' and model == 'mult-vae' and side == 'parameters'")
    methods = model[~model["criterion"].isin(["random"])][["unit", "criterion", "schedule", "recovery"]]
    ends = mine.groupby("kept")[["val_ratio", "val_ratio_lower", "val_ratio_hi"]].mean()
    bounds = lower_among(*(ends[name] for name in ends), len(methods.drop_duplicates()))
    assert curve.set_index("kept").loc[0.1, "own"] == pytest.approx(bounds.min())
    dense = rows.query("protocol == 'ratio' and side == 'dense' and seed < 2").groupby("model")["val_ndcg@10"].mean()
    first = curve.iloc[-1]
    assert first["best"] == pytest.approx(first["own"] * dense["mult-vae"] / dense["ease"])
    assert first["level"] == pytest.approx(first["val_ndcg@10"] / dense["ease"])


def test_an_unsafe_or_missing_share_ends_the_walk():
    rows = fake_cells(models=("ease",), kept=(0.5, 0.2, 0.1))
    at = (rows["criterion"] == "magnitude-layer") & (rows["kept"] == 0.2)
    rows.loc[at, "val_ratio_lower"] = np.nan
    own = ranked(rows).query("criterion == 'magnitude-layer'").set_index("kept")["own"]
    assert own[0.5] > 0
    assert own[[0.2, 0.1]].isna().all()


def test_every_value_format_is_a_candidate_and_walks_its_own_curve():
    rows = in_int8(fake_rows(), loss=0.004)
    table = ranked(rows).query("study == 0 and model == 'ease'").set_index("values")
    assert {"float32", "int8"} <= set(table.index[table["sized"]])
    assert set(table.index[table["data"]]) == {"float32"}, "a format changes no training data"
    dense = table[table["side"] == "dense"]
    assert dense.loc["int8", "own"] == pytest.approx(0.996), "relative to the dense model as trained"
    assert dense.loc["int8", "bytes_disk"] == pytest.approx(dense.loc["float32", "bytes_disk"] / 4, rel=1e-3)
    curve = table.query("criterion == 'magnitude' and unit == 'weight' and recovery == 'refit'")
    pd.testing.assert_series_equal(
        curve.loc["int8"].set_index("kept")["own"], 0.996 * curve.loc["float32"].set_index("kept")["own"]
    )
    assert choice.best_dense(Evidence.of(rows).studies[0].dense) == "ease"
    plain = ranked(fake_rows())
    same = ranked(rows).query("values == 'float32'").reset_index(drop=True)
    wider = ["val_ratio_lower", "own", "best"]  # twice as many to choose from
    pd.testing.assert_frame_equal(same.drop(columns=wider), plain.drop(columns=wider))
    assert (same[wider] <= plain[wider] + 1e-12)[plain["own"].notna()].all(axis=None)


def test_controls_and_chance_are_no_candidates():
    table = ranked(fake_rows())
    sized = table[table["sized"]]
    assert not {"random", "zero-reset"} & set(sized["criterion"])
    assert "random" not in set(sized["model"])
    assert "samples" not in set(sized["side"])
    assert {"dense", "smaller-dense"} <= set(sized["criterion"].replace("none", "dense"))
    assert set(table.loc[table["data"], "side"]) == {"dense", "samples"}
    warm = fake_rows()
    warm.loc[warm["criterion"] == "stratified", "recovery"] = "fine-tune"
    assert "stratified" not in set(ranked(warm).query("data")["criterion"])


# -- tables


def test_cells_have_the_numbers_to_sort_by_beside_their_words(tmp_path):
    view = table_view(fake_claims(), tmp_path)
    assert [row[1].number for row in view.rows] == ["2000000", "300000", "nan"]
    assert [row[1].text for row in view.rows] == ["2 MB", "300 kB", "none"]
    assert [row[0].number for row in view.rows] == [None] * 3, "words are sorted as words"


# -- executed notebooks


def test_a_notebook_becomes_a_page_and_only_when_it_changed(tmp_path):
    source = fake_notebook(tmp_path)
    found = notebooks.executed(tmp_path, [KEY])
    assert notebooks.write_notebooks(found, tmp_path / "report") == {
        KEY: f"notebooks/main/odd/ratio/ease/{METHOD}.html"
    }
    page = tmp_path / "report" / found[0].page
    text = page.read_text()
    assert 'alt="|w_i|"' in text
    assert "$HOME" in text
    assert "$5 or $6" in text
    assert "&lt;done&gt;" in text
    for name in Page(text).values("href"):
        assert (page.parent / unquote(name)).exists() or name.endswith("index.html") or name.startswith("#")
    page.write_text(text + "<!-- as it was -->")
    notebooks.write_notebooks(found, tmp_path / "report")
    assert page.read_text().endswith("<!-- as it was -->")
    source.write_text(source.read_text().replace("One weight", "Another weight"))
    notebooks.write_notebooks(found, tmp_path / "report")
    assert "Another weight" in page.read_text()
    notebooks.write_notebooks([], tmp_path / "report")
    assert not page.exists()


def test_only_notebooks_of_these_rows_are_shown(tmp_path):
    fake_notebook(tmp_path)
    fake_notebook(tmp_path, method="other", key="ba9876543210")
    fake_notebook(tmp_path, method=".half", key="aaaaaaaaaaaa")
    (fake_notebook(tmp_path, method="data", key="cccccccccccc").parent / "cells.csv").write_text("dataset\n")
    names = [one.name.rpartition("/")[2] for one in notebooks.executed(tmp_path, [KEY, "aaaaaaaaaaaa"])]
    assert names == ["data", METHOD]
    assert notebooks.executed(tmp_path, ["nothing"]) == []
    # rows of another study lie beside the runs: results/<study>/cells.csv, results/runs/<study>
    for place in ("strong", "own/odd-1a2b3c", "own/odd-1a2b3c/ml-20m"):
        assert len(notebooks.executed(tmp_path / place, [KEY])) == 2, place


def test_parameters_of_a_run_are_shown_once(tmp_path):
    path = fake_notebook(tmp_path)
    defaults = v4.new_code_cell("seeds = [0]", id="c", metadata={"tags": ["parameters"]})
    own = v4.new_code_cell("seeds = [7]", id="d", metadata={"tags": ["injected-parameters"]})
    for cells, shown in (([defaults], "0"), ([defaults, own], "7")):
        nbformat.write(v4.new_notebook(cells=cells), path)
        notebooks.write_notebooks(found := notebooks.executed(tmp_path, [KEY]), tmp_path / "report")
        text = re.sub("<[^>]+>", "", (tmp_path / "report" / found[0].page).read_text())
        assert re.findall(r"seeds\s*=\s*\[(\d)\]", text) == [shown]


def test_a_damaged_notebook_says_so(tmp_path):
    fake_notebook(tmp_path).write_text("{")
    found = notebooks.executed(tmp_path, [KEY])
    notebooks.write_notebooks(found, tmp_path / "report")
    assert "cannot be read" in (tmp_path / "report" / found[0].page).read_text()


def test_formulas_are_pictures_and_code_is_left():
    assert formulas.with_pictures("$x$ and `$y$`\n```\n$z$\n```").count("<img") == 1
    assert formulas.with_pictures(r"a price of $5, or \$6") == r"a price of $5, or \$6"
    assert "formula" in formulas.with_pictures("$$\n\\frac{a}{b}\n$$")
    assert formulas.picture(r"\nosuchthing{x}") == r"<code>\nosuchthing{x}</code>"
    assert formulas.picture(r"\lvert w \rvert").startswith('<img class="formula" alt="\\lvert w \\rvert"')
