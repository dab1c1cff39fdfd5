"""The frame of charts with one line a bundle: names on the left, figures on the right, so that nothing can collide."""

from __future__ import annotations

__all__ = ["add_lines", "height_of"]

from typing import TYPE_CHECKING

from edge_rec_devices.report.charts._canvas import INK, MUTED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_LINE = 0.36
_ABOVE = 0.42
_BELOW = 0.55
# Width of a letter at 9.5 points, in inches.
_LETTER = 0.083


def height_of(lines: int) -> float:
    """Return the height in inches of a figure with so many lines."""
    return _ABOVE + _LINE * lines + _BELOW


def add_lines(figure: Figure, labels: Sequence[str], *, figures: Sequence[str], heading: str) -> Axes:
    """Add axes whose lines count from the top, named on the left and with a figure on the right.

    Args:
        figure: Of the height that `height_of` gives.
        labels: Name of each line.
        figures: What stands at the right end of each line.
        heading: What those are.
    """
    width, height = figure.get_size_inches()
    left = max(len(label) for label in labels) * _LETTER + 0.15
    right = max(len(text) for text in (*figures, heading)) * _LETTER + 0.1
    axes = figure.add_axes((left / width, _BELOW / height, (width - left - right) / width, 1 - (_ABOVE + _BELOW) / height))
    axes.set_ylim(len(labels) - 0.5, -0.5)
    axes.set_yticks(range(len(labels)), labels, color=INK)
    axes.grid(axis="y", visible=False)
    axes.spines["left"].set_visible(False)
    end = axes.get_yaxis_transform()
    for line, text in enumerate(figures):
        axes.annotate(text, (1, line), (8, 0), xycoords=end, textcoords="offset points", va="center", color=INK)
    axes.annotate(heading, (1, 1), (8, 8), xycoords="axes fraction", textcoords="offset points", va="bottom", color=MUTED)
    return axes
