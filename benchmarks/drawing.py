"""How the pictures of result pages look, and how they are written: the same bytes for the same drawing."""

from __future__ import annotations

__all__ = ["svg"]

import io
from typing import TYPE_CHECKING, Any, cast

import matplotlib as mpl
from matplotlib.figure import Figure

if TYPE_CHECKING:
    from collections.abc import Callable

_SETTINGS: dict[str, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "edge-rec",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#dddddd",
}


def svg(size: tuple[float, float], draw: Callable[[Figure], None], *, described: str) -> str:
    """Return what was drawn.

    Args:
        size: Width and height in inches.
        draw: Draws into the figure that it is given.
        described: Stands in the file, and tells what the picture is of.
    """
    with mpl.rc_context(cast("Any", _SETTINGS)):
        figure = Figure(figsize=size)
        draw(figure)
        written = io.BytesIO()
        figure.savefig(written, format="svg", metadata={"Date": None, "Creator": None, "Description": described})
    return "\n".join(line.rstrip() for line in written.getvalue().decode().splitlines()) + "\n"
