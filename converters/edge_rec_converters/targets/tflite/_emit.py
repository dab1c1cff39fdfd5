"""From a graph of ONNX nodes to a file: check all of it first, then say it node by node."""

from __future__ import annotations

__all__ = ["check", "emit"]

from typing import TYPE_CHECKING, Any

import numpy as np
import onnx_ir as ir

from edge_rec_converters.places import PLACE
from edge_rec_converters.targets.tflite._call import Call, Value
from edge_rec_converters.targets.tflite._folding import fold
from edge_rec_converters.targets.tflite._fusion import biases
from edge_rec_converters.targets.tflite._lowering import Lowering
from edge_rec_converters.targets.tflite._sizes import Dim, Shape, Size
from edge_rec_converters.targets.tflite.ops import OPS
from edge_rec_runtime.errors import ConversionError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

_DESCRIPTION = "edge-rec"
_FOLDED_ALWAYS = ("Constant", "Shape", "Size")
_ONNX_DOMAINS = ("", "ai.onnx")
_INPUT_TYPES = {
    ir.DataType.FLOAT: np.float32,
    ir.DataType.INT64: np.int32,
    ir.DataType.INT32: np.int32,
    ir.DataType.BOOL: np.bool_,
}


def emit(model: ir.Model) -> bytes:
    """Write a graph as a .tflite file.

    Inputs and outputs keep their names and their dynamic axes (``resize_tensor_input`` sets them) and make up the signature
    ``serving_default``; 64-bit integers become 32-bit ones. The same model gives the same bytes.

    Args:
        model: A cleaned fp32 graph, in which linear layers and tables may be the operators ``Int8Linear`` and ``Int8Rows`` of
            the domain ``edge_rec``; it is left as it was.

    Raises:
        ConversionError: Something in the graph cannot be said in TFLite; all unknown operators are named at once.
    """
    check(model)
    graph = Lowering()
    values = {source: _weight(graph, source) for source in model.graph.initializers.values()}
    inputs = {_name(source): graph.input(_name(source), _shape(source), _dtype(source)) for source in model.graph.inputs}
    values.update(zip(model.graph.inputs, inputs.values(), strict=True))
    added = biases(model.graph)
    for node in sorted(model.graph, key=_computes):  # what is constant comes first, where a fused layer finds it
        if node in added.values():
            continue
        bias = added.get(node)
        call = _call(node, values, bias)
        results = _results(graph, call, node)
        if len(results) < len(node.outputs):
            raise call.error(f"it has {len(node.outputs)} results, of which TFLite gives {len(results)}")
        given = zip((bias or node).outputs, results, strict=False)
        values.update((source, result) for source, result in given if result is not None)
    outputs = {_name(source): values[source] for source in model.graph.outputs}
    return graph.finish(inputs=inputs, outputs=outputs, description=_DESCRIPTION)


def _computes(node: ir.Node) -> bool:
    """Tell whether a node reads anything but constants of the file."""
    return any(value is None or value.const_value is None for value in node.inputs)


def _results(graph: Lowering, call: Call, node: ir.Node) -> tuple[Value | None, ...]:
    if call.op == "Constant":
        return (graph.known(_constant(call), name=node.outputs[0].name or ""),)
    known = fold(call)
    if known is not None:
        return (graph.known(known),)
    results = OPS[call.op](graph, call)
    return results if isinstance(results, tuple) else (results,)


def check(model: ir.Model) -> None:
    """Refuse a graph that cannot be written, before any work, with all that is wrong with its operators.

    Raises:
        ConversionError: Names each unknown operator and where in the model it came from.
    """
    graph = model.graph
    if not graph.outputs or not graph.inputs:
        raise ConversionError("the graph has no inputs or no outputs; the TFLite target wants both, with names")
    unknown = [f"{_operator(node)} at {_where(node)}" for node in graph if not _is_known(node)]
    if unknown:
        raise ConversionError(
            f"{len(unknown)} operators of the model have no TFLite form: {'; '.join(unknown)}. "
            "Write them with other operators in the model, or convert to ONNX, which keeps them"
        )
    defined = {*graph.inputs, *graph.initializers.values()}
    for node in graph:
        for value in node.inputs:
            if value is not None and value not in defined:
                raise ConversionError(
                    f"{_operator(node)} at {_where(node)} reads {value.name!r}, which nothing computes before it"
                )
        defined.update(node.outputs)
    for value in graph.outputs:
        if value not in defined:
            raise ConversionError(f"the output {value.name!r} is computed by no node of the graph")


def _is_known(node: ir.Node) -> bool:
    return _operator(node) in OPS or _operator(node) in _FOLDED_ALWAYS


def _operator(node: ir.Node) -> str:
    return node.op_type if node.domain in _ONNX_DOMAINS else f"{node.domain}::{node.op_type}"


def _where(node: ir.Node) -> str:
    """Return the place in the model that a node came from, else its name or that of its result."""
    return f"'{node.metadata_props.get(PLACE) or node.name or (node.outputs[0].name if node.outputs else '') or '?'}'"


def _call(node: ir.Node, values: Mapping[ir.Value, Value], bias: ir.Node | None) -> Call:
    sources = [*node.inputs]
    if bias is not None:
        sources += [value for value in bias.inputs if value is not node.outputs[0]]
    attributes = {name: _attribute(node, attribute) for name, attribute in node.attributes.items()}
    return Call(
        op=_operator(node),
        where=_where(node),
        inputs=tuple(None if source is None else values[source] for source in sources),
        attributes={name: value for name, value in attributes.items() if value is not None},
        used=tuple(bool(value.uses()) or value.is_graph_output() for value in (node if bias is None else bias).outputs),
    )


def _attribute(node: ir.Node, attribute: ir.Attr) -> Any:  # noqa: ANN401  # numbers, text, tensors
    if attribute.type in (ir.AttributeType.GRAPH, ir.AttributeType.GRAPHS):
        raise ConversionError(f"{_operator(node)} at {_where(node)} has a graph inside, which the TFLite target does not take")
    if attribute.name == "to":
        return ir.DataType(attribute.as_int())
    return list(attribute.value) if isinstance(attribute.value, tuple) else attribute.value


def _constant(call: Call) -> NDArray[Any]:
    for name, value in call.attributes.items():
        if name == "value":
            return np.asarray(value.numpy())
        if name in ("value_float", "value_floats"):
            return np.asarray(value, np.float32)
        if name in ("value_int", "value_ints"):
            return np.asarray(value, np.int64)
    raise call.error("it holds no number")


def _weight(graph: Lowering, source: ir.Value) -> Value:
    if source.const_value is None:
        raise ConversionError(f"the weight {source.name!r} has no data; load the model together with its external data file")
    return graph.known(source.const_value.numpy(), name=_name(source))


def _name(source: ir.Value) -> str:
    if not source.name:
        raise ConversionError("an input, output or weight of the graph has no name; give it one")
    return source.name


def _dtype(source: ir.Value) -> type[np.generic]:
    if source.dtype not in _INPUT_TYPES:
        found = "no type" if source.dtype is None else f"type {source.dtype.name}"
        raise ConversionError(f"the input {source.name!r} has {found}; the TFLite target takes FLOAT, INT64, INT32 and BOOL")
    return _INPUT_TYPES[source.dtype]


def _shape(source: ir.Value) -> Shape:
    if source.shape is None:
        raise ConversionError(f"the input {source.name!r} has no shape; name its axes, as in [batch, length, 64]")
    return tuple(_sizes(source.shape, _name(source)))


def _sizes(shape: ir.Shape, name: str) -> Iterator[Dim]:
    for axis, size in enumerate(shape):
        if isinstance(size, int):
            yield size
        else:
            yield Size.symbol(size.value or f"{name}.{axis}")
