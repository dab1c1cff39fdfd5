"""Leave-one-out: what each user did last is what a model is asked to foretell."""

from __future__ import annotations

__all__ = ["leave_one_out", "sequences"]

from typing import TYPE_CHECKING

import numpy as np

from edge_rec.data.interactions import Interactions, Sequences, Split
from edge_rec_runtime.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray


def sequences(interactions: Interactions) -> Sequences:
    """Lay the log out by user, oldest event first; events of one time stay in the order of the file."""
    order = np.lexsort((interactions.timestamps, interactions.users))  # stable, so ties keep the file's order
    counts = np.bincount(interactions.users, minlength=len(interactions.user_ids))
    return Sequences(items=interactions.items[order], offsets=_offsets(counts))


def leave_one_out(interactions: Interactions) -> Split:
    """Set each user's last event aside for the test and the one before it for validation.

    Raises:
        DataError: A user has fewer than three events, so that nothing would be left to learn from. Nobody is dropped
            silently: `k_core` says who stays.
    """
    whole = sequences(interactions)
    counts = np.diff(whole.offsets)
    short = np.flatnonzero(counts < 3)
    if len(short):
        raise DataError(
            f"{len(short)} of {len(counts)} users have fewer than 3 events (the first is {interactions.user_ids[short[0]]!r} "
            f"with {counts[short[0]]}), and a split needs one each to train, validate and test; filter with k_core(k=3) or more"
        )
    ends = whole.offsets[1:]
    return Split(
        train=_without_last(whole, 2),
        validation=whole.items[ends - 2],
        test=whole.items[ends - 1],
        test_histories=_without_last(whole, 1),
        user_ids=interactions.user_ids,
        item_ids=interactions.item_ids,
    )


def _without_last(whole: Sequences, count: int) -> Sequences:
    keep = np.ones(len(whole.items), dtype=bool)
    for back in range(1, count + 1):
        keep[whole.offsets[1:] - back] = False
    return Sequences(items=whole.items[keep], offsets=_offsets(np.diff(whole.offsets) - count))


def _offsets(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(counts, dtype=np.int64)])
