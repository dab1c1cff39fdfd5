"""The range that values of a graph take on real requests, for grids that are fixed before the device sees a request.

``min-max`` holds every number that was met. ``percentile`` cuts one number in ten thousand at each end: a rare outlier would
else take the precision of all others. Which one serves a model better shows in its results, see `output_error`.
"""

from __future__ import annotations

__all__ = ["RANGES", "output_error", "ranges", "sizes"]

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import onnx_ir as ir

from edge_rec_converters.session import open_session
from edge_rec_converters.targets import emitter
from edge_rec_runtime.errors import ConversionError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    Feeds = Sequence[Mapping[str, NDArray[np.generic]]]

_FEEDS = 512
_BINS = 4096

# method -> share of the numbers that is cut at each end
RANGES: dict[str, float] = {"min-max": 0.0, "percentile": 1e-4}


def ranges(graph: ir.Model, names: Sequence[str], feeds: Feeds, *, method: str = "min-max") -> dict[str, tuple[float, float]]:
    """Run a graph on requests and return the range of each named value.

    Args:
        graph: An fp32 graph.
        names: Float values of the graph.
        feeds: Inputs by name; the first 512 are run.
        method: One of `RANGES`.

    Returns:
        For each name the smallest and the largest number that its grid shall hold.

    Raises:
        ConversionError: There is no request, or a value is not finite on one.
    """
    if not names:
        return {}
    _require_some(feeds)
    session = open_session(ir.to_proto(_watched(graph, names)).SerializeToString())
    found = [_Extent(name) for name in names]
    for results in _results(session, feeds):
        found = [extent.widened(result) for extent, result in zip(found, results, strict=True)]
    if cut := RANGES[method]:
        counts = np.zeros((len(names), _BINS), np.int64)
        for results in _results(session, feeds):
            counts += [extent.histogram(result) for extent, result in zip(found, results, strict=True)]
        found = [extent.narrowed(count, cut) for extent, count in zip(found, counts, strict=True)]
    return {extent.name: (extent.low, extent.high) for extent in found}


def output_error(graph: ir.Model, other: ir.Model, feeds: Feeds) -> float:
    """Return the mean squared difference of two graphs' first results on requests, relative to the first graph's size.

    Args:
        graph: The yardstick.
        other: The same graph, rounded, in the dialect.
        feeds: Inputs by name; the first 512 are run.
    """
    emit = emitter("onnx")
    sessions = [open_session(emit(one)) for one in (graph, other)]
    squared = size = 0.0
    for (right, *_), (found, *_) in zip(*(_results(session, feeds) for session in sessions), strict=True):
        squared += float(np.square(right.astype(np.float64) - found).sum())
        size += float(np.square(right.astype(np.float64)).sum())
    return squared / (size or 1.0)


def sizes(graph: ir.Model, names: Sequence[str], feeds: Feeds) -> dict[str, float]:
    """Return how many numbers each named value of an fp32 graph holds, in the mean over requests.

    Raises:
        ConversionError: There is no request.
    """
    if not names:
        return {}
    _require_some(feeds)
    session = open_session(ir.to_proto(_watched(graph, names)).SerializeToString())
    held = [[result.size for result in results] for results in _results(session, feeds)]
    return dict(zip(names, np.mean(held, axis=0).tolist(), strict=True))


@dataclass(frozen=True)
class _Extent:
    """What is known of one value: its range, which grows as results come in."""

    name: str
    low: float = 0.0
    high: float = 0.0

    def widened(self, result: NDArray[np.float32]) -> _Extent:
        """Return the range with these numbers in it; 0 always is."""
        if not result.size:
            return self
        low, high = float(result.min()), float(result.max())
        if not np.isfinite((low, high)).all():
            raise ConversionError(
                f"value '{self.name}' becomes NaN or infinite on a calibration request; such a model cannot be fixed to ranges"
            )
        return _Extent(self.name, min(self.low, low), max(self.high, high))

    def histogram(self, result: NDArray[np.float32]) -> NDArray[np.int64]:
        """Count the numbers in each of the range's bins."""
        return np.asarray(np.histogram(result, _BINS, (self.low, self.high))[0], np.int64)

    def narrowed(self, counts: NDArray[np.int64], cut: float) -> _Extent:
        """Return the range without the outermost bins that hold at most a share ``cut`` of the numbers at each end."""
        total = counts.sum()
        if not total:
            return self
        edges = np.linspace(self.low, self.high, _BINS + 1)
        below = int(np.searchsorted(np.cumsum(counts), cut * total, side="right"))
        above = int(np.searchsorted(np.cumsum(counts[::-1]), cut * total, side="right"))
        return _Extent(self.name, min(0.0, float(edges[below])), max(0.0, float(edges[_BINS - above])))


def _require_some(feeds: Feeds) -> None:
    if not len(feeds):
        raise ConversionError(
            "int8-static fixes its ranges on real requests and got none; give calibration data, or use int8-dynamic"
        )


def _results(session: object, feeds: Feeds) -> Iterator[list[NDArray[np.float32]]]:
    for feed in feeds[:_FEEDS]:
        yield session.run(None, dict(feed))  # type: ignore[attr-defined]  # onnxruntime brings no types


def _watched(graph: ir.Model, names: Sequence[str]) -> ir.Model:
    """Return a graph whose outputs are the named values."""
    watched = graph.clone()
    values = {value.name: value for node in watched.graph for value in node.outputs}
    values |= {value.name: value for value in watched.graph.inputs}
    watched.graph.outputs.clear()
    for name in names:
        copied = ir.node("Identity", [values[name]])  # an input cannot be an output itself
        copied.outputs[0].name, copied.outputs[0].type = f"{name}.watched", ir.TensorType(ir.DataType.FLOAT)
        watched.graph.append(copied)
        watched.graph.outputs.append(copied.outputs[0])
    return watched
