"""The tables that choose: what each model loses safely, weighs then, and what that cost. Numbers worked out by hand."""

import pandas as pd
import pytest
from fake_cells import fake_cells

from recprune.report import StudyEvidence, tables
from recprune.report import numbers as of_numbers
from recprune.report.numbers import to_macros
from recprune.report.tables.layout.formats import count

TEST = ["test_ratio", "test_ratio_lo", "test_ratio_hi", "test_ratio_lower", "test_ndcg@10"]


VALIDATION = ["val_ratio", "val_ratio_lo", "val_ratio_hi", "val_ratio_lower"]


def headline(rows):
    return tables.headline(StudyEvidence.of(rows))


def footprint(rows):
    return tables.footprint(StudyEvidence.of(rows))


def cost(rows):
    return tables.cost(StudyEvidence.of(rows))


def cost_methods(rows):
    return tables.cost_methods(StudyEvidence.of(rows))


def numbers(rows):
    return of_numbers.numbers(StudyEvidence.of(rows))


@pytest.fixture
def rows():
    """EASE and Mult-VAE with shares 0.5 and 0.1; nothing is safe until a test says so."""
    cells = fake_cells(models=("popularity", "ease", "mult-vae"), kept=(0.5, 0.1), seeds=(0, 1))
    cells.loc[cells["side"] != "dense", VALIDATION] = 0.9
    return cells


def at(cells, model, criterion, kept, recovery="none", unit="weight"):
    same = (cells["model"] == model) & (cells["criterion"] == criterion) & (cells["recovery"] == recovery)
    return same & (cells["unit"] == unit) & cells["kept"].isin([kept] if isinstance(kept, float) else kept)


def safe(cells, *where, bound=0.995):
    cells.loc[at(cells, *where), VALIDATION] = bound  # so sure that it holds among any number of methods


def one(table, model, removes="parameters"):
    text = table.text
    return text[(text["model"] == model) & (text["removes"] == removes)].iloc[0]


class TestHeadline:
    def test_the_largest_safe_share_is_chosen(self, rows):
        safe(rows, "ease", "magnitude", 0.5, "none", bound=0.999)
        safe(rows, "ease", "magnitude", (0.5, 0.1), "refit", bound=0.992)
        rows.loc[at(rows, "ease", "magnitude", 0.1, "refit"), TEST[:4]] = [0.98, 0.97, 0.99, 0.972]
        row = one(headline(rows), "EASE")
        assert row["best method"] == "magnitude (global) + refit"
        assert (row["safe at 0.99"], row["safe at 0.95"]) == ("90 %", "90 %")
        assert row["ratio at 0.99"] == "0.980 [0.970, 0.990]*", "a star: test does not confirm 0.99"
        assert row["ratio at 0.95"] == "0.980 [0.970, 0.990]"

    def test_of_equal_shares_the_larger_validation_bound_is(self, rows):
        safe(rows, "ease", "magnitude", 0.5, "refit", bound=0.992)
        safe(rows, "ease", "magnitude-layer", 0.5, "none", bound=0.996)
        assert one(headline(rows), "EASE")["best method"] == "magnitude (per layer)"

    def test_controls_stand_beside_the_choice_and_take_no_part(self, rows):
        safe(rows, "ease", "magnitude", 0.5, "none")
        safe(rows, "ease", "random", (0.5, 0.1), "none", bound=1.0)
        safe(rows, "ease", "smaller-dense", (0.5, 0.1), "retrain", "model", bound=1.0)
        row = one(headline(rows), "EASE")
        assert row["best method"] == "magnitude (global)"
        assert (row["random"], row["smaller dense"]) == ("90 %", "90 %")
        assert one(headline(rows), "EASE", "samples")["smaller dense"] == "", "it has all the samples"

    def test_what_chance_removes_as_safely_is_no_rules_doing(self, rows):
        safe(rows, "ease", "magnitude", 0.5, "refit")
        same = at(rows, "ease", "random", 0.1)
        rows = pd.concat([rows, rows[same].assign(unit="neighbour")], ignore_index=True)
        for criterion in ("random", "magnitude"):
            safe(rows, "ease", criterion, 0.1, "none", "neighbour", bound=1.0)
        row = one(headline(rows), "EASE")
        assert (row["best method"], row["safe at 0.99"]) == ("magnitude (global) + refit", "50 %")

    def test_random_removal_is_that_of_the_same_units(self, rows):
        safe(rows, "ease", "random", 0.5)
        safe(rows, "ease", "magnitude", 0.5, "none", "neighbour")
        assert one(headline(rows), "EASE")["random"] == "", "random neighbours were not measured"

    def test_nothing_safe_is_no_choice(self, rows):
        rows.loc[rows["side"] != "dense", VALIDATION] = 0.5
        row = one(headline(rows), "Mult-VAE")
        assert row["best method"] == row["ratio at 0.99"] == "" and row["safe at 0.99"] == row["safe at 0.95"] == "none"

    def test_where_only_less_is_safe_that_decides(self, rows):
        rows.loc[rows["side"] != "dense", VALIDATION] = 0.5
        safe(rows, "mult-vae", "magnitude", (0.5, 0.1), "fine-tune", bound=0.96)
        row = one(headline(rows), "Mult-VAE")
        assert row["best method"] == "magnitude (global) + fine-tune"
        assert (row["safe at 0.99"], row["safe at 0.95"]) == ("none", "90 %")

    def test_the_test_part_has_no_say(self, cells):
        chosen = [
            "model",
            "side",
            "unit",
            "criterion",
            "schedule",
            "recovery",
            "removed_99",
            "removed_95",
            "random",
            "smaller",
        ]
        before = headline(cells).frame
        turned = cells.copy()
        test = [column for column in cells if column.startswith("test_")]
        turned[test] = cells[test].sample(frac=1, random_state=3).to_numpy()
        after = headline(turned).frame
        assert before[chosen].equals(after[chosen])
        assert not before["test_ratio"].equals(after["test_ratio"])

    def test_each_model_has_a_row_for_parameters_and_one_for_samples(self, cells):
        frame = headline(cells).frame
        assert not frame["model"].isin(["popularity", "random"]).any()
        assert (frame.groupby("model")["side"].agg(list).map(sorted).map(tuple) == ("parameters", "samples")).all()
        only = headline(cells[cells["side"] != "samples"]).frame
        assert set(only["side"]) == {"parameters"}


class TestFootprint:
    def test_the_fewest_bytes_of_what_is_safe_stand_beside_dense(self, rows):
        safe(rows, "ease", "magnitude", (0.5, 0.1), "none")
        safe(rows, "ease", "magnitude", 0.5, "refit")
        safe(rows, "ease", "smaller-dense", 0.5, "retrain", "model")
        rows.loc[at(rows, "ease", "magnitude", 0.5, "refit"), ["bytes_disk", "bytes_ratio", "p50_ratio"]] = [
            1000,
            0.002,
            0.7,
        ]
        table = footprint(rows)
        mine = table.text[table.text["model"] == "EASE"]
        assert mine["state"].tolist() == ["dense", "magnitude (global) + refit, −50 %", "smaller dense, −50 %"]
        assert mine["disk"].tolist()[1] == "1 kB"
        assert mine["disk / dense"].tolist()[:2] == ["", "0.002"] and mine["ms / dense"].tolist()[:2] == ["", "0.70"]
        assert mine["test ratio"].iloc[0] == "" and mine["test ratio"].iloc[1] != ""

    def test_a_model_of_which_nothing_is_safe_is_there_dense(self, rows):
        text = footprint(rows).text
        assert text["state"].tolist() == ["dense", "dense"] and "popularity" not in text["model"].tolist()

    def test_the_choice_is_by_validation_and_bytes_alone(self, cells):
        turned = cells.copy()
        test = [column for column in cells if column.startswith("test_")]
        turned[test] = cells[test].sample(frac=1, random_state=3).to_numpy()
        chosen = ["model", "state", "kept", "bytes_disk"]
        assert footprint(cells).frame[chosen].equals(footprint(turned).frame[chosen])

    def test_counts_in_few_characters(self):
        assert [count(x) for x in (0, 950, 999.6, 12_500, 1_032_256)] == ["0", "950", "1 k", "12.5 k", "1.03 M"]


class TestCost:
    @pytest.fixture
    def priced(self, rows):
        """EASE trains dense in 2 s, Mult-VAE in 10 s; magnitude scores in 1 s, fine-tuning takes 5 s, refitting 4 s."""
        rows["train_s"] = rows["side"].map({"parameters": 0.0}).fillna(1.0)
        rows["score_s"] = 1.0
        rows.loc[rows["side"] == "dense", "train_s"] = rows["model"].map({"ease": 2.0, "mult-vae": 10.0}).fillna(1.0)
        rows.loc[rows["recovery"] == "fine-tune", "train_s"] = 5.0
        rows.loc[rows["recovery"] == "refit", "train_s"] = 4.0
        return rows

    def test_a_method_is_as_many_dense_trainings_as_its_seconds(self, priced):
        text = cost_methods(priced).text.set_index("method")
        assert text.loc["magnitude (global) + refit", "/ dense training"] == "2.5", (
            "(1 + 4) / 2 of EASE, nothing else has it"
        )
        assert text.loc["magnitude (global) + fine-tune", "/ dense training"] == "0.60"
        both = text[text["removes"] == "parameters"].loc["magnitude (global)"]
        assert (both["models"], both["scoring s"], both["training s"]) == ("2", "1", "0")
        assert both["/ dense training"] == "0.30 (0.10 to 0.50)", "1 / 10 and 1 / 2, and their mean"

    def test_what_follows_the_cut_is_counted_without_the_rule(self, priced):
        frame = cost(priced).frame.set_index(["side", "kind", "what"])
        assert frame.loc[("parameters", "then", "refit"), "relative"] == 2.0
        assert frame.loc[("parameters", "then", "fine-tune"), "relative"] == 0.5
        assert frame.loc[("samples", "rule", "random"), "relative"] == pytest.approx((0.1 + 0.5) / 2)
        assert frame.loc[("samples", "then", "retrain"), "relative"] == pytest.approx((0.1 + 0.5) / 2)
        assert ("parameters", "then", "smaller dense, trained") in frame.index

    def test_dense_seeds_that_nothing_else_has_do_not_count(self, priced):
        more = priced[priced["side"] == "dense"].assign(seed=9, train_s=1000.0)
        both = pd.concat([priced, more[more["seed"] == 9].drop_duplicates("model")])
        assert cost(both).frame.equals(cost(priced).frame)


class TestNumbers:
    def test_sentences_have_the_rows_numbers(self, rows):
        safe(rows, "ease", "magnitude", 0.5, "refit")
        found = numbers(rows)
        assert found["cf model"] == "EASE" and found["deep model"] == "Mult-VAE"
        assert found["cf ndcg"].startswith("0.2667 ± "), "0.268 times 0.99 and 1"
        methods = StudyEvidence.of(rows).safe
        methods = methods[~methods["criterion"].isin(["random", "smaller-dense"])]
        assert found["pairs"] == str(len(methods)) and found["safe pairs"] == "1"
        assert found["disk model"] == "EASE" and "samples share" not in found

    def test_seeds_are_a_range_where_methods_differ(self, rows):
        assert numbers(rows)["seeds"] == "2 seeds"
        assert numbers(rows[rows["seed"] == 0])["seeds"] == "one seed"
        assert numbers(rows[(rows["seed"] == 0) | (rows["side"] == "dense")])["seeds"] == "1 to 2 seeds"

    def test_what_the_rows_lack_has_no_name(self, rows):
        found = numbers(rows[(rows["side"] == "dense") & (rows["model"] == "popularity")])
        assert "cf model" not in found and "pairs" not in found and found["cells"] == "2"

    def test_any_name_becomes_latex(self):
        assert (
            to_macros({"cf model": "50%_é"}) == "\\expandafter\\def\\csname rec@cf model\\endcsname{50\\%\\_\\'{e}}\n"
        )
