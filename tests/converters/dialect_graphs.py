"""Small graphs that the tests of passes and emitters are made of."""

from __future__ import annotations

__all__ = ["graph_of", "operators", "run"]

from typing import TYPE_CHECKING, Any

import numpy as np
import onnx_ir as ir

from edge_rec_converters.dialect import DOMAIN, VERSION
from edge_rec_converters.edit import add_constant
from edge_rec_converters.session import open_session
from edge_rec_converters.targets.onnx import emit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

_TYPES = {np.dtype(np.float32): ir.DataType.FLOAT, np.dtype(np.int32): ir.DataType.INT32, np.dtype(np.int64): ir.DataType.INT64}


def graph_of(
    inputs: Mapping[str, NDArray[Any]],
    constants: Mapping[str, NDArray[Any]],
    build: Callable[..., Sequence[ir.Node]],
    *,
    opset: int = 20,
) -> ir.Model:
    """Return a graph whose output ``y`` is what the last node gives.

    Args:
        inputs: Example of each input: its type and number of axes count.
        constants: Initializers.
        build: Takes the value of every input and constant by name, returns the nodes in order.
        opset: Version of the standard operators.
    """
    fed = {
        name: ir.Value(
            name=name, type=ir.TensorType(_TYPES[array.dtype]), shape=ir.Shape([f"{name}{a}" for a in range(array.ndim)])
        )
        for name, array in inputs.items()
    }
    graph = ir.Graph(list(fed.values()), [], nodes=[], opset_imports={"": opset, DOMAIN: VERSION}, name="g")
    held = {name: add_constant(graph, array, name) for name, array in constants.items()}
    nodes = build(**fed, **held)
    graph.extend(nodes)
    result = nodes[-1].outputs[0]
    result.name, result.type = "y", ir.TensorType(ir.DataType.FLOAT)
    graph.outputs.append(result)
    return ir.Model(graph, ir_version=10)


def _input(name: str, like: NDArray[Any]) -> ir.Value:
    axes = [f"{name}{axis}" for axis in range(like.ndim)]
    return ir.Value(name=name, type=ir.TensorType(_TYPES[like.dtype]), shape=ir.Shape(axes))


def run(model: ir.Model, inputs: Mapping[str, NDArray[Any]]) -> NDArray[np.float32]:
    """Return what ONNX Runtime computes from the emitted graph."""
    result: NDArray[np.float32] = open_session(emit(model)).run(None, dict(inputs))[0]
    return result


def operators(model: ir.Model) -> list[str]:
    """Return the operators of a graph, in order."""
    return [node.op_type for node in model.graph]
