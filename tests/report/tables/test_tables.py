import shutil
import subprocess

import pandas as pd
import pytest
from fake_cells import fake_cells

from recprune.report import Evidence, StudyEvidence, tables
from recprune.report.evidence.labels import percent
from recprune.report.evidence.points import paired
from recprune.report.tables.layout.formats import BYTES, MEAN, TEXT, WORDS
from recprune.report.tables.layout.latex import _LATEX, escape, to_latex
from recprune.report.tables.layout.standing import SAFE

NAMES = ("dense", "headline", "footprint", "safe-sparsity", "cost", "cost-methods", "artefacts")
ODD = "50%_of_{a}\\b & $x^2$ #1 ~ ± × ≥ <b> | *c*"


def dense(rows):
    return tables.dense(StudyEvidence.of(rows))


def safe_sparsity(rows):
    return tables.safe_sparsity(StudyEvidence.of(rows))


def words(caption, text):
    """A table of words, the models' names to the left."""
    columns = [tables.column(head, WORDS if head == "model" else TEXT, text[head]) for head in text]
    return tables.Table(caption, text, columns, stem="x")


def test_dense_table_agrees_with_numbers_worked_out_by_hand():
    # nDCG@10 of fake EASE at seeds 0, 1, 2: 0.268 times 0.99, 1, 1.01
    table = dense(fake_cells())
    row = table.text[table.text["model"] == "EASE"].iloc[0]
    assert row["nDCG@10"] == "0.2680 ± 0.0027"
    assert row["parameters"] == "1,040,000"
    assert row["disk"] == "4.16 MB"
    frame = table.frame.set_index("model")
    assert frame.loc["ease", "test_ndcg@10"] == pytest.approx(0.268)
    assert frame.loc["ease", "test_ndcg@10_sd"] == pytest.approx(0.00268)
    assert table.text["model"].tolist() == [
        "item-kNN",
        "iALS",
        "BPR",
        "EASE",
        "NeuMF",
        "Mult-VAE",
        "popularity",
        "random",
    ]


def test_the_best_recommender_is_bold_and_the_floors_take_no_part():
    table = dense(fake_cells())
    assert table.text.loc[table.bold["nDCG@10"], "model"].tolist() == ["EASE"]
    assert table.text.loc[table.bold["parameters"], "model"].tolist() == ["item-kNN"]
    assert "**0.2680 ± 0.0027**" in tables.to_markdown(table)
    assert "\\textbf{0.2680 $\\pm$ 0.0027}" in to_latex(table)


def test_one_seed_has_no_spread():
    table = dense(fake_cells(seeds=(1,)))
    assert table.text["nDCG@10"].iloc[3] == "0.2680"
    assert "one seed" in table.caption


def curve(lowers, model="ease", criterion="magnitude"):
    rows = fake_cells(models=(model,), seeds=(0, 1), kept=tuple(lowers))
    rows = rows[(rows["criterion"] == criterion) & (rows["unit"] == "weight") & (rows["recovery"] == "none")].copy()
    rows["val_ratio_lower"] = rows["kept"].map(lowers)
    return rows


def test_safe_sparsity_is_the_end_of_the_unbroken_path_on_validation():
    rows = curve({0.5: 0.999, 0.2: 0.992, 0.1: 0.96, 0.05: 0.995})  # what is safe again at 5 % does not count
    rows["test_ratio"], rows["test_ratio_lo"], rows["test_ratio_hi"] = 0.981, 0.97, 0.99
    rows["test_ratio_lower"] = 0.972
    rows.loc[rows["kept"] == 0.2, ["bytes_ratio", "p50_ratio"]] = [0.4, 0.75]
    table = safe_sparsity(rows)
    row = table.text.iloc[0]
    assert len(table.text) == 1
    assert row["safe at 0.99"] == "80 %"
    assert row["safe at 0.95"] == "95 %"
    assert row["test ratio"] == "0.981 [0.970, 0.990]"
    assert row["on test"] == "not confirmed"
    assert (row["bytes / dense"], row["p50 / dense"]) == ("0.4", "0.75")
    assert table.frame["removed_99"].iloc[0] == pytest.approx(0.8)


def test_nothing_safe_is_none():
    table = safe_sparsity(curve({0.5: 0.9, 0.2: 0.999}))
    row = table.text.iloc[0]
    assert row["safe at 0.99"] == row["safe at 0.95"] == "none"
    assert row["test ratio"] == row["bytes / dense"] == row["on test"] == ""
    assert not table.bold.any(axis=None)
    assert pd.isna(table.frame["kept"].iloc[0])


def test_numbers_in_words():
    assert [percent(x) for x in (0.5, 0.8, 0.985, 0.995, 0.9998, 0.7361, float("nan"))] == [
        "50 %",
        "80 %",
        "98.5 %",
        "99.5 %",
        "99.98 %",
        "74 %",
        "none",
    ]
    assert [BYTES(x) for x in (12, 4_600, 999_600, 4_160_600, 2.5e9)] == ["12 B", "4.6 kB", "1 MB", "4.16 MB", "2.5 GB"]


def test_a_column_is_sorted_by_the_number_that_it_shows():
    nan = float("nan")
    size = tables.column("disk", BYTES, [1.2e6, 3e5, nan])
    assert size.text == ["1.2 MB", "300 kB", ""] and size.keys == pytest.approx([1.2e6, 3e5, nan], nan_ok=True)
    mean = tables.column("nDCG@10", MEAN, [0.9954, 0.2], [0.004, nan])
    assert mean.text == ["0.9954 ± 0.0040", "0.2000"] and mean.keys == [0.9954, 0.2]
    safe = tables.column("safe", SAFE, [0.8, 0.5, nan], [True, False, False])
    assert safe.text == ["80 %", "50 %†", "none"] and safe.keys == pytest.approx([0.8, 0.5, nan], nan_ok=True)
    assert tables.column("model", WORDS, ["2 of 4", "rule 3"]).keys is None, "words are in order by themselves"


def odd_rows():
    rows = fake_cells(dataset=ODD, models=("popularity", "ease"), kept=(0.5, 0.1))
    return rows.replace({"criterion": {"magnitude": ODD}, "model": {"ease": ODD}})


def test_any_name_survives_markdown_and_latex():
    for table in tables.tables(Evidence.of(odd_rows())):
        lines = tables.to_markdown(table).splitlines()
        pipes = {line.replace("\\|", "").count("|") for line in lines[2:]}
        assert pipes == {len(table.text.columns) + 1}
        latex = to_latex(table)
        assert (
            "50\\%\\_of\\_\\{a\\}\\textbackslash{}b \\& \\$x"
            "\\textasciicircum{}2\\$ \\#1 \\textasciitilde{} $\\pm$ $\\times$ $\\geq$ $<$b$>$" in latex
        )
        assert "\\toprule" in latex and "\\bottomrule" in latex
        assert f"\\label{{tab:{table.anchor}}}" in latex
        assert latex.isascii()


def compile_latex(folder, body):
    """What LaTeX says of a document that holds nothing but `body`."""
    packages = "\\usepackage[T1]{fontenc}\\usepackage{array,booktabs,graphicx,longtable,mathptmx}"
    (folder / "all.tex").write_text(
        f"\\documentclass{{article}}{packages}\\begin{{document}}\n{body}\\end{{document}}\n"
    )
    command = ["pdflatex", "-halt-on-error", "-interaction=batchmode", "all.tex"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return (folder / "all.log").read_text(errors="replace")


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="needs pdflatex")
def test_latex_compiles_and_nothing_runs_out_of_the_page(tmp_path):
    body = "\n".join(
        to_latex(table) for rows in (fake_cells(), odd_rows()) for table in tables.tables(Evidence.of(rows))
    )
    assert "\\begin{longtable}" not in body, "none of them is long"
    assert "Overfull \\hbox" not in compile_latex(tmp_path, body)


def test_a_table_longer_than_a_page_breaks_between_its_rows():
    text = pd.DataFrame({"model": ["EASE"] * 61, "safe at 0.99": ["50 %"] * 61})
    table = words("A 95 % caption.", text)
    latex = to_latex(table)
    assert latex.count("\\begin{longtable}") == latex.count("\\caption") == 1
    assert "longtable" not in to_latex(words("A caption.", text[:60]))


def test_a_head_wider_than_its_column_takes_two_lines():
    text = pd.DataFrame({"model": ["EASE"], "safe at 0.99": ["50 %"], "test ratio": ["0.998 [0.992, 1.003]"]})
    latex = to_latex(words("A caption.", text))
    assert "model & \\shortstack[r]{safe\\\\at 0.99} & test ratio" in latex


CHARACTERS = {
    "–": "--",
    "—": "---",
    "→": r"$\to$",
    "≤": r"$\leq$",
    "≥": r"$\geq$",
    "Δ": r"$\Delta$",
    "…": r"\dots{}",
    "−": "$-$",
    "“a”": "{``}a{''}",
    '"': r"{\char34}",
    "--": "-{}-",
    "a — b--c": "a --- b-{}-c",
    "é": r"\'{e}",
    "Ä": r"\"{A}",
    "ß": r"\ss{}",
    "ç": r"\c{c}",
    "a日": "a[U+65E5]",
    "a\nb\x07": "a b",
    "* 1": "{*} 1",
    "[1]": "{[}1]",
    "50 %": r"50~\%",
}


@pytest.mark.parametrize("text", CHARACTERS)
def test_characters_become_latex(text):
    assert escape(text) == CHARACTERS[text]


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="needs pdflatex")
def test_whatever_a_name_holds_compiles(tmp_path):
    every = [chr(code) for code in (*range(0x20, 0x17F), *range(0x2010, 0x2040), 0x394, 0x65E5, 0x1F600)]
    text = pd.DataFrame({"model": [*every, *_LATEX, "*", "[x]", "\\"]})
    compile_latex(tmp_path, to_latex(words("".join(every), text)))


def test_files_are_the_same_twice(tmp_path, few):
    first = tables.write_tables(tables.tables(Evidence.of(few)), tmp_path / "a")
    second = tables.write_tables(tables.tables(Evidence.of(few.sample(frac=1, random_state=1))), tmp_path / "b")
    assert [path.name for path in first] == [f"{name}.{form}" for name in NAMES for form in ("csv", "md", "tex")]
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]


def test_the_interval_over_users_stands_beside_ndcg_where_rows_have_it(few):
    assert "95 % interval" not in dense(few).text
    table = dense(few.assign(**{"test_ndcg@10_lo": 0.25, "test_ndcg@10_hi": 0.3}))
    row = table.text[table.text["model"] == "EASE"].iloc[0]
    assert row["95 % interval"] == "[0.2500, 0.3000]"
    assert list(table.text).index("95 % interval") == list(table.text).index("nDCG@10") + 1
    assert "over users and seeds" in table.caption


def test_figures_compare_means_over_the_same_seeds(few):
    more = few[(few["side"] == "dense") & (few["seed"] == 0)].assign(seed=7)
    more["test_ndcg@10"] *= 2
    both = pd.concat([few, more], ignore_index=True)
    assert paired(both).equals(paired(few).set_axis(paired(both).index))
    assert dense(both).frame["seeds"].eq(4).all(), "the table of dense models has all of theirs"
