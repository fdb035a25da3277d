"""Times with a zone: one moment is one number, however it is written."""

from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recprune.datasets import load

MOMENTS = st.datetimes(datetime(1971, 1, 1), datetime(2190, 1, 1)).map(lambda at: at.replace(microsecond=0, tzinfo=UTC))
ZONE = timezone(timedelta(hours=5, minutes=30))
WAYS = {
    "a word": lambda at: f"{at:%Y-%m-%d %H:%M:%S} UTC",
    "a word, with fractions": lambda at: f"{at:%Y-%m-%d %H:%M:%S}.250 UTC",
    "GMT": lambda at: f"{at:%Y-%m-%d %H:%M:%S} GMT",
    "Z": lambda at: f"{at:%Y-%m-%dT%H:%M:%S}Z",
    "an offset": lambda at: at.astimezone(ZONE).isoformat(),
    "an offset without a colon": lambda at: at.astimezone(ZONE).strftime("%Y-%m-%d %H:%M:%S%z"),
}


@pytest.mark.parametrize("way", WAYS)
@settings(max_examples=15)
@given(moments=st.lists(MOMENTS, min_size=1, max_size=4, unique=True))
def test_a_zone_is_read(way, moments, tmp_path_factory):
    path = tmp_path_factory.mktemp("log") / "log.csv"
    path.write_text("\n".join(["user,item,time", *(f"u,i{n},{WAYS[way](at)}" for n, at in enumerate(moments))]))
    log = load(path, quiet=True)
    more = 0.25 if "fractions" in way else 0.0
    assert np.array_equal(log.timestamp[np.argsort(log.item)], [at.timestamp() + more for at in moments])
