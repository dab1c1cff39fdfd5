"""A log in a few numbers."""

from __future__ import annotations

import numpy as np
import pytest

from edge_rec.data import Interactions, summarise


def log(times: list[int]) -> Interactions:
    """Return the events of two users with three items at these times."""
    return Interactions(
        users=np.array([0, 0, 0, 1], dtype=np.int32),
        items=np.array([0, 1, 2, 0], dtype=np.int32),
        timestamps=np.array(times, dtype=np.int64),
        user_ids=("a", "b"),
        item_ids=("x", "y", "z"),
    )


def test_counts_are_those_of_the_log() -> None:
    """Users, items, events, the share of the matrix, and quantiles of both sides."""
    found = summarise(log([0, 86_400, 43_200, 100]))
    assert (found.users, found.items, found.events) == (2, 3, 4)
    assert found.density == pytest.approx(4 / 6)
    assert (found.first, found.last, found.days) == ("1970-01-01T00:00:00+00:00", "1970-01-02T00:00:00+00:00", 1.0)
    assert found.events_per_user == pytest.approx({"min": 1, "p10": 1.2, "p50": 2, "p90": 2.8, "max": 3})
    assert found.events_per_item["max"] == 2


@pytest.mark.parametrize("scale", [1, 10**3, 10**6, 10**9])
def test_the_unit_of_time_is_told_by_its_size(scale: int) -> None:
    """Seconds, milliseconds, microseconds and nanoseconds of the year 2000 are all read as that year."""
    assert summarise(log([951_782_400 * scale] * 4)).first == "2000-02-29T00:00:00+00:00"
