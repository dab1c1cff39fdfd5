"""One picture of all int8 files: what each weighs beside our fp32 file, and what quality it lost."""

from __future__ import annotations

__all__ = ["described", "draw"]

import hashlib
from typing import TYPE_CHECKING

from drawing import svg

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from conversion.verdicts import Row

# colour, marker; peers that are not correct are drawn hollow
_TOOLS = {
    "edge-rec": ("#0a7d5a", "o"),
    "onnxruntime.quantize_dynamic": ("#c2571a", "s"),
    "onnxruntime.quantize_static": ("#8a3fa0", "D"),
    "ai-edge-quantizer.dynamic_wi8_afp32": ("#2563c9", "^"),
    "ai-edge-quantizer.weight_only_wi8_afp32": ("#b8860b", "v"),
    "ai-edge-quantizer.static_wi8_ai8": ("#7a7a7a", "P"),
}
_PANELS = {"overlap_at_10": "1 - overlap@10, retrieval", "auc_delta": "AUC lost, ranking"}
# Losses from 10^-4 on stand on a logarithmic axis; what is less, or a gain, on its foot.
_FOOT = 1e-4


def draw(rows: Sequence[Row]) -> str:
    """Return an SVG, the same for the same rows."""

    def panels(figure: Figure) -> None:
        for place, (measure, title) in enumerate(_PANELS.items()):
            axes = figure.add_axes((0.075 + 0.49 * place, 0.25, 0.41, 0.68))
            _panel(axes, [one for one in _points(rows) if one[0] == measure], title)
        handles, labels = figure.axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="lower center", ncols=3, frameon=False, fontsize=8)

    return svg((8, 3.9), panels, described=described(rows))


def described(rows: Sequence[Row]) -> str:
    """Return what tells whether a picture is that of these rows."""
    points = _points(rows)
    return f"{len(points)} files, {hashlib.sha256(repr(points).encode()).hexdigest()[:16]}"


def _points(rows: Sequence[Row]) -> list[tuple[str, str, bool, float, float]]:
    """Return measure, tool, whether correct, bytes beside our fp32 file, and the loss of each int8 file."""
    plain = {
        (row["subject"], row["target"]): row["model_bytes"]
        for row in rows
        if row["tool"] == "edge-rec" and row["precision"] == "fp32"
    }
    found = []
    for row in rows:
        measure = "auc_delta" if "auc_delta" in row else "overlap_at_10"
        if row.get("precision") == "int8" and measure in row and row["target"] != "any":
            loss = 1 - row[measure] if measure == "overlap_at_10" else -row[measure]
            share = row["model_bytes"] / plain[row["subject"], row["target"]]
            found.append((measure, row["tool"], row["correct"], round(share, 4), round(loss, 5)))
    return found


def _panel(axes: Axes, points: Sequence[tuple[str, str, bool, float, float]], title: str) -> None:
    for tool, (tint, marker) in _TOOLS.items():
        axes.plot([], [], marker, color=tint, markersize=6, label="ours" if tool == "edge-rec" else tool)
        for _, _, correct, share, loss in (one for one in points if one[1] == tool):
            face = tint if correct else "none"
            axes.plot(share, max(loss, _FOOT), marker, color=tint, markerfacecolor=face, markersize=6, alpha=0.85, clip_on=False)
    axes.set_yscale("log")
    axes.set_ylim(_FOOT, 1)
    axes.set_xlim(0.2, max([1.0, *(share for _, _, _, share, _ in points)]) + 0.05)
    axes.set_xlabel("bytes / our fp32 file (hollow: not correct)")
    axes.set_title(title, loc="left", fontsize=9)
