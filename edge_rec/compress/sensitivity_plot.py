"""What `sensitivity` found, as one drawing: layers by changes, and beside it who pays."""

from __future__ import annotations

__all__ = ["draw_sensitivity"]

import io
import math
from typing import TYPE_CHECKING, Any, cast

from edge_rec.compress.changes import ALONE, WHOLE
from edge_rec_runtime.errors import require

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from edge_rec.compress.sensitivity import Sensitivity

_SETTINGS: dict[str, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "edge-rec",
    "text.parse_math": False,
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
}
_TINTS = ("#9ac7b7", "#3f9d80", "#0a5a42", "#2563c9", "#8a3fa0", "#c2571a")  # one for each of `WHOLE`
_ROW, _MARGIN, _FOOT = 0.3, 1.1, 0.75  # inches
_WIDTH = 12.0


def draw_sensitivity(found: Sensitivity) -> str:
    """Return an SVG, the same for the same findings.

    Raises:
        DependencyError: matplotlib is not installed.
    """
    purpose = "drawing what was found"
    mpl = require("matplotlib", extra="host", purpose=purpose)
    figures = require("matplotlib.figure", extra="host", purpose=purpose)
    layers = list(dict.fromkeys(row.layer for row in found.layers))
    people = list(dict.fromkeys((row.by, row.group) for row in found.groups))
    height = _MARGIN + _ROW * max(len(layers), len(people), 8)
    foot, body = _FOOT / height, 1 - _MARGIN / height
    with mpl.rc_context(cast("Any", _SETTINGS)):
        figure = figures.Figure(figsize=(_WIDTH, height))
        _layers(figure.add_axes((0.2, foot, 0.29, body)), found, layers)
        _people(figure.add_axes((0.69, foot, 0.29, body)), found, people, body=body * height)
        written = io.BytesIO()
        figure.savefig(written, format="svg", metadata={"Date": None, "Creator": None})
    return "\n".join(line.rstrip() for line in written.getvalue().decode().splitlines()) + "\n"


def _layers(axes: Axes, found: Sensitivity, layers: list[str]) -> None:
    """Write the share that is kept into a cell for each layer and change, the darker the more is lost."""
    kept = {(row.layer, row.change): row.ndcg_kept for row in found.layers}
    lost = [[_loss(kept.get((layer, change))) for change in ALONE] for layer in layers]
    axes.imshow(lost, cmap="Oranges", vmin=0, vmax=1, aspect="auto")
    for line, layer in enumerate(layers):
        for place, change in enumerate(ALONE):
            value = kept.get((layer, change))
            if value is not None and math.isfinite(value):
                axes.text(
                    place,
                    line,
                    f"{value:.3f}",
                    ha="center",
                    va="center",
                    fontsize=7.5,
                    color="white" if value < 0.4 else "black",
                )
    axes.set_yticks(range(len(layers)), layers)
    axes.set_xticks(range(len(ALONE)), [change.replace("prune ", "-") for change in ALONE])
    axes.set_title(f"NDCG@10 kept with one layer changed, {found.users:,} users", loc="left", fontsize=9)


def _people(axes: Axes, found: Sensitivity, people: list[tuple[str, str]], *, body: float) -> None:
    """Draw for each group and change what it keeps, with its interval; filled for all, and for groups that surely pay.

    Args:
        axes: To draw on.
        found: The findings.
        people: The groups, from above.
        body: Height of the axes in inches.
    """
    spread = 0.6 / max(len(WHOLE) - 1, 1)
    for number, (change, tint) in enumerate(zip(WHOLE, _TINTS, strict=True)):
        rows = {(row.by, row.group): row for row in found.groups if row.change == change}
        axes.plot([], [], "o", color=tint, markersize=4, label=change)
        for line, key in enumerate(people):
            row, at = rows[key], line - 0.3 + spread * number
            if math.isfinite(row.ndcg_kept):
                axes.plot(row.ndcg_kept_ci, (at, at), color=tint, linewidth=1, alpha=0.6)
                face = tint if row.pays or row.by == "all" else "white"
                axes.plot(row.ndcg_kept, at, "o", color=tint, markerfacecolor=face, markersize=4)
    axes.axvline(1, color="#999999", linewidth=0.8)
    axes.set_yticks(range(len(people)), [by if by == "all" else f"{by}: {group}" for by, group in people])
    axes.set_ylim(len(people) - 0.4, -0.6)
    axes.set_xlim(left=0)
    axes.legend(frameon=False, fontsize=7.5, loc="upper center", bbox_to_anchor=(0.5, -0.28 / body), ncols=3)
    axes.set_title("NDCG@10 kept with all layers changed (filled: pays)", loc="left", fontsize=9)


def _loss(kept: float | None) -> float:
    return math.nan if kept is None or not math.isfinite(kept) else 1 - kept
