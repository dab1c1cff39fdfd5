"""Groups of users hold everybody once, and are what their names say."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from edge_rec.compress.groups import groups
from edge_rec.compress.heldout import HeldOutEvents
from edge_rec_runtime import Catalogue, History

ITEMS = 12
IDS = tuple(f"i{row}" for row in range(ITEMS))


def events(lengths: list[int], targets: list[int]) -> HeldOutEvents:
    """Return users u0, u1, ... with histories of these lengths."""
    histories = [
        History(tuple(IDS[place % ITEMS] for place in range(length)), IDS[target], user=f"u{user}")
        for user, (length, target) in enumerate(zip(lengths, targets, strict=True))
    ]
    return HeldOutEvents.of(histories, Catalogue(IDS))


@given(
    st.lists(st.tuples(st.integers(1, 9), st.integers(0, ITEMS - 1)), min_size=1, max_size=40),
    st.lists(st.integers(0, 50), min_size=ITEMS, max_size=ITEMS),
)
def test_everybody_is_in_one_group_of_each_kind(users: list[tuple[int, int]], counts: list[int]) -> None:
    """Quarters of equal lengths, items that nobody met: each user is counted once by history and once by popularity."""
    asked = events([length for length, _ in users], [target for _, target in users])
    catalogue = Catalogue(IDS, popularity=np.array(counts, np.uint32))
    for by in ("history", "popularity"):
        found = [group.users for group in groups(asked, catalogue) if group.by == by]
        assert np.array_equal(np.sum(found, axis=0), np.ones(len(users)))


def test_a_third_of_the_events_is_the_head() -> None:
    """One item with half of all events is the head; those that share the last sixth are the tail."""
    counts = np.array([60, 20, 20, 4, 4, 4, 4, 4, 0, 0, 0, 0], np.uint32)
    found = groups(events([3] * ITEMS, list(range(ITEMS))), Catalogue(IDS, popularity=counts))
    by_name = {group.name: np.flatnonzero(group.users).tolist() for group in found if group.by == "popularity"}
    assert by_name == {"head, 1 items": [0], "middle, 1 items": [1], "tail, 10 items": list(range(2, ITEMS))}


def test_attributes_are_words_or_quarters_of_numbers() -> None:
    """Few words are groups, many numbers are cut, many words are left out, and whoever has none is in no group."""
    asked = events([2] * 20, [1] * 20)
    attributes = {
        "gender": {f"u{user}": "FM"[user % 2] for user in range(19)},
        "age": {f"u{user}": str(20 + user) for user in range(20)},
        "street": {f"u{user}": f"street {user}" for user in range(20)},
    }
    found = groups(asked, Catalogue(IDS), attributes)
    assert {(group.by, group.name): int(group.users.sum()) for group in found if group.by != "history"} == {
        ("gender", "F"): 10,
        ("gender", "M"): 9,
        ("age", "20 to 24"): 5,
        ("age", "25 to 29"): 5,
        ("age", "30 to 34"): 5,
        ("age", "35 to 39"): 5,
    }
