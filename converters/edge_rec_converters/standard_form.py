"""One form for graphs from everywhere: no functions, one opset, one float type, no control flow.

Opsets 17 to 23 differ, for the operators of recommenders, in where the axes of reductions stand and in three operators that
opset 23 brought (Attention, RMSNormalization, RotaryEmbedding), which ONNX itself defines by smaller ones. What else differs
is found by holding every node against opset 20's own definition, and refused by name.
"""

from __future__ import annotations

__all__ = ["OPSET", "narrow_inputs", "require_plain", "standard_form"]

from typing import TYPE_CHECKING

import numpy as np
import onnx_ir as ir
from onnx import defs, inliner
from onnx_ir.passes import common

from edge_rec_converters.edit import add_constant
from edge_rec_converters.places import PLACE
from edge_rec_converters.single_precision import single_precision
from edge_rec_runtime.errors import ConversionError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edge_rec_converters.signature import Signature

# The newest opset before attention becomes a single node, which few engines run.
OPSET = 20

_EXPANDED = ("Attention", "RMSNormalization", "RotaryEmbedding")
_FLOW = ("Sequence", "SplitToSequence", "ConcatFromSequence", "Optional", "String", "TfIdf", "RegexFullMatch")
_AXES_MOVED = frozenset(
    f"Reduce{what}" for what in ("L1", "L2", "LogSum", "LogSumExp", "Max", "Mean", "Min", "Prod", "SumSquare")
)


def standard_form(model: ir.Model) -> ir.Model:
    """Return the same computation in opset 20 and float32; ``model`` is left as it was.

    Raises:
        ConversionError: An operator has no such form; it is named with its place.
    """
    plain = _expanded(model)
    common.InlinePass()(plain)
    common.RemoveUnusedFunctionsPass()(plain)  # type: ignore[no-untyped-call]  # onnx-ir forgot its types
    version = plain.graph.opset_imports.get("", OPSET)
    for node in list(plain.graph):
        if node.domain in {"", "ai.onnx"}:
            _move_axes(plain.graph, node, version)
    plain.graph.opset_imports[""] = OPSET
    _require_known(plain, version)
    return single_precision(plain)


def require_plain(model: ir.Model) -> None:
    """Check that a graph computes in one pass over its nodes, with tensors only.

    Raises:
        ConversionError: A node holds a graph of its own, or a sequence; all such are named with their place.
    """
    odd = [_where(node) for node in model.graph if _has_graph(node) or node.op_type.startswith(_FLOW)]
    if odd:
        raise ConversionError(
            f"control flow, sequences and text have no form on a device: {', '.join(odd[:8])}"
            f"{', ...' if len(odd) > 8 else ''}; write them with torch.where, masks and fixed layers in the model"
        )


def narrow_inputs(model: ir.Model, signature: Signature) -> ir.Model:
    """Give int64 inputs the type int32 that devices feed, with a Cast behind them; returns the model it was given."""
    wanted = {port.name: port.dtype for port in signature.inputs}
    for value in list(model.graph.inputs):
        if value.dtype != ir.DataType.INT64 or wanted.get(str(value.name)) != ir.DataType.INT32:
            continue
        cast = ir.node("Cast", [value], attributes={"to": ir.DataType.INT64})
        wide = cast.outputs[0]
        wide.type, wide.shape, wide.name = ir.TensorType(ir.DataType.INT64), value.shape, f"{value.name}.int64"
        value.replace_all_uses_with(wide)
        cast.replace_input_with(0, value)
        value.type = ir.TensorType(ir.DataType.INT32)
        model.graph.insert_before(model.graph[0], cast)
    return model


def _expanded(model: ir.Model) -> ir.Model:
    """Return a copy in which operators that ONNX defines by others are written with those."""
    if not any(node.op_type in _EXPANDED and node.domain == "" for node in _nodes(model)):
        return model.clone()
    proto = inliner.inline_selected_functions(
        ir.to_proto(model), [("", name) for name in _EXPANDED], exclude=False, inline_schema_functions=True
    )
    expanded = ir.from_proto(proto)
    _place_bodies(model.graph, expanded.graph)
    return expanded


def _place_bodies(before: ir.Graph, after: ir.Graph) -> None:
    """Let the nodes that an operator was expanded to come from where it came from; ``after`` is changed."""
    kept = {value.name for node in before for value in node.outputs if node.op_type not in _EXPANDED}
    places = {value.name: node.metadata_props.get(PLACE) for node in before for value in node.outputs}
    for node in reversed(after):
        if node.outputs[0].name in kept:
            continue
        place = next((found for value in node.outputs if (found := places.get(value.name))), None)
        if place is not None:
            node.metadata_props.setdefault(PLACE, place)
            places |= {value.name: place for value in node.inputs if value is not None and value.name not in places}


def _move_axes(graph: ir.Graph, node: ir.Node, version: int) -> None:
    """Write what opset 17 says in attributes as opset 18 does, in inputs; and how many parts a Split has."""
    if version >= 18:
        return
    if node.op_type in _AXES_MOVED and (axes := node.attributes.pop("axes", None)) is not None:
        moved = add_constant(graph, np.array(axes.as_ints(), np.int64), "axes")
        node.resize_inputs(2)
        node.replace_input_with(1, moved)
    if node.op_type == "Split" and len(node.inputs) < 2:
        node.attributes["num_outputs"] = ir.AttrInt64("num_outputs", len(node.outputs))


def _require_known(model: ir.Model, version: int) -> None:
    odd = [_where(node) for node in model.graph if not _is_known(node)]
    if odd:
        raise ConversionError(
            f"opset {version} has operators, or forms of them, that opset {OPSET} has not: {', '.join(odd[:8])}"
            f"{', ...' if len(odd) > 8 else ''}; export the model again with opset_version={OPSET}"
        )


def _is_known(node: ir.Node) -> bool:
    """Hold a node against opset 20's definition; operators of other domains are the targets' to judge."""
    if node.domain not in {"", "ai.onnx"}:
        return True
    try:
        schema = defs.get_schema(node.op_type, OPSET, "")
    except defs.SchemaError:
        return False
    return set(node.attributes) <= set(schema.attributes) and schema.min_input <= len(node.inputs) <= schema.max_input


def _nodes(model: ir.Model) -> Iterator[ir.Node]:
    yield from ir.traversal.RecursiveGraphIterator(model.graph)
    for function in model.functions.values():
        yield from ir.traversal.RecursiveGraphIterator(function)


def _has_graph(node: ir.Node) -> bool:
    return any(attribute.type in {ir.AttributeType.GRAPH, ir.AttributeType.GRAPHS} for attribute in node.attributes.values())


def _where(node: ir.Node) -> str:
    place = node.metadata_props.get(PLACE) or node.name
    return f"{node.op_type} at '{place}'" if place else node.op_type
