"""Facts about logs of sales: returns take back what they return, and sales to nobody known are left out."""

from collections import defaultdict

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recprune.datasets import load
from recprune.datasets.sales import settle
from recprune.interactions import DataError


def sales(path, rows: str):
    """The log of rows `user,item,quantity,time`."""
    path.write_text("CustomerID,StockCode,Quantity,InvoiceDate\n" + rows)
    return load(path)


def times(day: int) -> str:
    return f"2010-01-{day:02d} 10:00:00"


@pytest.mark.parametrize(
    ("rows", "weights"),
    [
        ([(5, 1), (-2, 2)], [1]),
        ([(-2, 1), (5, 2)], [1]),
        ([(5, 1), (2, 2), (-1, 3)], [2]),
        ([(5, 1), (-5, 2)], []),
        ([(5, 1), (-7, 2)], []),
        ([(-2, 1)], []),
    ],
)
def test_a_return_takes_back_what_it_returns(rows, weights, tmp_path, capsys):
    text = "".join(f"7,A,{quantity},{times(day)}\n" for quantity, day in rows)
    log = sales(tmp_path / "shop.csv", f"{text}7,B,1,{times(1)}\n")
    assert log.items.tolist() == (["A", "B"] if weights else ["B"]) and log.weight.tolist() == [*weights, 1]
    lost = 0 if weights else 1
    assert (
        f"1 rows of negative quantity take back what was bought: {lost} (user, item) pairs" in capsys.readouterr().err
    )


def test_a_pair_weighs_how_often_it_was_bought_however_many_pieces(tmp_path):
    log = sales(tmp_path / "shop.csv", f"7,A,500,{times(1)}\n7,A,2,{times(3)}\n7,B,9000,{times(1)}\n")
    assert dict(zip(log.items[log.item], log.weight, strict=True)) == {"A": 2, "B": 1}


def test_an_event_of_a_sale_weighs_what_it_weighs_whatever_the_pieces(tmp_path):
    path = tmp_path / "shop.csv"
    path.write_text("user,item,qty,event\n7,A,500,view\n7,A,2,buy\n7,B,30,view\n7,C,4,look\n")
    log = load(path, events={"view": 1, "buy": 5, "look": 0})
    assert dict(zip(log.items[log.item], log.weight, strict=True)) == {"A": 6, "B": 1}


def test_the_time_of_a_pair_is_that_of_its_latest_sale(tmp_path):
    log = sales(tmp_path / "shop.csv", f"7,A,5,{times(1)}\n7,A,1,{times(3)}\n7,A,-2,{times(9)}\n")
    assert log.weight.tolist() == [2]
    assert log.timestamp.tolist() == [pd.Timestamp(times(3)).timestamp()]


def test_sales_to_nobody_known_are_left_out_and_counted(tmp_path, capsys):
    log = sales(tmp_path / "shop.csv", f",A,5,{times(1)}\n7,A,1,{times(1)}\n,B,-3,{times(1)}\n7,B,0,{times(1)}\n")
    assert log.items.tolist() == ["A"] and log.weight.tolist() == [1]
    said = capsys.readouterr().err
    assert "2 rows without a user are left out; 1 rows of no quantity are left out" in said and "negative" not in said


def test_where_everything_comes_back_there_is_no_log(tmp_path):
    with pytest.raises(DataError, match="no interactions: all of 2 rows weigh nothing"):
        sales(tmp_path / "shop.csv", f"7,A,5,{times(1)}\n7,A,-5,{times(1)}\n")


def test_an_item_that_is_missing_is_named(tmp_path):
    with pytest.raises(DataError, match="line 3: column 'StockCode' has no id"):
        sales(tmp_path / "shop.csv", f"7,A,5,{times(1)}\n7,,5,{times(1)}\n")


@pytest.mark.parametrize("bad", ["many", "", "inf", "1e39"])
def test_what_is_no_quantity_is_named(bad, tmp_path):
    with pytest.raises(DataError, match="column 'Quantity' is .*; a number is needed, negative for a return"):
        sales(tmp_path / "shop.csv", f"7,A,{bad},{times(1)}\n7,B,-5,{times(1)}\n")


def test_other_counts_are_never_negative(tmp_path):
    (tmp_path / "log.csv").write_text("user,item,plays\n1,2,-3\n")
    with pytest.raises(DataError, match="column 'plays' is '?-3.*; a count from 0 on is needed"):
        load(tmp_path / "log.csv")


rows = st.tuples(st.one_of(st.none(), st.integers(0, 3)), st.integers(0, 3), st.integers(-6, 6))


@given(st.lists(rows, min_size=1, max_size=40))
@settings(max_examples=100)
def test_of_pairs_that_are_left_the_purchases_stay(rows):
    frame = pd.DataFrame(rows, columns=["user", "item", "n"])
    stays, _ = settle(frame, "user", "item", frame["n"].to_numpy(float))
    total: dict[tuple, int] = defaultdict(int)
    for user, item, n in rows:
        if user is not None:
            total[user, item] += n
    assert stays.tolist() == [user is not None and n > 0 and total[user, item] > 0 for user, item, n in rows]
