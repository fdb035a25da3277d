"""Original ids in, original ids out: the same lists as with codes."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import recprune as rp
from recprune.interactions import Interactions
from recprune.models.parts import naming


def fitted(users, items):
    """A trained model whose users and items have these ids."""
    n_users, n_items = len(users), len(items)
    user, item = np.nonzero(np.add.outer(np.arange(n_users), 2 * np.arange(n_items)) % 3 > 0)
    frame = pd.DataFrame({"u": np.asarray(users, object)[user], "i": np.asarray(items, object)[item]})
    log = Interactions.from_frame(frame.infer_objects(), user="u", item="i")
    return rp.models.EASE(l2=1.0).fit(log)


IDS = st.one_of(
    st.lists(st.integers(-(2**40), 2**40), min_size=1, max_size=8, unique=True),
    st.lists(st.text("abcé -1"), min_size=1, max_size=8, unique=True),
)


@given(IDS, st.lists(st.integers(-1, 7), max_size=9))
def test_ids_and_codes_are_each_others_inverse(ids, places):
    known = np.array(ids)
    codes = np.array([place % len(ids) if place >= 0 else -1 for place in places], np.int64)
    names = naming.ids_of(codes, known).tolist()
    assert names == [known.tolist()[code] if code >= 0 else None for code in codes]
    asked = [name for name in names if name is not None]
    found = naming.codes_of("user", asked, naming.index_of(known))
    np.testing.assert_array_equal(found, codes[codes >= 0])


@pytest.mark.parametrize("users", [[7, -3, 2**40, 5], ["u 1", "-1", "é", "2"]])
def test_ids_give_the_lists_of_the_codes(users):
    model = fitted(users, ["z", "y", "x", "w"])
    asked = [users[3], users[0], users[3]]
    codes = [model.users.tolist().index(one) for one in asked]
    known = [*model.items.tolist(), None]
    lists = model.recommend(asked, k=3, ids=True)
    assert lists.tolist() == [[known[code] for code in row] for row in model.recommend(codes, k=3).tolist()]


def test_where_no_item_is_left_there_is_none():
    model = fitted([1, 2, 3, 4], [-1, 5])  # an item may be called -1
    lists = model.recommend([1], k=3, ids=True)
    assert lists.shape == (1, 3) and lists[0, -1] is None


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (["u"], "no user 'u' among the model's 4; there are: 1, 2, 3, 4"),
        ([1, 7], "no user 7 among"),
        ([True], "no user True among"),
        ([float("nan")], "no user nan among"),
        ([[1]], r"no user \[1\] among"),
    ],
)
def test_an_unknown_id_is_named(asked, said):
    with pytest.raises(ValueError, match=said):
        fitted([1, 2, 3, 4], [5, 6]).recommend(asked, ids=True)


def test_a_single_id_is_no_list_of_ids():
    with pytest.raises(TypeError, match=r"as a list of original ids, not as a str \('12'\)"):
        fitted(["1", "2", "12", "3"], ["a", "b"]).recommend("12", ids=True)
    with pytest.raises(ValueError, match="not trained"):
        rp.models.EASE().recommend([1], ids=True)


def test_a_model_that_was_given_other_users_looks_among_those():
    model = fitted([1, 2, 3, 4], [5, 6])
    assert model.codes_of([4]).tolist() == [3]
    model.users = np.array([4, 3, 2, 1])
    assert model.codes_of([4]).tolist() == [0]


def test_pruned_and_loaded_models_take_ids(ratio, tmp_path):
    dense = rp.models.EASE(l2=50.0).fit(ratio.train)
    pruned = rp.prune(dense, ratio, keep=0.2)
    pruned.compact().save(tmp_path / "m")
    users = ratio.users[:4]
    expected = naming.ids_of(pruned.recommend(np.arange(4), 5), ratio.items).tolist()
    assert pruned.recommend(users, 5, ids=True).tolist() == expected
    assert rp.load_model(tmp_path / "m").recommend(users, 5, ids=True).tolist() == expected
