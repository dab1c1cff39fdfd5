"""Times of logs: seconds, milliseconds, microseconds or nanoseconds since 1970, told apart by size."""

from __future__ import annotations

__all__ = ["per_second"]

# The largest number that may be of each unit, and how many of it make a second.
_UNITS = ((1e11, 1), (1e14, 1_000), (1e17, 1_000_000), (float("inf"), 1_000_000_000))


def per_second(latest: int) -> int:
    """Return how many of a log's units make a second, by the latest time in it."""
    return next(scale for limit, scale in _UNITS if latest < limit)
