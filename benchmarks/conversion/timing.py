"""Latencies of several callables side by side: they take turns, so that a busy machine slows all of them alike."""

from __future__ import annotations

__all__ = ["medians"]

import time
from statistics import median
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_WARMUP = 5


def medians(
    calls: Mapping[str, Callable[[Any], object]], inputs: Mapping[str, Sequence[Any]], *, seconds: float
) -> dict[str, float]:
    """Return the median milliseconds of each callable over its inputs in turn.

    Args:
        calls: What is timed, by name.
        inputs: By the same names, the same requests in the form that each takes.
        seconds: How long the rounds go on, for all together.
    """
    for name, call in calls.items():
        for one in inputs[name][:_WARMUP]:
            call(one)
    times: dict[str, list[int]] = {name: [] for name in calls}
    end, turn = time.perf_counter() + seconds, 0
    while time.perf_counter() < end or turn < _WARMUP:
        for name, call in calls.items():
            one = inputs[name][turn % len(inputs[name])]
            started = time.perf_counter_ns()
            call(one)
            times[name].append(time.perf_counter_ns() - started)
        turn += 1
    return {name: median(taken) / 1e6 for name, taken in times.items()}
