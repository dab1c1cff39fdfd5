"""A series of durations becomes the figures that a reader wants, and enough of its shape to draw it."""

from __future__ import annotations

__all__ = ["QUANTILES", "Latency"]

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from edge_rec_runtime.errors import MeasurementError

if TYPE_CHECKING:
    from collections.abc import Sequence

# 0, 0.5, ... 100 %: close enough to draw a distribution, and two kilobytes where the samples would be megabytes.
QUANTILES = 201


@dataclass(frozen=True, kw_only=True)
class Latency:
    """How long requests took, in milliseconds.

    Attributes:
        count: Requests that were timed.
        min_ms: Fastest.
        mean_ms: Arithmetic mean.
        p50_ms: Median; half of the requests were faster.
        p90_ms: 90 % were faster.
        p95_ms: 95 % were faster.
        p99_ms: 99 % were faster.
        max_ms: Slowest.
        per_second: Requests a second, one after the other: 1000 / mean.
        quantiles_ms: The distribution in steps of half a percent, `QUANTILES` values from the fastest to the slowest.
    """

    count: int
    min_ms: float
    mean_ms: float
    p50_ms: float
    p90_ms: float
    p95_ms: float
    p99_ms: float
    max_ms: float
    per_second: float
    quantiles_ms: tuple[float, ...]

    def __post_init__(self) -> None:
        """Refuse a distribution that is none."""
        grid = self.quantiles_ms
        if len(grid) != QUANTILES or any(a > b for a, b in itertools.pairwise(grid)) or grid[0] < 0:
            raise MeasurementError(
                f"quantiles_ms holds {len(grid)} values, expected {QUANTILES} that never fall and start at 0 or above; "
                "measure the bundle again"
            )

    @classmethod
    def of(cls, nanoseconds: Sequence[int]) -> Self:
        """Summarise durations; percentiles are interpolated between neighbours, as numpy does by default.

        Args:
            nanoseconds: One duration a request, in any order.

        Raises:
            MeasurementError: No duration at all.
        """
        if not len(nanoseconds):
            raise MeasurementError("no request was timed; give the measurement more seconds")
        durations = np.asarray(nanoseconds, dtype=np.float64) / 1e6
        p50, p90, p95, p99 = (round(float(value), 6) for value in np.percentile(durations, (50, 90, 95, 99)))
        mean = float(durations.mean())
        return cls(
            count=len(durations),
            min_ms=float(durations.min()),
            mean_ms=round(mean, 6),
            p50_ms=p50,
            p90_ms=p90,
            p95_ms=p95,
            p99_ms=p99,
            max_ms=float(durations.max()),
            per_second=round(1000 / mean, 3),
            quantiles_ms=tuple(round(float(value), 5) for value in np.quantile(durations, np.linspace(0, 1, QUANTILES))),
        )
