"""A log that a model can learn by heart: every user walks round the same circle of items."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from edge_rec.data import Dataset, Interactions, Items

if TYPE_CHECKING:
    from collections.abc import Callable

CIRCLE = 12


def circle_log(*, users: int, events: int) -> Dataset:
    """Return users who each meet ``events`` items of a circle in turn, from their own starting point."""
    steps = np.tile(np.arange(events), users)
    who = np.repeat(np.arange(users), events)
    return Dataset(
        name="circle",
        interactions=Interactions(
            users=who.astype(np.int32),
            items=((who + steps) % CIRCLE).astype(np.int32),
            timestamps=steps.astype(np.int64),
            user_ids=tuple(f"u{user}" for user in range(users)),
            item_ids=tuple(f"i{item}" for item in range(CIRCLE)),
        ),
        items=Items(titles={f"i{item}": f"Item {item}" for item in range(CIRCLE)}),
    )


@pytest.fixture
def circle() -> Callable[..., Dataset]:
    """Return the maker of circle logs."""
    return circle_log
