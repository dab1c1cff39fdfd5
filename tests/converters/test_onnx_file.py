"""Graphs from outside are hostile until looked at: each is read, or refused with one sentence."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import onnx
import onnx_ir as ir
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from edge_rec_converters.graph import model_graph
from edge_rec_converters.onnx_file import from_file, read_onnx
from edge_rec_converters.prepare import prepare
from edge_rec_converters.reference import source_encoder
from edge_rec_converters.signature import Port, Signature
from edge_rec_converters.targets.onnx import emit
from edge_rec_runtime.errors import ConversionError, ModelError

if TYPE_CHECKING:
    from pathlib import Path

    from edge_rec_converters import Prepared, Retriever
    from edge_rec_runtime import History

_FLOAT = TensorProto.FLOAT
_SIGNATURE = Signature(model="m", inputs=(), output=Port("query", ir.DataType.FLOAT, ("batch", 4)), longest={})


def _sum_encoder(*, vectors: list[str | int], outputs: str = "query", opset: int = 18, kind: int = _FLOAT) -> onnx.ModelProto:
    nodes = [
        helper.make_node("Unsqueeze", ["mask", "last"], ["column"]),
        helper.make_node("Mul", ["vectors", "column"], ["events"]),
        helper.make_node("ReduceSum", ["events", "first"], [outputs], keepdims=0),
    ]
    graph = helper.make_graph(
        nodes,
        "g",
        [
            helper.make_tensor_value_info("vectors", kind, vectors),
            helper.make_tensor_value_info("mask", kind, vectors[:2]),
        ],
        [helper.make_tensor_value_info(outputs, kind, [vectors[0], vectors[2]])],
        [numpy_helper.from_array(np.array([2]), "last"), numpy_helper.from_array(np.array([1]), "first")],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=9)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"vectors": [1, "l", 32]}, "axis 0 of 'vectors' is fixed at 1"),
        ({"vectors": ["b", 20, 32]}, "axis 1 of 'vectors' is fixed at 20"),
        ({"vectors": ["b", "l", 16]}, "16 wide and the item table 32"),
        ({"outputs": "scores"}, "outputs scores; expected the inputs vectors"),
        ({"opset": 11}, "opset 11, and 17 to 23 are read"),
        ({"kind": TensorProto.INT32}, "'vectors' is INT32; cast inside the graph, expected vectors"),
    ],
)
def test_a_graph_that_is_no_encoder_is_refused(
    tmp_path: Path, mean_source: Retriever, changes: dict[str, object], message: str
) -> None:
    """Each sentence says what was found and what is expected."""
    path = tmp_path / "m.onnx"
    onnx.save(_sum_encoder(**({"vectors": ["b", "l", 32]} | changes)), path)  # type: ignore[arg-type]  # a table of cases
    with pytest.raises(ConversionError, match=message):
        model_graph(replace(mean_source, encoder=path))


def test_external_data_beside_the_file_is_read_and_elsewhere_refused(tmp_path: Path, prepared: Prepared) -> None:
    """A path out of the folder is never followed; missing data is named."""
    path = tmp_path / "m.onnx"
    onnx.save(onnx.load_from_string(emit(prepared.graph)), path, save_as_external_data=True, location="w.bin", size_threshold=0)
    assert read_onnx(path).graph.num_nodes() == len(onnx.load(path).graph.node)
    (tmp_path / "w.bin").rename(tmp_path / "elsewhere.bin")
    with pytest.raises(ConversionError, match=r"'w\.bin', which is missing"):
        read_onnx(path)
    model = onnx.load(path, load_external_data=False)
    for tensor in model.graph.initializer:
        for entry in tensor.external_data:
            if entry.key == "location":
                entry.value = "../../etc/passwd"
    path.write_bytes(model.SerializeToString())
    with pytest.raises(ConversionError, match="points outside the folder"):
        read_onnx(path)


def test_a_link_out_of_the_folder_is_refused(tmp_path: Path, prepared: Prepared) -> None:
    """External data that is a symbolic link to somewhere else is somewhere else."""
    inside = tmp_path / "model"
    inside.mkdir()
    path = inside / "m.onnx"
    onnx.save(onnx.load_from_string(emit(prepared.graph)), path, save_as_external_data=True, location="w.bin", size_threshold=0)
    (inside / "w.bin").rename(tmp_path / "w.bin")
    (inside / "w.bin").symlink_to(tmp_path / "w.bin")
    with pytest.raises(ConversionError, match="points outside the folder"):
        read_onnx(path)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damaged_files_end_in_one_error(tmp_path: Path, prepared: Prepared, data: st.DataObject) -> None:
    """Cut short, or with bytes changed, a file is read or refused; nothing else ever comes out."""
    content = bytearray(emit(prepared.graph))
    for _ in range(data.draw(st.integers(0, 4))):
        content[data.draw(st.integers(0, min(len(content) - 1, 3000)))] = data.draw(st.integers(0, 255))
    path = tmp_path / "m.onnx"
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    with contextlib.suppress(ConversionError):
        model_graph(replace(prepared.source, encoder=path))  # type: ignore[type-var]


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=400))
def test_noise_is_refused(tmp_path: Path, content: bytes) -> None:
    """Bytes that are no protobuf, or one of another kind, are no model."""
    path = tmp_path / "m.onnx"
    path.write_bytes(content)
    with pytest.raises(ConversionError):
        from_file(path, _SIGNATURE)


def test_a_damaged_file_is_refused_before_an_engine_runs_it(
    tmp_path: Path, mean_source: Retriever, prepared: Prepared, held_out: list[History]
) -> None:
    """Conversion and verification both end in one of our errors, whatever stands in the file."""
    path, whole = tmp_path / "m.onnx", emit(prepared.graph)
    source = replace(mean_source, encoder=path)
    for content in (b"", whole[: len(whole) // 2], b"\x00\xff" * 100):
        path.write_bytes(content)
        with pytest.raises(ConversionError):
            prepare(source, held_out)
        with pytest.raises(ModelError, match="ONNX Runtime cannot open it"):
            source_encoder(source)
