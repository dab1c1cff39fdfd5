"""The ONNX emitter computes what the dialect says, to the integer, on any CPU."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import onnx_ir as ir
import onnxruntime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_rec_converters.dialect import DOMAIN, INT8_LINEAR, INT8_ROWS, VERSION
from edge_rec_converters.edit import add_constant
from edge_rec_converters.passes import Int8Linears, Int8RowTables, apply
from edge_rec_converters.session import open_session
from edge_rec_converters.targets.onnx import emit

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from edge_rec_converters import Prepared


def _linear(
    codes: NDArray[np.int8], scales: NDArray[np.float32], bias: NDArray[np.float32] | None, **attributes: str | float
) -> ir.Model:
    """Return a graph of one Int8Linear."""
    x = ir.Value(name="x", type=ir.TensorType(ir.DataType.FLOAT), shape=ir.Shape(["b", "l", codes.shape[1]]))
    node = ir.node(INT8_LINEAR, [x], attributes=attributes, domain=DOMAIN)
    node.outputs[0].name, node.outputs[0].type = "y", ir.TensorType(ir.DataType.FLOAT)
    node.outputs[0].shape = ir.Shape(["b", "l", len(codes)])
    graph = ir.Graph([x], node.outputs, nodes=[node], opset_imports={"": 20, DOMAIN: VERSION}, name="g")
    parts = [add_constant(graph, codes, "codes"), add_constant(graph, scales, "scales")]
    parts += [] if bias is None else [add_constant(graph, bias, "bias")]
    node.resize_inputs(1 + len(parts))
    for position, part in enumerate(parts, 1):
        node.replace_input_with(position, part)
    return ir.Model(graph, ir_version=10)


def _run(model: ir.Model, x: NDArray[np.float32]) -> NDArray[np.float32]:
    result: NDArray[np.float32] = open_session(emit(model)).run(None, {"x": x})[0]
    return result


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 70), st.integers(1, 40), st.integers(1, 5), st.booleans(), st.integers(0, 2**32 - 1))
def test_per_token_products_are_exact_integers(wide: int, out: int, tokens: int, biased: bool, seed: int) -> None:  # noqa: FBT001 - drawn
    """The result is (row scale x channel scale) x (integer product) + bias, extreme codes and rows of zeros included."""
    rng = np.random.default_rng(seed)
    codes = rng.choice([-127, -126, 0, 1, 126, 127], size=(out, wide)).astype(np.int8)
    scales = rng.uniform(1e-3, 2, out).astype(np.float32)
    bias = rng.normal(size=out).astype(np.float32) if biased else None
    x = (rng.normal(size=(1, tokens, wide)) * rng.choice([0, 1e-3, 1, 1e3], size=(1, tokens, 1))).astype(np.float32)
    largest = np.maximum(np.abs(x).max(axis=-1, keepdims=True), np.float32(1e-30))
    rounded = np.rint((x / largest).astype(np.float32) / np.float32(1 / 127))
    wanted = (rounded @ codes.T.astype(np.float64)) * (largest / 127.0) * scales
    np.testing.assert_allclose(
        _run(_linear(codes, scales, bias, activation="per-token"), x),
        wanted + (0 if bias is None else bias),
        rtol=2e-5,
        atol=1e-4,
    )


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 70), st.integers(1, 40), st.integers(0, 255), st.integers(0, 2**32 - 1))
def test_static_products_are_exact_integers(wide: int, out: int, zero: int, seed: int) -> None:
    """What lies outside of the grid is clipped to its ends."""
    rng = np.random.default_rng(seed)
    codes = rng.integers(-127, 128, size=(out, wide)).astype(np.int8)
    scales = rng.uniform(1e-3, 2, out).astype(np.float32)
    x = (rng.normal(size=(1, 3, wide)) * 3).astype(np.float32)
    grid = np.clip(np.rint(x / np.float32(0.03)) + zero, 0, 255) - zero
    wanted = (grid @ codes.T.astype(np.float64)) * np.float32(0.03) * scales
    found = _run(_linear(codes, scales, None, activation="static", x_scale=0.03, x_zero_point=zero), x)
    np.testing.assert_allclose(found, wanted, rtol=2e-5, atol=1e-3)


@pytest.mark.parametrize("activation", ["static", "per-token"])
@pytest.mark.parametrize("axes", [2, 3])
def test_products_are_integer_products_in_the_engine(activation: str, axes: int, tmp_path: Path) -> None:
    """ONNX Runtime decodes no weight at a call: a bias does not make it multiply floats, whatever reads the result."""
    rng = np.random.default_rng(0)
    codes, ones = rng.integers(-127, 128, size=(32, 32)).astype(np.int8), np.ones(32, np.float32)
    model = _linear(codes, ones, ones, activation=activation, x_scale=0.03, x_zero_point=128)
    model.graph.inputs[0].shape = ir.Shape([*"abc"[: axes - 1], 32])
    model.graph.outputs[0].shape = ir.Shape([*"abc"[: axes - 1], 32])
    engine: Any = onnxruntime
    options = engine.SessionOptions()
    options.optimized_model_filepath, options.log_severity_level = str(tmp_path / "optimised.onnx"), 4
    engine.InferenceSession(emit(model), options, providers=["CPUExecutionProvider"])
    run = {node.op_type for node in onnx.load(options.optimized_model_filepath).graph.node}
    assert "MatMulIntegerToFloat" in run
    assert not run & {"DequantizeLinear", "MatMul", "Gemm", "FusedGemm"}


def test_weights_only_multiplies_in_float() -> None:
    """The codes are decoded, the input is not rounded."""
    rng = np.random.default_rng(0)
    codes, scales = rng.integers(-127, 128, size=(5, 9)).astype(np.int8), rng.uniform(0.1, 1, 5).astype(np.float32)
    x = rng.normal(size=(1, 3, 9)).astype(np.float32)
    np.testing.assert_allclose(
        _run(_linear(codes, scales, None, activation="none"), x), x @ (codes * scales[:, None]).T, rtol=1e-4, atol=1e-4
    )


@pytest.mark.parametrize("activation", ["per-token", "none"])
def test_a_row_does_not_depend_on_its_neighbours(activation: str) -> None:
    """One huge row in the batch changes no other row's result by a bit."""
    rng = np.random.default_rng(0)
    model = _linear(rng.integers(-127, 128, size=(16, 32)).astype(np.int8), np.ones(16, np.float32), None, activation=activation)
    x = rng.normal(size=(2, 4, 32)).astype(np.float32)
    huge = x.copy()
    huge[1] *= 1e4
    assert np.array_equal(_run(model, x)[0], _run(model, huge)[0])


def test_the_file_is_standard_and_saturates_nowhere(prepared: Prepared) -> None:
    """No operator of another domain, and no int8 weight meets a uint8 input: that pair saturates on x86 without VNNI."""
    model = onnx.load_from_string(emit(apply(prepared.graph, Int8Linears(), Int8RowTables(min_elements=512))))
    onnx.checker.check_model(model)
    assert {node.domain for node in model.graph.node} == {""}
    kinds = {tensor.name: tensor.data_type for tensor in model.graph.initializer}
    decoded = [node for node in model.graph.node if node.op_type == "DequantizeLinear" and node.input[0] in kinds]
    assert decoded
    assert {kinds[node.input[0]] for node in decoded} == {onnx.TensorProto.UINT8}


def test_the_same_graph_gives_the_same_bytes(prepared: Prepared) -> None:
    """Emission is a function of the graph."""
    assert emit(apply(prepared.graph, Int8Linears())) == emit(apply(prepared.graph, Int8Linears()))


def test_rows_are_decoded() -> None:
    """Int8Rows is codes times scales."""
    node = ir.node(INT8_ROWS, [], domain=DOMAIN)
    node.outputs[0].name, node.outputs[0].type = "y", ir.TensorType(ir.DataType.FLOAT)
    graph = ir.Graph([], node.outputs, nodes=[node], opset_imports={"": 20, DOMAIN: VERSION}, name="g")
    codes, scales = np.array([[1, -127], [5, 0]], np.int8), np.array([0.5, 2], np.float32)
    node.resize_inputs(2)
    node.replace_input_with(0, add_constant(graph, codes, "codes"))
    node.replace_input_with(1, add_constant(graph, scales, "scales"))
    found = open_session(emit(ir.Model(graph, ir_version=10))).run(None, {})[0]
    assert np.array_equal(found, np.array([[0.5, -63.5], [10, 0]]))
