"""Graph files from elsewhere: what is in them, whether they convert, what that would save."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from edge_rec_converters.inspection import inspect_graph
from edge_rec_converters.targets import EMITTERS
from edge_rec_runtime.errors import ConversionError

if TYPE_CHECKING:
    from pathlib import Path

ROWS, DIMS, WIDTH = 300, 32, 48
FP32 = 4 * (ROWS * DIMS + DIMS * WIDTH + WIDTH)


@pytest.fixture
def files(tmp_path: Path, onnx_bytes: bytes, tflite_bytes: bytes) -> dict[str, Path]:
    """The small graph in both formats, on disk."""
    made = {"onnx": tmp_path / "m.onnx", "tflite": tmp_path / "m.tflite"}
    made["onnx"].write_bytes(onnx_bytes)
    made["tflite"].write_bytes(tflite_bytes)
    return made


@pytest.mark.parametrize("target", ["onnx", "tflite"])
def test_it_says_what_is_in_a_graph(files: dict[str, Path], target: str) -> None:
    """Ports with open axes, operators with counts, every constant with its bytes, largest first."""
    facts = inspect_graph(files[target])
    assert (facts.format, facts.nbytes) == (target, files[target].stat().st_size)
    assert [(one.name, one.dtype, len(one.shape or ())) for one in facts.inputs] == [("item", "int32", 1)]
    assert facts.outputs[0].shape == (("batch" if target == "onnx" else "?"), WIDTH)
    assert facts.operators["Gather" if target == "onnx" else "GATHER"] == 1
    assert [one.name for one in facts.weights][:2] == ["table", "weight"]
    assert facts.precisions["float32"] == (3, FP32)
    assert facts.weight_bytes < facts.nbytes
    assert json.loads(json.dumps(facts.record()))["weights"][0]["shape"] == [ROWS, DIMS]


@pytest.mark.parametrize("target", ["onnx", "tflite"])
def test_savings_are_those_of_the_passes(files: dict[str, Path], target: str) -> None:
    """int8: a byte a number and four a row or column; binary: a bit a number; both formats say the same."""
    saved = inspect_graph(files[target]).savings
    rest = inspect_graph(files[target]).weight_bytes - FP32
    assert saved["int8"] == pytest.approx(ROWS * DIMS + DIMS * WIDTH + 4 * (ROWS + WIDTH) + 4 * WIDTH + rest, rel=0.05)
    assert saved["binary"] == pytest.approx(
        ROWS * DIMS / 8 + DIMS * WIDTH / 8 + 4 * (ROWS + WIDTH + DIMS + WIDTH) + rest, rel=0.2
    )
    ordered = [saved[word] for word in ("fp16", "int8", "int4", "binary")]
    assert ordered == sorted(ordered, key=lambda nbytes: -(nbytes or 0))


def test_whether_it_converts(files: dict[str, Path], tmp_path: Path) -> None:
    """A graph in the operators of both targets converts; one outside is named with its node; a .tflite file is an end."""
    assert inspect_graph(files["onnx"]).converts == dict.fromkeys(EMITTERS)
    assert all("PyTorch model" in (reason or "") for reason in inspect_graph(files["tflite"]).converts.values())
    path = tmp_path / "odd.onnx"
    nodes = [helper.make_node("Det", ["x"], ["y"], name="volume")]
    ports = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in (("x", ["b", 3, 3]), ("y", ["b"]))]
    graph = helper.make_graph(nodes, "g", ports[:1], ports[1:])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9), path)
    reason = inspect_graph(path).converts["tflite"]
    assert reason is not None
    assert "Det" in reason
    assert "volume" in reason


def test_an_old_opset_is_shown_and_said_not_to_convert(files: dict[str, Path]) -> None:
    """Looking needs less than converting."""
    model = onnx.load(files["onnx"])
    model.opset_import[0].version = 11
    onnx.save(model, files["onnx"])
    facts = inspect_graph(files["onnx"])
    assert facts.version == "opset 11"
    assert facts.precisions["float32"] == (3, FP32)
    assert facts.converts["onnx"] == "opset 11, and 17 to 23 are read; export the model again with opset_version=20"


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damaged_onnx_files_end_in_one_error(tmp_path: Path, onnx_bytes: bytes, data: st.DataObject) -> None:
    """Cut short, or with bytes changed where the structure stands, a file is shown or refused."""
    content = bytearray(onnx_bytes)
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.one_of(st.integers(0, 400), st.integers(len(content) - 400, len(content) - 1)))
        content[place] = data.draw(st.integers(0, 255))
    path = tmp_path / "m.onnx"
    path.write_bytes(content[: data.draw(st.one_of(st.just(len(content)), st.integers(0, len(content))))])
    with contextlib.suppress(ConversionError):
        inspect_graph(path)


@pytest.mark.parametrize(
    ("op_type", "constants"),
    [
        ("Range", {"a": np.float32(0), "b": np.float32(1e9), "c": np.float32(1)}),
        ("Expand", {"a": np.float32(1), "b": np.array([30_000, 30_000])}),
        ("Tile", {"a": np.ones((1, 1), np.float32), "b": np.array([30_000, 30_000])}),
        ("Mul", {"a": np.ones((30_000, 1), np.float32), "b": np.ones((1, 30_000), np.float32)}),
    ],
)
def test_a_small_file_cannot_ask_for_much_memory(tmp_path: Path, op_type: str, constants: dict[str, Any]) -> None:
    """Gigabytes that a few bytes describe are refused by size, before anything is computed."""
    path = tmp_path / "bomb.onnx"
    nodes = [
        helper.make_node(op_type, list(constants), ["much"], name="bomb"),
        helper.make_node("ReduceSum", ["much"], ["sum"], keepdims=0),
        helper.make_node("Add", ["x", "sum"], ["y"]),
    ]
    ports = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["b", 2]) for name in ("x", "y")]
    held = [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, "g", ports[:1], ports[1:], held)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9), path)
    assert f"{op_type} at 'bomb' makes a constant of" in (inspect_graph(path).converts["onnx"] or "")


def test_a_missing_file_is_one_sentence(tmp_path: Path) -> None:
    """The path, and what was expected."""
    with pytest.raises(ConversionError, match=r"none\.onnx: no such file"):
        inspect_graph(tmp_path / "none.onnx")


def test_looking_needs_no_torch(files: dict[str, Path]) -> None:
    """Importing torch takes seconds, and it may not be there."""
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "from edge_rec_converters.inspection import inspect_graph\n"
        f"print(*[len(inspect_graph(path).weights) > 2 for path in {[str(path) for path in files.values()]!r}])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (run.stdout, run.returncode) == ("True True\n", 0), run.stderr
