"""What a graph's weights would weigh in other precisions, found by running the passes that a conversion runs."""

from __future__ import annotations

__all__ = ["PRECISIONS", "savings", "weight_bytes"]

from typing import TYPE_CHECKING

from edge_rec_converters.networks import Ingredients, network_graph
from edge_rec_converters.plan import Plan
from edge_rec_runtime.errors import ConversionError

if TYPE_CHECKING:
    import onnx_ir as ir

# word -> the network's precision and that of the tables that it looks up
PRECISIONS: dict[str, tuple[str, str]] = {
    "fp16": ("fp16", "fp16"),
    "int8": ("int8-weights", "int8"),
    "int4": ("int8-weights", "int4"),
    "binary": ("binary", "binary"),
}


def savings(graph: ir.Model) -> dict[str, int | None]:
    """Return the bytes of a graph's constants in each precision, None where it has nothing to store so.

    Args:
        graph: In float32 and standard operators.
    """
    found: dict[str, int | None] = {}
    for word, (network, tables) in PRECISIONS.items():
        ingredients = Ingredients(graph=graph, plan=Plan(), feeds=(), tables=tables)
        try:
            found[word] = weight_bytes(network_graph("onnx", network, ingredients))
        except ConversionError:
            found[word] = None
    return found


def weight_bytes(graph: ir.Model) -> int:
    """Return the bytes of a graph's constants."""
    tensors = (value.const_value for value in graph.graph.initializers.values())
    return sum(tensor.nbytes for tensor in tensors if tensor is not None)
