"""COLUMNS as text: roles with a column, and roles without one."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recprune.cells.columns import LOAD_KEYS, parse_columns
from recprune.datasets import load
from recprune.errors import StudyError

LEFT = ("rating", "timestamp", "event", "weight")
NAMES = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Z"], exclude_characters="'\"\\"), min_size=1
)


@settings(max_examples=30)
@given(st.dictionaries(st.sampled_from(["user", "item", *LEFT]), NAMES), st.sets(st.sampled_from(LEFT)))
def test_each_role_has_its_column_or_none(named, left):
    """In any order, with blanks in names that are quoted."""
    words = [f"{role}='{name} x'" for role, name in named.items() if role not in left] + [f"{role}=" for role in left]
    expected = {role: f"{name} x" for role, name in named.items()} | dict.fromkeys(left, "")
    assert parse_columns(" ".join(reversed(words))) == expected


@pytest.mark.parametrize("role", sorted(set(LOAD_KEYS) - set(LEFT)))
def test_what_every_log_needs_cannot_be_left(role):
    with pytest.raises(StudyError, match=f"{role}= leaves {role} out; these can be: rating, timestamp, event, weight"):
        parse_columns(f"{role}=")


@pytest.mark.parametrize(
    ("text", "said"), [("time=", "'time' is unknown"), ("uid", "COLUMNS"), ("user='a", "quotation")]
)
def test_what_is_not_understood_is_refused(text, said):
    with pytest.raises(StudyError, match=said):
        parse_columns(text)


def test_a_column_that_is_left_out_is_not_read(tmp_path):
    """A usual name whose content is none of the kind: without the column the log is fine."""
    path = tmp_path / "log.csv"
    path.write_text("user,item,time\na,x,monday\nb,y,tuesday\n")
    with pytest.raises(ValueError, match=r"line 2: column 'time' is 'monday'"):
        load(path, quiet=True)
    log = load(path, quiet=True, **parse_columns("timestamp="))
    assert log.nnz == 2 and log.timestamp is None
