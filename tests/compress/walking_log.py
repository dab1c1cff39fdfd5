"""A small log that a network can learn."""

from __future__ import annotations

import numpy as np

from edge_rec.data import Dataset, Interactions, Items

ITEMS = 30


def walks(*, users: int = 40, events: int = 10, items: int = ITEMS) -> Dataset:
    """Return users who walk round a circle of items, some of them two at a time."""
    steps, who = np.tile(np.arange(events), users), np.repeat(np.arange(users), events)
    return Dataset(
        name="walks",
        interactions=Interactions(
            users=who.astype(np.int32),
            items=((who * 7 + steps * (1 + who % 2)) % items).astype(np.int32),
            timestamps=steps.astype(np.int64),
            user_ids=tuple(f"u{user}" for user in range(users)),
            item_ids=tuple(f"i{item}" for item in range(items)),
        ),
        items=Items(titles={}),
    )
