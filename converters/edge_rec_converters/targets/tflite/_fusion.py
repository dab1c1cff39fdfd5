"""Pairs of nodes that are one operator in TFLite."""

from __future__ import annotations

__all__ = ["biases"]

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import onnx_ir as ir


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
