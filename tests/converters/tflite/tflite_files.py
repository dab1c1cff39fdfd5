"""Run and read .tflite files, and the same graph in ONNX Runtime, for the tests of the TFLite target."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx_ir as ir
import onnxruntime
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter

from edge_rec_converters.targets.tflite import emit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

WIDTH = 6
SIZES = ((1, 1), (1, 8), (7, 5))  # batch and length
_NAMES = {code: name for name, code in vars(schema.BuiltinOperator).items() if isinstance(code, int)}
_DTYPES = {
    schema.TensorType.FLOAT32: np.float32,
    schema.TensorType.FLOAT16: np.float16,
    schema.TensorType.INT32: np.int32,
    schema.TensorType.UINT8: np.uint8,
    schema.TensorType.INT8: np.int8,
    schema.TensorType.BOOL: np.bool_,
}


INPUTS = f"float[batch,length,{WIDTH}] x, float[batch,length] m"


def graph(text: str, inputs: str = INPUTS, /, **weights: NDArray[Any]) -> ir.Model:
    """Return ``inputs -> y`` with the nodes of ``text``; by default from vectors x and a mask m."""
    model = ir.from_onnx_text(
        f'<ir_version: 10, opset_import: ["": 20, "edge_rec": 1]> g ({inputs}) => (float[a] y) {{ {text} }}',
        initializers=[ir.tensor(array, name=name) for name, array in weights.items()],
    )
    model.graph.outputs[0].shape = model.graph.outputs[0].type = None
    return model


def feeds(batch: int, length: int, *, width: int = WIDTH, names: tuple[str, str] = ("x", "m")) -> dict[str, NDArray[np.float32]]:
    """Return vectors and a mask whose padding comes after at least one event."""
    rng = np.random.default_rng(batch * 1000 + length)
    vectors = rng.standard_normal((batch, length, width)).astype(np.float32)
    events = rng.integers(1, length + 1, (batch, 1))
    return {names[0]: vectors, names[1]: (np.arange(length)[None] < events).astype(np.float32)}


class Engine:
    """A file in LiteRT, resized for each call."""

    def __init__(self, data: bytes) -> None:
        self.interpreter = Interpreter(model_content=data, num_threads=1)
        self.inputs = {detail["name"]: detail["index"] for detail in self.interpreter.get_input_details()}

    def __call__(self, given: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
        """Return the only output."""
        for name, index in self.inputs.items():
            self.interpreter.resize_tensor_input(index, given[name].shape)
        self.interpreter.allocate_tensors()
        for name, index in self.inputs.items():
            self.interpreter.set_tensor(index, given[name])
        self.interpreter.invoke()
        answer: NDArray[Any] = self.interpreter.get_tensor(self.interpreter.get_output_details()[0]["index"])
        return answer


class OnnxEngine:
    """The same graph in ONNX Runtime."""

    def __init__(self, model: ir.Model) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.log_severity_level = 1, 4
        self.session = onnxruntime.InferenceSession(ir.to_proto(model).SerializeToString(), options)
        self.names = {given.name for given in self.session.get_inputs()}

    def __call__(self, given: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
        """Return the only output."""
        answer: NDArray[Any] = self.session.run(None, {name: given[name] for name in self.names})[0]
        return answer


def distance(found: NDArray[Any], wanted: NDArray[Any]) -> float:
    """Return the largest difference, relative to the largest number wanted."""
    assert found.shape == wanted.shape
    if not wanted.size:
        return 0.0
    return float(np.abs(found.astype(np.float64) - wanted).max() / max(np.abs(wanted).max(), 1e-9))


def equals_onnx_runtime(text: str, weights: Mapping[str, NDArray[Any]]) -> None:
    """Hold one file against ONNX Runtime on the same graph, resized from call to call."""
    model = graph(text, **weights)
    wanted, found = OnnxEngine(model), Engine(emit(model))
    for batch, length in SIZES:
        given = feeds(batch, length)
        assert distance(found(given), wanted(given)) <= 2e-6


@dataclass(frozen=True)
class Constant:
    """A constant as it stands in a file."""

    values: NDArray[Any]
    scales: NDArray[np.float32] | None
    zero_points: NDArray[np.int64] | None
    offset: int


@dataclass(frozen=True)
class File:
    """What a test asks of a file: (operator, version) in order, constants by name, and the signature's tensors."""

    operators: list[tuple[str, int]]
    constants: dict[str, Constant]
    signature: dict[str, tuple[list[str], list[str]]]


def read(data: bytes) -> File:
    """Read a file back."""
    root = schema.Model.GetRootAs(data)
    model = schema.ModelT.InitFromPackedBuf(data)
    subgraph = model.subgraphs[0]
    codes = [(_NAMES[code.builtinCode], code.version) for code in model.operatorCodes]
    constants = {}
    for tensor in subgraph.tensors:
        buffer = model.buffers[tensor.buffer].data
        if buffer is None or not tensor.name:
            continue
        values = np.asarray(buffer).view(_DTYPES[tensor.type]).reshape(tensor.shape)
        quantization = tensor.quantization
        scaled = quantization is not None and quantization.scale is not None
        start = root.Buffers(tensor.buffer).DataAsNumpy().__array_interface__["data"][0]
        offset = start - np.frombuffer(data, np.uint8).__array_interface__["data"][0]
        constants[tensor.name.decode()] = Constant(
            values, quantization.scale if scaled else None, quantization.zeroPoint if scaled else None, offset
        )
    signature = {
        entry.signatureKey.decode(): ([t.name.decode() for t in entry.inputs], [t.name.decode() for t in entry.outputs])
        for entry in model.signatureDefs
    }
    return File([codes[operator.opcodeIndex] for operator in subgraph.operators], constants, signature)
