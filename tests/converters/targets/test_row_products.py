"""Whole numbers times the rows of a table, in both engines, against the dialect's own arithmetic."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import onnx_ir as ir
import onnxruntime
import pytest
from ai_edge_litert.interpreter import Interpreter
from dialect_graphs import graph_of, run
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_rec_converters.dialect import LAYOUTS, row_products
from edge_rec_converters.dialect_reference import compute
from edge_rec_converters.row_codes import pack_int4, pack_signs
from edge_rec_converters.targets import emitter
from edge_rec_runtime.errors import ConversionError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


def _table(layout: str, rows: int, width: int, *, scaled: bool, half: bool, seed: int = 0) -> dict[str, NDArray[Any]]:
    """Return codes and, with ``scaled``, scales."""
    rng = np.random.default_rng(seed)
    codes: dict[str, NDArray[Any]] = {
        "int8": rng.choice([-127, 127, 5], (rows, width)).astype(np.int8),
        "int4": pack_int4(rng.integers(-7, 8, (rows, width)).astype(np.int8)),
        "binary": pack_signs(rng.random((rows, width)) < 0.5),
    }
    scales = rng.uniform(1e-3, 2, rows).astype(np.float16 if half else np.float32).astype(np.float32)
    return {"codes": codes[layout]} | ({"scales": scales} if scaled else {})


def _graph(layout: str, parts: dict[str, NDArray[Any]], x: NDArray[np.float32]) -> tuple[ir.Model, ir.Node]:
    kept: list[ir.Node] = []
    width = x.shape[1]

    def build(x: ir.Value, **held: ir.Value) -> list[ir.Node]:
        kept.append(row_products(x, held["codes"], held.get("scales"), layout=layout, width=width))
        return kept

    model = graph_of({"x": x}, parts, build)
    model.graph.inputs[0].shape = ir.Shape(["batch", width])
    return model, kept[0]


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(list(LAYOUTS)),
    st.integers(1, 40),
    st.sampled_from([1, 2, 6, 7, 8, 9, 16, 33, 64, 130]),
    st.integers(1, 5),
    st.tuples(st.booleans(), st.booleans()),
    st.integers(0, 2**32 - 1),
)
def test_products_equal_the_reference_to_the_bit(  # noqa: PLR0917 - drawn
    layout: str, rows: int, width: int, batch: int, options: tuple[bool, bool], seed: int
) -> None:
    """Any width and batch, with the largest numbers on both sides: nothing saturates, and LiteRT rounds no whole number."""
    scaled, half = options
    parts = _table(layout, rows, width, scaled=scaled, half=half, seed=seed)
    x = np.random.default_rng(seed).choice([-127, -126, 127, 0, 1], (batch, width)).astype(np.float32)
    model, node = _graph(layout, parts, x)
    wanted = compute(node, x, *parts.values())
    assert np.array_equal(run(model, {"x": x}), wanted)
    runner = Interpreter(model_content=emitter("tflite")(model)).get_signature_runner()
    assert np.array_equal(runner(x=x)["y"], wanted)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_codes_are_unpacked_at_load(layout: str, tmp_path: Path) -> None:
    """What ONNX Runtime runs is one integer product; no form of it that joins more than that, and is slower."""
    x = np.zeros((1, 64), np.float32)
    content = emitter("onnx")(_graph(layout, _table(layout, 4096, 64, scaled=True, half=True), x)[0])
    options: Any = onnxruntime.SessionOptions()
    options.optimized_model_filepath, options.log_severity_level = str(tmp_path / "loaded.onnx"), 3
    onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    loaded = [node.op_type for node in onnx.load(tmp_path / "loaded.onnx").graph.node]
    assert loaded == ["QuantizeLinear", "MatMulInteger", "Reshape", "Cast", "Mul", "Reshape"]


def test_codes_that_do_not_fit_are_refused() -> None:
    """A table whose parts disagree, or whose layout is unknown, is never written."""
    x = np.zeros((1, 9), np.float32)
    with pytest.raises(ConversionError, match="do not fit the width 9"):
        emitter("tflite")(_graph("int8", _table("int8", 3, 8, scaled=True, half=True), x)[0])
    with pytest.raises(ConversionError, match="layout='int2' is not known"):
        emitter("tflite")(_graph("int2", _table("int8", 3, 9, scaled=True, half=True), x)[0])
