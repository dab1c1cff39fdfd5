"""Times of several contenders side by side: in each round everyone answers a few queries, in an order that is drawn anew.

A busy machine slows all of a round alike, so ratios are taken within rounds. A call that another process interrupted counts the
processor time that it took, or long calls would look longer than they are beside short ones, which are rarely interrupted. The
first answer of a turn warms the caches that the one before has used and is not counted. Who is much slower than the fastest takes
part in every eighth round only.
"""

from __future__ import annotations

__all__ = ["Times", "median_ratio", "rounds"]

import time
from resource import RUSAGE_SELF, getrusage
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Times = dict[int, float]
_SELDOM, _SLOW = 8, 10.0
_MIN_ROUNDS = 9  # so that the slow ones have two
_TURN_NS = 2_000_000  # a turn goes on for so long, within the bounds below
_TURN = (3, 16)


def rounds(
    calls: Mapping[str, Callable[[int], Any]],
    *,
    inputs: int,
    seconds: float,
    seen: Callable[[str, int, Any], None],
) -> dict[str, Times]:
    """Return for each name the median milliseconds of an answer in each round that it took part in.

    Args:
        calls: What is timed, by name; it gets the number of an input.
        inputs: How many inputs there are; they are taken in turn.
        seconds: How long the rounds go on, for all together.
        seen: Gets every answer, outside of the clock: name, number of the input, answer.
    """
    pilot = {name: _turn(call, range(3), inputs, seen, name) for name, call in calls.items()}
    slow = {name for name, taken in pilot.items() if taken > _SLOW * min(pilot.values())}
    lengths = {name: min(max(int(_TURN_NS / 1e6 / taken), _TURN[0]), _TURN[1]) for name, taken in pilot.items()}
    found: dict[str, Times] = {name: {} for name in calls}
    names, rng, asked = list(calls), np.random.default_rng(0), dict.fromkeys(calls, 0)
    end, turn = time.perf_counter() + seconds, 0
    while time.perf_counter() < end or turn < _MIN_ROUNDS:
        for place in rng.permutation(len(names)):
            name = names[place]
            if name in slow and turn % _SELDOM:
                continue
            numbers = range(asked[name], asked[name] + 1 + lengths[name])
            found[name][turn] = _turn(calls[name], numbers, inputs, seen, name)
            asked[name] += lengths[name]
        turn += 1
    return found


def median_ratio(over: Times, under: Times) -> float:
    """Return the median of the ratios within the rounds that both took part in."""
    return median(over[turn] / under[turn] for turn in over.keys() & under.keys())


def _turn(call: Callable[[int], Any], numbers: range, inputs: int, seen: Callable[[str, int, Any], None], name: str) -> float:
    """Return the median milliseconds of all answers but the first."""
    taken, answers = [], []
    for number in numbers:
        switches, busy = getrusage(RUSAGE_SELF).ru_nivcsw, time.process_time_ns()
        started = time.perf_counter_ns()
        answer = call(number % inputs)
        lasted = time.perf_counter_ns() - started
        busy = time.process_time_ns() - busy
        taken.append(lasted if getrusage(RUSAGE_SELF).ru_nivcsw == switches else min(busy, lasted))
        answers.append(answer)
    for number, answer in zip(numbers, answers, strict=True):
        seen(name, number % inputs, answer)
    return median(taken[1:]) / 1e6
