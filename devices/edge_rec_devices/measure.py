"""Measure bundles."""

from __future__ import annotations

__all__ = ["measure"]

from pathlib import Path
from typing import TYPE_CHECKING

from edge_rec_devices.targets import TARGETS, Plan
from edge_rec_runtime import silent
from edge_rec_runtime.errors import MeasurementError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge_rec_devices.result import Measurement
    from edge_rec_devices.serving import Request
    from edge_rec_runtime import Progress

_DEFAULT = Plan()


def measure(
    bundles: Sequence[Path | str],
    requests: Sequence[Request],
    *,
    plan: Plan = _DEFAULT,
    progress: Progress = silent,
) -> tuple[Measurement, ...]:
    """Measure bundles side by side on this machine: they take turns, so that their ratios are fair.

    Args:
        bundles: Files; the results come in their order.
        requests: Real histories for retrievers and tables of neighbours, real requests for rankers; each bundle is asked those
            of its kind in turn.
        plan: How: engine, seconds, fresh processes.
        progress: Told of each process and each round.

    Raises:
        MeasurementError: Nothing to measure, or no measurement could be taken.
        BundleError: A bundle is damaged.
        BackendError: No installed engine runs a bundle.
    """
    if not bundles:
        raise MeasurementError("there is no bundle to measure; name at least one .edgerec file")
    if not requests:
        raise MeasurementError("there is no history and no request to replay; give at least one")
    return TARGETS["local"].measure([Path(bundle) for bundle in bundles], requests, plan=plan, progress=progress)
