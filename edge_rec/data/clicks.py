"""Clicks: events that were liked or not, in order of time, and what was known of their user at each moment.

A split by time is what serving is like: a model that knows the past is asked about the days after it, also about users and
items that came later. Nothing of an event's own moment, or after it, is ever told: of events in one second none knows another.
"""

from __future__ import annotations

__all__ = ["Clicks", "Past", "clicks"]

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from edge_rec_runtime.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edge_rec.data.interactions import Interactions


@dataclass(frozen=True, kw_only=True)
class Past:
    """What each event's user had done before that event.

    Attributes:
        events: [events] int64, events of the user that are strictly older.
        liked: [events] int64, how many of them were clicks.
        items: [clicks] int32 item rows of all clicks, user by user, oldest first.
        ends: [events] int64, where in ``items`` the user's clicks before the event end; they are ``liked`` many.
    """

    events: NDArray[np.int64]
    liked: NDArray[np.int64]
    items: NDArray[np.int32]
    ends: NDArray[np.int64]

    def among(self, known: NDArray[np.bool_]) -> Past:
        """Return the same where only clicks on some items count; ``known`` is [items] over the log's rows."""
        keep = known[self.items]
        before = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(keep, dtype=np.int64)])
        ends = before[self.ends]
        return replace(self, items=self.items[keep], ends=ends, liked=ends - before[self.ends - self.liked])

    def newest(self, rows: NDArray[np.int64], length: int) -> NDArray[np.int32]:
        """Return the newest clicks before some events, oldest first.

        Args:
            rows: [n] of events.
            length: Clicks at most.

        Returns:
            [n, longest of them] item rows, at least one column; -1 after the end.
        """
        counts = np.minimum(self.liked[rows], length)
        steps = np.arange(max(1, int(counts.max(initial=0))))
        there = steps < counts[:, None]
        where = (self.ends[rows] - counts)[:, None] + steps
        return np.where(there, self.items[np.where(there, where, 0)] if len(self.items) else -1, -1).astype(np.int32)


@dataclass(frozen=True, kw_only=True)
class Clicks:
    """Events in order of time, those of one time in the order of the log, split by time.

    Attributes:
        users: [events] int32, rows of the log's user ids.
        items: [events] int32, rows of the log's item ids.
        timestamps: [events] int64, ascending.
        clicked: [events] bool.
        past: What each user had done before each event.
        train: [..] int64, the events to learn from: the oldest.
        validation: [..] int64, the events after them.
        test: [..] int64, the newest.
    """

    users: NDArray[np.int32]
    items: NDArray[np.int32]
    timestamps: NDArray[np.int64]
    clicked: NDArray[np.bool_]
    past: Past
    train: NDArray[np.int64]
    validation: NDArray[np.int64]
    test: NDArray[np.int64]


def clicks(interactions: Interactions, *, liked: float = 4.0, validation: float = 0.1, test: float = 0.1) -> Clicks:
    """Call ratings clicks where they are good, and split the log by time.

    Args:
        interactions: A log with ratings.
        liked: The least rating that counts as a click.
        validation: Share of the events for validation; events of one time stay together, on the later side.
        test: Share of the events for the test.

    Raises:
        DataError: The log has no ratings, or a part of the split lacks clicks or events that are none.
    """
    if interactions.ratings is None:
        raise DataError(
            "the log has no ratings, and a ranker learns from what was liked and what was not; "
            "name a column 'rating', 1 for a click and 0 for none if need be, or train a retriever such as sasrec"
        )
    order = np.argsort(interactions.timestamps, kind="stable")
    times = interactions.timestamps[order]
    users = interactions.users[order]
    top = float(interactions.ratings.max())
    clicked = interactions.ratings[order] >= min(liked, top)
    starts = [_first_of_time(times, round(len(times) * share)) for share in (1 - validation - test, 1 - test)]
    parts = np.split(np.arange(len(times), dtype=np.int64), starts)
    for name, rows in zip(("training", "validation", "test"), parts, strict=True):
        if len(rows) == 0 or clicked[rows].all() or not clicked[rows].any():
            raise DataError(
                f"the {name} part of the split by time has {int(clicked[rows].sum())} clicks among {len(rows)} events; "
                f"it needs events that were clicks (rated {min(liked, top):g} or more) and events that were not"
            )
    return Clicks(
        users=users,
        items=interactions.items[order],
        timestamps=times,
        clicked=clicked,
        past=_past(users, interactions.items[order], times, clicked),
        train=parts[0],
        validation=parts[1],
        test=parts[2],
    )


def _first_of_time(times: NDArray[np.int64], event: int) -> int:
    """Return the first event of the time of an event."""
    return int(np.searchsorted(times, times[min(event, len(times) - 1)], side="left"))


def _past(users: NDArray[np.int32], items: NDArray[np.int32], times: NDArray[np.int64], clicked: NDArray[np.bool_]) -> Past:
    by_user = np.argsort(users, kind="stable")  # of each user the oldest first
    owner, time, was_click = users[by_user], times[by_user], clicked[by_user]
    here = np.arange(len(by_user))
    new_user = np.concatenate([[True], owner[1:] != owner[:-1]])
    new_time = new_user | np.concatenate([[True], time[1:] != time[:-1]])
    first_of_user = np.maximum.accumulate(np.where(new_user, here, 0))
    first_of_time = np.maximum.accumulate(np.where(new_time, here, 0))
    before: NDArray[np.int64] = np.cumsum(was_click) - was_click  # clicks of anybody that stand earlier in this order
    found = np.empty((3, len(by_user)), dtype=np.int64)
    found[:, by_user] = first_of_time - first_of_user, before[first_of_time] - before[first_of_user], before[first_of_time]
    return Past(events=found[0], liked=found[1], ends=found[2], items=items[by_user][was_click])
