"""Packed rows and signs through ONNX Runtime equal the reference of the dialect, and are unpacked when they should be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import onnxruntime
import pytest
from dialect_graphs import graph_of, run
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_rec_converters.dialect import LAYOUTS, binary_linear, row_lookup
from edge_rec_converters.dialect_reference import compute
from edge_rec_converters.row_codes import pack_int4, pack_signs
from edge_rec_converters.targets.onnx import emit

if TYPE_CHECKING:
    from pathlib import Path

    import onnx_ir as ir
    from numpy.typing import NDArray


def _codes(layout: str, rows: int, width: int, rng: np.random.Generator) -> NDArray[Any]:
    if layout == "int8":
        return rng.integers(-127, 128, (rows, width)).astype(np.int8)
    if layout == "int4":
        return pack_int4(rng.integers(-7, 8, (rows, width)).astype(np.int8))
    return pack_signs(rng.random((rows, width)) < 0.5)


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(list(LAYOUTS)),
    st.integers(1, 40),
    st.sampled_from([1, 2, 7, 8, 9, 16, 33]),
    st.sampled_from([(), (3,), (2, 3), (2, 1, 2), (0, 2)]),
    st.tuples(st.booleans(), st.booleans()),
    st.sampled_from([17, 20, 23]),
    st.integers(0, 2**32 - 1),
)
def test_look_ups_equal_the_reference_to_the_bit(  # noqa: PLR0917 - drawn
    layout: str, rows: int, width: int, shape: tuple[int, ...], options: tuple[bool, bool], opset: int, seed: int
) -> None:
    """Any width and shape of indices, with and without a centre, scales of either precision, at old and new opsets."""
    centred, half = options
    rng = np.random.default_rng(seed)
    scales = rng.uniform(1e-3, 2, rows).astype(np.float16 if half else np.float32).astype(np.float32)
    parts = {"codes": _codes(layout, rows, width, rng), "scales": scales}
    parts |= {"centre": rng.normal(size=width).astype(np.float32)} if centred else {}
    indices = rng.integers(0, rows, shape).astype(np.int32)
    kept: list[ir.Node] = []

    def build(x: ir.Value, **held: ir.Value) -> list[ir.Node]:
        kept.append(row_lookup(x, held["codes"], held["scales"], held.get("centre"), layout=layout, width=width))
        return kept

    found = run(graph_of({"x": indices}, parts, build, opset=opset), {"x": indices})
    assert np.array_equal(found, compute(kept[0], indices, *parts.values()))


def test_indices_without_a_known_shape_do() -> None:
    """A stranger's graph that does not say how many axes its indices have is looked up as well."""
    rng = np.random.default_rng(0)
    codes, scales = _codes("int4", 9, 5, rng), np.ones(9, np.float32)
    indices = rng.integers(0, 9, (2, 3)).astype(np.int32)
    kept: list[ir.Node] = []

    def build(x: ir.Value, codes: ir.Value, scales: ir.Value) -> list[ir.Node]:
        kept.append(row_lookup(x, codes, scales, layout="int4", width=5))
        return kept

    model = graph_of({"x": indices}, {"codes": codes, "scales": scales}, build)
    model.graph.inputs[0].shape = None
    assert np.array_equal(run(model, {"x": indices}), compute(kept[0], indices, codes, scales))


def _signs(rows: int, width: int, *, biased: bool, seed: int) -> tuple[ir.Model, NDArray[np.float32], NDArray[np.float32]]:
    """Return a graph of one BinaryLinear, an input for it and what the reference gives."""
    rng = np.random.default_rng(seed)
    parts = {"bits": _codes("binary", rows, width, rng), "scales": rng.uniform(1e-3, 2, rows).astype(np.float32)}
    parts |= {"bias": rng.normal(size=rows).astype(np.float32)} if biased else {}
    x = rng.normal(size=(2, 3, width)).astype(np.float32)
    kept: list[ir.Node] = []

    def build(x: ir.Value, **held: ir.Value) -> list[ir.Node]:
        kept.append(binary_linear(x, held["bits"], held["scales"], held.get("bias"), width=width))
        return kept

    model = graph_of({"x": x}, parts, build)
    return model, x, compute(kept[0], x, *parts.values())


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 40), st.integers(1, 70), st.booleans(), st.integers(0, 2**32 - 1))
def test_layers_of_signs_equal_the_reference(rows: int, width: int, biased: bool, seed: int) -> None:  # noqa: FBT001 - drawn
    """Sums in float32 against sums in float64: the error of some 70 terms."""
    model, x, wanted = _signs(rows, width, biased=biased, seed=seed)
    np.testing.assert_allclose(run(model, {"x": x}), wanted, rtol=1e-5, atol=1e-4)


def test_signs_take_a_bit_in_the_file_and_are_unpacked_at_load(tmp_path: Path) -> None:
    """The file is near a bit a weight; what the engine runs is one product and one sum."""
    model, _, _ = _signs(256, 512, biased=True, seed=0)
    content = emit(model)
    assert len(content) < 256 * 512 / 8 + 256 * 8 + 1500
    assert _loaded(content, tmp_path) == ["Add", "MatMul"]


@pytest.mark.parametrize("layout", ["int4", "binary"])
def test_tables_are_not_unpacked_at_load(layout: str, tmp_path: Path) -> None:
    """A large table stays packed in memory: only the table of bytes is made at load, and the look-up stays."""
    rng = np.random.default_rng(0)
    parts = {"codes": _codes(layout, 5000, 32, rng), "scales": rng.uniform(1, 2, 5000).astype(np.float16).astype(np.float32)}
    indices = np.zeros((1, 2), np.int32)
    model = graph_of({"x": indices}, parts, lambda x, codes, scales: [row_lookup(x, codes, scales, layout=layout, width=32)])
    loaded = tmp_path / "loaded.onnx"
    assert _loaded(emit(model), tmp_path) == ["Cast", "Cast", "Gather", "Gather", "Gather", "Mul", "Reshape"]
    assert loaded.stat().st_size < parts["codes"].nbytes + 2 * 5000 + 256 * 8 * 4 + 1500


def _loaded(content: bytes, folder: Path) -> list[str]:
    """Return the operators that ONNX Runtime runs after it folded constants."""
    options: Any = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(folder / "loaded.onnx")
    options.log_severity_level = 3
    onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    return sorted(node.op_type for node in onnx.load(folder / "loaded.onnx").graph.node)
