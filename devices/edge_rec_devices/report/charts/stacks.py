"""What time and memory go into: one stacked bar a bundle, for a request, a cold start and a fresh process's memory."""

from __future__ import annotations

__all__ = ["cold_starts", "peak_memory", "stage_shares"]

from itertools import pairwise
from typing import TYPE_CHECKING

from edge_rec_devices.report.charts._canvas import INK, ON_STAGE, SURFACE, canvas, stage_colour, to_svg
from edge_rec_devices.report.charts._lines import add_lines, height_of
from edge_rec_devices.report.verdict import names
from edge_rec_devices.report.wording import megabytes, milliseconds, percent, short

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from edge_rec_devices.result import Measurement

# A part narrower than this share of the axis is not labelled: its number would not fit.
_ROOM = 0.09
_START = ("Python", "import", "open", "first request")
_GROWTH = ("idle Python", "until the first answer", "later answers")


def stage_shares(results: Sequence[Measurement]) -> str:
    """Draw each stage's share of a request."""
    labels = names(results)
    shares = [{short(stage.name, longest=14): stage.share for stage in result.stages.parts} for result in results]
    parts = list(dict.fromkeys(part for share in shares for part in share))
    values = [[share.get(part, 0.0) * 100 for part in parts] for share in shares]
    described = "; ".join(
        f"{label}: {', '.join(f'{part} {percent(share[part])}' for part in parts if part in share)}"
        for label, share in zip(labels, shares, strict=True)
    )
    return _stacked(
        labels,
        parts,
        values,
        figures=[milliseconds(result.request.p50_ms) for result in results],
        heading="p50",
        across="Share of a request, %",
        name="stages",
        alt=f"Share of each stage in a request. {described}.",
    )


def cold_starts(results: Sequence[Measurement]) -> str:
    """Draw what a fresh process does until its first answer, in milliseconds."""
    labels = names(results)
    starts = [result.cold_start for result in results]
    values = [[start.python_ms, start.import_ms, start.open_ms, start.first_request_ms] for start in starts]
    described = "; ".join(
        f"{label}: {', '.join(f'{part} {milliseconds(value)}' for part, value in zip(_START, line, strict=True))}"
        for label, line in zip(labels, values, strict=True)
    )
    return _stacked(
        labels,
        _START,
        values,
        figures=[milliseconds(start.median_ms) for start in starts],
        heading="in all",
        across="Since the start of the process, ms",
        name="cold-start",
        alt=f"Parts of a cold start. {described}.",
    )


def peak_memory(results: Sequence[Measurement]) -> str | None:
    """Draw how a fresh process's peak memory grows, in MB; None where a system does not tell it."""
    memories = [result.memory for result in results]
    values = []
    for memory in memories:
        if memory.idle_rss_bytes is None or memory.first_answer_rss_bytes is None or memory.peak_rss_bytes is None:
            return None
        peaks = (0, memory.idle_rss_bytes, memory.first_answer_rss_bytes, memory.peak_rss_bytes)
        values.append([max(after - before, 0) / 1e6 for before, after in pairwise(peaks)])
    labels = names(results)
    totals = [megabytes(memory.peak_rss_bytes) for memory in memories]
    described = "; ".join(f"{label}: {total}" for label, total in zip(labels, totals, strict=True))
    return _stacked(
        labels,
        _GROWTH,
        values,
        figures=totals,
        heading="peak",
        across="Resident memory at its peak, MB",
        name="memory",
        alt=f"Peak memory of a fresh process. {described}.",
    )


def _stacked(
    labels: Sequence[str],
    parts: Sequence[str],
    values: Sequence[Sequence[float]],
    *,
    figures: Sequence[str],
    heading: str,
    across: str,
    name: str,
    alt: str,
) -> str:
    longest = max(sum(line) for line in values) or 1.0
    with canvas(height=height_of(len(labels))) as figure:
        axes = add_lines(figure, labels, figures=figures, heading=heading)
        axes.set_xlim(0, longest)
        axes.set_xlabel(across, labelpad=7)
        for line, widths in enumerate(values):
            left = 0.0
            for index, width in enumerate(widths):
                axes.barh(line, width, left=left, height=0.68, color=stage_colour(index), edgecolor=SURFACE, linewidth=1)
                if width >= _ROOM * longest:
                    axes.text(left + width / 2, line, f"{width:.0f}", ha="center", va="center", fontsize=8.5, color=ON_STAGE)
                left += width
        _legend(axes, parts)
        return to_svg(figure, name=name, alt=alt)


def _legend(axes: Axes, parts: Sequence[str]) -> None:
    """Name the parts above the bars, in the order of the bars."""
    from matplotlib.patches import Patch  # noqa: PLC0415 - the canvas has checked that matplotlib is there

    handles = [Patch(facecolor=stage_colour(index), label=part) for index, part in enumerate(parts)]
    axes.legend(
        handles=handles,
        loc="lower left",
        bbox_to_anchor=(0, axes.get_position().y1),
        bbox_transform=axes.figure.transFigure,
        ncols=len(parts),
        frameon=False,
        fontsize=9,
        labelcolor=INK,
        borderaxespad=0.3,
        borderpad=0,
        handlelength=0.9,
        handleheight=0.9,
        handletextpad=0.4,
        columnspacing=0.9,
    )
