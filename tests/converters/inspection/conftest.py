"""A small graph in both formats."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir
import pytest

from edge_rec_converters.targets import emitter

ROWS, DIMS, WIDTH = 300, 32, 48


def _constant(name: str, array: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> ir.Value:
    return ir.Value(
        name=name, shape=ir.Shape(array.shape), type=ir.TensorType(ir.DataType.FLOAT), const_value=ir.tensor(array, name=name)
    )


@pytest.fixture(scope="session")
def small_graph() -> ir.Model:
    """A table that is looked up, a dense layer, a bias and a Relu."""
    rng = np.random.default_rng(0)
    table, weight, bias = (
        _constant(name, rng.normal(size=size).astype(np.float32))
        for name, size in (("table", (ROWS, DIMS)), ("weight", (DIMS, WIDTH)), ("bias", (WIDTH,)))
    )
    item = ir.Value(name="item", shape=ir.Shape(["batch"]), type=ir.TensorType(ir.DataType.INT32))
    tape = ir.tape.Tape()
    rows = tape.op("Gather", [table, item])
    result = tape.op("Relu", [tape.op("Add", [tape.op("MatMul", [rows, weight]), bias])])
    result.name, result.type, result.shape = "states", ir.TensorType(ir.DataType.FLOAT), ir.Shape(["batch", WIDTH])
    graph = ir.Graph([item], [result], nodes=tape.nodes, initializers=[table, weight, bias], opset_imports={"": 20}, name="small")
    return ir.Model(graph, ir_version=10)


@pytest.fixture(scope="session")
def onnx_bytes(small_graph: ir.Model) -> bytes:
    """The graph as an .onnx file."""
    return emitter("onnx")(small_graph)


@pytest.fixture(scope="session")
def tflite_bytes(small_graph: ir.Model) -> bytes:
    """The graph as a .tflite file."""
    return emitter("tflite")(small_graph)
