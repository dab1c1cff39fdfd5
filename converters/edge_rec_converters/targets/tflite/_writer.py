"""A .tflite file as its format sees it: subgraphs of tensors, constants and operators, and a signature.

Knows nothing of ONNX. Intermediate tensors are nameless, since names weigh much in a small graph.
"""

# mypy: disable-error-code="no-untyped-call"
# The generated schema classes and the flatbuffers builder come without types.
from __future__ import annotations

__all__ = ["INT32", "Subgraph", "Writer"]

import hashlib
from typing import TYPE_CHECKING, Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from flatbuffers.builder import Builder

from edge_rec_converters.targets.tflite._operators import OPERATORS
from edge_rec_converters.targets.tflite._packing import Buffer, Quantization, packed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import DTypeLike, NDArray

_FILE_IDENTIFIER = b"TFL3"
_SCHEMA_VERSION = 3
_DYNAMIC = -1
_COMPARED = 1 << 20  # bytes; larger constants are compared by their hashes, since a copy of each would cost memory
INT32: int = schema.TensorType.INT32
_TYPES: dict[str, int] = {
    "float32": schema.TensorType.FLOAT32,
    "float16": schema.TensorType.FLOAT16,
    "int32": schema.TensorType.INT32,
    "int8": schema.TensorType.INT8,
    "uint8": schema.TensorType.UINT8,
    "bool": schema.TensorType.BOOL,
}
_NARROW: dict[int, int] = {4: schema.TensorType.INT4, 2: schema.TensorType.INT2}


class Writer:
    """Collects a file part by part; the same calls give the same bytes."""

    def __init__(self) -> None:
        self.shared: dict[bytes, int] = {}
        self._buffers: list[schema.BufferT] = [Buffer()]  # the format keeps the first one empty
        self._held: dict[bytes, int] = {}
        self._subgraphs: list[Subgraph] = []
        self._codes: dict[tuple[str, int], int] = {}
        self._signatures: list[schema.SignatureDefT] = []

    def subgraph(self) -> Subgraph:
        """Add an empty subgraph; the first one is the graph that runs unless another is asked for by its signature."""
        self._subgraphs.append(Subgraph(self, len(self._subgraphs)))
        return self._subgraphs[-1]

    def buffer(self, values: NDArray[Any]) -> int:
        """Add the numbers of a constant and return their index; equal ones are kept once, whatever their types."""
        content = np.ascontiguousarray(values).reshape(-1).view(np.uint8).data
        key = bytes(content) if len(content) <= _COMPARED else hashlib.sha256(content).digest()
        if key not in self._held:
            self._buffers.append(Buffer(values))
            self._held[key] = len(self._buffers) - 1
        return self._held[key]

    def code(self, name: str, version: int | None) -> int:
        """Return the index of an operator in its version, the lowest that will do by default."""
        return self._codes.setdefault((name, version or OPERATORS[name].version), len(self._codes))

    def sign(self, key: str, subgraph: Subgraph, *, inputs: Mapping[str, int], outputs: Mapping[str, int]) -> None:
        """Give a subgraph the word by which it is asked for."""
        subgraph.close(list(inputs.values()), list(outputs.values()))
        signature = schema.SignatureDefT()
        signature.signatureKey, signature.subgraphIndex = key, subgraph.index
        signature.inputs, signature.outputs = _tensor_map(inputs), _tensor_map(outputs)
        self._signatures.append(signature)

    def finish(self, description: str) -> bytes:
        """Return the file."""
        model = schema.ModelT()
        model.version, model.description = _SCHEMA_VERSION, description
        model.subgraphs = [subgraph.content for subgraph in self._subgraphs]
        model.buffers, model.signatureDefs = self._buffers, self._signatures
        model.operatorCodes = [_operator_code(name, version) for name, version in self._codes]
        builder = Builder(1024)
        self.shared.clear()
        builder.Finish(model.Pack(builder), _FILE_IDENTIFIER)
        return bytes(builder.Output())


class Subgraph:
    """Tensors and the operators between them."""

    def __init__(self, writer: Writer, index: int) -> None:
        self.index = index
        self.content = schema.SubGraphT()
        self._tensors: list[schema.TensorT] = []
        self._operators: list[schema.OperatorT] = []
        self._open: dict[int, list[int]] = {}
        self._writer = writer

    def tensor(
        self, shape: Sequence[int | None], dtype: DTypeLike, *, name: str = "", stored: Sequence[int] | None = None
    ) -> int:
        """Add a computed tensor and return its index.

        Args:
            shape: One size an axis; None where it is known only when the graph runs.
            dtype: A type of the format, by numpy's name for it.
            name: For inputs and outputs.
            stored: The sizes until the tensor is resized; 1 for each open one unless given.
        """
        tensor = schema.TensorT()
        tensor.shape = list(stored or (1 if size is None else size for size in shape))
        if None in shape:
            self._open[len(self._tensors)] = [_DYNAMIC if size is None else size for size in shape]
        tensor.type = _TYPES[np.dtype(dtype).name]
        if name:
            tensor.name = name
        self._tensors.append(tensor)
        return len(self._tensors) - 1

    def constant(
        self, values: NDArray[np.generic], *, scales: NDArray[np.float32] | None = None, bits: int = 8, name: str = ""
    ) -> int:
        """Add a constant and return its index.

        Args:
            values: Any type of the format, any shape.
            scales: [rows] or [1] float32 makes ``values`` symmetric codes along the first axis.
            bits: 4 or 2 stores int8 codes as narrow as that, lowest bits first.
            name: Kept in the file, so that a weight can be told from another.
        """
        index = self.tensor(values.shape, values.dtype, name=name)
        tensor = self._tensors[index]
        if bits != 8:
            tensor.type = _NARROW[bits]
        tensor.buffer = self._writer.buffer(values if bits == 8 else packed(values.astype(np.int8), bits))
        if scales is not None:
            tensor.quantization = Quantization(scales, self._writer.shared)
        return index

    def rename(self, index: int, name: str) -> None:
        """Give a tensor a name."""
        self._tensors[index].name = name

    def operator(
        self, name: str, inputs: Sequence[int], outputs: Sequence[int], *, version: int | None = None, **options: object
    ) -> None:
        """Add an operator; ``options`` are fields of its options table, and a missing input is -1."""
        known = OPERATORS[name]
        operator = schema.OperatorT()
        operator.opcodeIndex = self._writer.code(name, version)
        operator.inputs, operator.outputs = list(inputs), list(outputs)
        if options and known.options is not None:
            operator.builtinOptions = known.options()
            operator.builtinOptionsType = getattr(schema.BuiltinOptions, known.options.__name__.removesuffix("T"))
            for field, value in options.items():
                setattr(operator.builtinOptions, field, value)
        self._operators.append(operator)

    def close(self, inputs: Sequence[int], outputs: Sequence[int]) -> None:
        """Say which tensors go in and out.

        These alone are marked as open. LiteRT infers the shape of any other, but of a tensor that is marked it takes no top-k
        before it has seen the numbers, and then plans all that follows anew at every call.
        """
        for index in (*inputs, *outputs):
            if index in self._open:
                self._tensors[index].shapeSignature = self._open[index]
        self.content.tensors, self.content.operators = self._tensors, self._operators
        self.content.inputs, self.content.outputs = list(inputs), list(outputs)


def _operator_code(name: str, version: int) -> schema.OperatorCodeT:
    code = schema.OperatorCodeT()
    code.builtinCode = getattr(schema.BuiltinOperator, name)
    # Readers older than the 128th operator look here, and find the marker for "see the other field".
    code.deprecatedBuiltinCode = min(code.builtinCode, schema.BuiltinOperator.PLACEHOLDER_FOR_GREATER_OP_CODES)
    code.version = version
    return code


def _tensor_map(tensors: Mapping[str, int]) -> list[schema.TensorMapT]:
    entries = []
    for name, index in tensors.items():
        entry = schema.TensorMapT()
        entry.name, entry.tensorIndex = name, index
        entries.append(entry)
    return entries
