"""One picture: what each variant weighs and keeps, and beside it the criteria of pruning with chance among them."""

from __future__ import annotations

__all__ = ["described", "draw"]

import hashlib
from typing import TYPE_CHECKING, Any

from drawing import svg

from compressing.variants import CURVES, MAIN, PERCENTS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    Row = Mapping[str, Any]

_TINTS = ("#0a7d5a", "#c2571a", "#2563c9", "#8a3fa0", "#b8860b", "#c03a5b", "#3b8ea5")
_CHANCE = "#7a7a7a"
_LETTER = 4.4  # points that a letter of a name is wide, about
_SIDES = ((5, 4), (-5, 4), (5, -10), (-5, -10), (5, 12), (-5, 12), (5, -18), (-5, -18))  # in points, the nearest first
_RATIOS = (0.02, 0.05, 0.1, 0.2, 0.5, 1)


def draw(rows: Sequence[Row]) -> str:
    """Return an SVG, the same for the same rows."""

    def panels(figure: Figure) -> None:
        _variants(figure.add_axes((0.07, 0.13, 0.42, 0.78)), [row for row in rows if row["variant"] in MAIN])
        _criteria(figure.add_axes((0.57, 0.13, 0.41, 0.78)), [row for row in rows if row["variant"] in CURVES])

    return svg((9, 4.2), panels, described=described(rows))


def described(rows: Sequence[Row]) -> str:
    """Return what tells whether a picture is that of these rows."""
    points = [(row["variant"], row["target"], row["bytes_ratio"], row["ndcg_kept"], row["ndcg_kept_ci"]) for row in rows]
    return f"{len(points)} rows, {hashlib.sha256(repr(points).encode()).hexdigest()[:16]}"


def _variants(axes: Axes, rows: Sequence[Row]) -> None:
    for row in (row for row in rows if row["target"] == "onnx"):
        low, high = row["ndcg_kept_ci"]
        x, y = row["bytes_ratio"], row["ndcg_kept"]
        axes.plot([x, x], [low, high], color="#9db8ae", linewidth=1.5)
        axes.plot(x, y, "o", color=_TINTS[0], markersize=6)
    axes.set_xscale("log")
    axes.set_xticks(_RATIOS, [f"{one:g}" for one in _RATIOS])
    axes.set_xticks([], minor=True)
    axes.set_xlim(0.015, 1.4)
    axes.axhline(1, color="#999999", linewidth=0.8)
    axes.set_xlabel("bytes / the teacher's fp32 bundle")
    axes.set_title("NDCG@10 kept, 95 % interval", loc="left", fontsize=9)
    _names(axes, {row["variant"]: (row["bytes_ratio"], row["ndcg_kept"]) for row in rows if row["target"] == "onnx"})


def _names(axes: Axes, points: Mapping[str, tuple[float, float]]) -> None:
    """Write a name beside each point, on the first side where nothing stands yet."""
    figure = axes.get_figure(root=True)
    if figure is None:
        return
    point = figure.dpi / 72
    right = axes.transAxes.transform((1, 1))[0]
    places = {name: axes.transData.transform(one) for name, one in points.items()}
    taken = [(x - 4 * point, y - 4 * point, x + 4 * point, y + 4 * point) for x, y in places.values()]
    for name in sorted(points, key=lambda one: -points[one][1]):
        x, y = places[name]
        width, height = _LETTER * len(name) * point, 8 * point
        for across, up in _SIDES:
            left, low = x + (across * point if across > 0 else across * point - width), y + up * point
            box = (left, low, left + width, low + height)
            if box[2] <= right and not any(_meet(box, other) for other in taken):
                break
        taken.append(box)
        align = "left" if across > 0 else "right"
        axes.annotate(name, points[name], xytext=(across, up), textcoords="offset points", fontsize=8, ha=align)


def _meet(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _criteria(axes: Axes, rows: Sequence[Row]) -> None:
    kept = {row["variant"]: row["ndcg_kept"] for row in rows if row["target"] == "onnx"}
    names = list(dict.fromkeys(slug.removeprefix("curve-").rpartition("-")[0] for slug in kept))
    tints = iter(_TINTS * 2)
    for name in names:
        chance = name.startswith("random")
        points = [(percent, kept[f"curve-{name}-{percent}"]) for percent in PERCENTS if f"curve-{name}-{percent}" in kept]
        axes.plot(
            *zip(*points, strict=True),
            "s--" if chance else "o-",
            color=_CHANCE if chance else next(tints),
            markerfacecolor="none" if name == "random-neurons" else None,
            label=name,
            markersize=4,
        )
    axes.set_xticks(PERCENTS, [f"{percent} %" for percent in PERCENTS])
    axes.set_xlabel("pruned")
    axes.set_title("NDCG@10 kept, by criterion", loc="left", fontsize=9)
    if names:
        axes.legend(frameon=False, fontsize=8)
