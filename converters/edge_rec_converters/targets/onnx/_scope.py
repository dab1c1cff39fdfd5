"""The graph while it is being lowered: constants that lowered nodes share, and inputs that are rounded already."""

from __future__ import annotations

__all__ = ["Scope", "given", "held", "optional"]

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from edge_rec_converters.dialect import constant
from edge_rec_converters.edit import add_constant

if TYPE_CHECKING:
    import onnx_ir as ir
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Scope:
    """A graph that is being lowered.

    Attributes:
        graph: The graph.
        rounded: Inputs that are rounded already, so that layers which share an input share its rounding: the rounded
            values, and for each row the magnitude to multiply its products with.
    """

    graph: ir.Graph
    rounded: dict[tuple[ir.Value, str], tuple[ir.Value, ir.Value | None]] = field(default_factory=dict)

    def constant(self, name: str, array: NDArray[Any] | np.generic) -> ir.Value:
        """Return a constant of this name, the one that is there if it holds the same."""
        wanted = np.asarray(array)
        there = self.graph.initializers.get(name)
        found = constant(there)
        if there is not None and found is not None and found.dtype == wanted.dtype and np.array_equal(found, wanted):
            return there
        return add_constant(self.graph, wanted, name)


def given(node: ir.Node, position: int) -> ir.Value:
    """Return an input that the dialect requires."""
    value = node.inputs[position]
    if value is None:
        raise AssertionError(f"input {position} of {node.op_type} is required")
    return value


def held(node: ir.Node, position: int) -> NDArray[Any]:
    """Return the content of an input that the dialect wants constant."""
    array = constant(given(node, position))
    if array is None:
        raise AssertionError(f"input {position} of {node.op_type} is a constant")
    return array


def optional(node: ir.Node, position: int) -> ir.Value | None:
    """Return an input that may be absent."""
    return node.inputs[position] if len(node.inputs) > position else None
