"""What a step of training is shown."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_rec.data import Sequences
from edge_rec.training.windows import batches


def _laid_out(lengths: list[int]) -> Sequences:
    """Return users whose items are numbers that nobody else has, in rising order."""
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    return Sequences(items=np.arange(offsets[-1], dtype=np.int32), offsets=offsets)


@settings(deadline=None)
@given(st.lists(st.integers(1, 40), min_size=1, max_size=60), st.integers(1, 12), st.integers(1, 40), st.integers(0, 3))
def test_every_user_once_each_event_foretold_from_those_before(lengths: list[int], window: int, users: int, seed: int) -> None:
    """Each user with two events is there once, with as many events as fit, each target the successor of its row, at its place."""
    rng = np.random.default_rng(seed)
    met: list[int] = []
    for batch in batches(_laid_out(lengths), max_length=window, users=users, rng=rng):
        assert sum(len(one.rows) for one in batch) <= users
        for one in batch:
            np.testing.assert_array_equal(one.rows[one.events] + 1, one.targets)
            np.testing.assert_array_equal(one.positions, one.targets)  # each item of this log is its own place in it
            counts = one.events.sum(dim=1)
            assert bool((one.events[:, :-1].int() >= one.events[:, 1:].int()).all()), "padding comes after the events"
            starts = np.concatenate([[0], np.cumsum(lengths)])
            owners = np.searchsorted(starts, one.rows[:, 0].numpy(), side="right") - 1
            np.testing.assert_array_equal(counts, np.minimum(np.array(lengths)[owners] - 1, window))
            met.extend(owners)
    assert sorted(met) == [user for user, length in enumerate(lengths) if length >= 2]


def test_half_of_the_windows_are_the_last() -> None:
    """Of a history twice as long as the window about half of the windows are its end, the others are spread."""
    rng = np.random.default_rng(0)
    histories = _laid_out([41])
    starts = [int(batch[0].rows[0, 0]) for _ in range(600) for batch in batches(histories, max_length=20, users=1, rng=rng)]
    assert 270 < sum(start == 20 for start in starts) < 370
    assert set(starts) == set(range(21))
