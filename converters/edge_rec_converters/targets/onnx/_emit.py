"""From a graph to the bytes of a file."""

from __future__ import annotations

__all__ = ["LOWERINGS", "emit", "lower"]

from typing import TYPE_CHECKING

import onnx_ir as ir

from edge_rec_converters.dialect import BINARY_LINEAR, DOMAIN, INT8_LINEAR, INT8_ROWS, ROW_LOOKUP, ROW_PRODUCTS, is_dialect
from edge_rec_converters.edit import drop_unused_constants, replace_nodes
from edge_rec_converters.targets.onnx._half import cast_behind_lookups
from edge_rec_converters.targets.onnx._linear import int8_linear
from edge_rec_converters.targets.onnx._products import row_products
from edge_rec_converters.targets.onnx._rows import int8_rows, row_lookup
from edge_rec_converters.targets.onnx._scope import Scope
from edge_rec_converters.targets.onnx._signs import binary_linear
from edge_rec_converters.tidy import tidy

if TYPE_CHECKING:
    from collections.abc import Callable


def emit(model: ir.Model) -> bytes:
    """Return the bytes of the ONNX file of a graph in standard operators and the dialect."""
    proto = ir.to_proto(tidy(lower(model), final=True))
    # Shapes between nodes: every reader infers them, and of a small ranker in int8 they are a thirtieth of the file.
    del proto.graph.value_info[:]
    content: bytes = proto.SerializeToString(deterministic=True)
    return content


def lower(model: ir.Model) -> ir.Model:
    """Return the graph in standard operators only, decision by decision what the dialect says."""
    lowered = model.clone()
    cast_behind_lookups(lowered.graph)
    scope = Scope(lowered.graph)
    for node in list(lowered.graph):
        if is_dialect(node):
            tape = ir.tape.Tape()
            result = LOWERINGS[node.op_type](scope, tape, node)
            replace_nodes([node], tape.nodes, result)
    drop_unused_constants(lowered.graph)
    lowered.graph.opset_imports.pop(DOMAIN, None)
    return lowered


# word of the dialect -> what writes it with standard operators: from the node to the value that it gives
LOWERINGS: dict[str, Callable[[Scope, ir.tape.Tape, ir.Node], ir.Value]] = {
    INT8_LINEAR: int8_linear,
    INT8_ROWS: int8_rows,
    ROW_LOOKUP: row_lookup,
    ROW_PRODUCTS: row_products,
    BINARY_LINEAR: binary_linear,
}
