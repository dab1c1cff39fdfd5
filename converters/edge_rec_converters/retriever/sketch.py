"""The graph while it is being put together: nodes in the order they are computed, constants by name."""

from __future__ import annotations

__all__ = ["Sketch"]

from typing import TYPE_CHECKING, Any

import numpy as np
import onnx_ir as ir

from edge_rec_converters.edit import add_constant

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


class Sketch:
    """Adds nodes and constants for one graph.

    Args:
        graph: Takes the constants at once, the nodes when they are asked for by `taken`.
    """

    def __init__(self, graph: ir.Graph) -> None:
        self._graph = graph
        self._nodes: list[ir.Node] = []
        self._numbers: dict[tuple[str, bytes, tuple[int, ...]], ir.Value] = {}

    def op(self, op_type: str, *inputs: ir.Value | None, **attributes: Any) -> ir.Value:  # noqa: ANN401  # what operators have
        """Add a standard operator with one result."""
        return self.outputs(op_type, *inputs, **attributes)[0]

    def outputs(self, op_type: str, *inputs: ir.Value | None, count: int = 1, **attributes: Any) -> Sequence[ir.Value]:  # noqa: ANN401
        """Add a standard operator with several results."""
        return self.add(ir.node(op_type, inputs, attributes=attributes, num_outputs=count))

    def add(self, node: ir.Node) -> Sequence[ir.Value]:
        """Add a node; returns its results."""
        self._nodes.append(node)
        return node.outputs

    def cast(self, value: ir.Value, to: ir.DataType) -> ir.Value:
        """Add a change of type."""
        return self.op("Cast", value, to=to)

    def number(self, array: float | Sequence[int] | NDArray[Any], dtype: type[np.generic] = np.int64) -> ir.Value:
        """Return a small constant, the one that is there if it holds the same; int64, as operators want bounds and axes."""
        held = np.asarray(array, dtype)
        key = (held.dtype.str, held.tobytes(), held.shape)
        if key not in self._numbers:
            self._numbers[key] = self.constant("number", held)
        return self._numbers[key]

    def constant(self, name: str, array: NDArray[Any]) -> ir.Value:
        """Add a constant."""
        return add_constant(self._graph, array, name)

    def taken(self) -> list[ir.Node]:
        """Return the nodes that were added since this was last asked for."""
        nodes, self._nodes = self._nodes, []
        return nodes
