"""A log in a few numbers."""

from __future__ import annotations

__all__ = ["Summary", "summarise"]

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np

from edge_rec.data.times import per_second

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edge_rec.data.interactions import Interactions

_QUANTILES = {"min": 0.0, "p10": 0.1, "p50": 0.5, "p90": 0.9, "max": 1.0}


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
    scale = per_second(latest)
    first, last = int(interactions.timestamps.min()) / scale, latest / scale
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
