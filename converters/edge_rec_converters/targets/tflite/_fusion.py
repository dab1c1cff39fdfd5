"""Nodes that are said together in TFLite."""

from __future__ import annotations

__all__ = ["biases", "summed"]

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import onnx_ir as ir

_RECURRENCES = ("GRU", "LSTM", "RNN")
_REORDERED, _WEIGHTED = ("Transpose", "Reshape", "Squeeze", "Mul"), ("ReduceSum",)


def biases(graph: ir.Graph) -> dict[ir.Node, ir.Node]:
    """Return the matrix products whose only reader adds a constant vector, each with that reader.

    A fully connected layer takes the bias as its third input.
    """
    found: dict[ir.Node, ir.Node] = {}
    for node in graph:
        if node.op_type != "Add" or node.domain:
            continue
        for product, other in (node.inputs, node.inputs[::-1]):
            producer = product.producer() if product is not None else None
            if producer is None or producer in found or product is None or other is None:
                continue
            if producer.op_type == "MatMul" and not producer.domain and _is_bias(other, producer) and _read_once(product, graph):
                found[producer] = node
                break
    return found


def summed(graph: ir.Graph) -> set[ir.Node]:
    """Return the recurrences of which only the states are read, and of these only a sum: reordered, multiplied, summed."""
    return {node for node in graph if node.op_type in _RECURRENCES and not node.domain and _is_summed(node, graph)}


def _is_summed(node: ir.Node, graph: ir.Graph) -> bool:
    if any(value.uses() or value.is_graph_output() for value in node.outputs[1:]):
        return False
    value, weighted = node.outputs[0], False
    while value not in graph.outputs:
        readers = [reader for reader, _ in value.uses() if reader.op_type != "Shape"]
        if len(readers) != 1:
            return False
        (reader,) = readers
        if reader.domain or reader.op_type not in (_WEIGHTED if weighted else _REORDERED):
            return False
        if reader.op_type == "ReduceSum":
            return True
        value, weighted = reader.outputs[0], reader.op_type == "Mul"
    return False


def _is_bias(value: ir.Value, product: ir.Node) -> bool:
    """Tell whether a value is a constant vector as wide as the product's constant weight."""
    vector, weight = _constant(value), _constant(product.inputs[1])
    if vector is None or weight is None:
        return False
    return len(weight.shape) == 2 and tuple(vector.shape) == (weight.shape[1],)


def _constant(value: ir.Value | None) -> ir.TensorProtocol | None:
    """Return a constant, also one that is cast from half floats."""
    producer = None if value is None else value.producer()
    if producer is not None and producer.op_type == "Cast" and not producer.domain:
        value = producer.inputs[0]
    return None if value is None else value.const_value


def _read_once(value: ir.Value, graph: ir.Graph) -> bool:
    return len(value.uses()) == 1 and value not in graph.outputs
