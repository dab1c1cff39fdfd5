"""This machine: fresh processes first, then rounds of requests in which the bundles take turns."""

from __future__ import annotations

__all__ = ["Local"]

import gc
import hashlib
import statistics
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from edge_rec_devices.environment import describe
from edge_rec_devices.fresh import ENGINES, Fresh
from edge_rec_devices.replay import Replay
from edge_rec_devices.result import ColdStart, Measurement, Memory, Setup, Subject, quality_of
from edge_rec_devices.serving import open_serving
from edge_rec_runtime.backends import BACKENDS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from edge_rec_devices.environment import Environment
    from edge_rec_devices.fresh import FreshAnswer, FreshIdle
    from edge_rec_devices.serving import Request, Serving
    from edge_rec_devices.targets.protocol import Plan
    from edge_rec_runtime import Progress

# Answers of the process whose memory is read: enough to touch every row that requests touch, and still quick.
_ANSWERS = 64


@dataclass(frozen=True)
class _Candidate:
    path: Path
    serving: Serving
    requests: list[dict[str, Any]]
    replay: Replay
    environment: Environment
    starts: list[FreshAnswer] = field(default_factory=list)

    @property
    def backend(self) -> str:
        return self.serving.backend


class Local:
    """Measures here."""

    def measure(
        self, bundles: Sequence[Path], requests: Sequence[Request], *, plan: Plan, progress: Progress
    ) -> tuple[Measurement, ...]:
        """Measure bundles side by side; see `Target`."""
        with ExitStack() as stack:
            candidates = [_open(stack, path, requests, plan) for path in bundles]
            steps = _Steps(progress, total=len(bundles) * (plan.cold_starts + 1 + plan.rounds))
            idle = _start_fresh(candidates, plan, steps)
            _take_turns(candidates, plan, steps)
            now = datetime.now(UTC).isoformat(timespec="seconds")
            return tuple(_result(one, idle, plan, bundles=len(bundles), now=now) for one in candidates)


class _Steps:
    def __init__(self, progress: Progress, *, total: int) -> None:
        self._progress = progress
        self._done = 0
        self._total = total

    def __call__(self, note: str) -> None:
        self._done += 1
        self._progress(self._done, self._total, note)


def _open(stack: ExitStack, path: Path, requests: Sequence[Request], plan: Plan) -> _Candidate:
    serving = open_serving(path, backend=plan.backend, threads=plan.threads)
    stack.callback(serving.close)
    fitting = serving.fitting(requests)
    return _Candidate(
        path=path,
        serving=serving,
        requests=fitting,
        replay=Replay(serving, fitting, k=plan.k),
        # Read before the measurement itself is the machine's load.
        environment=describe(packages=tuple(dict.fromkeys(("edge-rec", "numpy", ENGINES[serving.backend].distribution)))),
    )


def _start_fresh(candidates: Sequence[_Candidate], plan: Plan, step: _Steps) -> dict[str, list[FreshIdle]]:
    """Start processes, the bundles in turn with processes that only import, so that a slow minute meets all of them.

    The first start of each bundle answers many requests: it fills the file cache and tells the memory, its times do not count.

    Returns:
        The processes that only import, by what they import.
    """
    fresh = Fresh(timeout=plan.timeout)
    modules = dict.fromkeys(["python", "numpy", *(ENGINES[one.backend].module for one in candidates)])
    idle: dict[str, list[FreshIdle]] = {module: [] for module in modules}
    for count in range(plan.cold_starts + 1):
        for one in candidates:
            asked = one.requests[: 1 if count else _ANSWERS]
            opener = one.serving.opener
            one.starts.append(fresh.answer(one.path, asked, opener=opener, backend=one.backend, threads=plan.threads, k=plan.k))
            step(f"cold start: {one.path.name}")
        for module in modules if count else ():
            idle[module].append(fresh.idle(module))
    return idle


def _take_turns(candidates: Sequence[_Candidate], plan: Plan, step: _Steps) -> None:
    """Time requests in rounds, every other round backwards, so that what drifts or comes before meets all alike."""
    for one in candidates:
        one.replay.warm_up(plan.warmup)
    # What lives by now, a whole host toolkit perhaps, is kept from the collector; it then sees what requests make.
    gc.collect()
    gc.freeze()
    try:
        share = plan.seconds / plan.rounds
        for number in range(plan.rounds):
            for one in candidates[:: -1 if number % 2 else 1]:
                one.replay.time_round(share)
                step(f"requests: {one.path.name}")
    finally:
        gc.unfreeze()


def _result(one: _Candidate, idle: dict[str, list[FreshIdle]], plan: Plan, *, bundles: int, now: str) -> Measurement:
    ranks = one.serving.bundle.manifest.kind == "ranker"
    mean_size = round(statistics.fmean(map(one.serving.size, one.requests)), 2)
    many, *starts = one.starts
    memory = Memory(
        peak_rss_bytes=many.peak_rss,
        first_answer_rss_bytes=many.first_answer_rss,
        idle_rss_bytes=idle["python"][-1].peak_rss,
        mapped_bytes=many.mapped,
        answers=min(_ANSWERS, len(one.requests)),
    )
    unread = [name for name, value in asdict(memory).items() if value is None]
    return Measurement(
        subject=_subject(one),
        setup=Setup(
            backend=one.backend,
            threads=plan.threads,
            k=plan.k,
            histories=len(one.requests),
            mean_events=None if ranks else mean_size,
            mean_candidates=mean_size if ranks else None,
            rounds=plan.rounds,
            bundles=bundles,
            seconds=plan.seconds,
            warmup=plan.warmup,
            processor_share=one.replay.processor_share(),
        ),
        environment=one.environment,
        request=one.replay.latency(),
        stages=one.replay.stages(),
        cold_start=_cold_start(starts, idle, one.backend),
        memory=memory,
        measured_at=now,
        missing=dict.fromkeys(unread, "this system has no /proc, where Linux tells it"),
    )


def _subject(one: _Candidate) -> Subject:
    manifest = one.serving.bundle.manifest
    with one.path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return Subject(
        file=one.path.name,
        model=manifest.name,
        target=BACKENDS[one.backend].target if one.backend in BACKENDS else "any",
        precision=manifest.precision.asked.slug,
        network=manifest.precision.network,
        sha256=digest,
        bytes=one.path.stat().st_size,
        model_bytes=manifest.model_bytes,
        items=len(one.serving.catalogue),
        dims=manifest.dims,
        max_length=manifest.max_length,
        quality=quality_of(manifest.metrics, where=one.path.name),
        kind=manifest.kind,
    )


def _cold_start(starts: Sequence[FreshAnswer], idle: dict[str, list[FreshIdle]], backend: str) -> ColdStart:
    def median(part: str) -> float:
        return round(float(statistics.median(getattr(start, part) for start in starts)), 3)

    def idle_ms(module: str) -> float:
        return round(float(statistics.median(process.total_ms for process in idle[module])), 3)

    return ColdStart(
        median_ms=median("total_ms"),
        samples_ms=tuple(round(start.total_ms, 3) for start in starts),
        python_ms=median("python_ms"),
        import_ms=median("import_ms"),
        open_ms=median("open_ms"),
        first_request_ms=median("first_request_ms"),
        bare_python_ms=idle_ms("python"),
        numpy_ms=idle_ms("numpy"),
        engine_ms=idle_ms(ENGINES[backend].module),
    )
