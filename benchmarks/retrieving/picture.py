"""One picture: the time of an answer in each client, by precision, as a share of ONNX Runtime's fp32 graph."""

from __future__ import annotations

__all__ = ["described", "draw"]

import hashlib
from typing import TYPE_CHECKING, Any

from drawing import svg

from retrieving.cases import CLIENTS, PRECISIONS, SIZES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    Row = Mapping[str, Any]
    Bar = tuple[str, str, float]  # engine, precision, ratio

_ROWS = SIZES["100k"]
_TINTS = {"fp32": "#7a7a7a", "int8": "#0a7d5a", "int4": "#2563c9", "binary": "#c2571a", "binary+rescore": "#8a3fa0"}
_WIDE = 0.16
_MARKS = (0.1, 0.25, 0.5, 1, 2, 4)


def draw(rows: Sequence[Row]) -> str:
    """Return an SVG, the same for the same rows."""
    bars = _bars(rows)

    def panel(figure: Figure) -> None:
        axes = figure.add_axes((0.07, 0.2, 0.91, 0.68))
        _panel(axes, bars)
        found = dict(zip(*reversed(axes.get_legend_handles_labels()), strict=True))
        figure.legend(found.values(), found.keys(), loc="lower center", ncols=len(_TINTS), frameon=False, fontsize=8)

    return svg((8, 3.2), panel, described=described(rows))


def described(rows: Sequence[Row]) -> str:
    """Return what tells whether a picture is that of these rows."""
    bars = _bars(rows)
    return f"{len(bars)} bars, {hashlib.sha256(repr(bars).encode()).hexdigest()[:16]}"


def _bars(rows: Sequence[Row]) -> list[Bar]:
    """Return what is drawn: 100,000 items drawn as the trained ones lie."""
    engines = [engine for client in CLIENTS.values() for engine in client.engines.values()]
    chosen = [row for row in rows if row["n"] == _ROWS and (row["data"], row["model"]) == ("trained", "small")]
    return sorted(
        ((row["engine"], row["precision"], row["latency_ratio"]) for row in chosen),
        key=lambda bar: (engines.index(bar[0]), list(PRECISIONS).index(bar[1])),
    )


def _panel(axes: Axes, bars: Sequence[Bar]) -> None:
    engines = list(dict.fromkeys(engine for engine, _, _ in bars))
    for place, (precision, tint) in enumerate(_TINTS.items()):
        mine = [(engines.index(engine), ratio) for engine, one, ratio in bars if one == precision]
        if not mine:
            continue
        left = [at + (place - (len(_TINTS) - 1) / 2) * _WIDE for at, _ in mine]
        axes.bar(left, [ratio for _, ratio in mine], _WIDE * 0.92, color=tint, label=precision)
        for at, (_, ratio) in zip(left, mine, strict=True):
            axes.annotate(f"{ratio:.2f}", (at, ratio), ha="center", va="bottom", fontsize=7)
    axes.set_yscale("log")
    axes.set_yticks(_MARKS, [f"{mark:g}" for mark in _MARKS])
    axes.set_yticks([], minor=True)
    axes.set_xticks(range(len(engines)), engines)
    axes.grid(visible=False, axis="x")
    axes.set_title("100,000 items: time of an answer, of ONNX Runtime's fp32 graph in the same client", loc="left", fontsize=9)
