"""A log in a few numbers."""

from __future__ import annotations

__all__ = ["Summary", "summarise"]

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edge_rec.data.interactions import Interactions

_QUANTILES = {"min": 0.0, "p10": 0.1, "p50": 0.5, "p90": 0.9, "max": 1.0}
# Units of time since 1970, told apart by size: the largest number that may be of each.
_UNITS = ((1e11, 1.0), (1e14, 1e3), (1e17, 1e6), (float("inf"), 1e9))


@dataclass(frozen=True, kw_only=True)
class Summary:
    """What `summarise` counts.

    Attributes:
        users: Users with an event.
        items: Items with an event.
        events: Events in all.
        repeats: Rows left out because they repeat an event.
        density: Events over users times items.
        first: Time of the first event, ISO 8601 in UTC.
        last: Time of the last event.
        days: Between the two.
        events_per_user: Quantiles by name.
        events_per_item: Quantiles by name.
    """

    users: int
    items: int
    events: int
    repeats: int
    density: float
    first: str
    last: str
    days: float
    events_per_user: dict[str, float]
    events_per_item: dict[str, float]


def summarise(interactions: Interactions) -> Summary:
    """Count a log; it has at least one event."""
    users, items, events = len(interactions.user_ids), len(interactions.item_ids), len(interactions)
    latest = int(interactions.timestamps.max())
    per_second = next(scale for limit, scale in _UNITS if latest < limit)
    first, last = int(interactions.timestamps.min()) / per_second, latest / per_second
    return Summary(
        users=users,
        items=items,
        events=events,
        repeats=interactions.repeats,
        density=events / (users * items),
        first=_iso(first),
        last=_iso(last),
        days=(last - first) / 86_400,
        events_per_user=_spread(interactions.users),
        events_per_item=_spread(interactions.items),
    )


def _spread(rows: NDArray[np.int32]) -> dict[str, float]:
    counts = np.bincount(rows)
    return {name: float(value) for name, value in zip(_QUANTILES, np.quantile(counts, list(_QUANTILES.values())), strict=True)}


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, tz=UTC).isoformat(timespec="seconds")
