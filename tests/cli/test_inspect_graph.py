"""``edge-rec inspect`` for graphs from elsewhere."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import onnx
import pytest
from click.testing import CliRunner
from onnx import TensorProto, helper

from edge_rec.cli import main
from edge_rec_runtime import errors

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def graph(tmp_path: Path) -> Path:
    """A dense layer as an .onnx file."""
    path = tmp_path / "layer.onnx"
    ports = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["b", 64]) for name in ("x", "y")]
    weight = helper.make_tensor("layer.weight", TensorProto.FLOAT, [64, 64], [0.5] * 4096)
    made = helper.make_graph([helper.make_node("MatMul", ["x", "layer.weight"], ["y"])], "g", ports[:1], ports[1:], [weight])
    onnx.save(helper.make_model(made, opset_imports=[helper.make_opsetid("", 18)], ir_version=9), path)
    return path


def test_it_shows_what_a_conversion_would_save(graph: Path) -> None:
    """Ports, operators, the largest weights, both targets, and the bytes in each precision, as readable lines."""
    result = CliRunner().invoke(main, ["inspect", str(graph)])
    lines = [" ".join(line.split()) for line in result.stdout.splitlines()]
    for line in (
        "format onnx, opset 18",
        "converts to onnx yes",
        "converts to tflite yes",
        "x float32 [b, 64]",
        "MatMul 1",
        "float32 1 16384",
        "layer.weight float32 [64, 64] 16384",
        "int8 4352 0.266",
    ):
        assert line in lines, result.stdout


def test_json_holds_the_same(graph: Path) -> None:
    """Every weight, unrounded."""
    record = json.loads(CliRunner().invoke(main, ["inspect", str(graph), "--json"]).stdout)
    assert record["weights"] == [{"name": "layer.weight", "dtype": "float32", "shape": [64, 64], "bytes": 16384}]
    assert record["savings"]["int8"] == 64 * 64 + 64 * 4


@pytest.mark.parametrize("name", ["broken.onnx", "broken.tflite", "missing.onnx"])
def test_what_cannot_be_read_is_one_sentence(tmp_path: Path, name: str) -> None:
    """The code for conversions, nothing on standard output, the file's name in the sentence."""
    path = tmp_path / name
    if "broken" in name:
        path.write_bytes(b"\x08\x07TFL3 is not all there is to it")
    result = CliRunner().invoke(main, ["inspect", str(path)])
    assert (result.exit_code, result.stdout) == (errors.ConversionError.exit_code, "")
    assert name in result.stderr
    assert len(result.stderr.splitlines()) == 1
