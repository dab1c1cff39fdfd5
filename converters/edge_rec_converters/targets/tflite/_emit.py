"""From a graph of ONNX nodes to a file: check all of it first, then say it node by node."""

from __future__ import annotations

__all__ = ["check", "emit", "emit_with_step"]

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx_ir as ir

from edge_rec_converters.dialect import ROW_PRODUCTS, STORED_SHAPE, is_dialect
from edge_rec_converters.targets.tflite._call import Call, Value
from edge_rec_converters.targets.tflite._folding import fold
from edge_rec_converters.targets.tflite._fusion import biases, summed
from edge_rec_converters.targets.tflite._lowering import Lowering
from edge_rec_converters.targets.tflite._names import operator, require_operators, where
from edge_rec_converters.targets.tflite._sizes import Dim, Shape, Size
from edge_rec_converters.targets.tflite._steps import follow
from edge_rec_converters.targets.tflite._writer import Writer
from edge_rec_converters.targets.tflite.ops import OPS
from edge_rec_runtime.errors import ConversionError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

_DESCRIPTION = "edge-rec"
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
    writer = Writer()
    _sign(writer, "serving_default", model)
    return writer.finish(_DESCRIPTION)


def emit_with_step(model: ir.Model, step: ir.Model) -> tuple[bytes, None]:
    """Write an encoder and its step graph to one file, which holds equal weights once.

    Returns:
        The file, in which the step graph has the signature ``step``; there is no second file.
    """
    writer = Writer()
    _sign(writer, "serving_default", model)
    _sign(writer, "step", step)
    return writer.finish(_DESCRIPTION), None


def check(model: ir.Model) -> None:
    """Refuse a graph that `emit` cannot write: unknown operators all at once, then the first that has no form as it is used.

    Raises:
        ConversionError: As `emit` does, with the operator, its place in the model and what to do.
    """
    _lowered(model, Writer())


def _sign(writer: Writer, key: str, model: ir.Model) -> None:
    graph, inputs, outputs = _lowered(model, writer)
    graph.sign(key, inputs=inputs, outputs=outputs)


def _lowered(model: ir.Model, writer: Writer) -> tuple[Lowering, dict[str, Value], dict[str, Value]]:
    """Say a graph in TFLite's operators; return it with its inputs and outputs by name."""
    require_operators(model.graph)
    graph = Lowering(writer)
    values = {source: _weight(graph, source) for source in model.graph.initializers.values()}
    inputs = {
        _name(source): graph.input(_name(source), _shape(source), _dtype(source), _stored(source))
        for source in model.graph.inputs
    }
    values.update(zip(model.graph.inputs, inputs.values(), strict=True))
    added, sums = biases(model.graph), summed(model.graph)
    for node in sorted(model.graph, key=_computes):  # what is constant comes first, where a fused layer finds it
        if node in added.values():
            continue
        bias = added.get(node)
        call = replace(_call(node, values, bias), summed=node in sums)
        results = _results(graph, call, node)
        missing = [place for place, used in enumerate(call.used) if used and not any(results[place : place + 1])]
        if missing:
            raise call.error(f"its result {missing[0]} has no TFLite form; use only the first {missing[0]}")
        given = zip((bias or node).outputs, results, strict=False)
        values.update((source, result) for source, result in given if result is not None)
    return graph, inputs, {_name(source): values[source] for source in model.graph.outputs}


def _computes(node: ir.Node) -> bool:
    """Tell whether a node reads anything but constants of the file."""
    return any(value is None or value.const_value is None for value in node.inputs)


def _results(graph: Lowering, call: Call, node: ir.Node) -> tuple[Value | None, ...]:
    if call.op == "Constant":
        return (graph.known(_constant(call), name=node.outputs[0].name or ""),)
    known = fold(call)
    if known is not None:
        return (graph.known(known),)
    noted = follow(graph, call, OPS[call.op])
    results = OPS[call.op](graph, call) if noted is None else noted
    return results if isinstance(results, tuple) else (results,)


def _call(node: ir.Node, values: Mapping[ir.Value, Value], bias: ir.Node | None) -> Call:
    sources = [*node.inputs]
    if bias is not None:
        sources += [value for value in bias.inputs if value is not node.outputs[0]]
    attributes = {name: _attribute(node, attribute) for name, attribute in node.attributes.items()}
    return Call(
        op=operator(node),
        where=where(node),
        inputs=tuple(None if source is None else values[source] for source in sources),
        attributes={name: value for name, value in attributes.items() if value is not None},
        used=tuple(bool(value.uses()) or value.is_graph_output() for value in (node if bias is None else bias).outputs),
    )


def _attribute(node: ir.Node, attribute: ir.Attr) -> Any:  # noqa: ANN401  # numbers, text, tensors
    if attribute.type in (ir.AttributeType.GRAPH, ir.AttributeType.GRAPHS):
        raise ConversionError(f"{operator(node)} at {where(node)} has a graph inside, which the TFLite target does not take")
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
    known = graph.known(source.const_value.numpy(), name=_name(source))
    return replace(known, multiplied=any(is_dialect(user, ROW_PRODUCTS) for user, _ in source.uses()))


def _name(source: ir.Value) -> str:
    if not source.name:
        raise ConversionError("an input, output or weight of the graph has no name; give it one")
    return source.name


def _dtype(source: ir.Value) -> type[np.generic]:
    if source.dtype not in _INPUT_TYPES:
        found = "no type" if source.dtype is None else f"type {source.dtype.name}"
        raise ConversionError(f"the input {source.name!r} has {found}; the TFLite target takes FLOAT, INT64, INT32 and BOOL")
    return _INPUT_TYPES[source.dtype]


def _stored(source: ir.Value) -> list[int] | None:
    """Return the sizes that an input is stored with, where some are named."""
    sizes = source.metadata_props.get(STORED_SHAPE)
    return None if sizes is None else [int(size) for size in sizes.split(",")]


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
