"""Figures that take their colours and their font from the page: one drawing for light, dark and paper.

matplotlib is given stand-in colours; in the SVG that it writes they become ``var(--name)``, which the page's style sheet
defines for each scheme. Text stays text, so that it can be read aloud, searched and printed sharply.
"""

from __future__ import annotations

__all__ = ["GRID", "INK", "MUTED", "ON_STAGE", "SURFACE", "canvas", "colour", "logarithmic", "stage_colour", "to_svg"]

import io
import re
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast
from xml.etree import ElementTree as ET

from edge_rec_runtime.errors import require

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# As many as the stages of a recommender and of a ranker have names, so that both kinds fit one chart.
_STAGES = 9
_NAMES = (
    "ink",
    "muted",
    "grid",
    "surface",
    "fp32",
    "int8",
    "binary",
    "binary-only",
    "other",
    "on-stage",
    *(f"stage-{index}" for index in range(_STAGES)),
)
# The stand-ins: colours that nobody would choose, so that none is met by chance.
_STAND_INS = {f"#0100{index:02x}": name for index, name in enumerate(_NAMES, start=1)}
_OF = {name: stand_in for stand_in, name in _STAND_INS.items()}
INK, MUTED, GRID, SURFACE, ON_STAGE = (_OF[name] for name in ("ink", "muted", "grid", "surface", "on-stage"))

_SETTINGS: dict[str, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "edge-rec",
    "text.parse_math": False,
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9.5,
    "text.color": INK,
    "axes.edgecolor": GRID,
    "axes.labelcolor": MUTED,
    "axes.facecolor": "none",
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.unicode_minus": False,
    "grid.color": GRID,
    "grid.linewidth": 0.7,
    "xtick.color": GRID,
    "ytick.color": GRID,
    "xtick.labelcolor": MUTED,
    "ytick.labelcolor": MUTED,
    "xtick.major.size": 0,
    "xtick.minor.size": 0,
    "ytick.major.size": 0,
    "ytick.minor.size": 0,
    "xtick.major.pad": 5,
    "ytick.major.pad": 5,
}


def colour(precision: str) -> str:
    """Return the colour of a precision; those without one of their own share one."""
    return _OF.get(precision if precision in {"fp32", "int8", "binary", "binary-only"} else "other", INK)


def stage_colour(index: int) -> str:
    """Return the colour of the part at a place in a stacked bar."""
    return _OF[f"stage-{index % _STAGES}"]


def logarithmic(axes: Axes, low: float, high: float) -> None:
    """Give axes a logarithmic horizontal scale with ticks at 1, 2 and 5 of each decade, written as plain numbers."""
    from matplotlib.ticker import LogLocator, NullLocator  # noqa: PLC0415 - the canvas has checked that matplotlib is there

    axes.set_xscale("log")
    axes.set_xlim(low, high)
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")


@contextmanager
def canvas(*, height: float, width: float = 6.6) -> Iterator[Figure]:
    """Give a figure in the page's style; sizes in inches, one pixel a point. Draw and `to_svg` inside the context."""
    require("matplotlib.backends.backend_svg", extra="host", purpose="drawing the report's charts")
    import matplotlib as mpl  # noqa: PLC0415 - an optional package, checked one line above
    from matplotlib.figure import Figure as NewFigure  # noqa: PLC0415 - as above

    with mpl.rc_context(cast("Any", _SETTINGS)), warnings.catch_warnings():
        # A name in a script that the measuring font lacks is drawn by the reader's own fonts.
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        yield NewFigure(figsize=(width, height), facecolor="none", dpi=72)


def to_svg(figure: Figure, *, name: str, alt: str) -> str:
    """Write a figure as an ``<svg>`` element that can stand in a page beside others.

    Args:
        figure: What was drawn.
        name: Prefix of every id inside, unlike that of any other chart of the page.
        alt: What the chart shows, for those who do not see it.
    """
    written = io.BytesIO()
    figure.savefig(written, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    root = ET.fromstring(written.getvalue())  # noqa: S314 - matplotlib wrote it a line above
    _tidy(root, name)
    root.attrib = {"viewBox": root.attrib["viewBox"], "role": "img", "aria-label": alt, "class": "chart"}
    return ET.tostring(root, encoding="unicode")


def _tidy(element: ET.Element, name: str) -> None:
    """Drop namespaces, metadata and style sheets; make ids the chart's own; let the page choose colours and font."""
    element.tag = _local(element.tag)
    for child in list(element):
        if _local(child.tag) in {"metadata", "style"}:
            element.remove(child)
        else:
            _tidy(child, name)
    attributes = {_local(key): value for key, value in element.attrib.items()}
    for key, value in attributes.items():
        if key == "id":
            attributes[key] = f"{name}-{value}"
        elif key == "href":
            attributes[key] = value.replace("#", f"#{name}-", 1)
        elif key == "style":
            attributes[key] = _themed(_without_family(value.replace("url(#", f"url(#{name}-")))
        else:
            attributes[key] = _themed(value.replace("url(#", f"url(#{name}-"))
    element.attrib = attributes


def _themed(value: str) -> str:
    return re.sub(r"#0100[0-9a-f]{2}", lambda found: f"var(--{_STAND_INS.get(found[0], 'ink')})", value)


def _without_family(style: str) -> str:
    """Keep a font's size only; matplotlib before 3.11 writes it together with the family."""
    kept = [part.strip() for part in style.split(";") if part.strip() and not part.strip().startswith("font-family")]
    return "; ".join(re.sub(r"^font: .*?([\d.]+px).*$", r"font-size: \1", part) for part in kept)


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]
