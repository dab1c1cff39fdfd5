"""One picture: how the time of a search grows from 10,000 to 4,000,000 rows, beside the peers and one plain read."""

from __future__ import annotations

__all__ = ["described", "draw"]

import hashlib
from typing import TYPE_CHECKING, Any

from drawing import svg

from scanning.cases import GROWTH, PRECISIONS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    Row = Mapping[str, Any]
    Point = tuple[str, str, int, float]  # precision, name, rows, ms

_OURS, _LIMIT = "ours", "one plain read"
_TINTS = {
    _OURS: "#0a7d5a",
    "faiss": "#c2571a",
    "onnxruntime": "#2563c9",
    "torch": "#8a3fa0",
    "numpy": "#7a7a7a",
    "usearch": "#b8860b",
    _LIMIT: "#000000",
}
_SIZES = {10_000: "10k", 100_000: "100k", 1_000_000: "1M", 4_000_000: "4M"}


def draw(rows: Sequence[Row]) -> str:
    """Return an SVG, the same for the same rows."""
    points = _points(rows)

    def panels(figure: Figure) -> None:
        for place, precision in enumerate(PRECISIONS):
            axes = figure.add_axes((0.07 + 0.49 * (place % 2), 0.58 - 0.45 * (place // 2), 0.42, 0.36))
            _panel(axes, [one for one in points if one[0] == precision], precision)
        found = {label: line for axes in figure.axes for line, label in zip(*axes.get_legend_handles_labels(), strict=True)}
        shown = [name for name in _TINTS if name in found]
        figure.legend([found[name] for name in shown], shown, loc="lower center", ncols=len(_TINTS), frameon=False, fontsize=8)

    return svg((9, 6.4), panels, described=described(rows))


def described(rows: Sequence[Row]) -> str:
    """Return what tells whether a picture is that of these rows."""
    points = _points(rows)
    return f"{len(points)} points, {hashlib.sha256(repr(points).encode()).hexdigest()[:16]}"


def _points(rows: Sequence[Row]) -> list[Point]:
    """Return what is drawn: on Gaussian rows ours, the plain read, and the fastest of each library."""
    found: list[Point] = []
    for row in rows:
        if row["case"] not in GROWTH or row["data"] != "gaussian":
            continue
        times: dict[str, float] = {}
        for one in row["contenders"]:
            if not one["ours"] and not one["fault"]:
                library = one["name"].partition(" ")[0].strip(",")
                times[library] = min(one["ms"], times.get(library, one["ms"]))
        mine = {_OURS: row["ours_ms"], _LIMIT: row["limit_ms"]}
        times |= {name: taken for name, taken in mine.items() if taken is not None}
        found += [(row["precision"], name, row["n"], times[name]) for name in _TINTS if name in times]
    return found


def _panel(axes: Axes, points: Sequence[Point], title: str) -> None:
    for name, tint in _TINTS.items():
        mine = [(rows, taken) for _, one, rows, taken in points if one == name]
        if mine:
            style = "--" if name == _LIMIT else "o-"
            width = 2.0 if name == _OURS else 1.0
            axes.plot(*zip(*mine, strict=True), style, color=tint, label=name, markersize=4, linewidth=width)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xticks(list(_SIZES), list(_SIZES.values()))
    axes.set_xticks([], minor=True)
    axes.set_title(f"{title}, ms", loc="left", fontsize=9)
