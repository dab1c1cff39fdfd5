"""Measure one bundle or several."""

from __future__ import annotations

__all__ = ["measure", "measure_many"]

from pathlib import Path
from typing import TYPE_CHECKING

from edge_rec_devices.targets import TARGETS, Plan
from edge_rec_runtime import silent
from edge_rec_runtime.errors import MeasurementError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge_rec_devices.result import Measurement
    from edge_rec_runtime import History, Progress

_DEFAULT = Plan()


def measure_many(
    bundles: Sequence[Path | str],
    histories: Sequence[History],
    *,
    backend: str = _DEFAULT.backend,
    threads: int = _DEFAULT.threads,
    k: int = _DEFAULT.k,
    seconds: float = _DEFAULT.seconds,
    warmup: int = _DEFAULT.warmup,
    cold_starts: int = _DEFAULT.cold_starts,
    progress: Progress = silent,
) -> tuple[Measurement, ...]:
    """Measure bundles side by side on this machine: they take turns, so that their ratios are fair.

    Args:
        bundles: Files; the results come in their order.
        histories: Real histories, replayed in turn.
        backend: Engine for all of them, or ``auto`` for what each needs.
        threads: Threads that the engine may use.
        k: Recommendations in a request.
        seconds: Time for the requests of each bundle.
        warmup: Untimed requests of each bundle before the first round.
        cold_starts: Fresh processes of each bundle.
        progress: Told of each process and each round.

    Raises:
        MeasurementError: Nothing to measure, or no measurement could be taken.
        BundleError: A bundle is damaged.
        BackendError: No installed engine runs a bundle.
    """
    plan = Plan(backend=backend, threads=threads, k=k, seconds=seconds, warmup=warmup, cold_starts=cold_starts)
    if not bundles:
        raise MeasurementError("there is no bundle to measure; name at least one .edgerec file")
    if not histories:
        raise MeasurementError("there is no history to replay; give at least one")
    return TARGETS["local"].measure([Path(bundle) for bundle in bundles], histories, plan=plan, progress=progress)


def measure(
    bundle: Path | str,
    histories: Sequence[History],
    *,
    backend: str = _DEFAULT.backend,
    threads: int = _DEFAULT.threads,
    k: int = _DEFAULT.k,
    seconds: float = _DEFAULT.seconds,
    warmup: int = _DEFAULT.warmup,
    cold_starts: int = _DEFAULT.cold_starts,
    progress: Progress = silent,
) -> Measurement:
    """Measure one bundle on this machine; see `measure_many` for the arguments and what is raised."""
    (result,) = measure_many(
        [bundle],
        histories,
        backend=backend,
        threads=threads,
        k=k,
        seconds=seconds,
        warmup=warmup,
        cold_starts=cold_starts,
        progress=progress,
    )
    return result
