"""The step graph of `conftest.mean_encoder`, made by hand: the mean of the vectors of all events times a matrix."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from onnx import ModelProto, TensorProto, helper, numpy_helper

from edge_rec_runtime.bundle import Steps
from edge_rec_runtime.state import StatePart

if TYPE_CHECKING:
    from numpy.typing import NDArray


def mean_state(dims: int) -> tuple[StatePart, ...]:
    """Return what is remembered: the vector of every event, and how many there were."""
    return StatePart(name="kept", width=dims, per_event=True), StatePart(name="count", width=1, per_event=False)


def mean_steps(encoder: bytes, *, times: float = 1.0, outputs: tuple[str, ...] = ("query", "new.kept", "new.count")) -> Steps:
    """Return the step graph of a mean encoder, whose matrix lies in the encoder's file.

    Args:
        encoder: Made by `mean_encoder`.
        times: The query is multiplied by this.
        outputs: What the graph gives.
    """
    weights = matrix(encoder)
    dims = len(weights)
    state = mean_state(dims)
    rows = {"vectors": "new", "kept": "past_length"}
    shared = numpy_helper.from_array(weights, "weights")
    start, length = encoder.index(shared.raw_data), len(shared.raw_data)
    shared.ClearField("raw_data")
    shared.data_location = TensorProto.EXTERNAL
    for key, value in (("location", "encoder.onnx"), ("offset", str(start)), ("length", str(length))):
        shared.external_data.add(key=key, value=value)
    graph = helper.make_graph(
        [
            helper.make_node("Unsqueeze", ["past", "last"], ["column"]),
            helper.make_node("Mul", ["kept", "column"], ["before"]),
            helper.make_node("Concat", ["before", "vectors"], ["every"], axis=1),
            helper.make_node("ReduceSum", ["every", "axis"], ["total"], keepdims=0),
            helper.make_node("ReduceSum", ["past", "axis"], ["known"], keepdims=1),
            helper.make_node("Shape", ["vectors"], ["length"], start=1, end=2),
            helper.make_node("Cast", ["length"], ["fresh"], to=TensorProto.FLOAT),
            helper.make_node("Add", ["count", "fresh"], ["new.count"]),
            helper.make_node("Div", ["total", "new.count"], ["mean"]),
            helper.make_node("MatMul", ["mean", "weights"], ["product"]),
            helper.make_node("Mul", ["product", "times"], ["query"]),
            helper.make_node("Identity", ["vectors"], ["new.kept"]),
        ],
        "step",
        [
            helper.make_tensor_value_info("vectors", TensorProto.FLOAT, [1, rows["vectors"], dims]),
            helper.make_tensor_value_info("past", TensorProto.FLOAT, [1, rows["kept"]]),
            helper.make_tensor_value_info("kept", TensorProto.FLOAT, [1, rows["kept"], dims]),
            helper.make_tensor_value_info("count", TensorProto.FLOAT, [1, 1]),
        ],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs],
        [
            numpy_helper.from_array(np.array([2]), "last"),
            numpy_helper.from_array(np.array([1]), "axis"),
            numpy_helper.from_array(np.array(times, np.float32), "times"),
            shared,
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    return Steps(state=state, graphs={"onnx": bytes(model.SerializeToString())})


def matrix(encoder: bytes) -> NDArray[np.float32]:
    """Return the matrix of an encoder made by `mean_encoder`."""
    held = {tensor.name: tensor for tensor in ModelProto.FromString(encoder).graph.initializer}
    found: NDArray[np.float32] = numpy_helper.to_array(held["weights"])
    return found
