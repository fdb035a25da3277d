"""What does not count: the same numbers twice, what cannot be otherwise, weak models, unequal training, one timing."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from fake_cells import fake_cells
from made_up import DENSE, HALF, claim_of, effects_of, values_of

from recprune.report.claims.claim import Contrast, read_claims
from recprune.report.claims.compared import Compared
from recprune.report.claims.counted import left_out
from recprune.report.claims.influences import Users
from recprune.report.claims.pairs import compared_pairs
from recprune.report.claims.verdicts import comparisons, counted, headline
from recprune.report.evidence.cells import canonical
from recprune.report.tables.claims import claims_table
from recprune.report.tables.comparisons import comparisons_table

LEVEL = ["test_ndcg@10", "test_ndcg@10_lo"]
TIME = Contrast(
    name="time",
    a={"criterion": "magnitude", "unit": "weight", "side": "parameters", "recovery": "none"},
    keep=(0.5,),
    measure="milliseconds / dense",
    expect="lower",
    than=1.0,
)


@pytest.fixture(scope="module")
def rows():
    return canonical(fake_cells(models=("popularity", "ease", "ials", "mult-vae"), kept=(0.5, 0.1)))


def models_of(rows, users, *contrasts):
    found = comparisons((claim_of(*contrasts),), rows, Users(users))
    return found, found[found["model"] != ""].set_index(["contrast", "model"])


class TestIdentities:
    def test_a_comparison_of_the_same_numbers_is_shown_and_does_not_count(self, rows):
        users = values_of(rows, lambda row: 1.1 if row.criterion == "random" else 1.0)
        same = users["model"] == "ials"
        one = users[same & (users["side"] == "dense")].set_index("seed")["test_ndcg@10"]
        users.loc[same, "test_ndcg@10"] = users.loc[same, "seed"].map(one)
        found, models = models_of(rows, users, HALF)
        assert models.loc[("half", "ials"), ["effect", "lo", "hi", "says"]].tolist() == [0, 0, 0, ""]
        assert models.loc[("half", "ials"), "left_out"] == "the same numbers on both sides"
        assert set(counted(found)["model"]) == {"ease", "mult-vae"}
        cf = found[(found["family"] == "cf") & (found["model"] == "")].iloc[0]
        assert cf["effect"] == models.loc[("half", "ease"), "effect"]

    def test_what_cannot_be_otherwise_does_not_make_the_correction_stricter(self, rows):
        users = values_of(rows, lambda row: 1.0017 if row.criterion == "random" else 1.0, n=100, noise=0.004)
        sure = replace(HALF, name="sure", identity="it is so")
        alone, beside = (models_of(rows, users, HALF, *others)[1] for others in ([], [sure]))
        assert list(beside.loc["sure", "says"]) == ["", "", ""]
        assert set(beside.loc["sure", "left_out"]) == {"cannot be otherwise: it is so"}
        assert list(alone.loc["half", "says"]) == list(beside.loc["half", "says"])

    def test_the_headline_is_a_contrast_that_counts(self, rows):
        found, _ = models_of(rows, values_of(rows), replace(HALF, name="sure", identity="it is so"), HALF)
        assert headline(found)["cf"]["contrast"] == "half"

    def test_bytes_and_the_zeros_that_an_update_cannot_give_are_among_them(self):
        named = {contrast.name for claim in read_claims() for contrast in claim.contrasts if contrast.identity}
        assert len(named) == 5
        assert all(any(word in name for word in ("bytes", "multiply-adds", "L2", "clipping")) for name in named)


class TestModels:
    def weak(self, rows, lead, low):
        level = rows.loc[(rows["model"] == "popularity") & (rows["side"] == "dense"), "test_ndcg@10"].mean()
        mine = (rows["model"] == "ials") & (rows["side"] == "dense")
        rows = rows.copy()
        rows.loc[mine, LEVEL] = [level * (1 + lead), level * (1 + low)]
        return rows

    @pytest.mark.parametrize(
        ("lead", "low", "reason"),
        [(0.2, 0.05, {}), (0.09, 0.05, {"ials"}), (0.2, -0.05, {"ials"}), (-0.1, -0.2, {"ials"})],
    )
    def test_a_model_counts_that_beats_popularity_by_a_tenth_and_for_certain(self, rows, lead, low, reason):
        assert set(left_out(self.weak(rows, lead, low))) == set(reason)

    def test_it_is_shown_says_nothing_and_is_no_part_of_its_family(self, rows):
        users = values_of(rows, lambda row: 1.1 if row.criterion == "random" else 1.0)
        found, models = models_of(self.weak(rows, 0.05, 0.01), users, HALF)
        assert models.loc[("half", "ials"), "left_out"] == "dense, +5 % to popularity"
        assert models.loc[("half", "ials"), "says"] == "" and models.loc[("half", "ials"), "effect"] > 0.05
        assert found.loc[(found["family"] == "cf") & (found["model"] == ""), "points"].item() == 1
        caption = claims_table(Compared((claim_of(HALF),), found), "here").caption
        assert "Shown, and counted nowhere: iALS (dense, +5 % to popularity)." in caption

    def test_where_popularity_was_not_measured_all_count(self, rows):
        assert left_out(self.weak(rows, -0.5, -0.6).query("model != 'popularity'")) == {}

    @pytest.mark.parametrize(
        ("protocol", "counts"), [("ratio", False), ("strong", False), ("loo", True), ("temporal", True)]
    )
    def test_a_model_of_sequences_counts_where_what_came_last_is_tested(self, rows, protocol, counts):
        renamed = rows.replace({"model": {"mult-vae": "sasrec"}}).assign(protocol=protocol)
        assert ("sasrec" not in left_out(renamed)) == counts


class TestTraining:
    def trained(self, rows, epochs, epochs_b, **more):
        """Fine-tuned against magnitude alone, which is told to be retrained; the epochs of both."""
        rows = rows[rows["model"] == "mult-vae"].assign(epochs=np.nan)
        mine = (rows["criterion"] == "magnitude") & (rows["unit"] == "weight")
        rows.loc[mine & (rows["recovery"] == "none"), "recovery"] = "retrain"
        rows.loc[mine & (rows["recovery"] == "fine-tune"), "epochs"] = epochs
        rows.loc[mine & (rows["recovery"] == "retrain"), "epochs"] = epochs_b
        contrast = Contrast(
            name="tuned",
            a={"criterion": "magnitude", "side": "parameters", "recovery": "fine-tune"},
            b={"criterion": "magnitude", "side": "parameters", "recovery": "retrain"},
            expect="higher",
            **more,
        )
        found = comparisons((claim_of(contrast),), rows, Users(values_of(rows, lambda row: row.kept**0.1)))
        return found.iloc[[0]], comparisons_table(found, "here")

    @pytest.mark.parametrize(
        ("epochs", "epochs_b", "refused"), [(12, 10, False), (10, 12, False), (13, 10, True), (10, 13, True)]
    )
    def test_more_than_a_fifth_more_epochs_are_not_compared(self, rows, epochs, epochs_b, refused):
        found, table = self.trained(rows, epochs, epochs_b)
        assert found["left_out"].item() == (f"unequal training: {epochs} epochs against {epochs_b}" if refused else "")
        assert (found["says"].item() == "") == refused
        assert table.text["epochs"][0] == f"{epochs} / {epochs_b}"
        assert table.text["seconds"][0] == "3.31 / 3.31"

    def test_but_where_the_contrast_says_why_they_are_and_the_reason_is_printed(self, rows):
        found, table = self.trained(rows, 40, 10, unequal="both to convergence")
        assert found["left_out"].item() == "" and found["says"].item() != ""
        assert table.text["epochs"][0] == "40 / 10 (both to convergence)"

    def test_epochs_that_nobody_recorded_are_said_to_be_so(self, rows):
        found, table = self.trained(rows, np.nan, np.nan)
        assert found["left_out"].item() == ""
        assert table.text["epochs"][0] == "not recorded" and "were not recorded" in table.caption

    def test_rows_of_old_without_the_column_are_read_as_before(self, rows):
        assert "epochs" not in rows.columns or rows["epochs"].isna().all()
        assert effects_of(HALF, rows, values_of(rows))["ease"].left_out == ""

    def test_what_is_not_trained_after_the_dense_model_is_not_held_to_it(self, rows):
        some = rows.assign(epochs=np.where(rows["side"] == "dense", 50.0, 0.0))
        effect = effects_of(HALF, some, values_of(some))["mult-vae"]
        assert effect.left_out == "" and not effect.training.both_trained


class TestTime:
    def timed(self, rows, ratios, own=None):
        rows = rows[rows["model"] == "ease"].assign(p50_self=np.nan)
        for seed, ratio in enumerate(ratios):
            rows.loc[rows["seed"] == seed, "p50_ratio"] = ratio
            rows.loc[rows["seed"] == seed, "p50_self"] = np.nan if own is None else own[seed]
        found = comparisons((claim_of(TIME),), rows, Users(values_of(rows)))
        return found.iloc[0]

    def test_a_ratio_is_held_against_what_the_dense_model_took_beside_itself(self, rows):
        found = self.timed(rows, [0.80, 0.86, 0.83], [0.80, 0.86, 0.83])
        assert found["effect"] == 1 and found["says"] == "undecided"
        assert self.timed(rows, [0.80, 0.86, 0.83], [1.0, 1.0, 1.0])["says"] == "yes"
        assert self.timed(rows, [0.80, 0.86, 0.83])["effect"] == pytest.approx((0.80 * 0.86 * 0.83) ** (1 / 3))

    def test_one_seed_decides_nothing(self, rows):
        found = self.timed(rows, [0.2, np.nan, np.nan])
        assert found["effect"] == pytest.approx(0.2) and found["says"] == "undecided"
        assert found[["lo", "hi", "p_yes", "p_no"]].isna().all()

    def test_the_interval_is_a_t_interval_over_seeds_in_logarithms(self, rows):
        found = self.timed(rows, [0.8, 0.9, 1.0])
        logs = np.log([0.8, 0.9, 1.0])
        half = 4.3027 * logs.std(ddof=1) / 3**0.5
        ends = np.exp([logs.mean() - half, logs.mean() + half])
        assert (found["lo"], found["hi"]) == pytest.approx(tuple(ends), abs=1e-4)

    def test_twice_as_slow_is_as_far_as_twice_as_fast(self, rows):
        fast, slow = self.timed(rows, [0.1, 0.2, 0.6]), self.timed(rows, [10.0, 5.0, 1 / 0.6])
        assert fast["effect"] == pytest.approx(1 / slow["effect"], rel=1e-3)
        assert (fast["lo"], fast["hi"]) == pytest.approx((1 / slow["hi"], 1 / slow["lo"]), rel=1e-3) and fast["lo"] > 0


class TestHistory:
    PRUNED = Contrast(
        name="pruned",
        a={"side": "samples", "criterion": "random", "history": "pruned"},
        b=DENSE,
        keep=(0.5,),
        expect="higher",
    )

    def test_whole_histories_are_compared_unless_a_contrast_asks_for_others(self, rows):
        """As rows will have it: two cells apart in nothing but the histories that lists were made from."""
        one = rows[(rows["model"] == "ease")].assign(history="full")
        twice = pd.concat([one, one[one["side"] == "samples"].assign(history="pruned")], ignore_index=True)
        full = replace(self.PRUNED, a={"side": "samples", "criterion": "random"})
        for contrast, history in ((full, "full"), (self.PRUNED, "pruned")):
            assert set(compared_pairs(contrast, twice)["ease"]["history"]) == {history}
