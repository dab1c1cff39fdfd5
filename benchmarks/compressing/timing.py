"""Two files of one engine, asked in turn: how long one takes, and how that compares."""

from __future__ import annotations

__all__ = ["beside"]

import time
from statistics import median
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_WARMUP = 5


def beside(
    ours: Callable[[Any], object], theirs: Callable[[Any], object], inputs: Sequence[tuple[Any, Any]], *, seconds: float
) -> tuple[float, float]:
    """Return the median milliseconds of ``ours``, and the median of its ratios to the neighbouring call of ``theirs``.

    Which of the two goes first changes with every pair, since the first finds the other's data in the cache.

    Args:
        ours: Takes the first of a pair of inputs.
        theirs: Takes the second.
        inputs: Taken in turn.
        seconds: How long the pairs go on.
    """
    taken, ratios = [], []
    end, turn = time.perf_counter() + seconds, 0
    while time.perf_counter() < end or turn < 3 * _WARMUP:
        spent = [0, 0]
        for which in (turn % 2, 1 - turn % 2):
            given = inputs[turn % len(inputs)][which]
            started = time.perf_counter_ns()
            (ours, theirs)[which](given)
            spent[which] = time.perf_counter_ns() - started
        if turn >= _WARMUP:
            taken.append(spent[0])
            ratios.append(spent[0] / spent[1])
        turn += 1
    return median(taken) / 1e6, median(ratios)
