"""Real requests through an open bundle: whole, and the same requests stage by stage.

Random ids would keep the tables in the cache and flatter every figure, so requests of users are replayed in turn. The stopwatch
between stages costs time of its own; stages are therefore timed on requests of their own, and held against the whole afterwards.
"""

from __future__ import annotations

__all__ = ["TOLERANCE", "Replay"]

import gc
import itertools
import statistics
import time
from typing import TYPE_CHECKING, Any

from edge_rec_devices.latency import Latency
from edge_rec_devices.result import Stage, Stages
from edge_rec_runtime.errors import MeasurementError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from edge_rec_devices.serving import Serving

# How far the stages' sum may be from the whole request before the result says that they disagree.
TOLERANCE = 0.15
# Requests at the start of a round that are not counted: another bundle was in the processor's caches.
SETTLE = 3
# Whole requests in a row; of every fourth of them the stages are timed a moment later, on the same busy machine.
ROW, EVERY = 32, 4


class Replay:
    """One open bundle, the requests that it is asked, and the durations so far.

    Args:
        serving: The bundle.
        requests: As `Serving.fitting` gives them, at least one.
        k: Items asked for.
    """

    def __init__(self, serving: Serving, requests: Sequence[Mapping[str, Any]], *, k: int) -> None:
        self._serving = serving
        self._k = k
        self._turn: Iterator[Mapping[str, Any]] = itertools.cycle(requests)
        self._whole: list[int] = []
        self._parts: list[tuple[int, ...]] = []
        self._ratios: list[float] = []
        self._elapsed = 0
        self._ran = 0

    def warm_up(self, requests: int) -> None:
        """Answer requests untimed, each both ways, and check that both give the same.

        Raises:
            MeasurementError: The stages no longer add up to what a whole request does.
        """
        for request in itertools.islice(self._turn, requests):
            whole = self._serving.whole(request, k=self._k)
            staged, _ = self._serving.in_stages(request, k=self._k)
            if tuple(whole) != staged:
                raise MeasurementError(
                    f"{self._serving.bundle.path.name}: the stages of a request gave {[one.id for one in staged[:3]]}, "
                    f"the whole request gave {[one.id for one in whole[:3]]}; the runtime is of another version than this tool"
                )

    def time_round(self, seconds: float) -> None:
        """Time requests for a while: a row of whole ones, then some of the same stage by stage."""
        gc.collect()
        for request in itertools.islice(self._turn, SETTLE):
            self._serving.whole(request, k=self._k)
        begun, ran = time.perf_counter_ns(), time.process_time_ns()
        end = begun + int(seconds * 1e9)
        while time.perf_counter_ns() < end:
            timed = self._time_whole(end)
            self._time_stages(timed[::EVERY])
        self._elapsed += time.perf_counter_ns() - begun
        self._ran += time.process_time_ns() - ran

    def _time_whole(self, end: int) -> list[tuple[Mapping[str, Any], int]]:
        """Time a row of whole requests, a shorter one where the round ends; return them with what they took."""
        clock, whole, k = time.perf_counter_ns, self._serving.whole, self._k
        timed = []
        for request in itertools.islice(self._turn, ROW):
            begun = clock()
            whole(request, k=k)
            done = clock()
            timed.append((request, done - begun))
            if done >= end:
                break
        self._whole += [duration for _, duration in timed]
        return timed

    def _time_stages(self, timed: Sequence[tuple[Mapping[str, Any], int]]) -> None:
        for request, whole in timed:
            _, parts = self._serving.in_stages(request, k=self._k)
            self._parts.append(parts)
            self._ratios.append(sum(parts) / max(whole, 1))

    def processor_share(self) -> float:
        """Return the share of the rounds in which this process had a processor."""
        return round(min(self._ran / max(self._elapsed, 1), 1.0), 4)

    def latency(self) -> Latency:
        """Summarise the whole requests."""
        return Latency.of(self._whole)

    def stages(self) -> Stages:
        """Summarise the stages, and hold their sum against the same request as a whole."""
        columns = list(zip(*self._parts, strict=True))
        medians = [statistics.median(column) for column in columns]
        ratio = statistics.median(self._ratios)
        return Stages(
            parts=tuple(
                Stage(
                    name=name,
                    p50_ms=round(median / 1e6, 6),
                    mean_ms=round(statistics.fmean(column) / 1e6, 6),
                    share=round(median / max(sum(medians), 1), 4),
                )
                for name, column, median in zip(self._serving.stages, columns, medians, strict=True)
            ),
            requests=len(self._parts),
            sum_ratio=round(ratio, 4),
            agrees=abs(ratio - 1) <= TOLERANCE,
        )
