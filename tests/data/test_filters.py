"""The k-core: a fixpoint, the largest one, and nothing else changed."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from drawn_logs import events, logs
from hypothesis import given
from hypothesis import strategies as st

from edge_rec.data import Interactions, k_core
from edge_rec_runtime.errors import DataError


def peeled(log: list[tuple[str, str, int]], k: int) -> list[tuple[str, str, int]]:
    """Return the k-core by taking away one rare user or item at a time."""
    while True:
        users, items = Counter(user for user, _, _ in log), Counter(item for _, item, _ in log)
        rare = next((event for event in log if users[event[0]] < k or items[event[1]] < k), None)
        if rare is None:
            return log
        if users[rare[0]] < k:
            log = [event for event in log if event[0] != rare[0]]
        else:
            log = [event for event in log if event[1] != rare[1]]


@given(logs(), st.integers(1, 4))
def test_the_core_is_what_peeling_leaves(log: Interactions, k: int) -> None:
    """The same events as by peeling one at a time, in their order; every row names an id that has k events."""
    wanted = peeled(events(log), k)
    if not wanted:
        with pytest.raises(DataError, match=f"every user and item must have {k}"):
            k_core(log, k)
        return
    core = k_core(log, k)
    assert events(core) == wanted
    assert np.bincount(core.users, minlength=len(core.user_ids)).min() >= k
    assert np.bincount(core.items, minlength=len(core.item_ids)).min() >= k


@given(logs(min_events=20), st.integers(1, 3))
def test_the_core_of_a_core_is_itself(log: Interactions, k: int) -> None:
    """Filtering twice changes nothing, ids included."""
    try:
        once = k_core(log, k)
    except DataError:
        return
    twice = k_core(once, k)
    assert events(twice) == events(once)
    assert (twice.user_ids, twice.item_ids) == (once.user_ids, once.item_ids)


def test_a_user_with_one_event_is_dropped() -> None:
    """One rare user takes an item below k, which takes nobody else: the loop runs until that is so."""
    log = Interactions(
        users=np.array([0, 1, 1, 2, 2], dtype=np.int32),
        items=np.array([2, 0, 1, 0, 1], dtype=np.int32),
        timestamps=np.zeros(5, dtype=np.int64),
        user_ids=("once", "a", "b"),
        item_ids=("x", "y", "z"),
    )
    core = k_core(log, 2)
    assert core.user_ids == ("a", "b")
    assert core.item_ids == ("x", "y")
