"""Interaction logs for hypothesis, small enough to be checked by hand."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from edge_rec.data import Interactions


@st.composite
def logs(draw: st.DrawFn, *, min_events: int = 0, max_users: int = 6, max_items: int = 6) -> Interactions:
    """Draw a log with many ties: few users, few items, few times. Not every id need have an event."""
    events = draw(
        st.lists(
            st.tuples(st.integers(0, max_users - 1), st.integers(0, max_items - 1), st.integers(0, 4)),
            min_size=min_events,
            max_size=60,
        )
    )
    users, items, times = (np.array([event[part] for event in events]) for part in range(3))
    return Interactions(
        users=users.astype(np.int32),
        items=items.astype(np.int32),
        timestamps=times.astype(np.int64),
        user_ids=tuple(f"u{row}" for row in range(max_users)),
        item_ids=tuple(f"i{row}" for row in range(max_items)),
    )


def events(log: Interactions) -> list[tuple[str, str, int]]:
    """Return a log as (user id, item id, time), in its order."""
    return [
        (log.user_ids[user], log.item_ids[item], int(time))
        for user, item, time in zip(log.users, log.items, log.timestamps, strict=True)
    ]
