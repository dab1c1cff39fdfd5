"""Which network is the fastest: from widths and rows alone, as the measured layers say."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir
import pytest
from dialect_graphs import graph_of

from edge_rec_converters.networks import CANDIDATES
from edge_rec_converters.passes import Int8Linears, apply
from edge_rec_converters.speed import COSTS, DenseLayer, dense_layers, fastest_first
from edge_rec_runtime.errors import ConversionError

_RNG = np.random.default_rng(0)
_ONNX = CANDIDATES["onnx"]


def test_every_candidate_has_a_cost() -> None:
    """And no other network has one."""
    assert set(COSTS) == set(_ONNX)


@pytest.mark.parametrize(
    ("rows", "width", "first"),
    [
        (1, 32, "int8-weights"),
        (200, 32, "int8-weights"),
        (1, 128, "int8-weights"),
        (8, 128, "int8-weights"),
        (100, 256, "int8-static"),
        (1, 512, "int8-static"),
        (200, 512, "int8-static"),
    ],
)
def test_the_order_is_as_measured(rows: int, width: int, first: str) -> None:
    """Sizes at which one form was ahead by a tenth or more, on the machine that the costs were fitted on."""
    assert fastest_first(_ONNX, [DenseLayer(rows=rows, wide=width, out=width)])[0] == first


def test_the_whole_network_counts() -> None:
    """One wide layer outweighs a narrow one, and thirty narrow ones outweigh it; with no layer the order stays."""
    wide, narrow = DenseLayer(rows=1, wide=512, out=512), DenseLayer(rows=1, wide=32, out=32)
    assert fastest_first(_ONNX, [wide, narrow])[0] == "int8-static"
    assert fastest_first(_ONNX, [wide, *[narrow] * 30])[0] == "int8-weights"
    assert fastest_first(_ONNX, []) == _ONNX


def test_layers_have_the_rows_of_requests() -> None:
    """The mean over requests of different lengths, times how many are answered at once; also where the input is transposed."""
    weights = {"a": _RNG.normal(size=(32, 48)).astype(np.float32), "b": _RNG.normal(size=(40, 48)).astype(np.float32)}

    def build(x: ir.Value, a: ir.Value, b: ir.Value) -> list[ir.Node]:
        first = ir.node("MatMul", [x, a])
        first.outputs[0].shape, first.outputs[0].type = ir.Shape([1, "x1", 48]), ir.TensorType(ir.DataType.FLOAT)
        turned = ir.node("Transpose", first.outputs, attributes={"perm": [0, 2, 1]})
        turned.outputs[0].shape, turned.outputs[0].type = ir.Shape([1, 48, "x1"]), ir.TensorType(ir.DataType.FLOAT)
        return [first, turned, ir.node("MatMul", [b, turned.outputs[0]])]

    feeds = [{"x": _RNG.normal(size=(1, length, 32)).astype(np.float32)} for length in (2, 4, 9)]
    graph = graph_of(feeds[0], weights, build)
    decided = apply(graph, Int8Linears())
    wanted = [DenseLayer(rows=15.0, wide=32, out=48), DenseLayer(rows=15.0, wide=48, out=40)]
    assert dense_layers(graph, decided, feeds, batch=3) == wanted
    with pytest.raises(ConversionError, match="got none; give calibration data"):
        dense_layers(graph, decided, [], batch=3)
