"""Clicks split by time, and that nothing of the future is told."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_rec.data import Interactions
from edge_rec.data.clicks import clicks
from edge_rec_runtime.errors import DataError


def log_of(events: list[tuple[int, int, int, float]]) -> Interactions:
    """Return the log of (user, item, time, rating) events."""
    columns = [np.array(column) for column in zip(*events, strict=True)]
    return Interactions(
        users=columns[0].astype(np.int32),
        items=columns[1].astype(np.int32),
        timestamps=columns[2].astype(np.int64),
        user_ids=tuple(f"u{row}" for row in range(int(columns[0].max()) + 1)),
        item_ids=tuple(f"i{row}" for row in range(int(columns[1].max()) + 1)),
        ratings=columns[3].astype(np.float32),
    )


EVENTS = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 5), st.integers(0, 12), st.sampled_from([1.0, 3.5, 4.0, 5.0])),
    min_size=20,
    max_size=60,
)


@given(EVENTS, st.integers(1, 4), st.lists(st.booleans(), min_size=6, max_size=6))
def test_a_moment_knows_what_is_strictly_older(
    events: list[tuple[int, int, int, float]], longest: int, known: list[bool]
) -> None:
    """Counts and histories are those of a loop over all older events of the user, newest clicks last."""
    try:
        found = clicks(log_of(events))
    except DataError:
        return
    among = found.past.among(np.array(known))
    rows = np.arange(len(events))
    histories = {True: found.past.newest(rows, longest), False: among.newest(rows, longest)}
    ordered = sorted(events, key=lambda event: event[2])
    for row, (user, _, time, _) in enumerate(ordered):
        before = [event for event in ordered if event[0] == user and event[2] < time]
        liked = [item for _, item, _, rating in before if rating >= 4]
        assert found.past.events[row] == len(before)
        assert found.past.liked[row] == len(liked)
        assert [item for item in histories[True][row] if item >= 0] == liked[-longest:]
        assert [item for item in histories[False][row] if item >= 0] == [item for item in liked if known[item]][-longest:]
    assert all((row[1:][row[:-1] < 0] < 0).all() for one in histories.values() for row in one)  # -1 only after the end


@given(EVENTS)
def test_the_parts_are_ordered_by_time(events: list[tuple[int, int, int, float]]) -> None:
    """Every event is in one part; events of one time are in the same one, the later where a border falls among them."""
    try:
        found = clicks(log_of(events))
    except DataError:
        return
    parts = [found.train, found.validation, found.test]
    assert np.concatenate(parts).tolist() == list(range(len(events)))
    for before, after in itertools.pairwise(parts):
        assert found.timestamps[before[-1]] < found.timestamps[after[0]]
    assert len(found.train) <= round(len(events) * 0.8)
    np.testing.assert_array_equal(found.clicked, [event[3] >= 4 for event in sorted(events, key=lambda event: event[2])])


def test_a_log_of_ones_and_zeros_has_clicks() -> None:
    """Where no rating reaches 4 the highest is the click."""
    events = [(0, row % 3, row, float(row % 2)) for row in range(40)]
    assert clicks(log_of(events)).clicked.tolist() == [bool(row % 2) for row in range(40)]


def test_a_log_without_ratings_is_refused() -> None:
    """The message names the column that is missing, and what to do without one."""
    log = log_of([(0, 0, row, row % 5) for row in range(40)])
    with pytest.raises(DataError, match=r"the log has no ratings.* name a column 'rating'.*or train a retriever"):
        clicks(replace(log, ratings=None))


def test_a_part_without_clicks_is_refused() -> None:
    """Nothing could be judged where everything, or nothing, was liked."""
    events = [(0, 0, row, 5.0 if row < 36 else 1.0) for row in range(40)]
    with pytest.raises(DataError, match="the training part of the split by time has 32 clicks among 32 events"):
        clicks(log_of(events))
