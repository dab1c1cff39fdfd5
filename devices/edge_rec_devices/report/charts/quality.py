"""Quality against what it costs: one point a bundle, with its confidence interval."""

from __future__ import annotations

__all__ = ["quality_against_latency", "quality_against_size"]

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge_rec_devices.report.charts._canvas import MUTED, SURFACE, canvas, colour, logarithmic, to_svg
from edge_rec_devices.report.charts._labels import Box, place
from edge_rec_devices.report.verdict import names
from edge_rec_devices.report.wording import megabytes, milliseconds, quality

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from edge_rec_devices.result import Measurement

_MARKERS = {"onnx": "o", "tflite": "^"}
# Beyond this ratio of largest to smallest a linear axis would crowd the small ones against its origin.
_WIDE = 12.0
# Points that differ in the target only and are nearer than this, in units of the drawing, share a name.
_NEAR = 16.0
# A name further from its point than this gets a line to it.
_FAR = 20.0
# Width of a letter at 9 points in the widest of the fonts that a reader may have.
_LETTER = 5.7


@dataclass(frozen=True)
class _Point:
    x: float
    y: float
    low: float
    high: float
    precision: str
    target: str
    name: str


def quality_against_size(results: Sequence[Measurement]) -> str | None:
    """Draw NDCG@10, or AUC, over model bytes; None where no bundle has quality figures."""
    metric = _metric(results)
    points = _points(results, [result.subject.model_bytes / 1e6 for result in results], metric)
    described = "; ".join(f"{p.name}: {megabytes(p.x * 1e6)}, {quality(p.y)}" for p in points)
    alt = f"{metric} against model size. {described}."
    return _scatter(points, name="quality-size", across="Model size, MB", metric=metric, alt=alt)


def quality_against_latency(results: Sequence[Measurement]) -> str | None:
    """Draw NDCG@10, or AUC, over the median request; None where no bundle has quality figures."""
    metric = _metric(results)
    points = _points(results, [result.request.p50_ms for result in results], metric)
    described = "; ".join(f"{p.name}: {milliseconds(p.x)}, {quality(p.y)}" for p in points)
    alt = f"{metric} against the median request. {described}."
    return _scatter(points, name="quality-latency", across="Median request, ms", metric=metric, alt=alt)


def _metric(results: Sequence[Measurement]) -> str:
    """Return what stands upright: AUC where nothing but rankers was measured, otherwise NDCG@10, which rankers lack."""
    qualities = [result.subject.quality for result in results]
    only_auc = any(one.auc is not None for one in qualities) and all(one.ndcg_at_10 is None for one in qualities)
    return "AUC" if only_auc else "NDCG@10"


def _points(results: Sequence[Measurement], costs: Sequence[float], metric: str) -> list[_Point]:
    found = []
    for result, cost, name in zip(results, costs, names(results), strict=True):
        figures = result.subject.quality
        score, interval = (figures.auc, None) if metric == "AUC" else (figures.ndcg_at_10, figures.ndcg_at_10_ci)
        if score is not None:
            low, high = interval or (score, score)
            found.append(_Point(cost, score, low, high, result.subject.precision, result.subject.target, name))
    return found


def _scatter(points: Sequence[_Point], *, name: str, across: str, metric: str, alt: str) -> str | None:
    if not points:
        return None
    with canvas(height=4.3) as figure:
        axes = figure.add_axes((0.1, 0.13, 0.87, 0.8))
        _frame(axes, points)
        axes.set_xlabel(across, labelpad=7)
        axes.set_title(metric, loc="left", fontsize=9.5, color=MUTED, x=-0.085, pad=9)
        for point in points:
            tint = colour(point.precision)
            axes.plot([point.x, point.x], [point.low, point.high], color=tint, linewidth=1.4, alpha=0.55, zorder=2)
            marker = _MARKERS.get(point.target, "s")
            axes.plot(
                point.x, point.y, marker, color=tint, markersize=8.5, markeredgecolor=SURFACE, markeredgewidth=1.2, zorder=3
            )
        _name_points(axes, points)
        return to_svg(figure, name=name, alt=alt)


def _frame(axes: Axes, points: Sequence[_Point]) -> None:
    left, right = min(point.x for point in points), max(point.x for point in points)
    low, high = min(point.low for point in points), max(point.high for point in points)
    margin = (high - low) * 0.12 or max(high * 0.1, 0.01)
    axes.set_ylim(max(low - margin, 0), high + margin)
    if left > 0 and right / left > _WIDE:
        logarithmic(axes, left / 1.6, right * 1.9)
    elif left > right / 2:
        margin = (right - left) * 0.25 or right * 0.1 or 1
        axes.set_xlim(left - margin, right + margin)
    else:
        axes.set_xlim(0, right * 1.22 or 1)


def _name_points(axes: Axes, points: Sequence[_Point]) -> None:
    """Write each name beside its point, without covering a point, an error bar or another name."""
    where = [(float(x), float(y)) for x, y in axes.transData.transform([(point.x, point.y) for point in points])]
    ends = [axes.transData.transform([(point.x, point.low), (point.x, point.high)])[:, 1] for point in points]
    taken = [Box(x - 7, y - 7, x + 7, y + 7) for x, y in where]
    bars = [Box(x - 3, float(low), x + 3, float(high)) for (x, _), (low, high) in zip(where, ends, strict=True)]
    frame = axes.get_window_extent()
    groups = _grouped(points, where)
    texts = [_shared_name([points[index] for index in group]) for group in groups]
    anchors = [where[group[0]] for group in groups]
    sizes = [(_LETTER * len(text), 12.0) for text in texts]
    places = place(anchors, sizes, obstacles=taken, faint=bars, bounds=Box(frame.x0, frame.y0, frame.x1, frame.y1))
    for group, text, anchor, box in zip(groups, texts, anchors, places, strict=True):
        _write(axes, text, anchor, box, colour(points[group[0]].precision))


def _write(axes: Axes, text: str, anchor: tuple[float, float], box: Box, tint: str) -> None:
    x, y = anchor
    side, at = ("left", box.left) if box.left > x else ("right", box.right) if box.right < x else ("center", x)
    distance = max(box.left - x, x - box.right, 0) + max(box.bottom - y, y - box.top, 0)
    name = axes.annotate(
        text,
        anchor,
        (at, (box.bottom + box.top) / 2),
        xycoords="figure pixels",
        textcoords="figure pixels",
        ha=side,
        va="center",
        fontsize=9,
        color=tint,
        arrowprops={"arrowstyle": "-", "color": MUTED, "linewidth": 0.7, "shrinkA": 1, "shrinkB": 6} if distance > _FAR else None,
    )
    name.set_gid(f"halo-{anchor[0]:.0f}-{anchor[1]:.0f}")


def _grouped(points: Sequence[_Point], where: Sequence[tuple[float, ...]]) -> list[list[int]]:
    """Put points that differ in the target only and lie on top of each other together, so that they are named once."""
    groups: list[list[int]] = []
    for index, (point, (x, y)) in enumerate(zip(points, where, strict=True)):
        for group in groups:
            first = group[0]
            apart = abs(where[first][0] - x) + abs(where[first][1] - y)
            if _kind(points[first]) == _kind(point) and apart < _NEAR:
                group.append(index)
                break
        else:
            groups.append([index])
    return groups


def _shared_name(points: Sequence[_Point]) -> str:
    first, *others = points
    return ", ".join([first.name, *(other.name.rpartition(" · ")[2] for other in others)])


def _kind(point: _Point) -> str:
    return point.name.rpartition(" · ")[0]
