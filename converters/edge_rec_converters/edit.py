"""The edits that rewrites of a graph are made of."""

from __future__ import annotations

__all__ = ["add_constant", "drop_unused_constants", "replace_nodes"]

from typing import TYPE_CHECKING

import onnx_ir as ir

from edge_rec_converters.places import PLACE

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray


def add_constant(graph: ir.Graph, array: NDArray[np.generic], name: str) -> ir.Value:
    """Register an array as an initializer, under ``name`` or, where that is taken, a numbered one."""
    unique, count = name, 1
    while unique in graph.initializers:
        count += 1
        unique = f"{name}.{count}"
    tensor = ir.tensor(array, name=unique)
    value = ir.Value(name=unique, shape=ir.Shape(array.shape), type=ir.TensorType(tensor.dtype), const_value=tensor)
    graph.register_initializer(value)
    return value


def replace_nodes(old: Sequence[ir.Node], new: Sequence[ir.Node], value: ir.Value) -> None:
    """Put ``new`` where ``old`` stands; ``value`` takes the users, type, shape and name of the last old node's output.

    New nodes come from where the old ones came from.
    """
    last = old[-1]
    if last.graph is None:
        raise AssertionError("a node that is rewritten belongs to a graph")
    place = next((node.metadata_props[PLACE] for node in reversed(old) if PLACE in node.metadata_props), None)
    for node in new:
        if place is not None:
            node.metadata_props.setdefault(PLACE, place)
    output = last.outputs[0]
    value.type, value.shape = output.type, output.shape
    ir.convenience.replace_nodes_and_values(last.graph, last, list(old), list(new), [output], [value])


def drop_unused_constants(graph: ir.Graph) -> None:
    """Remove initializers that no node reads."""
    for name, value in list(graph.initializers.items()):
        if not value.uses() and not value.is_graph_output():
            del graph.initializers[name]
