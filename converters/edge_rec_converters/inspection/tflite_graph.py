"""What is in a .tflite file."""

from __future__ import annotations

__all__ = ["tflite_facts"]

from collections import Counter
from dataclasses import dataclass
from functools import cache
from math import prod
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import onnx_ir as ir
from ai_edge_litert import schema_py_generated as schema

from edge_rec_converters.inspection.facts import GraphFacts, Port, Weight
from edge_rec_converters.inspection.flatbuffer import Flatbuffer
from edge_rec_converters.inspection.savings import savings
from edge_rec_converters.targets import EMITTERS
from edge_rec_runtime.errors import ConversionError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from edge_rec_converters.inspection.flatbuffer import Table

_T = TypeVar("_T")

# Fields by their place in schema.fbs of TensorFlow Lite, version 3.
_VERSION, _CODES, _GRAPHS, _BUFFERS = 0, 1, 2, 4
_OLD_CODE, _CUSTOM, _CODE = 0, 1, 3
_TENSORS, _INPUTS, _OUTPUTS, _OPERATORS = 0, 1, 2, 3
_SHAPE, _TYPE, _BUFFER, _NAME, _QUANTISATION, _OPEN_SHAPE = 0, 1, 2, 3, 4, 7
_SCALES, _ZEROS = 2, 3
_DATA, _OUTSIDE, _OUTSIDE_SIZE = 0, 1, 2

_CUSTOM_CODE = 32
_LAYERS = ("FULLY_CONNECTED", "BATCH_MATMUL")
_LOOKUPS = ("GATHER", "EMBEDDING_LOOKUP", "GATHER_ND")
_SOURCE = "a .tflite file is where a conversion ends; convert the PyTorch model or its .onnx file"


@dataclass(frozen=True)
class _Tensor:
    """One tensor of a subgraph; ``data`` is where the bytes of a constant are."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    open_shape: tuple[int | str, ...]
    data: memoryview | None
    nbytes: int


def tflite_facts(path: Path) -> GraphFacts:
    """Look at a .tflite file.

    Raises:
        ConversionError: It cannot be read.
    """
    content = path.read_bytes()
    if content[4:8] != b"TFL3":
        raise ConversionError(f"{path}: is no .tflite file, its bytes 4 to 8 are not TFL3; copy or export it again")
    return _facts(path, Flatbuffer(content, name=str(path)))


def _facts(path: Path, buffer: Flatbuffer) -> GraphFacts:
    model = buffer.root()
    codes = [_code(one) for one in model.tables(_CODES)]
    buffers = [_data(one, buffer) for one in model.tables(_BUFFERS)]
    graphs = list(model.tables(_GRAPHS))
    if not graphs:
        raise ConversionError(f"{path}: has no graph in it; export the model again")
    operators: Counter[str] = Counter()
    weights: list[Weight] = []
    matrices: list[tuple[_Tensor, bool]] = []
    ports: tuple[tuple[Port, ...], tuple[Port, ...]] = ((), ())
    for at, graph in enumerate(graphs):
        tensors = [_tensor(one, buffers, buffer) for one in graph.tables(_TENSORS)]
        if at == 0:
            ports = (_ports(graph, _INPUTS, tensors, buffer), _ports(graph, _OUTPUTS, tensors, buffer))
        weights += [_weight(one) for one in tensors if one.data is not None]
        roles: dict[int, bool] = {}
        for node in graph.tables(_OPERATORS):
            name = _at(codes, node.number(0, "I"), buffer)
            operators[name] += 1
            if name in _LAYERS + _LOOKUPS:
                roles |= {int(index): name in _LOOKUPS for index in node.array(1, "<i4") if index >= 0}
        matrices += [(_at(tensors, index, buffer), lookup) for index, lookup in roles.items()]
    return GraphFacts(
        format="tflite",
        version=f"schema {model.number(_VERSION, 'I')}",
        nbytes=len(buffer),
        inputs=ports[0],
        outputs=ports[1],
        operators=dict(operators.most_common()),
        weights=tuple(sorted(weights, key=lambda one: (-one.nbytes, one.name))),
        converts=dict.fromkeys(EMITTERS, _SOURCE),
        savings=_savings(matrices, sum(one.nbytes for one in weights)),
    )


def _code(code: Table) -> str:
    builtin = max(code.number(_OLD_CODE, "b"), code.number(_CODE, "i"))
    return code.text(_CUSTOM) or "CUSTOM" if builtin == _CUSTOM_CODE else _names("BuiltinOperator").get(builtin, f"#{builtin}")


def _data(table: Table, buffer: Flatbuffer) -> memoryview:
    """Return the bytes of a buffer, inside the tables or, in files above 2 GB, behind them."""
    outside, count = table.number(_OUTSIDE, "Q"), table.number(_OUTSIDE_SIZE, "Q")
    if outside > 1:
        if outside + count > len(buffer):
            raise buffer.error(f"a weight lies at byte {outside} and has {count} bytes")
        return buffer.bytes_at(outside, count)
    return memoryview(table.array(_DATA, "u1"))  # type: ignore[arg-type]  # numpy's arrays are buffers


def _tensor(table: Table, buffers: Sequence[memoryview], buffer: Flatbuffer) -> _Tensor:
    data = _at(buffers, table.number(_BUFFER, "I"), buffer)
    shape = tuple(int(size) for size in table.array(_SHAPE, "<i4"))
    signature = table.array(_OPEN_SHAPE, "<i4")
    sizes = shape if not signature.size else tuple(int(size) for size in signature)
    grid = table.table(_QUANTISATION)
    scales = 0 if grid is None else grid.array(_SCALES, "<f4").nbytes + grid.array(_ZEROS, "<i8").nbytes
    return _Tensor(
        name=table.text(_NAME),
        dtype=_names("TensorType").get(table.number(_TYPE, "b"), "?").lower(),
        shape=shape,
        open_shape=tuple("?" if size < 0 else size for size in sizes),
        data=data if len(data) else None,
        nbytes=len(data) + scales,
    )


def _ports(graph: Table, field: int, tensors: Sequence[_Tensor], buffer: Flatbuffer) -> tuple[Port, ...]:
    found = [_at(tensors, int(index), buffer) for index in graph.array(field, "<i4")]
    return tuple(Port(name=one.name, dtype=one.dtype, shape=one.open_shape) for one in found)


def _weight(tensor: _Tensor) -> Weight:
    return Weight(name=tensor.name, dtype=tensor.dtype, shape=tensor.shape, nbytes=tensor.nbytes)


def _savings(matrices: Iterable[tuple[_Tensor, bool]], total: int) -> dict[str, int | None]:
    """Put each fp32 matrix in a small graph of its own kind, so that the passes say what they would make of it."""
    saved: dict[str, int] = {}
    for tensor, lookup in matrices:
        if tensor.data is None or tensor.dtype != "float32" or len(tensor.shape) != 2 or min(tensor.shape) < 1:
            continue
        if len(tensor.data) != 4 * prod(tensor.shape):
            continue
        values = np.frombuffer(tensor.data, "<f4").reshape(tensor.shape)
        if not np.isfinite(values).all():
            continue
        for word, nbytes in savings(_alone(values, lookup=lookup)).items():
            saved[word] = saved.get(word, 0) + (values.nbytes - nbytes if nbytes is not None else 0)
    return {word: total - less if less > 0 else None for word, less in saved.items()}


def _alone(values: np.ndarray[tuple[int, ...], np.dtype[np.float32]], *, lookup: bool) -> ir.Model:
    """Return a graph that looks rows of a matrix up, or multiplies by it."""
    array = values if lookup else np.ascontiguousarray(values.T)
    held, type_ = ir.tensor(array, name="weight"), ir.TensorType(ir.DataType.FLOAT)
    weight = ir.Value(name="weight", shape=ir.Shape(array.shape), type=type_, const_value=held)
    dtype = ir.DataType.INT32 if lookup else ir.DataType.FLOAT
    shape = ir.Shape(["batch"]) if lookup else ir.Shape(["batch", values.shape[1]])
    x = ir.Value(name="x", shape=shape, type=ir.TensorType(dtype))
    node = ir.node("Gather", [weight, x]) if lookup else ir.node("MatMul", [x, weight])
    result = node.outputs[0]
    result.name, result.type = "y", type_
    result.shape = ir.Shape(["batch", values.shape[1] if lookup else values.shape[0]])
    graph = ir.Graph([x], [result], nodes=[node], initializers=[weight], opset_imports={"": 20}, name="alone")
    return ir.Model(graph, ir_version=10)


def _at(values: Sequence[_T], index: int, buffer: Flatbuffer) -> _T:
    if not 0 <= index < len(values):
        raise buffer.error(f"index {index} is used where there are {len(values)}")
    return values[index]


@cache
def _names(enumeration: str) -> dict[int, str]:
    return {value: name for name, value in vars(getattr(schema, enumeration)).items() if isinstance(value, int)}
