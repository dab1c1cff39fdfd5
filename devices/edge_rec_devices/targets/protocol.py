"""What a place to measure on must do, and what it is asked for."""

from __future__ import annotations

__all__ = ["Plan", "Target"]

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from edge_rec_runtime.errors import MeasurementError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from edge_rec_devices.result import Measurement
    from edge_rec_devices.serving import Request
    from edge_rec_runtime import Progress


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How a measurement is taken.

    Attributes:
        backend: Engine, or ``auto``.
        threads: Threads that the engine may use.
        k: Recommendations in a request; of a ranker as many of its candidates.
        seconds: Time for the requests of each bundle, four in five of them whole, one stage by stage.
        warmup: Untimed requests before the first round.
        cold_starts: Fresh processes of each bundle.
        timeout: Seconds after which a fresh process is stopped.
    """

    backend: str = "auto"
    threads: int = 1
    k: int = 10
    seconds: float = 3.0
    warmup: int = 20
    cold_starts: int = 5
    timeout: float = 120.0

    def __post_init__(self) -> None:
        """Refuse a plan that measures nothing."""
        for name, least in (("threads", 1), ("k", 1), ("warmup", 1), ("cold_starts", 1)):
            if getattr(self, name) < least:
                raise MeasurementError(f"{name} is {getattr(self, name)}; a measurement needs at least {least}")
        for name in ("seconds", "timeout"):
            if not 0 < getattr(self, name) <= 86_400:
                raise MeasurementError(f"{name} is {getattr(self, name)}; give a time above 0 and of a day at most")

    @property
    def rounds(self) -> int:
        """Parts of about a quarter second that the time is split into, so that bundles can take turns."""
        return max(4, min(40, round(self.seconds * 4)))


class Target(Protocol):
    """A machine that bundles are measured on."""

    def measure(
        self, bundles: Sequence[Path], requests: Sequence[Request], *, plan: Plan, progress: Progress
    ) -> tuple[Measurement, ...]:
        """Measure bundles side by side, in the order given, each on the requests of its kind.

        Raises:
            MeasurementError: No measurement could be taken.
        """
