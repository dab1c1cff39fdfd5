"""How evenly requests are answered: one line a bundle, from the fastest requests to the slowest."""

from __future__ import annotations

__all__ = ["latency_distribution"]

from typing import TYPE_CHECKING

from edge_rec_devices.latency import QUANTILES, Latency
from edge_rec_devices.report.charts._canvas import INK, MUTED, SURFACE, canvas, colour, logarithmic, to_svg
from edge_rec_devices.report.charts._lines import add_lines, height_of
from edge_rec_devices.report.verdict import names
from edge_rec_devices.report.wording import milliseconds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from edge_rec_devices.result import Measurement

# Beyond this ratio of the slowest 1 % to the fastest, a linear axis would press the fast bundles into a stripe.
_WIDE = 8.0


def latency_distribution(results: Sequence[Measurement]) -> str:
    """Draw where requests lie between the fastest and the slowest 1 %, the middle half thicker, the median marked."""
    labels = names(results)
    described = "; ".join(
        f"{label}: median {milliseconds(result.request.p50_ms)}, 99 % within {milliseconds(result.request.p99_ms)}"
        for label, result in zip(labels, results, strict=True)
    )
    figures = [f"{_plain(result.request.p50_ms)} · {_plain(result.request.p99_ms)}" for result in results]
    with canvas(height=height_of(len(results))) as figure:
        axes = add_lines(figure, labels, figures=figures, heading="p50 · p99")
        for line, result in enumerate(results):
            _line(axes, line, result.request, colour(result.subject.precision))
        low = min(_at(result.request, 1) for result in results)
        high = max(_at(result.request, 99) for result in results)
        if low > 0 and high / low > _WIDE:
            logarithmic(axes, low / 1.15, high * 1.15)
        else:
            axes.set_xlim(0, high * 1.06 or 1)
        axes.set_xlabel("Request, ms", labelpad=7)
        return to_svg(figure, name="distribution", alt=f"Distribution of the time of a request. {described}.")


def _line(axes: Axes, line: int, latency: Latency, tint: str) -> None:
    for low, high, width, alpha in ((1, 99, 5, 0.28), (5, 95, 9, 0.4), (25, 75, 14, 1.0)):
        axes.plot(
            [_at(latency, low), _at(latency, high)], [line, line], color=tint, linewidth=width, alpha=alpha, solid_capstyle="butt"
        )
    axes.plot([latency.p50_ms] * 2, [line - 0.3, line + 0.3], color=SURFACE, linewidth=4.5, solid_capstyle="butt")
    axes.plot([latency.p50_ms] * 2, [line - 0.3, line + 0.3], color=INK, linewidth=2, solid_capstyle="butt")
    axes.plot([latency.p99_ms] * 2, [line - 0.18, line + 0.18], color=MUTED, linewidth=1.6, solid_capstyle="butt")


def _at(latency: Latency, percent: int) -> float:
    return latency.quantiles_ms[percent * (QUANTILES - 1) // 100]


def _plain(value: float) -> str:
    return milliseconds(value).removesuffix(" ms")
