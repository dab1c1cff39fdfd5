"""Sizes that an operator reads as numbers, computed in the file from the shapes of tensors that have them.

LiteRT evaluates these few operators when it plans the graph, so shapes stay static for everything behind them.
"""

from __future__ import annotations

__all__ = ["ShapeVectors"]

from typing import TYPE_CHECKING, Any

import numpy as np

from edge_rec_converters.targets.tflite._sizes import Dim, Size
from edge_rec_converters.targets.tflite._writer import INT32

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edge_rec_converters.targets.tflite._call import Value
    from edge_rec_converters.targets.tflite._lowering import Lowering


class ShapeVectors:
    """The sizes that one subgraph computes, each once."""

    def __init__(self, graph: Lowering) -> None:
        self._graph = graph
        self._origins: dict[Size, tuple[Value, int]] = {}
        self._shapes: dict[Value, Value] = {}
        self._vectors: dict[tuple[Dim, ...], Value] = {}

    def learn(self, value: Value) -> None:
        """Remember which sizes a tensor has."""
        for axis, size in enumerate(value.shape):
            if isinstance(size, Size):
                self._origins.setdefault(size, (value, axis))

    def computed(self, sizes: NDArray[Any]) -> Value:
        """Return sizes, of which some are not numbers, as an int32 tensor of their shape."""
        vector = self._vector(tuple(sizes.flat))
        if sizes.ndim == 1:
            return vector
        if sizes.ndim == 0:  # a slice is evaluated when the graph is planned, a reshape to no axes is not
            bounds = [self._graph.known(np.array([bound], np.int32)) for bound in (0, 1, 1)]
            return self._graph.emit("STRIDED_SLICE", [vector, *bounds], (), shrinkAxisMask=1)
        shape = self._graph.known(np.array(sizes.shape, np.int32))
        return self._graph.emit("RESHAPE", [vector, shape], sizes.shape)

    def _vector(self, sizes: tuple[Dim, ...]) -> Value:
        if sizes not in self._vectors:
            if all(isinstance(size, int) for size in sizes):
                self._vectors[sizes] = self._graph.known(np.array(sizes, np.int32))
            elif len(sizes) > 1:
                parts = [self._vector(run) for run in _runs(sizes)]
                self._vectors[sizes] = self._graph.emit("CONCATENATION", parts, (len(sizes),), axis=0)
            else:
                self._vectors[sizes] = self._single(sizes[0])
        return self._vectors[sizes]

    def _single(self, size: Dim) -> Value:
        """Compute a vector with one size in it."""
        if isinstance(size, int):
            return self._graph.known(np.array([size], np.int32))
        if size in self._origins:
            value, axis = self._origins[size]
            if value not in self._shapes:
                self._shapes[value] = self._graph.emit("SHAPE", [value], (value.rank,), np.int32, outType=INT32)
            bounds = [self._graph.known(np.array([bound], np.int32)) for bound in (axis, axis + 1, 1)]
            return self._graph.emit("STRIDED_SLICE", [self._shapes[value], *bounds], (1,))
        parts = []
        for names, count in size.terms:
            factors = [self._vector((Size.symbol(name),)) for name in names]
            part = self._graph.known(np.array([count], np.int32)) if count != 1 or not factors else factors.pop()
            for factor in factors:
                part = self._graph.emit("MUL", [factor, part], (1,))
            parts.append(part)
        total = parts[0]
        for part in parts[1:]:
            total = self._graph.emit("ADD", [total, part], (1,))
        return total


def _runs(sizes: tuple[Dim, ...]) -> list[tuple[Dim, ...]]:
    """Split into numbers that lie side by side, and single symbols."""
    runs: list[tuple[Dim, ...]] = []
    for size in sizes:
        if runs and isinstance(size, int) and isinstance(runs[-1][-1], int):
            runs[-1] = (*runs[-1], size)
        else:
            runs.append((size,))
    return runs
