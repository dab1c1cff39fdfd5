"""Calls that take turns, so that a busy machine slows all of them alike; the half and the hundredth of them that took longest."""

from __future__ import annotations

__all__ = ["Times", "rounds"]

import gc
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

_WARMUP = 20  # calls each: engines plan shapes, compilers compile


@dataclass(frozen=True, kw_only=True)
class Times:
    """How long one call took, in milliseconds, and how many times as long as another in the same round, in the median.

    ``cpu_p50_ms`` is the processor time of the calling thread, which alone works; ``ratio`` is of processor time, too, since
    another process that is given the core in the middle of a call is no part of it.
    """

    p50_ms: float
    p99_ms: float
    cpu_p50_ms: float
    calls: int
    ratio: float


def rounds(
    calls: Mapping[str, Callable[[Any], object]], inputs: Sequence[Any], *, seconds: float, beside: str
) -> dict[str, Times]:
    """Time every call on the same inputs in turn; in each round another one goes first.

    Args:
        calls: What is timed, by name.
        inputs: Taken in turn, each by all calls in the same round.
        seconds: How long the rounds go on; every input is asked at least once.
        beside: The call whose median is the unit of `Times.ratio`.
    """
    for call in calls.values():
        for one in inputs[:_WARMUP]:
            call(one)
    taken: dict[str, list[tuple[int, int]]] = {name: [] for name in calls}
    names, turn, end = list(calls), 0, time.perf_counter() + seconds
    gc.collect()
    gc.disable()  # a collection would fall on whoever's turn it is
    try:
        while time.perf_counter() < end or turn < len(inputs):
            given = inputs[turn % len(inputs)]
            for place in range(len(names)):
                name = names[(place + turn) % len(names)]
                worked, started = time.thread_time_ns(), time.perf_counter_ns()
                calls[name](given)
                ended = time.perf_counter_ns()
                taken[name].append((ended - started, time.thread_time_ns() - worked))
            turn += 1
    finally:
        gc.enable()
    unit = np.asarray(taken[beside], dtype=np.float64)
    return {name: _times(np.asarray(spent, dtype=np.float64), unit) for name, spent in taken.items()}


def _times(spent: NDArray[np.float64], unit: NDArray[np.float64]) -> Times:
    """Summarise [calls, 2], wall clock and processor time in nanoseconds."""
    half, most = np.percentile(spent[:, 0], (50, 99)) / 1e6
    return Times(
        p50_ms=float(half),
        p99_ms=float(most),
        cpu_p50_ms=float(np.median(spent[:, 1])) / 1e6,
        calls=len(spent),
        ratio=float(np.median(spent[:, 1] / unit[:, 1])),
    )
