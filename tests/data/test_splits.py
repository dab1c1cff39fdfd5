"""Leave-one-out: by time, ties in file order, nothing of the future in a history."""

from __future__ import annotations

import numpy as np
import pytest
from drawn_logs import events, logs
from hypothesis import given

from edge_rec.data import Interactions, k_core, leave_one_out, sequences
from edge_rec_runtime.errors import DataError


@given(logs(min_events=30, max_users=4, max_items=4))
def test_each_user_is_laid_out_by_time_and_ties_by_file_order(log: Interactions) -> None:
    """Train, validation and test of a user are the user's events as a stable sort by time gives them."""
    try:
        core = k_core(log, 3)
    except DataError:
        return
    split = leave_one_out(core)
    for row, user in enumerate(split.user_ids):
        own = sorted((event for event in events(core) if event[0] == user), key=lambda event: event[2])
        items = [split.item_ids[item] for item in (*split.train[row], split.validation[row], split.test[row])]
        assert items == [item for _, item, _ in own]
        assert list(split.test_histories[row]) == [*split.train[row], split.validation[row]]


@given(logs(min_events=1))
def test_sequences_hold_every_event_once(log: Interactions) -> None:
    """Nothing is lost or invented, also for users without an event."""
    laid = sequences(log)
    assert len(laid) == len(log.user_ids)
    assert sum(len(one) for one in laid) == len(log)
    for user, one in enumerate(laid):
        assert sorted(one) == sorted(log.items[log.users == user])


def test_a_later_event_never_stands_before_an_earlier_one() -> None:
    """A log written newest first is turned round; equal times keep the order they were written in."""
    log = Interactions(
        users=np.zeros(5, dtype=np.int32),
        items=np.arange(5, dtype=np.int32),
        timestamps=np.array([30, 20, 20, 10, 10]),
        user_ids=("u",),
        item_ids=("a", "b", "c", "d", "e"),
    )
    split = leave_one_out(log)
    assert [split.item_ids[item] for item in split.train[0]] == ["d", "e", "b"]
    assert (split.item_ids[split.validation[0]], split.item_ids[split.test[0]]) == ("c", "a")


def test_users_with_fewer_than_three_events_are_refused_not_dropped() -> None:
    """The message counts them, names one, and says what keeps only the others."""
    log = Interactions(
        users=np.array([0, 0, 0, 1], dtype=np.int32),
        items=np.zeros(4, dtype=np.int32),
        timestamps=np.arange(4),
        user_ids=("many", "one"),
        item_ids=("a",),
    )
    with pytest.raises(DataError, match=r"1 of 2 users have fewer than 3 events .*'one' with 1.*k_core\(k=3\)"):
        leave_one_out(log)
