"""The report's charts: each takes results and returns an ``<svg>``, or None where they have nothing to show."""

from __future__ import annotations

__all__ = ["CHARTS", "Chart", "Draw"]

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from edge_rec_devices.report.charts.distribution import latency_distribution
from edge_rec_devices.report.charts.quality import quality_against_latency, quality_against_size
from edge_rec_devices.report.charts.stacks import cold_starts, peak_memory, stage_shares

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge_rec_devices.result import Measurement


class Draw(Protocol):
    """Turns results into a drawing."""

    def __call__(self, results: Sequence[Measurement]) -> str | None:
        """Return an ``<svg>`` element, or None where the results have nothing to show."""


@dataclass(frozen=True, kw_only=True)
class Chart:
    """A drawing and the words around it.

    Attributes:
        title: What it shows.
        note: How to read it.
        draw: What draws it.
        nothing: What to say where there is nothing to draw.
    """

    title: str
    note: str
    draw: Draw
    nothing: str = "These bundles carry no quality figures; convert them with held-out histories."


CHARTS: dict[str, Chart] = {
    "quality-size": Chart(
        title="Quality against size",
        note="Up is better, left is smaller. Bars are 95 % intervals over users: bundles whose bars overlap widely "
        "cannot be told apart by quality. The vertical axis need not start at 0.",
        draw=quality_against_size,
    ),
    "quality-latency": Chart(
        title="Quality against latency",
        note="Up is better, left is faster. Circles are ONNX, triangles TFLite. The axes need not start at 0.",
        draw=quality_against_latency,
    ),
    "distribution": Chart(
        title="How long a request takes",
        note="The thick bar holds the middle half of the requests, the thinner ones 90 % and 98 %; "
        "the long mark is the median, the short one p99.",
        draw=latency_distribution,
    ),
    "stages": Chart(
        title="Where a request's time goes",
        note="Shares of the stages' median times, in percent; on the right the median of the whole request.",
        draw=stage_shares,
    ),
    "cold-start": Chart(
        title="From starting a process to its first answer",
        note="Milliseconds, medians over fresh processes, of each part and of the whole. Import brings in numpy, "
        "open brings in the engine.",
        draw=cold_starts,
    ),
    "memory": Chart(
        title="Memory of a fresh process",
        note="VmHWM, the most that was resident: an idle interpreter, what numpy, the engine and the bundle add until the "
        "first answer, and what further requests add.",
        nothing="A system that was measured on does not tell the peak memory of a process.",
        draw=peak_memory,
    ),
}
