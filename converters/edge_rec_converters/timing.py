"""How fast a bundle answers beside another one, here and now: an impression for whoever converts, not a benchmark."""

from __future__ import annotations

__all__ = ["latency_ratio"]

import time
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    from edge_rec_converters.kinds import Prepared
    from edge_rec_converters.kinds.protocol import Request

_SECONDS = 2.0
_ROUNDS = 8
_FEWEST = 3  # rounds that are finished however long they take


def latency_ratio(made: Prepared, bundle: Path, beside: Path) -> float:
    """Return how long requests to ``bundle`` take, divided by how long the same ones to ``beside`` take.

    Both are asked in turn, request by request, so that whatever else the machine does falls on both; the first round warms up
    and does not count. The median of the ratios of neighbouring calls is returned, after eight rounds or two seconds.
    """
    with made.requests(bundle) as ours, made.requests(beside) as theirs:
        ratios: list[float] = []
        stop = time.perf_counter() + _SECONDS
        for turn in range(_ROUNDS + 1):
            found = [_ratio(one, other, first=turn % 2) for one, other in zip(ours, theirs, strict=True)]
            ratios += found if turn else []
            if turn >= _FEWEST and time.perf_counter() > stop:
                break
    return float(np.median(ratios))


def _ratio(one: Request, other: Request, *, first: int) -> float:
    """Time both, ``other`` first where ``first`` is 1: neither always finds the other's data in the cache."""
    spent = [0.0, 0.0]
    for which in (first, 1 - first):
        start = time.perf_counter()
        (one, other)[which]()
        spent[which] = time.perf_counter() - start
    return spent[0] / max(spent[1], 1e-9)
